package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// withCommand runs check right after a command on two nodes was sent to c, and
// forgets the calls that took.
func withCommand(t *testing.T, c *cloud, check func(*testing.T, *Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := New(c, nil)
		var r recorder
		if err := s.Start(t.Context(), Request{Selection: selected(nodes(2, "linux")), Script: "x", NoWait: true}, r.emit); err != nil {
			t.Fatal(err)
		}
		c.calls, c.byOp = nil, nil
		check(t, s)
	})
}

// followIDs follows commands by their ids.
func followIDs(ctx context.Context, s *Service, ids []string, emit func(Event)) error {
	r, err := s.FindAll(ctx, ids)
	if err != nil {
		return err
	}
	return s.Follow(ctx, r, false, emit)
}

// asks are the ways to name a command that was sent before.
var asks = []struct {
	name string
	do   func(ctx context.Context, s *Service, id string) error
}{
	{"on", func(ctx context.Context, s *Service, id string) error {
		_, _, err := s.On(ctx, id, "i-l0000")
		return err
	}},
	{"follow", func(ctx context.Context, s *Service, id string) error {
		return followIDs(ctx, s, []string{id}, func(Event) {})
	}},
	{"show", func(ctx context.Context, s *Service, id string) error {
		r, err := s.Find(ctx, id)
		if err != nil {
			return err
		}
		return s.Show(ctx, r, func(Event) {})
	}},
	{"cancel", func(ctx context.Context, s *Service, id string) error { _, err := s.Cancel(ctx, id, nil); return err }},
}

func TestACommandThatBecomesVisibleLateIsFound(t *testing.T) {
	for _, ask := range asks {
		t.Run(ask.name, func(t *testing.T) {
			withCommand(t, &cloud{work: time.Minute, lag: 4 * time.Second}, func(t *testing.T, s *Service) {
				if err := ask.do(t.Context(), s, commandID(1)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestACommandThatNeverBecomesVisibleIsNotFound(t *testing.T) {
	for _, ask := range asks {
		t.Run(ask.name, func(t *testing.T) {
			c := &cloud{work: time.Minute, lag: time.Hour}
			withCommand(t, c, func(t *testing.T, s *Service) {
				began := time.Now()
				wantKind(t, ask.do(t.Context(), s, commandID(1)), fault.NotFound, "no such command")
				if d := time.Since(began); d != visibleWithin {
					t.Errorf("gave up after %s, want %s", d, visibleWithin)
				}
				if n := len(c.calls); n < 5 || n > 12 {
					t.Errorf("made %d calls: %v", n, c.byOp)
				}
			})
		})
	}
}

func TestWhatIsNoIDIsRefusedAtOnce(t *testing.T) {
	for _, id := range []string{"", "nope", "i-0123456789abcdef0", commandID(1) + " ", commandID(1) + "\n", "0123456789abcdef0123456789abcdef0123", "g1234567-89ab-cdef-0123-456789abcdef"} {
		for _, ask := range asks {
			t.Run(ask.name+" "+id, func(t *testing.T) {
				c := &cloud{}
				wantKind(t, ask.do(t.Context(), New(c, nil), id), fault.Usage, "of a command: such ids look like")
				if len(c.calls) > 0 {
					t.Errorf("made calls %v", c.byOp)
				}
			})
		}
	}
	c := &cloud{}
	wantKind(t, followIDs(t.Context(), New(c, nil), []string{commandID(1), "nope"}, nil), fault.Usage, `"nope"`)
	if len(c.calls) > 0 {
		t.Errorf("made calls %v before the second id was looked at", c.byOp)
	}
}

func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	for _, ask := range asks {
		t.Run(ask.name, func(t *testing.T) {
			withCommand(t, &cloud{lag: time.Hour}, func(t *testing.T, s *Service) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				began := time.Now()
				wantKind(t, ask.do(ctx, s, commandID(1)), fault.Interrupted, "interrupted")
				if d := time.Since(began); d != time.Second {
					t.Errorf("returned after %s", d)
				}
			})
		})
	}
}

func TestShowWaitsForTheInvocationsOfACommandThatIsListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		running := fullCommand()
		running.Status = types.CommandStatusInProgress
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(&ssm.ListCommandsOutput{Commands: []types.Command{running}}, nil)
		late := client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Times(2).Return(nil, &types.InvalidCommandId{})
		client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).After(late).Return(states("a", "Pending"), nil)
		s := New(client, nil)
		r, err := s.Find(t.Context(), cid)
		if err != nil {
			t.Fatal(err)
		}
		var seen recorder
		if err := s.Show(t.Context(), r, seen.emit); err != nil || seen.board.Count(Pending) != 1 {
			t.Errorf("got %s, %v", seen.kinds(), err)
		}
	})
}

func TestCancelAsksBeforeItReads(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	running := fullCommand()
	running.Status = types.CommandStatusInProgress
	asked := client.EXPECT().CancelCommand(gomock.Any(), &ssm.CancelCommandInput{CommandId: aws.String(cid)}).Return(nil, nil)
	client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).After(asked).Return(&ssm.ListCommandsOutput{Commands: []types.Command{running}}, nil)
	if cmd, err := New(client, nil).Cancel(t.Context(), cid, nil); err != nil || cmd.State.Final() || cmd.Document == "" {
		t.Errorf("got %+v, %v", cmd, err)
	}
}

func TestCancelOfManyNodesNamesThoseNotReached(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	ids := idsOf(nodes(70, "linux"))
	client.EXPECT().CancelCommand(gomock.Any(), &ssm.CancelCommandInput{CommandId: aws.String(cid), InstanceIds: ids[:50]}).Return(nil, nil)
	client.EXPECT().CancelCommand(gomock.Any(), &ssm.CancelCommandInput{CommandId: aws.String(cid), InstanceIds: ids[50:]}).Return(nil, &types.InvalidInstanceId{})
	_, err := New(client, nil).Cancel(t.Context(), cid, ids)
	wantKind(t, err, fault.NotFound, "cancel command "+cid+" on the nodes from i-l0050 on")
}

func TestCancelTellsWhetherTheCommandHadEnded(t *testing.T) {
	tests := []struct {
		name   string
		answer error // to CancelCommand
		status types.CommandStatus
		want   State
	}{
		{"it runs", nil, types.CommandStatusInProgress, Running},
		{"it stops at once", nil, types.CommandStatusCancelled, Cancelling}, // was not ended before
		{"it had succeeded", nil, types.CommandStatusSuccess, Success},
		{"it had failed", nil, types.CommandStatusFailed, Failed},
		{"it had ended and is not known to cancel", &types.InvalidCommandId{}, types.CommandStatusSuccess, Success},
		{"it had been cancelled and is not known to cancel", &types.InvalidCommandId{}, types.CommandStatusCancelled, Cancelled},
		{"it had ended and the node is not known", &types.InvalidInstanceId{}, types.CommandStatusFailed, Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := NewMockapi(gomock.NewController(t))
				client.EXPECT().CancelCommand(gomock.Any(), gomock.Any()).MinTimes(1).Return(nil, tt.answer)
				client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(&ssm.ListCommandsOutput{
					Commands: []types.Command{{CommandId: aws.String(cid), Status: tt.status}},
				}, nil)
				if cmd, err := New(client, nil).Cancel(t.Context(), cid, nil); err != nil || cmd.State != tt.want {
					t.Errorf("got %s, %v; want %s", cmd.State, err, tt.want)
				}
			})
		})
	}
}

func TestACancelThatWasTakenSucceedsThoughNothingCanBeRead(t *testing.T) {
	for _, err := range []error{errors.New("reset"), &smithy.GenericAPIError{Code: "AccessDeniedException"}, errThrottled} {
		client := NewMockapi(gomock.NewController(t))
		client.EXPECT().CancelCommand(gomock.Any(), gomock.Any()).Return(nil, nil)
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Return(nil, err)
		if cmd, err := New(client, nil).Cancel(t.Context(), cid, nil); err != nil || cmd.ID != cid || cmd.State != Cancelling {
			t.Errorf("got %+v, %v", cmd, err)
		}
	}
}

func TestACancelOfACommandNotListedIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		client.EXPECT().CancelCommand(gomock.Any(), gomock.Any()).Times(2).Return(nil, nil)
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(script[*ssm.ListCommandsInput](
			&ssm.ListCommandsOutput{}, counters(types.CommandStatusCancelling, 0),
		))
		if cmd, err := New(client, nil).Cancel(t.Context(), cid, nil); err != nil || cmd.State != Cancelling {
			t.Errorf("got %+v, %v", cmd, err)
		}
	})
}

func TestACancelThatIsDeniedIsNotRepeated(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	client.EXPECT().CancelCommand(gomock.Any(), gomock.Any()).Return(nil, &smithy.GenericAPIError{Code: "AccessDeniedException"})
	_, err := New(client, nil).Cancel(t.Context(), cid, nil)
	wantKind(t, err, fault.Auth, "cancel command "+cid)
}
