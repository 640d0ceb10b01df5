package pagefleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// row is a node as it is listed.
type row struct {
	key     string
	at      grid.Place
	n       fleet.Node
	managed bool // Systems Manager knows it
	patched bool // what patching found of it has been read
	behind  bool // a newer agent runs elsewhere in the fleet, or the service knows one
	rank    int  // how much it needs attention: the lowest first
}

// reload makes the rows anew when what they are made from has changed.
func (p *Page) reload() {
	p.placeColumns()
	gens := [3]uint64{p.set.Nodes.Gen(), p.set.Patches.Gen(), 0}
	if p.unmanaged {
		gens[2] = p.svc.Unmanaged.Gen() + 1
	}
	if p.made && gens == p.gens {
		return
	}
	p.gens, p.made = gens, true
	nodes := p.set.Nodes.Rows()
	patches := p.patches()
	p.agents.newest = newestAgents(nodes)
	rows := make([]row, 0, len(nodes))
	for _, n := range nodes {
		r := row{key: deck.Key(n.Place, n.Value.ID), at: n.Place, n: n.Value, managed: true}
		if found := patches[r.key]; found != nil {
			r.patched, r.n.Patch = true, found.Patch
			r.n.Unknown = slices.DeleteFunc(slices.Clone(r.n.Unknown), func(s string) bool { return s == fleet.PartPatch.String() })
			if found.Lacks(fleet.PartPatch) {
				r.n.Unknown = append(r.n.Unknown, fleet.PartPatch.String())
			}
		}
		r.behind = p.agents.behind(r.n)
		r.rank = r.attention()
		rows = append(rows, r)
	}
	if p.unmanaged {
		rows = p.addUnmanaged(rows)
	}
	p.rows = rows
	p.list.SetNow(p.deck.Now, p.deck.Still)
	p.list.Reset(len(rows))
}

// addUnmanaged adds the instances that no agent has registered. One that has since
// it was looked for is a node already.
func (p *Page) addUnmanaged(rows []row) []row {
	known := make(map[string]bool, len(rows))
	for _, r := range rows {
		known[r.key] = true
	}
	for _, n := range p.svc.Unmanaged.Rows() {
		r := row{key: deck.Key(n.Place, n.Value.ID), at: n.Place, n: n.Value}
		if !known[r.key] {
			r.rank = r.attention()
			rows = append(rows, r)
		}
	}
	return rows
}

// patches are the nodes with what patching found, by key.
func (p *Page) patches() map[string]*fleet.Node {
	rows := p.set.Patches.Rows()
	found := make(map[string]*fleet.Node, len(rows))
	for i := range rows {
		found[deck.Key(rows[i].Place, rows[i].Value.ID)] = &rows[i].Value
	}
	return found
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
	case r.n.Offline() && r.stopped():
		return rankStopped
	case r.n.Offline():
		return rankLost
	case r.patched && r.n.Patch != nil && r.n.Patch.Critical > 0:
		return rankPatches
	default:
		return rankFine
	}
}

// stopped reports whether EC2 says that the instance does not run.
func (r *row) stopped() bool { return r.n.State != "" && r.n.State != "running" }

// label is what the node is called.
func (r *row) label() string { return render.Visible(sources.Label(r.n)) }

// state is the word and the level of whether the node can be reached.
func (r *row) state() (string, theme.Level) {
	switch {
	case !r.managed:
		return "unmanaged", theme.Warn
	case r.n.Online():
		return r.n.Ping, theme.Good
	case r.n.Offline() && r.stopped():
		return r.n.State, theme.Idle
	case r.n.Ping == fleet.Lost:
		return r.n.Ping, theme.Bad
	case r.n.Ping == fleet.Inactive:
		return r.n.Ping, theme.Idle
	default:
		return cmp.Or(r.n.Ping, "unknown"), theme.Unknown
	}
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
	pa := r.n.Patch
	switch {
	case !r.managed:
		return "not known", theme.Unknown
	case !r.patched:
		return "not read yet", theme.Unknown
	case r.n.Lacks(fleet.PartPatch):
		return "unknown", theme.Unknown
	case pa == nil:
		return "never scanned", theme.Idle
	case pa.NonCompliant() == 0:
		return "compliant", theme.Good
	}
	var words []string
	add := func(n int, word string) {
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	add(pa.Critical, "critical")
	add(pa.Failed, "failed")
	add(pa.Missing, "missing")
	if pa.PendingReboot > 0 {
		words = append(words, "reboot")
	}
	if len(words) == 0 {
		add(pa.Rejected, "rejected")
	}
	if pa.Critical > 0 || pa.Failed > 0 {
		return strings.Join(words, ", "), theme.Bad
	}
	return strings.Join(words, ", "), theme.Warn
}

// comparePatches orders rows from the worst on; what is not known comes last.
func comparePatches(a, b *row) int {
	weigh := func(r *row) [4]int {
		pa := r.n.Patch
		switch {
		case !r.patched || r.n.Lacks(fleet.PartPatch):
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
		return "none", theme.Unknown
	case "success":
		return "ok", theme.Good
	case "failed", "timedout":
		return word, theme.Bad
	case "pending", "inprogress", "associated":
		return word, theme.Busy
	default:
		return word, theme.Idle
	}
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
