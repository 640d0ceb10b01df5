package pageoverview

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// patchCount is how patching stands.
type patchCount struct {
	total  patch.Counts
	groups []patch.Slice // the worst first
	// failed are the nodes whose last scan or installation has failed, by how that is
	// said: see patching.Attempt.
	failed map[string]int
}

// strictness is what a baseline says of security updates that are available and that
// it does not approve: whether nodes are not compliant because of them.
type strictness struct{ known, strict bool }

// baselineAt is a baseline of a place, as states of nodes name it.
type baselineAt struct {
	at grid.Place
	id string
}

// strictRead brings what a baseline says.
type strictRead struct {
	of     baselineAt
	strict bool
	err    error
}

func (k *known) countPatches(set *sources.Set, now time.Time) patchCount {
	c := patchCount{failed: map[string]int{}}
	var groups patch.Slicer
	attempts := attemptsOf(set)
	for at, n := range set.Patches.All() {
		row := k.patchRow(at, n, now)
		c.total.Add(&row)
		groups.Add(patch.ByGroup.Key(&row, now), &row)
		if a := attempts[at][n.ID]; a != nil && a.After(row.Scanned) && a.Failed() {
			c.failed[a.Word()]++
		}
	}
	c.groups = groups.Slices(patch.ByGroup)
	return c
}

// attemptsOf are the scans and installations that have not ended well, by node.
func attemptsOf(set *sources.Set) map[grid.Place]map[string]*patching.Attempt {
	of := map[grid.Place]map[string]*patching.Attempt{}
	for at, a := range set.Attempts.All() {
		if of[at] == nil {
			of[at] = map[string]*patching.Attempt{}
		}
		of[at][a.NodeID] = a
	}
	return of
}

// patchRow is the state of a node. While its baseline has not said whether it is
// compliant, that is unknown.
func (k *known) patchRow(at grid.Place, n *fleet.Node, now time.Time) patch.Row {
	if !patch.Undecided(n) {
		return patch.RowOf(n, now, patch.StaleAfter, nil)
	}
	s := k.strict[baselineAt{at, n.Patch.Baseline}]
	row := patch.RowOf(n, now, patch.StaleAfter, patch.Strict{n.Patch.Baseline: s.strict})
	if !s.known {
		row.Status = patch.Unknown
	}
	return row
}

// askStrict reads what the baselines say that have to be asked, each once.
func (p *Page) askStrict() tea.Cmd {
	if p.svc.Strict == nil {
		return nil
	}
	var cmds []tea.Cmd
	for at, n := range p.set.Patches.All() {
		if !patch.Undecided(n) {
			continue
		}
		of := baselineAt{at, n.Patch.Baseline}
		if _, asked := p.strict[of]; asked {
			continue
		}
		p.strict[of] = strictness{}
		cmds = append(cmds, p.desk.Go(func(ctx context.Context) tea.Msg {
			strict, err := p.svc.Strict(ctx, of.at, of.id)
			return strictRead{of: of, strict: strict, err: err}
		}))
	}
	return tea.Batch(cmds...)
}

// takeStrict takes what a baseline says. One that cannot be read counts as not
// strict, as `ssmdeck patch status` has it.
func (p *Page) takeStrict(m strictRead) {
	if errors.Is(m.err, context.Canceled) {
		delete(p.strict, m.of)
		return
	}
	p.strict[m.of] = strictness{known: true, strict: m.strict && m.err == nil}
	p.answers++
	p.refresh()
}
