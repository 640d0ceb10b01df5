package pagepatch

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// makeNodes makes the list of nodes. Their order is that of `patch status`: the
// worst first.
func (p *Page) makeNodes() {
	p.nodes = widget.NewList(widget.Options{
		Key: func(row int) string { return p.rows[row].key }, Marks: true, None: p.noNodes, Parse: p.parse,
		Narrows: func() bool { return p.nodes.Filter() == "" || p.narrows },
		Columns: slices.Concat(p.stateColumns(), p.nodeColumns()),
	})
}

// nodeText is a column of words.
func (p *Page) nodeText(id, title string, rank int, of func(*node) string) widget.Column {
	return widget.Column{ID: id, Title: title, Rank: rank, Text: func(row int) string { return of(p.rows[row]) }}
}

// nodeNumber is a column of numbers of patches, "-" where they are not known, which
// is not 0.
func (p *Page) nodeNumber(id, title string, rank int, of func(*node) int) widget.Column {
	value := func(row int) int {
		if n := p.rows[row]; n.Status == patch.NeverScanned || n.Scanned.IsZero() {
			return -1
		}
		return of(p.rows[row])
	}
	return widget.Column{
		ID: id, Title: title, Rank: rank, Right: true, Flash: true, Compare: func(a, b int) int { return cmp.Compare(value(a), value(b)) },
		Text: func(row int) string {
			if v := value(row); v >= 0 {
				return itoa(v)
			}
			return "-"
		},
	}
}

// stateColumns are how a node stands, by its last scan.
func (p *Page) stateColumns() []widget.Column {
	at := func(row int) *node { return p.rows[row] }
	state := p.nodeText("state", "STATE", 1, func(n *node) string { _, w := n.state(); return w })
	state.Level = func(row int) theme.Level { l, _ := at(row).state(); return l }
	state.Compare = func(a, b int) int { return at(a).Row.Compare(&at(b).Row) }
	state.Min = 10
	name := p.nodeText("name", "NAME", 0, func(n *node) string { return n.label() })
	name.Min, name.Max = 10, 32
	scanned := p.nodeText("scanned", "SCANNED", 4, func(n *node) string { _, w := n.scanned(p.deck.Now); return w })
	scanned.Level = func(row int) theme.Level { l, _ := at(row).scanned(p.deck.Now); return l }
	scanned.Compare = func(a, b int) int { return at(a).Scanned.Compare(at(b).Scanned) }
	return []widget.Column{
		state, name,
		p.nodeNumber("critical", "CRIT", 2, func(n *node) int { return n.Critical }),
		p.nodeNumber("security", "SEC", 3, func(n *node) int { return n.Security }),
		p.nodeNumber("missing", "MISSING", 5, func(n *node) int { return n.Missing }),
		p.nodeNumber("failed", "FAILED", 6, func(n *node) int { return n.Failed }),
		p.nodeNumber("reboot", "REBOOT", 7, func(n *node) int { return n.PendingReboot }),
		scanned,
	}
}

// nodeColumns are what else is known of a node.
func (p *Page) nodeColumns() []widget.Column {
	off := func(c widget.Column) widget.Column { c.Off = true; return c }
	id := p.nodeText("id", "NODE ID", 8, func(n *node) string { return n.ID })
	id.Middle = true
	return []widget.Column{
		p.nodeText("group", "GROUP", 9, func(n *node) string { return n.Group }),
		id,
		p.nodeText("system", "SYSTEM", 14, func(n *node) string { return n.System }),
		off(p.nodeText("account", "ACCOUNT", 7, func(n *node) string { return n.at.Who() })), // see place
		off(p.nodeText("region", "REGION", 6, func(n *node) string { return n.at.Region })),
		off(p.nodeNumber("other", "OTHER", 15, func(n *node) int { return n.Other })),
		off(p.nodeNumber("rejected", "REJECTED", 15, func(n *node) int { return n.Rejected })),
		off(p.nodeNumber("installed", "INSTALLED", 15, func(n *node) int { return n.Installed })),
		off(p.nodeNumber("available", "AVAILABLE", 15, func(n *node) int { return n.Available })),
		off(p.nodeText("status", "STATUS", 15, func(n *node) string { return string(n.Status) })),
		off(p.nodeText("baseline", "BASELINE", 15, p.baselineName)),
		off(p.nodeText("platform", "PLATFORM", 15, func(n *node) string { return n.Platform })),
		off(p.nodeText("ping", "PING", 15, func(n *node) string { return n.Ping })),
		off(p.nodeText("tags", "TAGS", 15, func(n *node) string { return tagWords(n.tags) })),
	}
}

// place shows the columns that tell places apart as soon as there are several, unless
// somebody has chosen columns before.
func (p *Page) place() {
	p.nodes.ShowPlaces(p.deck.Several(), p.deck.Where.Accounts, p.deck.Where.Regions)
}

// noNodes says why there is no row.
func (p *Page) noNodes() string {
	switch {
	case p.set.Patches.State().Empty():
		return p.waiting(p.set.Patches.State())
	case p.nodes.Filter() != "":
		return "no node fits the filter; esc clears it"
	case len(p.fleet.nodes) == 0:
		return "there are no managed nodes here"
	}
	return "there is no node"
}

// tagWords are tags as one text: "env=prod team=shop".
func tagWords(tags map[string]string) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, k+"="+tags[k])
	}
	return strings.Join(words, " ")
}

// baselineName is the baseline of the last scan: its name where that is known.
func (p *Page) baselineName(n *node) string {
	if n.Baseline == "" {
		return ""
	}
	id := baseline.ShortID(n.Baseline)
	return cmp.Or(p.groups.names[n.at][id], id)
}

// fillNodes shows the nodes of the group that was chosen.
func (p *Page) fillNodes() {
	p.place()
	p.rows = make([]*node, 0, len(p.fleet.nodes))
	for _, n := range p.fleet.nodes {
		if p.in(n) && (p.only.keys == nil || p.only.keys[n.key]) {
			p.rows = append(p.rows, n)
		}
	}
	p.nodes.Filling(p.set.Patches.State().Filling())
	p.nodes.Reset(len(p.rows))
}

// chosen are the nodes that an action is about: those marked, or the one under the
// cursor; on the left those of the group; of a patch those that lack it.
func (p *Page) chosen() []*node {
	var out []*node
	if p.view == viewNodes || p.focus == paneGroups {
		rows := p.nodes.Chosen()
		if marked, _ := p.nodes.Marked(); p.focus == paneGroups && len(marked) == 0 {
			rows = p.nodes.Shown()
		}
		for _, i := range rows {
			out = append(out, p.rows[i])
		}
		return out
	}
	for _, key := range p.lackingKeys() {
		if n := p.fleet.byKey[key]; n != nil {
			out = append(out, n)
		}
	}
	return out
}
