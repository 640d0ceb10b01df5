package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func kindName(err error) string { return fault.KindOf(err).String() }

func sortedTimes(m map[time.Time]int) []time.Time {
	return slices.SortedFunc(maps.Keys(m), time.Time.Compare)
}

var errThrottled = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}

// start runs a request in a bubble of virtual time.
func start(t *testing.T, c *cloud, req Request, check func(*testing.T, *recorder, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		err := New(c, nil).Start(t.Context(), req, r.emit)
		check(t, &r, err)
	})
}

func TestStartFollowsToTheEnd(t *testing.T) {
	c := &cloud{work: 3 * time.Second, lag: 2 * time.Second, result: func(node string) nodeResult {
		if node == "i-l0001" {
			return nodeResult{code: 3, stdout: "partly\n", stderr: "boom\n"}
		}
		return nodeResult{stdout: "up\n"}
	}}
	req := Request{Selection: selected(nodes(3, "linux")), Argv: []string{"systemctl", "restart", "nginx"}, Comment: "night shift"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, r.board.Err(), fault.RemoteFailed, "run: 1 of 3 nodes failed")
		first, _ := r.board.FirstFailure()
		if first.NodeID != "i-l0001" || first.ExitCode != 3 || first.Stdout != "partly\n" || first.Stderr != "boom\n" || first.NodeName != "linux-1" {
			t.Errorf("first failure is %+v", first)
		}
		if !strings.HasPrefix(r.kinds(), "planned sent ") || !strings.HasSuffix(r.kinds(), " done") {
			t.Errorf("events are %s", r.kinds())
		}
		in := c.commands[0].in
		if got := in.Parameters["commands"]; !slices.Equal(got, []string{"systemctl restart nginx"}) {
			t.Errorf("sent commands %q", got)
		}
		if text, runID, _, _ := splitComment(aws.ToString(in.Comment)); text != "night shift" || runID != r.board.RunID() || runID == "" {
			t.Errorf("sent comment %q in run %q", aws.ToString(in.Comment), r.board.RunID())
		}
		if groups := r.board.Groups(); len(groups) != 2 || groups[0].State != Failed || len(groups[1].Nodes) != 2 {
			t.Errorf("groups are %+v", groups)
		}
		if d := r.board.Elapsed(time.Now()); d < 3*time.Second || d > 10*time.Second {
			t.Errorf("took %s for work of 3 s", d)
		}
	})
}

func TestStartSendsNothingForABadRequest(t *testing.T) {
	sel := selected(nodes(2, "linux"))
	offline := fleet.Selection{Offline: []fleet.Node{{ID: "i-gone", Ping: "lost"}}}
	tests := []struct {
		name string
		req  Request
		kind fault.Kind
		text string
	}{
		{"nothing selected", Request{Script: "x"}, fault.NotFound, "no node is selected, and nothing was sent"},
		{"all offline", Request{Selection: offline, Script: "x"}, fault.Offline, "all selected nodes are offline (1)"},
		{"nothing to run", Request{Selection: sel}, fault.Usage, "nothing to run"},
		{"a blank script", Request{Selection: sel, Script: " \n"}, fault.Usage, "the script is empty"},
		{"a script and a command", Request{Selection: sel, Script: "x", Argv: []string{"y"}}, fault.Usage, "not both"},
		{"a script that is no text", Request{Selection: sel, Script: "\xff"}, fault.Usage, "not text"},
		{"a script too long", Request{Selection: sel, Script: strings.Repeat("x", 65<<10)}, fault.Usage, "the script has"},
		{"a bad concurrency", Request{Selection: sel, Script: "x", Concurrency: "0"}, fault.Usage, "concurrency"},
		{"a bad error limit", Request{Selection: sel, Script: "x", MaxErrors: "many"}, fault.Usage, "max errors"},
		{"a timeout too short", Request{Selection: sel, Script: "x", Timeout: time.Second}, fault.Usage, "timeout 1s: from 30s to 30d"},
		{"an exec timeout too long", Request{Selection: sel, Script: "x", ExecTimeout: 49 * time.Hour}, fault.Usage, "exec-timeout 49h: from 1s to 2d"},
		{"a comment too long", Request{Selection: sel, Script: "x", Comment: strings.Repeat("é", MaxComment+1)}, fault.Usage, "the comment has"},
		{"a prefix without a bucket", Request{Selection: sel, Script: "x", S3Prefix: "p"}, fault.Usage, "needs a bucket"},
		{"a parameter given twice", Request{Selection: sel, Script: "x", Params: map[string][]string{"commands": {"y"}}}, fault.Usage, "commands is given twice"},
		{"an unknown platform", Request{Selection: selected([]fleet.Node{{ID: "i-x"}}), Script: "x"}, fault.Usage, "platform of i-x is not known"},
		{"targets nobody looked up", Request{Selection: fleet.Selection{Targets: []fleet.APITarget{{Key: "tag:a"}}}, Script: "x"}, fault.Usage, "platform of these targets"},
		{"limits that cannot be shared", Request{Selection: selected(nodes(120, "linux")), Script: "x", NoWait: true, Concurrency: "2"}, fault.Usage, "needs 3 commands"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &cloud{}
			err := New(c, nil).Start(t.Context(), tt.req, func(e Event) { t.Errorf("event %s", e.Kind) })
			wantKind(t, err, tt.kind, tt.text)
			if len(c.calls) > 0 {
				t.Errorf("made %d calls", len(c.calls))
			}
		})
	}
}

func TestStartSplitsAMixedFleet(t *testing.T) {
	sel := selected(nodes(60, "linux"), nodes(2, "windows"), nodes(1, "macos"))
	lost := fleet.Node{ID: "i-lost", Platform: "windows", Ping: "lost"}
	sel.Nodes, sel.Offline = append(sel.Nodes, lost), []fleet.Node{lost}
	// Tags are of no use here: the service cannot tell platforms apart.
	sel.InstanceIDs, sel.Targets = nil, []fleet.APITarget{{Key: "tag:env", Values: []string{"prod"}}}
	c := &cloud{work: time.Second}
	start(t, c, Request{Selection: sel, Argv: []string{"echo", "a b"}, Concurrency: "100%"}, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, r.board.Err(), fault.RemoteFailed, "1 of 64 nodes failed (1 not sent)")
		var sent []string
		for _, cmd := range c.commands {
			sent = append(sent, fmt.Sprintf("%s %d %s", aws.ToString(cmd.in.DocumentName), len(cmd.ids), cmd.in.Parameters["commands"][0]))
		}
		want := []string{"AWS-RunShellScript 50 echo 'a b'", "AWS-RunShellScript 11 echo 'a b'", "AWS-RunPowerShellScript 2 echo 'a b'"}
		if d := diff(want, sent); d != "" {
			t.Error(d)
		}
		if r.board.Total() != 64 || r.board.Count(Success) != 63 || len(r.board.CommandIDs()) != 3 {
			t.Errorf("board has %d nodes, %d ok, commands %v", r.board.Total(), r.board.Count(Success), r.board.CommandIDs())
		}
		ids := make(map[string]bool)
		for _, cmd := range c.commands {
			_, id, _, _ := splitComment(aws.ToString(cmd.in.Comment))
			ids[id] = true
		}
		if len(ids) != 1 {
			t.Errorf("the commands carry run ids %v, want one", ids)
		}
	})
}

func TestStartLeavesTargetsToTheService(t *testing.T) {
	lost := fleet.Node{ID: "i-lost", Name: "gone", Ping: "lost"}
	sel := fleet.Selection{
		Nodes: append(nodes(80, "linux"), lost), Offline: []fleet.Node{lost},
		Targets: []fleet.APITarget{{Key: "tag:env", Values: []string{"prod"}}},
	}
	c := &cloud{work: time.Second, target: idsOf(nodes(79, "linux"))} // the service sees one node less
	start(t, c, Request{Selection: sel, Script: "uptime", Concurrency: "10%", MaxErrors: "5%"}, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		in := c.commands[0].in
		if len(c.commands) != 1 || len(in.InstanceIds) != 0 || aws.ToString(in.Targets[0].Key) != "tag:env" {
			t.Errorf("sent %d commands, the first with ids %v and targets %v", len(c.commands), in.InstanceIds, in.Targets)
		}
		if aws.ToString(in.MaxConcurrency) != "10%" || aws.ToString(in.MaxErrors) != "5%" {
			t.Errorf("sent limits %s and %s, want them as typed", aws.ToString(in.MaxConcurrency), aws.ToString(in.MaxErrors))
		}
		wantKind(t, r.board.Err(), fault.RemoteFailed, "2 of 81 nodes failed (2 not sent)")
		reasons := make(map[string]string)
		for row := range r.board.Rows() {
			if row.State == NotSent {
				reasons[row.NodeID] = row.Reason
			}
		}
		want := map[string]string{
			"i-l0079": "the command never got an invocation for this node",
			"i-lost":  "the node is offline, and the command was not sent to it",
		}
		if d := diff(want, reasons); d != "" {
			t.Error(d)
		}
	})
}

func TestStartTellsWhenTheServiceFindsNoNode(t *testing.T) {
	sel := fleet.Selection{Targets: []fleet.APITarget{{Key: "tag:env", Values: []string{"prdo"}}}}
	c := &cloud{}
	start(t, c, Request{Selection: sel, Document: "My-Doc"}, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, r.board.Err(), fault.NotFound, "no node matched")
	})
}

func TestLimitsHoldOverSeveralCommands(t *testing.T) {
	for _, tt := range []struct{ concurrency, nodes, most int }{{10, 120, 10}, {1, 55, 1}, {80, 200, 80}} {
		t.Run(fmt.Sprint(tt.concurrency), func(t *testing.T) {
			c := &cloud{work: 20 * time.Second}
			req := Request{Selection: selected(nodes(tt.nodes, "linux")), Script: "x", Concurrency: fmt.Sprint(tt.concurrency)}
			start(t, c, req, func(t *testing.T, r *recorder, err error) {
				if err != nil || r.board.Err() != nil {
					t.Fatal(err, r.board.Err())
				}
				if got := c.atOnce(); got > tt.most {
					t.Errorf("%d nodes were at work at once, %d were allowed", got, tt.most)
				}
				if r.board.Count(Success) != tt.nodes {
					t.Errorf("%d of %d nodes are ok", r.board.Count(Success), tt.nodes)
				}
			})
		})
	}
}

func TestTheErrorLimitHoldsOverSeveralCommands(t *testing.T) {
	c := &cloud{work: time.Second, result: func(node string) nodeResult {
		return nodeResult{code: map[bool]int{true: 1}[node == "i-l0000" || node == "i-l0001"]}
	}}
	req := Request{Selection: selected(nodes(120, "linux")), Script: "x", MaxErrors: "1"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatalf("reaching the limit is a result, not an error: %v", err)
		}
		if len(c.commands) != 1 {
			t.Errorf("sent %d commands, want no second one after 2 failures", len(c.commands))
		}
		wantKind(t, r.board.Err(), fault.RemoteFailed, "72 of 120 nodes failed (2 failed, 70 not sent)")
		if n := r.notices(Held); len(n) != 1 || n[0].Count != 70 {
			t.Errorf("notices are %+v", n)
		}
	})
}

// TestFailuresHoldWhatIsStillToBeSent: with room for all nodes, sending alone takes
// longer than the first of them take to fail.
func TestFailuresHoldWhatIsStillToBeSent(t *testing.T) {
	for _, deny := range []string{"", "ListCommands"} {
		t.Run("denied "+cmp.Or(deny, "nothing"), func(t *testing.T) {
			c := &cloud{work: time.Second, result: func(node string) nodeResult {
				return nodeResult{code: map[bool]int{true: 1}[node == "i-l0000"]}
			}}
			c.fail = func(op string, _ int) error {
				if op == deny {
					return errDenied
				}
				return nil
			}
			req := Request{Selection: selected(nodes(10_000, "linux")), Script: "x", Concurrency: "100%"}
			start(t, c, req, func(t *testing.T, r *recorder, err error) {
				if err != nil {
					t.Fatal(err)
				}
				if n := len(c.commands); n > callsAtOnce+20 {
					t.Errorf("sent %d of 200 commands, though the first had failed", n)
				}
				if n := r.notices(Held); len(n) != 1 || n[0].Count != 10_000-50*len(c.commands) {
					t.Errorf("notices are %+v", n)
				}
				if got := c.busiest(); got >= 200 {
					t.Errorf("made %d calls in a minute", got)
				}
			})
		})
	}
}

func TestCancellingOneCommandHoldsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Minute}
		s := New(c, nil)
		time.AfterFunc(10*time.Second, func() { // from another terminal
			if _, err := s.Cancel(context.Background(), commandID(1), nil); err != nil {
				t.Error(err)
			}
		})
		var r recorder
		if err := s.Start(t.Context(), Request{Selection: selected(nodes(120, "linux")), Script: "x"}, r.emit); err != nil {
			t.Fatal(err)
		}
		wantKind(t, r.board.Err(), fault.RemoteFailed, "120 of 120 nodes failed (50 cancelled, 70 not sent)")
		if len(c.commands) != 1 {
			t.Errorf("sent %d commands", len(c.commands))
		}
	})
}

func TestNoWaitSharesTheLimitsOut(t *testing.T) {
	c := &cloud{work: time.Minute}
	req := Request{Selection: selected(nodes(120, "linux")), Script: "x", NoWait: true, Concurrency: "30", MaxErrors: "7"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if r.kinds() != "planned sent sent sent" {
			t.Errorf("events are %s", r.kinds())
		}
		for _, cmd := range c.commands {
			if aws.ToString(cmd.in.MaxConcurrency) != "10" || aws.ToString(cmd.in.MaxErrors) != "2" {
				t.Errorf("limits are %s and %s", aws.ToString(cmd.in.MaxConcurrency), aws.ToString(cmd.in.MaxErrors))
			}
		}
		wantKind(t, r.board.Err(), fault.Pending, "120 of 120 nodes are not done")
	})
}

func TestASecondSendThatFailsIsToldAtTheEnd(t *testing.T) {
	c := &cloud{work: 5 * time.Second, fail: func(op string, n int) error {
		if op == "SendCommand" && n == 2 {
			return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: ssm:SendCommand"}
		}
		return nil
	}}
	req := Request{Selection: selected(nodes(2, "linux"), nodes(3, "windows")), Script: "hostname"}
	start(t, c, req, func(t *testing.T, r *recorder, err error) {
		wantKind(t, err, fault.Auth, "sent to 2 nodes, not to 3")
		if !strings.HasPrefix(err.Error(), "send AWS-RunPowerShellScript (2 of 2): ") {
			t.Errorf("got %q, want it to name the send", err)
		}
		if r.board.Count(Success) != 2 || r.board.Count(NotSent) != 3 || !r.board.Done() {
			t.Errorf("board: %d ok, %d not sent, done %v", r.board.Count(Success), r.board.Count(NotSent), r.board.Done())
		}
	})
}

func TestAFirstSendThatFailsEndsTheRun(t *testing.T) {
	c := &cloud{fail: func(string, int) error { return &types.InvalidInstanceId{} }}
	start(t, c, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, func(t *testing.T, r *recorder, err error) {
		wantKind(t, err, fault.NotFound, "send AWS-RunShellScript")
		if r.kinds() != "planned" || len(c.calls) != 1 {
			t.Errorf("events %s after %d calls", r.kinds(), len(c.calls))
		}
	})
}

var errCut = &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}

func TestAnUnansweredSendIsFoundAndNotRepeated(t *testing.T) {
	c := &cloud{work: time.Second, lag: 4 * time.Second, lose: func(int) error { return errCut }}
	start(t, c, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, func(t *testing.T, r *recorder, err error) {
		if err != nil || r.board.Err() != nil {
			t.Fatal(err, r.board.Err())
		}
		if c.byOp["SendCommand"] != 1 {
			t.Errorf("sent %d times", c.byOp["SendCommand"])
		}
		if len(r.notices(Unknown)) != 1 || !slices.Equal(r.board.CommandIDs(), []string{commandID(1)}) {
			t.Errorf("notices %+v, commands %v", r.notices(Unknown), r.board.CommandIDs())
		}
	})
}

func TestAnUnansweredSendThatIsNotFoundIsNotRepeated(t *testing.T) {
	c := &cloud{fail: func(op string, _ int) error {
		if op == "SendCommand" {
			return errCut
		}
		return nil
	}}
	start(t, c, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, func(t *testing.T, r *recorder, err error) {
		wantKind(t, err, fault.Failed, "connection")
		if c.byOp["SendCommand"] != 1 || c.byOp["ListCommands"] < 3 {
			t.Errorf("calls were %v", c.byOp)
		}
	})
}

func TestARequestThatNeverLeftIsNotLookedFor(t *testing.T) {
	for _, err := range []error{&net.OpError{Op: "dial", Err: errors.New("refused")}, &net.DNSError{Name: "ssm"}, errThrottled} {
		c := &cloud{fail: func(string, int) error { return err }}
		start(t, c, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, func(t *testing.T, _ *recorder, got error) {
			if got == nil || c.byOp["ListCommands"] > 0 {
				t.Errorf("%v: got %v after %v", err, got, c.byOp)
			}
		})
	}
}

func TestACancelledContextDetaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Hour}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		var r recorder
		err := New(c, nil).Start(ctx, Request{Selection: selected(nodes(60, "linux")), Script: "x"}, r.emit)
		wantKind(t, err, fault.Interrupted, "run: interrupted; 10 nodes were not sent the command")
		if !errors.Is(err, context.Canceled) || !strings.Contains(fault.HintOf(err), "ssmdeck run watch "+r.board.RunID()) {
			t.Errorf("got %v with hint %q", err, fault.HintOf(err))
		}
		if c.byOp["CancelCommand"] > 0 || !c.commands[0].cancelled.IsZero() {
			t.Error("the command was cancelled")
		}
		if since := time.Since(c.commands[0].sent); since > 11*time.Second {
			t.Errorf("came back after %s, want at once", since)
		}
	})
}

func TestACancelWhileSendingWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Hour, answer: 5 * time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var r recorder
		err := New(c, nil).Start(ctx, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, r.emit)
		wantKind(t, err, fault.Interrupted, "run: interrupted")
		if r.kinds() != "planned sent" || r.board.CommandIDs()[0] != commandID(1) || !strings.Contains(fault.HintOf(err), r.board.RunID()) {
			t.Errorf("events are %s, hint %q; want to know what was sent", r.kinds(), fault.HintOf(err))
		}
	})
}

func TestADeadlineIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var r recorder
		err := New(c, nil).Start(ctx, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, r.emit)
		wantKind(t, err, fault.Pending, "run: not done in the time given")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the cause in the chain", err)
		}
	})
}

func TestACancelBeforeTheSendSendsNothing(t *testing.T) {
	c := &cloud{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var r recorder
	err := New(c, nil).Start(ctx, Request{Selection: selected(nodes(2, "linux")), Script: "x"}, r.emit)
	wantKind(t, err, fault.Interrupted, "2 nodes were not sent")
	if len(c.calls) > 0 {
		t.Errorf("made calls %v", c.byOp)
	}
}

func TestFollowTakesUpACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Minute}
		s := New(c, nil)
		var first recorder
		if err := s.Start(t.Context(), Request{Selection: selected(nodes(2, "linux")), Script: "x", NoWait: true}, first.emit); err != nil {
			t.Fatal(err)
		}
		var r recorder
		if err := followIDs(t.Context(), s, first.board.CommandIDs(), r.emit); err != nil {
			t.Fatal(err)
		}
		if r.board.Err() != nil || r.board.Total() != 2 || r.board.RunID() != first.board.RunID() {
			t.Errorf("board: %v, %d nodes, run %s", r.board.Err(), r.board.Total(), r.board.RunID())
		}
		if d := r.board.Elapsed(time.Now()); d < time.Minute {
			t.Errorf("elapsed is %s, want it counted from when the command was sent", d)
		}
		wantKind(t, followIDs(t.Context(), s, []string{commandID(9)}, r.emit), fault.NotFound, "no such command")
	})
}
