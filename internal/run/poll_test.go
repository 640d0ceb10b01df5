package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// bySize is a run the service finds n nodes for.
func bySize(n int) (*cloud, Request) {
	all := nodes(n, "linux")
	sel := fleet.Selection{Nodes: all, Targets: []fleet.APITarget{{Key: "tag:env", Values: []string{"prod"}}}}
	return &cloud{target: idsOf(all)}, Request{Selection: sel, Script: "x"}
}

func TestAHugeRunStaysUnderTheRates(t *testing.T) {
	much := strings.Repeat("x", 5000)
	for name, result := range map[string]func(string) nodeResult{
		"that says little": nil,
		"that says much":   func(string) nodeResult { return nodeResult{stdout: much, code: 1} },
	} {
		t.Run("of 10,000 nodes "+name, func(t *testing.T) {
			c, req := bySize(10_000)
			c.work, c.result = 3*time.Second, result
			start(t, c, req, func(t *testing.T, r *recorder, err error) {
				if err != nil {
					t.Fatal(err)
				}
				if got := c.busiest(); got >= 200 {
					t.Errorf("made %d calls in a minute, want less than 200", got)
				}
				if done := r.board.Count(Success) + r.board.Count(Failed); done != 10_000 {
					t.Errorf("%d of 10,000 nodes are done", done)
				}
				for row := range r.board.Rows() {
					if !row.HasOutput {
						t.Fatalf("%s has no output", row.NodeID)
					}
				}
				// 200 turns of 3 s; reading must not take longer than running.
				if d := r.board.Elapsed(time.Now()); d > 20*time.Minute {
					t.Errorf("took %s for work of 10 min", d)
				}
			})
		})
	}
}

// TestSilentNodesCostNoCalls: that a text is empty is asked for again in small runs
// only, however many commands a large one is cut into.
func TestSilentNodesCostNoCalls(t *testing.T) {
	c := &cloud{work: time.Second, result: func(string) nodeResult { return nodeResult{} }}
	req := Request{Selection: selected(nodes(1000, "linux")), Script: "x", Concurrency: "100%"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		if n := c.byOp["GetCommandInvocation"]; n > 0 {
			t.Errorf("asked for %d outputs by themselves", n)
		}
		if n := len(r.notices(Shortened)); n > 0 {
			t.Errorf("%d times outputs are called short", n)
		}
	})
}

func TestManyCommandsArePolledTogether(t *testing.T) {
	c := &cloud{work: 30 * time.Second}
	req := Request{Selection: selected(nodes(1000, "linux")), Script: "x", Concurrency: "100%"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		polls := c.byOp["ListCommands"]
		if len(c.commands) != 20 || c.busiest() >= 200 || polls > 60 {
			t.Errorf("%d commands, %d calls in a minute: %v", len(c.commands), c.busiest(), c.byOp)
		}
	})
}

func TestThrottlingSlowsDownAndNeverFails(t *testing.T) {
	c, req := bySize(3)
	c.work = 2 * time.Second
	c.fail = func(op string, n int) error {
		if op == "ListCommands" && n < 30 {
			return errThrottled
		}
		return nil
	}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		notices := r.notices(Throttled)
		if len(notices) != 29 || notices[28].Count != 29 || notices[28].Wait != maxBackOff || notices[1].Wait != 2*firstBackOff {
			t.Errorf("%d notices, the last %+v", len(notices), notices[len(notices)-1])
		}
	})
}

func TestALostNetworkIsSurvivedForTenMinutes(t *testing.T) {
	for _, tt := range []struct {
		outage time.Duration
		fails  bool
	}{{9 * time.Minute, false}, {12 * time.Minute, true}} {
		t.Run(tt.outage.String(), func(t *testing.T) {
			c, req := bySize(3)
			c.work = 2 * time.Second
			var began time.Time
			c.fail = func(op string, n int) error {
				if op == "SendCommand" {
					began = time.Now()
					return nil
				}
				if time.Since(began) < tt.outage {
					return &net500{}
				}
				return nil
			}
			start(t, c, req, func(t *testing.T, r *recorder, err error) {
				if len(r.notices(Retrying)) == 0 {
					t.Error("no notice")
				}
				if !tt.fails {
					if err != nil || r.board.Err() != nil {
						t.Error(err, r.board.Err())
					}
					return
				}
				if err == nil || !strings.Contains(fault.HintOf(err), "ssmdeck run watch "+r.board.RunID()) {
					t.Errorf("got %v with hint %q, want the way back", err, fault.HintOf(err))
				}
			})
		})
	}
}

// net500 is a connection that broke on the way.
type net500 struct{}

func (*net500) Error() string { return "unexpected EOF" }

func TestARefusalEndsTheFollowingOnly(t *testing.T) {
	c, req := bySize(3)
	c.work = time.Minute
	c.fail = func(op string, n int) error {
		if op == "ListCommands" && n > 3 {
			return &smithy.GenericAPIError{Code: "ExpiredTokenException", Message: "expired"}
		}
		return nil
	}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		wantKind(t, err, fault.Auth, "expired")
		wantKind(t, r.board.Err(), fault.Pending, "3 of 3 nodes are not done")
	})
}

func TestACommandThatNeverAppearsIsAnError(t *testing.T) {
	c, req := bySize(3)
	c.lag = time.Hour
	start(t, c, req, func(t *testing.T, _ *recorder, err error) {
		wantKind(t, err, fault.NotFound, "does not list it")
	})
}

func TestNodesThatNeverRanAreFailures(t *testing.T) {
	for detail, want := range map[string]State{
		"Undeliverable": Failed, "InvalidPlatform": Failed, "AccessDenied": Failed, "DeliveryTimedOut": TimedOut, "Terminated": Skipped,
	} {
		c, req := bySize(2)
		c.work = time.Second
		c.result = func(node string) nodeResult {
			if node == "i-l0001" {
				return nodeResult{detail: detail}
			}
			return nodeResult{stdout: "fine"}
		}
		start(t, c, req, func(t *testing.T, r *recorder, err error) {
			if err != nil {
				t.Fatal(err)
			}
			first, ok := r.board.FirstFailure()
			if !ok || first.State != want || first.Detail != detail || first.Reason == "" || first.ExitCode != NoExit || first.HasOutput {
				t.Errorf("%s: got %+v", detail, first)
			}
			if fault.KindOf(r.board.Err()) != fault.RemoteFailed {
				t.Errorf("%s: got %v", detail, r.board.Err())
			}
			if c.byOp["GetCommandInvocation"] > 0 {
				t.Errorf("%s: asked for output that cannot exist", detail)
			}
		})
	}
}

func TestPollingIsFastWhileThingsHappenAndSlowWhileTheyDoNot(t *testing.T) {
	c, req := bySize(2)
	c.work = 10 * time.Minute
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if n := c.byOp["ListCommands"]; n < 100 || n > 170 {
			t.Errorf("polled %d times in 10 min, want about one in 5 s", n)
		}
		if wait := r.board.Elapsed(time.Now()) - c.work; wait > 8*time.Second {
			t.Errorf("noticed the end %s late", wait)
		}
		gap := c.calls[3].Sub(c.calls[1])
		if gap > time.Second {
			t.Errorf("the second poll came after %s", gap)
		}
	})
}

// script answers each call of one operation with the next of the given answers,
// the last again and again.
func script[In, Out any](answers ...Out) func(context.Context, In, ...func(*ssm.Options)) (Out, error) {
	n := 0
	return func(context.Context, In, ...func(*ssm.Options)) (Out, error) {
		n++
		return answers[min(n, len(answers))-1], nil
	}
}

func counters(status types.CommandStatus, completed int32) *ssm.ListCommandsOutput {
	return &ssm.ListCommandsOutput{Commands: []types.Command{{
		CommandId: aws.String(cid), Status: status, TargetCount: 2, CompletedCount: completed,
	}}}
}

func states(pairs ...string) *ssm.ListCommandInvocationsOutput {
	out := &ssm.ListCommandInvocationsOutput{}
	for i := 0; i < len(pairs); i += 2 {
		out.CommandInvocations = append(out.CommandInvocations, types.CommandInvocation{
			InstanceId: aws.String(pairs[i]), Status: types.CommandInvocationStatus(pairs[i+1]),
			CommandPlugins: []types.CommandPlugin{{Output: aws.String("text of " + pairs[i])}},
		})
	}
	return out
}

// TestStatesOutOfOrder: the lists are answered by replicas, so that a node may
// seem to go back, vanish, or lag behind the counters.
func TestStatesOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(script[*ssm.ListCommandsInput](
			counters(types.CommandStatusInProgress, 0), counters(types.CommandStatusInProgress, 1),
			counters(types.CommandStatusInProgress, 0), counters(types.CommandStatusSuccess, 2),
			counters(types.CommandStatusInProgress, 1), counters(types.CommandStatusSuccess, 2),
		))
		client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(script[*ssm.ListCommandInvocationsInput](
			states(), states("a", "InProgress", "b", "Pending"), states("a", "Success", "b", "InProgress"),
			states("a", "InProgress"), states("b", "Pending"), states("a", "Pending", "b", "Success"),
		))
		var r recorder
		if err := followIDs(t.Context(), New(client, nil), []string{cid}, r.emit); err != nil {
			t.Fatal(err)
		}
		last := map[string]State{}
		finals := map[string]int{}
		for _, e := range r.events {
			if e.Kind != Changed {
				continue
			}
			inv := e.Invocation
			if last[inv.NodeID].Final() {
				t.Errorf("%s went from %s to %s", inv.NodeID, last[inv.NodeID], inv.State)
			}
			last[inv.NodeID] = inv.State
			if inv.State.Final() {
				finals[inv.NodeID]++
			}
		}
		if d := diff(map[string]int{"a": 1, "b": 1}, finals); d != "" {
			t.Error(d)
		}
		if r.board.Err() != nil || !r.board.Done() {
			t.Errorf("board: %v", r.board.Err())
		}
	})
}

func TestACommandThatEndsWithoutAllItsInvocationsIsToldHonestly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().Return(counters(types.CommandStatusSuccess, 2), nil)
		client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).AnyTimes().Return(states("a", "Success", "b", "InProgress"), nil)
		began := time.Now()
		var r recorder
		if err := followIDs(t.Context(), New(client, nil), []string{cid}, r.emit); err != nil {
			t.Fatal(err)
		}
		if n := r.notices(Unsettled); len(n) != 1 || n[0].Count != 1 {
			t.Errorf("notices %+v", n)
		}
		if d := time.Since(began); d < settling || d > 2*settling {
			t.Errorf("waited %s", d)
		}
	})
}

func TestATokenThatDoesNotMoveEndsTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := NewMockapi(gomock.NewController(t))
		client.EXPECT().ListCommands(gomock.Any(), gomock.Any()).AnyTimes().Return(counters(types.CommandStatusSuccess, 2), nil)
		page := states("a", "Success", "b", "Success")
		page.NextToken = aws.String("again")
		client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).MaxTimes(2).Return(page, nil)
		var r recorder
		if err := followIDs(t.Context(), New(client, nil), []string{cid}, r.emit); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWeigh(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want weight
	}{
		{errThrottled, isThrottled},
		{&smithy.GenericAPIError{Code: "RequestLimitExceeded"}, isThrottled},
		{&types.InvocationDoesNotExist{}, isNotYet},
		{fmt.Errorf("wrapped: %w", &types.InvalidCommandId{}), isNotYet},
		{&types.InternalServerError{}, isTransient},
		{&smithy.GenericAPIError{Code: "Odd", Fault: smithy.FaultServer}, isTransient},
		{errCut, isTransient},
		{errors.New("unexpected EOF"), isTransient},
		{&smithy.GenericAPIError{Code: "AccessDeniedException"}, isRefused},
		{&smithy.GenericAPIError{Code: "ValidationException"}, isRefused},
		{fault.New(fault.Refused, "", "read only"), isRefused},
	} {
		if got := weigh(tt.err); got != tt.want {
			t.Errorf("%v weighs %d, want %d", tt.err, got, tt.want)
		}
	}
}
