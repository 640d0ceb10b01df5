package automation

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Event tells that something has changed. Each carries the full present state.
type Event struct {
	Time      time.Time  `json:"time"`
	Execution *Execution `json:"execution,omitempty"` // set when the execution has changed
	Step      *Step      `json:"step,omitempty"`      // set when a step has
}

// The waits between two looks: short while something happens.
const (
	firstLook = time.Second
	longLook  = 5 * time.Second
)

// Follow looks at an execution until it has ended, and emits what changes. It
// returns the execution as it last was, also with an error: that of ctx among
// them, and then the execution goes on. A look that fails for a passing reason is
// tried again, several times.
func (s *Service) Follow(ctx context.Context, id string, emit func(Event)) (Execution, error) {
	var last Execution
	seen := map[string]Step{}
	pause, failures := firstLook, 0
	for {
		e, steps, err := s.look(ctx, id)
		switch {
		case err == nil:
			failures = 0
			if changes(&last, e, seen, steps, emit) {
				pause = firstLook
			}
			if e.Over() {
				return e, nil
			}
		case ctx.Err() != nil:
			return last, ctx.Err()
		case !passing(err) || failures == maxFailures:
			return last, err
		default:
			failures++
		}
		if err := wait.Sleep(ctx, wait.Jitter(pause)); err != nil {
			return last, err
		}
		pause = min(pause*3/2, longLook)
	}
}

// maxFailures is how many looks in a row may fail before following is given up.
const maxFailures = 5

// passing reports whether it may be otherwise the next time. The calls themselves
// have been repeated already.
func passing(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Failed || k == fault.Throttled || k == fault.Service
}

func (s *Service) look(ctx context.Context, id string) (Execution, []Step, error) {
	// The execution first: when it has ended, its steps have, too.
	e, err := s.Get(ctx, id)
	if err != nil {
		return e, nil, err
	}
	steps, err := s.Steps(ctx, id)
	return e, steps, err
}

// changes emits what is new and reports whether anything is.
func changes(last *Execution, e Execution, seen map[string]Step, steps []Step, emit func(Event)) (any bool) {
	now := time.Now()
	for _, st := range steps {
		old, known := seen[st.ID]
		if known && old.State == st.State || !known && st.State == "Pending" && st.Started.IsZero() {
			continue
		}
		seen[st.ID] = st
		any = true
		emit(Event{Time: now, Step: &st})
	}
	if last.State != e.State || e.Counts != nil && (last.Counts == nil || *last.Counts != *e.Counts) {
		any = true
		emit(Event{Time: now, Execution: &e})
	}
	*last = e
	return any
}
