package pagefleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// row is a node as it is listed.
type row struct {
	key     string
	at      grid.Place
	n       *fleet.Node // shared with others, never changed
	managed bool        // Systems Manager knows it
	patched bool        // what patching found of it has been read
	patch   *fleet.PatchState
	sealed  bool // what patching found may not be read
	behind  bool // a newer agent runs elsewhere in the fleet, or the service knows one
	rank    int  // how much it needs attention: the lowest first
}

// quick is up to how many nodes rows are made anew each time that something has
// changed. Of more it is done once a second at most, so that keys need not wait.
const quick = 2000

// changed takes notice of new data.
func (p *Page) changed() {
	if p.hold && len(p.rows) > quick {
		return // the next tick makes them
	}
	p.reload()
}

// reload makes the rows anew when what they are made from has changed.
func (p *Page) reload() {
	p.list.ShowPlaces(p.deck.Several(), p.deck.Where.Accounts, p.deck.Where.Regions)
	gens := [4]uint64{p.set.Nodes.Gen(), p.set.Patches.Gen(), 0, p.set.AgentNews.Gen()}
	if p.unmanaged {
		gens[2] = p.svc.Unmanaged.Gen() + 1
	}
	if p.made && gens == p.gens {
		return
	}
	p.gens, p.made, p.hold = gens, true, true
	p.agents = fleet.AgentsOf(p.set.Nodes.Values(), p.set.AgentNews)
	rows := make([]row, 0, len(p.rows)+64)
	for _, at := range p.set.Nodes.Places() {
		nodes, _ := p.set.Nodes.At(at)
		patched, _ := p.set.Patches.At(at)
		found := finder{nodes: patched}
		for i := range nodes {
			rows = append(rows, p.row(at, &nodes[i], len(rows), found.find(nodes[i].ID)))
		}
	}
	if p.unmanaged {
		rows = p.addUnmanaged(rows)
	}
	p.rows = rows
	p.list.SetNow(p.deck.Now, p.deck.Still)
	p.list.Filling(p.set.Nodes.State().Filling() || p.set.Patches.State().Filling())
	p.list.Reset(len(rows))
}

// row makes the i-th row; found is what patching found, nil: that has not been read. A
// node mostly stands where it stood, with the same key.
func (p *Page) row(at grid.Place, n *fleet.Node, i int, found *fleet.Node) row {
	r := row{at: at, n: n, managed: true}
	if i < len(p.rows) && p.rows[i].n.ID == n.ID && p.rows[i].at == at {
		r.key = p.rows[i].key
	} else {
		r.key = deck.Key(at, n.ID)
	}
	if found != nil {
		r.patched, r.patch, r.sealed = true, found.Patch, found.Lacks(fleet.PartPatch)
	}
	r.behind = p.agents.Behind(n)
	r.rank = r.attention()
	return r
}

// addUnmanaged adds the instances that no agent has registered. One that has since
// it was looked for is a node already.
func (p *Page) addUnmanaged(rows []row) []row {
	known := make(map[string]bool, len(rows))
	for i := range rows {
		known[rows[i].key] = true
	}
	for _, at := range p.svc.Unmanaged.Places() {
		found, _ := p.svc.Unmanaged.At(at)
		for i := range found {
			r := row{key: deck.Key(at, found[i].ID), at: at, n: &found[i]}
			if !known[r.key] {
				r.rank = r.attention()
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// finder finds nodes of a place by their ids. Feeds mostly have the same nodes in the same
// order, so that the next one is looked at first: to put 10,000 into a map takes longer than
// half a frame.
type finder struct {
	nodes []fleet.Node
	next  int
	at    map[string]int // by id; nil: it was not needed yet
}

// find is the node of an id; nil: there is none.
func (f *finder) find(id string) *fleet.Node {
	i, ok := f.next, f.next < len(f.nodes) && f.nodes[f.next].ID == id
	if !ok {
		if f.at == nil {
			f.at = make(map[string]int, len(f.nodes))
			for i := range f.nodes {
				f.at[f.nodes[i].ID] = i
			}
		}
		if i, ok = f.at[id]; !ok {
			return nil
		}
	}
	f.next = i + 1
	return &f.nodes[i]
}

// node is the node with what patching found.
func (r *row) node() fleet.Node {
	n := *r.n
	n.Patch = r.patch
	return n
}

// The ranks of attention.
const (
	rankLost = iota
	rankUnmanaged
	rankPatches
	rankStopped
	rankFine
	rankInactive
)

// attention is how much a node needs somebody: one that should be there and is not
// comes first, one that was stopped on purpose late.
func (r *row) attention() int {
	switch {
	case !r.managed:
		return rankUnmanaged
	case r.n.Ping == fleet.Inactive:
		return rankInactive
	case r.n.Offline() && r.n.Stopped():
		return rankStopped
	case r.n.Offline():
		return rankLost
	case r.patched && r.patch != nil && r.patch.Critical > 0:
		return rankPatches
	default:
		return rankFine
	}
}

// label is what the node is called.
func (r *row) label() string { return render.Visible(sources.Label(*r.n)) }

// state is the word and the level of whether the node can be reached.
func (r *row) state() (string, theme.Level) {
	switch {
	case !r.managed:
		return "unmanaged", theme.Warn
	case r.n.Offline() && r.n.Stopped():
		return r.n.State, theme.Idle
	}
	return cmp.Or(r.n.Ping, "unknown"), levels.Ping(r.n.Ping)
}

// agent is the version of the agent, and whether it is the newest.
func (r *row) agent() (string, theme.Level) {
	switch {
	case r.n.AgentVersion == "" && !r.managed:
		return "none known", theme.Unknown
	case r.n.AgentVersion == "":
		return "unknown", theme.Unknown
	case r.behind:
		return "behind " + r.n.AgentVersion, theme.Warn
	default:
		return r.n.AgentVersion, theme.Good
	}
}

// patches says what patching found.
func (r *row) patches() (string, theme.Level) {
	switch {
	case !r.managed:
		return "not known", theme.Unknown
	case !r.patched:
		return "not read yet", theme.Unknown
	case r.sealed:
		return "unknown", theme.Unknown
	case r.patch == nil:
		return "never scanned", levels.NeverScanned
	}
	pa, n := r.patch, fleet.Node{Patch: r.patch}
	if patch.Undecided(&n) { // the page Patch asks the baseline
		return fmt.Sprintf("%d not approved", pa.Available), theme.Unknown
	}
	found := patch.RowOf(&n, time.Time{}, 0, nil)
	if found.Status == patch.Compliant {
		return "compliant", theme.Good
	}
	var words []string
	add := func(n int, word string) {
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	if add(pa.Critical, "critical"); pa.Critical == 0 {
		add(pa.Security, "security")
	}
	add(pa.Failed, "failed")
	add(pa.Missing, "missing")
	if pa.PendingReboot > 0 {
		words = append(words, "reboot")
	}
	if len(words) == 0 {
		add(pa.Rejected, "rejected")
	}
	if len(words) == 0 {
		words = append(words, found.Word())
	}
	return strings.Join(words, ", "), levels.PatchRow(&found)
}

// comparePatches orders rows from the worst on; what is not known comes last.
func comparePatches(a, b *row) int {
	weigh := func(r *row) [4]int {
		pa := r.patch
		switch {
		case !r.patched || r.sealed:
			return [4]int{2}
		case pa == nil:
			return [4]int{1}
		}
		return [4]int{0, -pa.Critical, -pa.Failed, -pa.NonCompliant()}
	}
	x, y := weigh(a), weigh(b)
	return slices.Compare(x[:], y[:])
}

// association is the state of the node's associations as its agent reports it.
func (r *row) association() (string, theme.Level) {
	word := strings.ToLower(r.n.AssociationStatus)
	switch word {
	case "":
		word = "none"
	case "success":
		word = "ok"
	}
	return word, levels.Association(r.n.AssociationStatus)
}

// tagText writes tags in the order of their keys: "env=prod role=web".
func tagText(tags map[string]string) string {
	words := make([]string, 0, len(tags))
	for k, v := range tags {
		words = append(words, k+"="+v)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
