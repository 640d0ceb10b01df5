package patching

import (
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// StateKind is State.Kind.
const StateKind = "ssmdeck patch install"

// State is how far an installation in waves is: what is written down, and taken up
// after the program ended, however it did.
type State struct {
	Kind    string  `json:"kind"` // StateKind
	Options Options `json:"options"`
	// Account and Region are where it was begun; empty where that was not known.
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Health  string `json:"health,omitempty"`
	// Calendars are change calendars that must be open when a wave begins.
	Calendars []string         `json:"calendars,omitempty"`
	Nodes     map[string]*Node `json:"nodes"`
	Offline   []string         `json:"offline,omitempty"` // of Nodes: in no wave, and part of the result
	Waves     *waves.State     `json:"waves"`
	// Sent are the ids of the runs under which commands were or may have been sent, in
	// the order in which they were written down: before the first command of each.
	Sent []Sending `json:"sent,omitempty"`
}

// Sending is a run that was about to be sent.
type Sending struct {
	Wave  int       `json:"wave"`
	RunID string    `json:"run_id"`
	At    time.Time `json:"at"`
}

// Node is one node of an installation.
type Node struct {
	Name   string  `json:"name"`
	Before *Counts `json:"before,omitempty"` // nil: it was never scanned
	Result *Result `json:"result,omitempty"`
}

// Counts are the patches of a node by what they are there.
type Counts struct {
	Installed     int       `json:"installed"` // as the baseline wants them
	Missing       int       `json:"missing"`
	Failed        int       `json:"failed"`
	PendingReboot int       `json:"pending_reboot"`
	At            time.Time `json:"at,omitzero"` // when the scan or installation ended that found them
}

func countsOf(s *fleet.PatchState) *Counts {
	if s == nil {
		return nil
	}
	return &Counts{s.Installed, s.Missing, s.Failed, s.PendingReboot, s.Ended}
}

// Result is what an operation did on a node.
type Result struct {
	CommandID string     `json:"command_id,omitempty"`
	State     run.State  `json:"state,omitempty"`
	ExitCode  int        `json:"exit_code"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	// After is what the node reported when it was done; nil: it did not.
	After *Counts `json:"after,omitempty"`
	// Rebooted says whether the node's output tells of a reboot; nil: not all of the
	// output was read.
	Rebooted *bool `json:"rebooted,omitempty"`
	// FailedPatches are those that could not be installed.
	FailedPatches []string `json:"failed_patches,omitempty"`
	// Words are lines of the node's own output that say why something failed.
	Words []string `json:"words,omitempty"`
}

// Took is how long the operation took on the node; 0 when that is not known.
func (r *Result) Took() time.Duration {
	if r == nil || r.Started == nil || r.Ended == nil {
		return 0
	}
	return r.Ended.Sub(*r.Started)
}

// NewState is the state of a plan of which nothing was done.
func NewState(p *Plan, health string, now time.Time) *State {
	s := &State{Kind: StateKind, Options: p.Options, Health: health, Nodes: map[string]*Node{}, Waves: waves.New(p.Waves, now)}
	for _, n := range p.Nodes {
		node := &Node{Name: n.Name}
		if n.Known {
			node.Before = &Counts{Missing: n.Missing, Failed: n.Failed, PendingReboot: n.PendingReboot, At: n.Scanned}
		}
		s.Nodes[n.ID] = node
		if n.Status == IsOffline {
			s.Offline = append(s.Offline, n.ID)
		}
	}
	return s
}

// Check returns a Usage fault for a State that was read and cannot be meant.
func (s *State) Check() error {
	if s.Kind != StateKind || s.Waves == nil {
		return fault.Usagef("it is not the state of an installation of patches")
	}
	if err := s.Waves.Check(); err != nil {
		return err
	}
	if err := s.Options.Check(); err != nil {
		return err
	}
	if s.Options.Reboot != IfNeeded && s.Options.Reboot != Never {
		return fault.Usagef("the state does not say whether nodes may reboot")
	}
	for _, sent := range s.Sent {
		if !run.IsRunID(sent.RunID) || sent.Wave < 1 || sent.Wave > len(s.Waves.Waves) {
			return fault.Usagef("the state names a run %q that cannot be one", sent.RunID)
		}
	}
	if s.Nodes == nil {
		s.Nodes = map[string]*Node{}
	}
	for _, w := range s.Waves.Waves {
		for _, id := range w {
			if s.Nodes[id] == nil {
				s.Nodes[id] = &Node{}
			}
		}
	}
	for _, id := range s.Offline {
		if s.Nodes[id] == nil {
			s.Nodes[id] = &Node{}
		}
	}
	return nil
}

// result is that of a node, made when there is none.
func (s *State) result(id string) *Result {
	n := s.Nodes[id]
	if n == nil {
		n = &Node{}
		s.Nodes[id] = n
	}
	if n.Result == nil {
		n.Result = &Result{ExitCode: run.NoExit}
	}
	return n.Result
}
