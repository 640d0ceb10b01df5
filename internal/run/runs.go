package run

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Run is what was sent as one run, as far as the service remembers it: the
// commands whose comments carry its id. A command that ssmdeck did not send is a
// run of its own without an id.
type Run struct {
	ID        string    `json:"run_id,omitempty"`
	State     State     `json:"state"`
	Detail    string    `json:"detail,omitempty"`
	Documents []string  `json:"documents"`
	Comment   string    `json:"comment,omitempty"`
	Requested time.Time `json:"requested"` // when its first command was sent

	// Of is how many commands it was to have; more than there are when some were
	// never sent. 0 when that is not known.
	Of               int `json:"of,omitempty"`
	Targets          int `json:"targets"`
	Completed        int `json:"completed"`
	Errors           int `json:"errors"`
	DeliveryTimedOut int `json:"delivery_timed_out"`

	CommandIDs []string  `json:"command_ids"`
	Commands   []Command `json:"-"` // in the order sent
}

// Ref is how the run is named on the command line: by its id, or by those of its
// commands.
func (r Run) Ref() string {
	return cmp.Or(r.ID, strings.Join(r.CommandIDs, " "))
}

// Unsent is how many of its commands were never sent.
func (r Run) Unsent() int { return max(r.Of-len(r.Commands), 0) }

// IsRunID reports whether s has the form of a run's id.
func IsRunID(s string) bool { return runIDPattern().MatchString(s) }

func noRef(ref string) error {
	return fault.Usagef("%q is neither the id of a run nor of a command: such ids look like k3v9q2m1zt or 01234567-89ab-cdef-0123-456789abcdef", ref).
		WithHint("see `ssmdeck run list`")
}

// whole reports whether its first command was seen. The service lists commands
// from the newest on, so that no other comes after that.
func (r Run) whole() bool {
	return slices.ContainsFunc(r.Commands, func(c Command) bool { return c.Number <= 1 })
}

// sum fills in what follows from the commands.
func (r Run) sum() Run {
	slices.SortStableFunc(r.Commands, func(x, y Command) int {
		return cmp.Or(cmp.Compare(x.Number, y.Number), x.Requested.Compare(y.Requested))
	})
	r.Documents, r.CommandIDs = []string{}, []string{}
	if r.ID == "" && len(r.Commands) > 0 {
		first := r.Commands[0]
		if first.Of == len(r.Commands) && !slices.ContainsFunc(r.Commands, func(c Command) bool { return c.RunID != first.RunID }) {
			r.ID = first.RunID // they are the whole run
		}
	}
	for _, c := range r.Commands {
		r.CommandIDs = append(r.CommandIDs, c.ID)
		if !slices.Contains(r.Documents, c.Document) {
			r.Documents = append(r.Documents, c.Document)
		}
		if r.ID != "" {
			r.Of = max(r.Of, c.Of)
		}
		r.Targets += c.Targets
		r.Completed += c.Completed
		r.Errors += c.Errors
		r.DeliveryTimedOut += c.DeliveryTimedOut
		if r.Requested.IsZero() || c.Requested.Before(r.Requested) {
			r.Requested = c.Requested
		}
		if r.State == "" || slices.Index(byGravity, c.State) > slices.Index(byGravity, r.State) {
			r.State, r.Detail = c.State, c.Detail
		}
	}
	if r.Detail == noNode && r.Targets > 0 { // only some of the commands have reached nobody
		r.Detail = ""
	}
	if len(r.Commands) > 0 {
		r.Comment = r.Commands[0].Comment
	}
	return r
}

// byGravity are the states of commands; a run is in the last of those that its
// commands are in.
var byGravity = []State{Success, Failed, TimedOut, Cancelled, Strange, Pending, Running, Cancelling}

// Runs yields the runs that were begun since then, the newest first, as the
// service lists commands. It ends after the first error.
func (s *Service) Runs(ctx context.Context, since time.Time) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		open := make(map[string]*Run)
		var order []*Run
		for c, err := range s.List(ctx, Filter{After: since}) {
			if err != nil {
				yield(Run{}, err)
				return
			}
			r := open[c.RunID]
			if r == nil {
				r = &Run{ID: c.RunID}
				order = append(order, r)
				if c.RunID != "" {
					open[c.RunID] = r
				}
			}
			r.Commands = append(r.Commands, c)
			// In the order in which they were begun to be seen: one that is not whole
			// yet holds back those behind it.
			for len(order) > 0 && (order[0].ID == "" || order[0].whole()) {
				done := *order[0]
				order = order[1:]
				if !yield(done.sum(), nil) {
					return
				}
			}
		}
		for _, r := range order { // begun before then
			if !yield(r.sum(), nil) {
				return
			}
		}
	}
}

// Find returns the run with that id, or the run that is the one command with that
// id. What is neither is a Usage error before any call; an unknown one a NotFound
// error. A command just sent is waited for, up to 5 seconds.
func (s *Service) Find(ctx context.Context, ref string) (Run, error) {
	if idPattern().MatchString(ref) {
		c, err := s.lookup(ctx, newPacer(), ref)
		if err != nil {
			return Run{}, err
		}
		return Run{Commands: []Command{c}}.sum(), nil
	}
	if !runIDPattern().MatchString(ref) {
		return Run{}, noRef(ref)
	}
	var found Run
	var since time.Time
	op := "find run " + ref
	seen, err := await(ctx, func() (bool, error) {
		for r, err := range s.Runs(ctx, since) {
			if err != nil {
				return false, err
			}
			if r.ID == ref {
				found = r
				return true, nil
			}
		}
		since = time.Now().Add(-lookBack) // only what is new can have been missed
		return false, nil
	})
	switch {
	case err != nil:
		return Run{}, err
	case !seen:
		return Run{}, fault.New(fault.NotFound, op, "no such run in this account and region").
			WithHint("see `ssmdeck run list`; the service forgets commands after 30 days")
	}
	return found, nil
}
