package pagepatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// node is the state of one node and where it is.
type node struct {
	patch.Row
	at   grid.Place
	key  string
	tags map[string]string
	// attempt is a scan or installation that is newer than what Row tells; nil: none.
	attempt *patching.Attempt
}

// label is what people call the node.
func (n *node) label() string { return cmp.Or(strings.TrimSpace(n.Name), n.ID) }

// fleetState is what is known of all nodes, counted.
type fleetState struct {
	nodes   []*node // from the worst on
	byKey   map[string]*node
	total   patch.Counts
	made    time.Time
	running int // nodes that scan or install
	failed  int // nodes whose last scan or installation failed
	// undecided is of how many nodes it takes a baseline to say whether they are
	// compliant, which is not known.
	undecided int

	gen       [4]uint64 // of what was counted
	strict    map[grid.Place]map[string]strictness
	strictGen uint64 // counts changes of strict
}

// strictness is what a baseline says of available security updates.
type strictness struct {
	known, strict bool
	err           error
}

// strictRead brings it.
type strictRead struct {
	at       grid.Place
	baseline string
	strict   bool
	err      error
}

// count makes the rows anew, if they have changed.
func (p *Page) count() {
	f := &p.fleet
	gen := [4]uint64{p.set.Patches.Gen(), p.svc.Attempts.Gen(), p.svc.Baselines.Gen(), f.strictGen}
	if gen == f.gen {
		return
	}
	f.gen = gen
	p.countNodes()
	p.fillGroups()
	p.fillNodes()
	p.fillLacks()
	p.fillCVE()
	p.countTrend()
}

func (p *Page) countNodes() {
	f := &p.fleet
	attempts := map[string]*patching.Attempt{}
	for _, r := range p.svc.Attempts.Rows() {
		a := r.Value
		key := deck.Key(r.Place, a.NodeID)
		if have := attempts[key]; have == nil || a.At.After(have.At) {
			attempts[key] = &a
		}
	}
	many := p.set.Patches.Len()
	f.made, f.total, f.running, f.failed, f.undecided = p.deck.Now, patch.Counts{}, 0, 0, 0
	before := f.nodes
	f.nodes, f.byKey = make([]*node, 0, many), make(map[string]*node, many)
	all, last := make([]node, many), 0
	for at, of := range p.set.Patches.All() {
		n := &all[last]
		last++
		n.at, n.key, n.tags = at, deck.Key(at, of.ID), of.Tags
		n.Row = p.rowOf(at, *of)
		if a := attempts[n.key]; a != nil && a.At.After(n.Scanned) {
			n.attempt = a
			if a.Running() {
				f.running++
			} else {
				f.failed++
			}
		}
		f.total.Add(n.Row)
		f.byKey[n.key] = n
	}
	f.order(all, before)
}

// order puts the nodes in order, from the worst on. It begins with the order that
// they had before, which is nearly right.
func (f *fleetState) order(all []node, before []*node) {
	placed := make(map[*node]bool, len(before))
	for _, b := range before {
		if n := f.byKey[b.key]; n != nil && !placed[n] {
			placed[n] = true
			f.nodes = append(f.nodes, n)
		}
	}
	for i := range all {
		if !placed[&all[i]] {
			f.nodes = append(f.nodes, &all[i])
		}
	}
	slices.SortFunc(f.nodes, func(a, b *node) int {
		if c := a.Row.Compare(&b.Row); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
}

// rowOf is the state of a node. Where a baseline has to say whether it is compliant,
// and has not yet, that is unknown; one that cannot be read counts as not strict, as
// `ssmdeck patch status` has it.
func (p *Page) rowOf(at grid.Place, n fleet.Node) patch.Row {
	strict := patch.Strict{}
	undecided := false
	if patch.Undecided(n) {
		s := p.fleet.strict[at][n.Patch.Baseline]
		strict[n.Patch.Baseline], undecided = s.strict, !s.known
		if undecided || s.err != nil {
			p.fleet.undecided++
		}
	}
	row := patch.RowOf(n, p.deck.Now, patch.StaleAfter, strict)
	if undecided {
		row.Status = patch.Unknown
	}
	return row
}

// askStrict reads what the baselines say that have to be asked, each once.
func (p *Page) askStrict() tea.Cmd {
	var cmds []tea.Cmd
	for at, n := range p.set.Patches.All() {
		if !patch.Undecided(*n) {
			continue
		}
		id := n.Patch.Baseline
		if p.fleet.strict[at] == nil {
			p.fleet.strict[at] = map[string]strictness{}
		}
		if _, asked := p.fleet.strict[at][id]; asked {
			continue
		}
		p.fleet.strict[at][id] = strictness{}
		cmds = append(cmds, p.desk.Go(func(ctx context.Context) tea.Msg {
			strict, err := p.svc.Strict(ctx, at, id)
			return strictRead{at: at, baseline: id, strict: strict, err: err}
		}))
	}
	return tea.Batch(cmds...)
}

func (p *Page) takeStrict(m strictRead) {
	if errors.Is(m.err, context.Canceled) {
		delete(p.fleet.strict[m.at], m.baseline)
		return
	}
	p.fleet.strict[m.at][m.baseline] = strictness{known: true, strict: m.strict, err: m.err}
	p.fleet.strictGen++
	p.count()
}

// state is the state of a node in words: the worst that is wrong with it, or what
// happens to it now.
func (n *node) state() (theme.Level, string) {
	if a := n.attempt; a != nil {
		doing, did := "scanning", "scan failed"
		if a.Operation == "Install" {
			doing, did = "installing", "install failed"
		}
		if a.Running() {
			return theme.Busy, doing
		}
		return theme.Bad, did
	}
	switch w := n.Word(); w {
	case "ok":
		return theme.Good, w
	case "never scanned", "missing", "rejected":
		return theme.Warn, w
	case "reboot":
		return theme.Warn, "reboot pending"
	case string(patch.Unknown):
		return theme.Unknown, w
	default:
		return theme.Bad, w
	}
}

// scanned is when the node was last scanned, in words, and how it looks.
func (n *node) scanned(now time.Time) (theme.Level, string) {
	switch {
	case n.Status == patch.Unknown && n.Scanned.IsZero():
		return theme.Unknown, "not known"
	case n.Scanned.IsZero():
		return theme.Warn, "never"
	case n.Stale:
		return theme.Warn, age(now, n.Scanned) + " stale"
	}
	return theme.Good, age(now, n.Scanned)
}
