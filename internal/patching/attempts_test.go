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
	got, left, err := Attempts(t.Context(), s, now.Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || left {
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
	if _, _, err := Attempts(t.Context(), s, now.Add(-24*time.Hour)); !errors.Is(err, s.err) {
		t.Errorf("got %v", err)
	}
}

func TestAttemptsSayThatSomeWereLeft(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := &sent{on: map[string][]run.Invocation{}}
	for range AttemptsUpTo + 1 {
		s.list = append(s.list, run.Command{ID: "bad", State: run.Failed, Requested: now, Targets: 1, Errors: 1})
	}
	if _, left, err := Attempts(t.Context(), s, now.Add(-time.Hour)); err != nil || !left {
		t.Errorf("left %v, error %v: not all was looked at", left, err)
	}
	s.list = s.list[1:]
	if _, left, err := Attempts(t.Context(), s, now.Add(-time.Hour)); err != nil || left {
		t.Errorf("left %v, error %v: all was looked at", left, err)
	}
}

func TestAttemptWords(t *testing.T) {
	for _, tt := range []struct {
		operation string
		state     run.State
		word      string
		failed    bool
	}{
		{"Scan", run.Running, "scanning", false},
		{"Install", run.Pending, "installing", false},
		{"Scan", run.Failed, "scan failed", true},
		{"Install", run.TimedOut, "install failed", true},
		{"Scan", run.Lost, "scan failed", true},
		{"Scan", run.Cancelled, "scan cancelled", false},
		{"Install", run.Skipped, "install cancelled", false},
	} {
		a := Attempt{Operation: tt.operation, State: tt.state}
		if a.Word() != tt.word || a.Failed() != tt.failed {
			t.Errorf("%s %s is %q, failed %v", tt.operation, tt.state, a.Word(), a.Failed())
		}
	}
}
