package rollout

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// nodes is a fleet in which some come online after a while.
type nodes struct {
	begun time.Time
	after map[string]time.Duration // until it is online
}

func (n nodes) List(_ context.Context, q fleet.Query) iter.Seq2[fleet.Node, error] {
	return func(yield func(fleet.Node, error) bool) {
		for _, id := range q.IDs {
			after, known := n.after[id]
			ping := fleet.Lost
			if time.Since(n.begun) >= after {
				ping = fleet.Online
			}
			if known && !yield(fleet.Node{ID: id, Ping: ping}, nil) {
				return
			}
		}
	}
}

// replies is Run Command with what it says of each node; of those not in it, it
// says nothing.
type replies map[string]run.Invocation

func (r replies) Start(_ context.Context, req run.Request, emit func(run.Event)) error {
	for _, id := range req.Selection.InstanceIDs {
		if inv, ok := r[id]; ok {
			inv.NodeID, inv.CommandID = id, "c"
			emit(run.Event{Kind: run.Changed, CommandID: "c", Invocation: &inv})
		}
	}
	emit(run.Event{Kind: run.Done})
	return nil
}

func TestOnlineSaysWhyOthersAreNot(t *testing.T) {
	failures := map[string]string{}
	c := Crew{Fleet: nodes{begun: time.Now(), after: map[string]time.Duration{"a": 0, "b": time.Hour}}}
	got, err := c.Online(t.Context(), []string{"a", "b", "c"}, failures)
	if err != nil || len(got) != 1 || got[0].ID != "a" || !strings.Contains(failures["b"], "not connected") || !strings.Contains(failures["c"], "does not know") {
		t.Errorf("%v, %v, %v", got, failures, err)
	}
}

func TestCommandSaysWhyItFailed(t *testing.T) {
	c := Crew{Run: replies{
		"ok": {State: run.Success}, "status": {State: run.Failed, ExitCode: 4}, "late": {State: run.TimedOut, Detail: "DeliveryTimedOut", Reason: "the node did not take the command in time"},
	}}
	var list []fleet.Node
	for _, id := range []string{"ok", "status", "late", "mute"} {
		list = append(list, fleet.Node{ID: id})
	}
	failures := map[string]string{}
	good, err := c.Command(t.Context(), "patching", run.Request{}, list, failures)
	if err != nil || len(good) != 1 || good[0].ID != "ok" {
		t.Fatalf("%v, %v", good, err)
	}
	for id, want := range map[string]string{"status": "patching: exit status 4", "late": "did not take the command", "mute": "nothing was heard of it"} {
		if !strings.Contains(failures[id], want) {
			t.Errorf("%s: %q, want %q", id, failures[id], want)
		}
	}
}

func TestSettleWaitsForThoseThatComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Crew{Fleet: nodes{begun: time.Now(), after: map[string]time.Duration{"now": 0, "soon": 40 * time.Second, "late": time.Hour}}}
		var steps []int
		c.Step = func(_ string, done, _ int) { steps = append(steps, done) }
		began := time.Now()
		well, last, err := c.Settle(t.Context(), "waiting", []fleet.Node{{ID: "now"}, {ID: "soon"}, {ID: "late"}}, time.Minute, fleet.Node.Online)
		var ids []string
		for _, n := range well {
			ids = append(ids, n.ID)
		}
		if err != nil || !slices.Equal(ids, []string{"now", "soon"}) || last["late"].Ping != fleet.Lost || time.Since(began) != time.Minute {
			t.Errorf("%v after %s, %v", ids, time.Since(began), err)
		}
		if !slices.IsSorted(steps) || steps[len(steps)-1] != 2 {
			t.Errorf("steps %v", steps)
		}
	})
}
