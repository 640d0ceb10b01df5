package waves

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Status is what became of a node.
type Status string

// The states of a node. What is not in State.Nodes has not had its turn.
const (
	Begun  Status = "begun" // its wave was begun, and what became of it is not known
	OK     Status = "ok"
	Failed Status = "failed"
)

// Result is what became of one node.
type Result struct {
	Status Status `json:"status"`
	Wave   int    `json:"wave"` // from 1
	Detail string `json:"detail,omitempty"`
}

// State is how far a run of waves is. It is written down as JSON and taken up by
// Run: nodes that are ok or failed are not touched again, those begun are.
type State struct {
	Waves   [][]string        `json:"waves"`
	Nodes   map[string]Result `json:"nodes"`
	Started time.Time         `json:"started"`
}

// New is the State of waves that nothing was done of.
func New(waves [][]string, now time.Time) *State {
	return &State{Waves: waves, Nodes: map[string]Result{}, Started: now}
}

// Count returns how many nodes are in a state.
func (s *State) Count(want Status) int {
	n := 0
	for _, r := range s.Nodes {
		if r.Status == want {
			n++
		}
	}
	return n
}

// Total is the number of nodes in all waves.
func (s *State) Total() int {
	n := 0
	for _, w := range s.Waves {
		n += len(w)
	}
	return n
}

// Left are the nodes that are neither ok nor failed, in order.
func (s *State) Left() []string {
	var ids []string
	for i := range s.Waves {
		ids = append(ids, s.left(i)...)
	}
	return ids
}

// LeftWaves are the nodes of Left, wave by wave; a wave that is done is left out.
func (s *State) LeftWaves() [][]string {
	var rest [][]string
	for i := range s.Waves {
		if ids := s.left(i); len(ids) > 0 {
			rest = append(rest, ids)
		}
	}
	return rest
}

func (s *State) left(wave int) []string {
	var ids []string
	for _, id := range s.Waves[wave] {
		if st := s.Nodes[id].Status; st != OK && st != Failed {
			ids = append(ids, id)
		}
	}
	return ids
}

// Check returns a Usage error for a State that was read and cannot be meant.
func (s *State) Check() error {
	seen := map[string]bool{}
	for _, w := range s.Waves {
		for _, id := range w {
			if id == "" || seen[id] {
				return fault.Usagef("the state names a node twice, or none")
			}
			seen[id] = true
		}
	}
	for id, r := range s.Nodes {
		if !seen[id] || r.Status != OK && r.Status != Failed && r.Status != Begun {
			return fault.Usagef("the state of %s is not known", id)
		}
	}
	if len(seen) == 0 {
		return fault.Usagef("the state has no nodes")
	}
	if s.Nodes == nil {
		s.Nodes = map[string]Result{}
	}
	return nil
}

// Outcome is what became of a wave. Nodes that are in neither went well.
type Outcome struct {
	Failed map[string]string // why, by node
	Left   []string          // never had their turn: no further wave is begun, and Run takes them up again
}

// Options say how waves are driven. Do is required.
type Options struct {
	// Do does it to a wave and says what became of it. An error is about all of it,
	// and ends the run: the nodes of the wave stay begun.
	Do func(ctx context.Context, wave int, ids []string) (Outcome, error)
	// Before, if there is one, is asked before a wave is begun, the first one too. Its
	// error ends the run.
	Before func(ctx context.Context, wave int) error
	// MaxFailures is how many nodes may fail, over all waves.
	MaxFailures int
	Pause       time.Duration // between two waves
	// Changed is called before a wave, after it, and before a pause. Its error ends
	// the run: a State that cannot be written down could not be taken up.
	Changed func(s *State, wave int, phase Phase) error
}

// Phase is where in a wave a run is.
type Phase int

// The phases.
const (
	Beginning Phase = iota + 1
	Ended
	Pausing
)

// Run does the waves of s that are left, until all are done, too many nodes have
// failed (a RemoteFailed fault), Do fails, or ctx ends. No wave is begun after
// that.
func Run(ctx context.Context, s *State, o Options) error {
	changed := func(wave int, p Phase) error {
		if o.Changed == nil {
			return nil
		}
		return o.Changed(s, wave+1, p)
	}
	for i := range s.Waves {
		ids := s.left(i)
		if len(ids) == 0 {
			continue
		}
		if failed := s.Count(Failed); failed > o.MaxFailures {
			return fault.New(fault.RemoteFailed, "", "stopped before wave %d of %d: %d of %d nodes failed, and %d may", i+1, len(s.Waves), failed, s.Total(), o.MaxFailures)
		}
		if o.Pause > 0 && len(s.Nodes) > 0 {
			if err := changed(i, Pausing); err != nil {
				return err
			}
			if err := wait.Sleep(ctx, o.Pause); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if o.Before != nil {
			if err := o.Before(ctx, i+1); err != nil {
				return err
			}
		}
		for _, id := range ids {
			s.Nodes[id] = Result{Status: Begun, Wave: i + 1}
		}
		if err := changed(i, Beginning); err != nil {
			return err
		}
		out, err := o.Do(ctx, i+1, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			r := Result{Status: OK, Wave: i + 1}
			if why, bad := out.Failed[id]; bad {
				r.Status, r.Detail = Failed, why
			}
			s.Nodes[id] = r
		}
		for _, id := range out.Left {
			delete(s.Nodes, id)
		}
		if err := changed(i, Ended); err != nil {
			return err
		}
		if n := len(out.Left); n > 0 {
			return fault.New(fault.RemoteFailed, "", "stopped in wave %d of %d: %d of %d nodes failed, and %d of the wave had no turn", i+1, len(s.Waves), s.Count(Failed), s.Total(), n)
		}
	}
	return s.Err()
}

// Err is the RemoteFailed fault of nodes that have failed, or nil.
func (s *State) Err() error {
	if failed := s.Count(Failed); failed > 0 {
		return fault.New(fault.RemoteFailed, "", "%d of %d nodes failed", failed, s.Total())
	}
	return nil
}
