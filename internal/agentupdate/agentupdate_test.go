package agentupdate

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// world plays the fleet and Run Command: an update reaches a node after a while.
type world struct {
	nodes map[string]*node
	sent  []run.Request
	err   error // of every list
}

type node struct {
	fleet.Node
	fails     bool // the update does
	sick      bool // the health check fails
	to        string
	after     time.Duration // until the new version is reported; 0: never
	updatedAt time.Time
}

func (w *world) List(_ context.Context, q fleet.Query) iter.Seq2[fleet.Node, error] {
	return func(yield func(fleet.Node, error) bool) {
		if w.err != nil {
			yield(fleet.Node{}, w.err)
			return
		}
		for _, id := range q.IDs {
			n, ok := w.nodes[id]
			if !ok {
				continue
			}
			if !n.updatedAt.IsZero() && n.after > 0 && time.Since(n.updatedAt) >= n.after {
				n.AgentVersion = n.to
			}
			if !yield(n.Node, nil) {
				return
			}
		}
	}
}

func (w *world) Start(_ context.Context, req run.Request, emit func(run.Event)) error {
	w.sent = append(w.sent, req)
	emit(run.Event{Kind: run.Planned, Plan: &run.Plan{Nodes: req.Selection.Nodes, Commands: 1}})
	emit(run.Event{Kind: run.WasSent, CommandID: "c", Sent: &run.Sent{Nodes: len(req.Selection.InstanceIDs), Number: 1, Of: 1}})
	for _, id := range req.Selection.InstanceIDs {
		n := w.nodes[id]
		inv := run.Invocation{CommandID: "c", NodeID: id, State: run.Success}
		if req.Document == Document {
			n.updatedAt = time.Now()
		}
		if req.Document == Document && n.fails || req.Script != "" && n.sick {
			inv.State, inv.ExitCode = run.Failed, 3
		}
		emit(run.Event{Kind: run.Changed, CommandID: "c", Invocation: &inv})
	}
	emit(run.Event{Kind: run.Done})
	return nil
}

func TestWave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		online := func(id string) fleet.Node { return fleet.Node{ID: id, Ping: fleet.Online, AgentVersion: "3.3.1"} }
		w := &world{nodes: map[string]*node{
			"good":  {Node: online("good"), to: "3.3.2", after: 7 * time.Second},
			"slow":  {Node: online("slow"), to: "3.3.2", after: 20 * time.Minute},
			"stuck": {Node: online("stuck")},
			"fails": {Node: online("fails"), fails: true},
			"sick":  {Node: online("sick"), to: "3.3.3", after: time.Second, sick: true},
			"lost":  {Node: fleet.Node{ID: "lost", Ping: fleet.Lost}},
		}}
		u := &Updater{Run: w, Fleet: w, Health: "true", Settle: 10 * time.Minute, Version: "3.3.2"}
		got, err := u.Wave(t.Context(), []string{"good", "slow", "stuck", "fails", "sick", "lost", "gone"})
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{
			"slow": "still at 3.3.1", "stuck": "still at", "fails": "updating: exit status 3", "sick": "checking health: exit status 3",
			"lost": "not connected", "gone": "does not know it",
		} {
			if !strings.Contains(got[id], want) {
				t.Errorf("%s: %q, want %q", id, got[id], want)
			}
		}
		if len(got) != 6 {
			t.Errorf("failures of %v", slices.Sorted(maps.Keys(got)))
		}
		update, health := w.sent[0], w.sent[1]
		if len(update.Selection.InstanceIDs) != 5 || update.Params["version"][0] != "3.3.2" {
			t.Errorf("updated %+v", update)
		}
		if !slices.Equal(health.Selection.InstanceIDs, []string{"sick", "good"}) && !slices.Equal(health.Selection.InstanceIDs, []string{"good", "sick"}) {
			t.Errorf("checked %v", health.Selection.InstanceIDs)
		}
	})
}

func TestWaveEndsWithItsContextAndWithoutRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{nodes: map[string]*node{"a": {Node: fleet.Node{ID: "a", Ping: fleet.Online, AgentVersion: "1.0"}}}}
		u := &Updater{Run: w, Fleet: w, Want: map[string]string{"": "2.0"}, Settle: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := u.Wave(ctx, []string{"a"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		w.err = fault.New(fault.Auth, "", "no")
		if _, err := u.Wave(t.Context(), []string{"a"}); fault.KindOf(err) != fault.Auth {
			t.Errorf("got %v", err)
		}
	})
}
