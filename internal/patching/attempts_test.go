package patching

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/run"
)

// sent are commands, the newest first, with how they stand on nodes.
type sent struct {
	list  []run.Command
	on    map[string][]run.Invocation
	asked []string
	err   error
}

func (s *sent) List(_ context.Context, f run.Filter) iter.Seq2[run.Command, error] {
	return func(yield func(run.Command, error) bool) {
		for _, c := range s.list {
			if f.Document == Document && !c.Requested.Before(f.After) && !yield(c, nil) {
				return
			}
		}
	}
}

func (s *sent) Invocations(_ context.Context, id string) iter.Seq2[run.Invocation, error] {
	s.asked = append(s.asked, id)
	return func(yield func(run.Invocation, error) bool) {
		for _, i := range s.on[id] {
			if !yield(i, nil) {
				return
			}
		}
		if s.err != nil {
			yield(run.Invocation{}, s.err)
		}
	}
}

func TestAttempts(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	s := &sent{
		list: []run.Command{
			{ID: "new", State: run.Running, Requested: *ago(time.Minute), Targets: 2, Params: map[string][]string{"Operation": {"Install"}}},
			{ID: "well", State: run.Success, Requested: *ago(time.Hour), Targets: 1, Completed: 1},
			{ID: "bad", State: run.Failed, Requested: *ago(2 * time.Hour), Targets: 3, Completed: 3, Errors: 2},
			{ID: "old", State: run.Failed, Requested: *ago(99 * time.Hour), Targets: 1, Errors: 1},
		},
		on: map[string][]run.Invocation{
			"new": {{NodeID: "a", State: run.Running}, {NodeID: "b", State: run.Success, Ended: ago(0)}},
			"bad": {
				{NodeID: "a", State: run.Failed, Detail: "Failed", Ended: ago(time.Hour)},
				{NodeID: "b", State: run.Failed, Detail: "Failed", Ended: ago(time.Hour)},
				{NodeID: "c", State: run.TimedOut, Detail: "ExecutionTimedOut", Reason: "took too long", Ended: ago(time.Hour)},
			},
		},
	}
	got, err := Attempts(t.Context(), s, now.Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("got %+v: b has succeeded since", got)
	}
	if a := got[0]; a.NodeID != "a" || !a.Running() || a.Operation != "Install" || !a.At.Equal(*ago(time.Minute)) {
		t.Errorf("a is under way, not %+v", a)
	}
	if c := got[1]; c.NodeID != "c" || c.Running() || c.Operation != "Scan" || c.Reason != "took too long" {
		t.Errorf("c has failed, not %+v", c)
	}
	if len(s.asked) != 2 {
		t.Errorf("asked for the nodes of %v: those of what went well, or is old, need no call", s.asked)
	}

	s.err = errors.New("denied")
	if _, err := Attempts(t.Context(), s, now.Add(-24*time.Hour)); !errors.Is(err, s.err) {
		t.Errorf("got %v", err)
	}
}
