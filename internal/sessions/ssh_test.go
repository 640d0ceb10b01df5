package sessions

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestSSHStartsTheDocument(t *testing.T) {
	for document, want := range map[string]string{"": DocumentSSH, "Mine": "Mine"} {
		m := NewMockapi(gomock.NewController(t))
		m.EXPECT().StartSession(gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, in *ssm.StartSessionInput, _ ...func(*ssm.Options)) (*ssm.StartSessionOutput, error) {
				if got := fmt.Sprint(in.Parameters); aws.ToString(in.DocumentName) != want || got != "map[portNumber:[2222]]" {
					t.Errorf("sent %s %s", aws.ToString(in.DocumentName), got)
				}
				return started(), nil
			})
		m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Return(&ssm.TerminateSessionOutput{}, nil)
		s, err := newService(m, noChannel{}, Options{}).SSH(t.Context(), SSHRequest{Target: node, Port: 2222, Document: document}, dialing(newScript(output("x")), nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
}

func TestExplainSSH(t *testing.T) {
	tests := []struct {
		reason, text, hint string
	}{
		{"Unable to connect to specified port: dial tcp localhost:22: connection refused\n", "connect to port 22 of " + node + ": the node cannot: dial tcp", "exec " + node},
		{"Unable to connect to specified port", "the node cannot: no answer", ""},
		{"Plugin with name Port not found. Step name: Port", "too old to carry SSH", "2.3.672.0"},
		{"Plugin with name Port is not supported by this version of ssm agent", "too old to carry SSH", ""},
		{"session timed out", "session timed out", ""},
	}
	for _, tt := range tests {
		m := NewMockapi(gomock.NewController(t))
		m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
		m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Return(&ssm.TerminateSessionOutput{}, nil)
		_, err := newService(m, noChannel{}, Options{}).SSH(t.Context(), SSHRequest{Target: node, Port: 22}, dialing(newScript(closed(tt.reason)), nil))
		if err == nil || fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%q: got %v, hint %q", tt.reason, err, fault.HintOf(err))
		}
	}
	if ExplainSSH(SSHRequest{}, nil) != nil || ExplainSSH(SSHRequest{}, context.Canceled) != context.Canceled {
		t.Error("what is no fault must pass")
	}
}

// TestAStartThatIsCutOffLeavesNoSession: the answer to a call that was under way
// still tells the id.
func TestAStartThatIsCutOffLeavesNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMockapi(gomock.NewController(t))
		ctx, cancel := context.WithCancel(t.Context())
		m.EXPECT().StartSession(gomock.Any(), gomock.Any()).DoAndReturn(
			func(call context.Context, _ *ssm.StartSessionInput, _ ...func(*ssm.Options)) (*ssm.StartSessionOutput, error) {
				cancel()
				select {
				case <-call.Done():
					return nil, call.Err()
				case <-time.After(terminateWait / 2):
					return started(), nil
				}
			})
		m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(1).Return(&ssm.TerminateSessionOutput{}, nil)
		_, err := newService(m, noChannel{}, Options{}).Open(ctx, Request{Target: node}, dialing(newScript(), nil))
		if fault.KindOf(err) != fault.Interrupted {
			t.Errorf("got %v", err)
		}
	})
}

func TestAttachUsesTheTicketAsItIs(t *testing.T) {
	m := NewMockapi(gomock.NewController(t)) // no StartSession
	m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(1).DoAndReturn(
		func(_ context.Context, in *ssm.TerminateSessionInput, _ ...func(*ssm.Options)) (*ssm.TerminateSessionOutput, error) {
			if aws.ToString(in.SessionId) != "me-2" {
				t.Errorf("terminated %s", aws.ToString(in.SessionId))
			}
			return &ssm.TerminateSessionOutput{}, nil
		})
	ticket := sessionclient.Ticket{SessionID: "me-2", Token: "t", StreamURL: "wss://x/y"}
	s, err := newService(m, noChannel{}, Options{}).Attach(t.Context(), ticket, Request{Target: node}, dialing(newScript(output("$ ")), nil))
	if err != nil {
		t.Fatal(err)
	}
	if s.Info().SessionID != "me-2" {
		t.Errorf("attached to %s", s.Info().SessionID)
	}
	_ = s.Close()
}
