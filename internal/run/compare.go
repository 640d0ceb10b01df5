package run

import (
	"cmp"
	"slices"
)

// Change says how a node did in a second run, compared to a first.
type Change string

// The changes, those that matter most first.
const (
	Broke         Change = "broke"   // succeeded before, and not now
	Vanished      Change = "gone"    // is not in the second run
	StateChanged  Change = "state"   // failed in another way
	ExitChanged   Change = "exit"    // failed with another exit code
	OutputChanged Change = "output"  // ended alike, and printed something else
	Uncertain     Change = "unknown" // alike as far as outputs are known, which is not to their ends
	NotOver       Change = "running" // has not ended in one of them
	Appeared      Change = "new"     // was not in the first run
	Mended        Change = "fixed"   // succeeds now, and did not before
	Unchanged     Change = "same"    // ended alike and printed the same
)

// Changes lists all changes in the order in which they matter.
func Changes() []Change {
	return []Change{Broke, Vanished, StateChanged, ExitChanged, OutputChanged, Uncertain, NotOver, Appeared, Mended, Unchanged}
}

// Difference is one node in two runs. A node that is in one only has no row there.
type Difference struct {
	NodeID string
	Name   string
	Change Change
	Before *Row
	After  *Row
}

// Compare holds two runs against each other, node by node, the changes that matter
// most first. A node that a run has twice counts as it did in the last command.
func Compare(before, after *Board) []Difference {
	at := make(map[string]int)
	var all []Difference
	find := func(r Row) *Difference {
		i, ok := at[r.NodeID]
		if !ok {
			i = len(all)
			at[r.NodeID] = i
			all = append(all, Difference{NodeID: r.NodeID})
		}
		all[i].Name = cmp.Or(r.NodeName, all[i].Name)
		return &all[i]
	}
	for r := range before.Rows() {
		find(r).Before = &r
	}
	for r := range after.Rows() {
		find(r).After = &r
	}
	order := Changes()
	for i := range all {
		all[i].Change = changeOf(all[i].Before, all[i].After)
	}
	slices.SortStableFunc(all, func(x, y Difference) int {
		return slices.Index(order, x.Change) - slices.Index(order, y.Change)
	})
	return all
}

func changeOf(a, b *Row) Change {
	switch {
	case b == nil:
		return Vanished
	case a == nil:
		return Appeared
	case !a.State.Final() || !b.State.Final():
		return NotOver
	case a.State == Success && b.State != Success:
		return Broke
	case a.State != Success && b.State == Success:
		return Mended
	case a.State != b.State || a.Reason != b.Reason:
		return StateChanged
	case a.ExitCode != b.ExitCode:
		return ExitChanged
	}
	partly := a.Truncated || a.Preview || b.Truncated || b.Preview || a.HasOutput != b.HasOutput
	switch same := a.Stdout == b.Stdout && a.Stderr == b.Stderr; {
	case partly && !a.Preview && !b.Preview && !same:
		return OutputChanged // they differ in what is known of both
	case partly:
		return Uncertain
	case !same:
		return OutputChanged
	}
	return Unchanged
}
