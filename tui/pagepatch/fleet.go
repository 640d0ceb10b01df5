package pagepatch

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/levels"
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

// fleetState is what is known of all nodes, counted. It is not changed any more once it
// was made.
type fleetState struct {
	nodes   []*node // from the worst on
	byKey   map[string]*node
	total   patch.Counts
	places  []placeCount
	made    time.Time
	running int // nodes that scan or install
	failed  int // nodes whose last scan or installation failed
	// undecided is of how many nodes it takes a baseline to say whether they are
	// compliant, which is not known; ask are the baselines that say so.
	undecided int
	ask       map[baselineAt]bool

	gen generation // of what was counted
}

// placeCount is what was counted in one place.
type placeCount struct {
	at grid.Place
	patch.Counts
}

// baselineAt is a baseline of a place, as states of nodes name it.
type baselineAt struct {
	at grid.Place
	id string
}

// strictness is what a baseline says of available security updates.
type strictness struct {
	known, strict bool
	err           error
}

// strictRead brings it.
type strictRead struct {
	of     baselineAt
	strict bool
	err    error
}

// evidence is what nodes are counted from, as it is known at a time.
type evidence struct {
	gen      generation
	made     time.Time
	places   []grid.Place
	nodes    [][]fleet.Node // of places
	many     int
	attempts map[grid.Place]map[string]*patching.Attempt
	strict   map[baselineAt]strictness
}

// generation tells one state of what nodes are counted from apart from another: the feeds,
// the answers of baselines, and the hour, since scans become stale by themselves.
type generation [5]uint64

// counted brings what was counted.
type counted struct{ fleet fleetState }

// quick is up to how many nodes are counted at once. To count more takes longer than a
// key may wait, and is done beside the update loop.
const quick = 1000

// count makes the rows anew, if what they are made from has changed.
func (p *Page) count() tea.Cmd {
	gen := generation{p.set.Patches.Gen(), p.set.Attempts.Gen(), p.svc.Baselines.Gen(), p.strictGen, uint64(p.deck.Now.Unix() / 3600)}
	if gen == p.counting {
		return nil
	}
	p.counting = gen
	e := p.evidence(gen)
	if e.many <= quick {
		return p.take(counted{e.count()})
	}
	return p.desk.Go(func(context.Context) tea.Msg { return counted{e.count()} })
}

// take shows what was counted, unless it is old already: the newer is on its way.
func (p *Page) take(m counted) tea.Cmd {
	if m.fleet.gen != p.counting {
		return nil
	}
	p.showFleet(m.fleet)
	return tea.Batch(p.askStrict(), p.look(), p.keepLooks())
}

func (p *Page) showFleet(f fleetState) {
	p.fleet = f
	p.fillGroups()
	p.fillNodes()
	p.countTrend()
}

// settle counts here and now what is being counted beside the loop: what is printed is
// printed once, and would be without it.
func (p *Page) settle() {
	if p.fleet.gen != p.counting {
		p.showFleet(p.evidence(p.counting).count())
	}
	if b := p.basis(); p.view != viewNodes && b != p.shown {
		m := p.middle(b)
		m.make()
		p.shown = b
		p.showMiddle(m)
	}
}

// uncounted reports whether nothing was counted yet of what has been read first.
func (p *Page) uncounted() bool { return p.fleet.made.IsZero() && p.set.Patches.Len() > 0 }

func (p *Page) evidence(gen generation) *evidence {
	e := &evidence{gen: gen, made: p.deck.Now, places: slices.Clone(p.set.Patches.Places()), strict: maps.Clone(p.strict), attempts: map[grid.Place]map[string]*patching.Attempt{}}
	for _, at := range e.places {
		nodes, _ := p.set.Patches.At(at)
		e.nodes, e.many = append(e.nodes, nodes), e.many+len(nodes)
	}
	for at, a := range p.set.Attempts.All() {
		if e.attempts[at] == nil {
			e.attempts[at] = map[string]*patching.Attempt{}
		}
		e.attempts[at][a.NodeID] = a
	}
	return e
}

// count counts. It touches nothing of the page.
func (e *evidence) count() fleetState {
	f := fleetState{made: e.made, gen: e.gen, nodes: make([]*node, e.many), byKey: make(map[string]*node, e.many), ask: map[baselineAt]bool{}}
	all, last := make([]node, e.many), 0
	for i, at := range e.places {
		here := placeCount{at: at}
		for j := range e.nodes[i] {
			of, n := &e.nodes[i][j], &all[last]
			f.nodes[last] = n
			last++
			n.at, n.key, n.tags = at, deck.Key(at, of.ID), of.Tags
			n.Row = f.rowOf(e, at, of)
			if a := e.attempts[at][of.ID]; a != nil && a.After(n.Scanned) {
				n.attempt = a
				switch {
				case a.Running():
					f.running++
				case a.Failed():
					f.failed++
				}
			}
			here.Add(&n.Row)
			f.byKey[n.key] = n
		}
		f.total.Merge(here.Counts)
		if here.Nodes > 0 {
			f.places = append(f.places, here)
		}
	}
	slices.SortFunc(f.nodes, func(a, b *node) int {
		if c := a.Row.Compare(&b.Row); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	return f
}

// rowOf is the state of a node. Where a baseline has to say whether it is compliant,
// and has not yet, that is unknown; one that cannot be read counts as not strict, as
// `ssmdeck patch status` has it.
func (f *fleetState) rowOf(e *evidence, at grid.Place, n *fleet.Node) patch.Row {
	if !patch.Undecided(n) {
		return patch.RowOf(n, e.made, patch.StaleAfter, nil)
	}
	of := baselineAt{at, n.Patch.Baseline}
	f.ask[of] = true
	s := e.strict[of]
	if !s.known || s.err != nil {
		f.undecided++
	}
	row := patch.RowOf(n, e.made, patch.StaleAfter, patch.Strict{of.id: s.strict})
	if !s.known {
		row.Status = patch.Unknown
	}
	return row
}

// askStrict reads what the baselines say that have to be asked, each once.
func (p *Page) askStrict() tea.Cmd {
	var cmds []tea.Cmd
	for of := range p.fleet.ask {
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

func (p *Page) takeStrict(m strictRead) tea.Cmd {
	if errors.Is(m.err, context.Canceled) {
		delete(p.strict, m.of)
		return nil
	}
	p.strict[m.of] = strictness{known: true, strict: m.strict, err: m.err}
	p.strictGen++
	return p.count()
}

// state is the state of a node in words: the worst that is wrong with it, or what
// happens to it now.
func (n *node) state() (theme.Level, string) {
	if a := n.attempt; a != nil {
		return levels.Run(a.State), a.Word()
	}
	word := n.Word()
	if word == "reboot" {
		word = "reboot pending"
	}
	return levels.PatchRow(&n.Row), word
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
