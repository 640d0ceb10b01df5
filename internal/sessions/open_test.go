package sessions

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const node = "i-0123456789abcdef0"

// noChannel is a Channel without AWS.
type noChannel struct{}

func (noChannel) SignUpgrade(context.Context, *http.Request) error { return nil }
func (noChannel) HTTPClient() *http.Client                         { return http.DefaultClient }
func (noChannel) DataKey(context.Context, string, map[string]string) ([]byte, []byte, error) {
	return nil, nil, fault.New(fault.Auth, "make a key", "denied")
}

// script is a Conn that gives the frames it was made with and swallows the rest.
type script struct {
	frames chan []byte
	closed chan struct{}
}

func newScript(messages ...wire.Message) *script {
	s := &script{frames: make(chan []byte, len(messages)), closed: make(chan struct{})}
	for _, m := range messages {
		m.Created = 1
		b, err := wire.Append(nil, &m)
		if err != nil {
			panic(err)
		}
		s.frames <- b
	}
	return s
}

func (s *script) Read() ([]byte, error) {
	select {
	case b := <-s.frames:
		return b, nil
	default:
	}
	select {
	case b := <-s.frames:
		return b, nil
	case <-s.closed:
		return nil, io.ErrClosedPipe
	}
}
func (s *script) Write([]byte) error { return nil }
func (s *script) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func dialing(c sessionclient.Conn, err error) sessionclient.Option {
	return sessionclient.WithDialer(func(context.Context, sessionclient.Ticket) (sessionclient.Conn, error) { return c, err })
}

func output(text string) wire.Message {
	return wire.Message{Type: wire.OutputStreamData, PayloadType: wire.PayloadOutput, Payload: []byte(text)}
}

func closed(reason string) wire.Message {
	return wire.Message{Type: wire.ChannelClosed, Payload: wire.Marshal(wire.Closed{Output: reason})}
}

func started() *ssm.StartSessionOutput {
	return &ssm.StartSessionOutput{SessionId: aws.String("me-1"), TokenValue: aws.String("secret-token"), StreamUrl: aws.String("wss://x/y?secret-query")}
}

func TestOpenSendsTheRequest(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StartSession(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.StartSessionInput, _ ...func(*ssm.Options)) (*ssm.StartSessionOutput, error) {
			if aws.ToString(in.Target) != node || aws.ToString(in.Reason) != "ticket 12" || in.DocumentName != nil {
				t.Errorf("sent target %q, reason %q, document %v", aws.ToString(in.Target), aws.ToString(in.Reason), in.DocumentName)
			}
			return started(), nil
		})
	m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(1).Return(&ssm.TerminateSessionOutput{}, nil)
	s, err := newService(m, noChannel{}, Options{}).Open(t.Context(), Request{Target: node, Reason: "ticket 12"}, dialing(newScript(output("$ ")), nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	_ = s.Close() // twice: terminated once
}

func TestASessionThatTheServiceClosedIsNotTerminated(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
	s, err := newService(m, noChannel{}, Options{}).Open(t.Context(), Request{Target: node}, dialing(newScript(output("$ "), closed("")), nil))
	if err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	_ = s.Close()
}

func TestOpenFailures(t *testing.T) {
	tests := []struct {
		name       string
		start      error
		messages   []wire.Message
		dial       error
		document   string
		kind       fault.Kind
		text, hint string
	}{
		{"offline node", &types.TargetNotConnected{Message: aws.String("x")}, nil, nil, "", fault.Offline, "agent is not connected", "ssmdeck node get"},
		{"unknown document", &types.InvalidDocument{Message: aws.String("x")}, nil, nil, "Mine", fault.NotFound, "session document Mine", "--document"},
		{"upgrade refused", nil, nil, &sessionclient.UpgradeError{Status: 403}, "", fault.Auth, "403 Forbidden", "ssmmessages:OpenDataChannel"},
		{"ended with a reason", nil, []wire.Message{closed("lookup db: no such host\n")}, nil, "", fault.Failed, "lookup db: no such host", ""},
		{"no network", nil, nil, errors.New("no route to host"), "", fault.Failed, "no route to host", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := NewMockapi(gomock.NewController(t))
				if tt.start != nil {
					m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(nil, tt.start)
				} else {
					m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
					m.EXPECT().ResumeSession(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.ResumeSessionOutput{TokenValue: aws.String("t")}, nil)
					m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(1).Return(nil, errors.New("whatever"))
				}
				var conn sessionclient.Conn
				if len(tt.messages) > 0 {
					conn = newScript(tt.messages...)
				}
				_, err := newService(m, noChannel{}, Options{}).Open(t.Context(), Request{Target: node, Document: tt.document}, dialing(conn, tt.dial))
				if err == nil {
					t.Fatal("no error")
				}
				if strings.Contains(err.Error(), "secret") {
					t.Errorf("%q gives the ticket away", err)
				}
				if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) {
					t.Errorf("got %s %q, hint %q; want %s %q, hint %q", fault.KindOf(err), err, fault.HintOf(err), tt.kind, tt.text, tt.hint)
				}
			})
		})
	}
}

func TestResume(t *testing.T) {
	tests := []struct {
		name string
		out  *ssm.ResumeSessionOutput
		err  error
		want error
	}{
		{"a new token", &ssm.ResumeSessionOutput{TokenValue: aws.String("t2"), StreamUrl: aws.String("wss://z")}, nil, nil},
		{"gone", nil, &types.DoesNotExistException{}, sessionclient.ErrSessionGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMockapi(gomock.NewController(t))
			m.EXPECT().ResumeSession(gomock.Any(), gomock.Any()).Return(tt.out, tt.err)
			got, err := newService(m, noChannel{}, Options{}).resume(t.Context(), "me-1")
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err == nil && (got.Token != "t2" || got.StreamURL != "wss://z") {
				t.Error("the new ticket was not used whole")
			}
		})
	}
}

func TestExecFallsBackToTheInteractiveDocument(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	var documents, commands []string
	m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ssm.StartSessionInput, _ ...func(*ssm.Options)) (*ssm.StartSessionOutput, error) {
			documents = append(documents, aws.ToString(in.DocumentName))
			commands = append(commands, in.Parameters["command"][0])
			if len(documents) == 1 {
				return nil, &types.InvalidDocument{}
			}
			return started(), nil
		})
	svc := newService(m, noChannel{}, Options{})
	conn := newScript(output("hi\n"), closed(""))
	e, err := svc.Exec(t.Context(), ExecRequest{Target: node, Platform: "linux", Command: "echo hi"}, dialing(conn, nil))
	if err != nil {
		t.Fatal(err)
	}
	if !e.Merged || documents[0] != DocumentNonInteractive || documents[1] != DocumentInteractive {
		t.Errorf("merged %t, documents %v", e.Merged, documents)
	}
	if !strings.HasPrefix(commands[1], "stty -opost -echo") {
		t.Errorf("command %q, want one that calms the terminal first", commands[1])
	}
	var out strings.Builder
	_, known, err := e.Copy(&out, io.Discard)
	if err != nil || known || out.String() != "hi\n" {
		t.Errorf("got %q, known %t, %v; want the output and an unknown status", out.String(), known, err)
	}
	_ = e.Close()
}

func TestListPages(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	calls := 0
	m.EXPECT().DescribeSessions(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ssm.DescribeSessionsInput, _ ...func(*ssm.Options)) (*ssm.DescribeSessionsOutput, error) {
			calls++
			if calls == 1 {
				if in.State != types.SessionStateHistory || len(in.Filters) != 1 {
					t.Errorf("state %s, %d filters", in.State, len(in.Filters))
				}
				return &ssm.DescribeSessionsOutput{NextToken: aws.String("n"), Sessions: []types.Session{{SessionId: aws.String("a"), Owner: aws.String("arn:aws:sts::1:assumed-role/Ops/alice")}}}, nil
			}
			if aws.ToString(in.NextToken) != "n" {
				t.Error("the token was not passed on")
			}
			return &ssm.DescribeSessionsOutput{Sessions: []types.Session{{SessionId: aws.String("b")}}}, nil
		})
	var ids []string
	for e, err := range newService(m, noChannel{}, Options{}).List(t.Context(), Filter{History: true, Target: node}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID+":"+e.OwnerName())
	}
	if got, want := strings.Join(ids, " "), "a:alice b:"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
