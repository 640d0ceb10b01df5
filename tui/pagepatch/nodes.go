package pagepatch

import (
	"cmp"
	"fmt"
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
	at := func(row int) *node { return p.rows[row] }
	text := func(id, title string, rank int, of func(*node) string) widget.Column {
		return widget.Column{ID: id, Title: title, Rank: rank, Text: func(row int) string { return of(at(row)) }}
	}
	off := func(c widget.Column) widget.Column { c.Off = true; return c }
	number := func(id, title string, rank int, of func(*node) int) widget.Column {
		value := func(row int) int {
			if n := at(row); n.Status == patch.NeverScanned || n.Status == patch.Unknown {
				return -1
			}
			return of(at(row))
		}
		return widget.Column{
			ID: id, Title: title, Rank: rank, Right: true, Flash: true, Compare: func(a, b int) int { return cmp.Compare(value(a), value(b)) },
			Text: func(row int) string {
				if v := value(row); v >= 0 {
					return fmt.Sprint(v)
				}
				return "-" // not known, which is not 0
			},
		}
	}
	state := text("state", "STATE", 1, func(n *node) string { _, w := n.state(); return w })
	state.Level = func(row int) theme.Level { l, _ := at(row).state(); return l }
	state.Compare = func(a, b int) int { return patch.CompareRows(at(a).Row, at(b).Row) }
	state.Min = 10
	name := text("name", "NAME", 0, func(n *node) string { return n.label() })
	name.Min, name.Max = 10, 32
	scanned := text("scanned", "SCANNED", 4, func(n *node) string { _, w := n.scanned(p.deck.Now); return w })
	scanned.Level = func(row int) theme.Level { l, _ := at(row).scanned(p.deck.Now); return l }
	scanned.Compare = func(a, b int) int { return at(a).Scanned.Compare(at(b).Scanned) }
	id := text("id", "NODE ID", 8, func(n *node) string { return n.ID })
	id.Middle = true
	place := func(id, title string, rank int, of func(*node) string) widget.Column {
		c := text(id, title, rank, of)
		c.Off = true
		return c
	}
	p.nodes = widget.NewList(widget.Options{
		Key: func(row int) string { return at(row).key }, Marks: true, None: p.noNodes, Parse: p.parse,
		Columns: []widget.Column{
			state, name,
			number("critical", "CRIT", 2, func(n *node) int { return n.Critical }),
			number("security", "SEC", 3, func(n *node) int { return n.Security }),
			number("missing", "MISSING", 5, func(n *node) int { return n.Missing }),
			number("failed", "FAILED", 6, func(n *node) int { return n.Failed }),
			number("reboot", "REBOOT", 7, func(n *node) int { return n.PendingReboot }),
			scanned,
			text("group", "GROUP", 9, func(n *node) string { return n.Group }),
			id,
			text("system", "SYSTEM", 14, func(n *node) string { return n.System }),
			place("account", "ACCOUNT", 7, func(n *node) string { return cmp.Or(n.at.Account, n.at.Profile) }),
			place("region", "REGION", 6, func(n *node) string { return n.at.Region }),
			off(number("other", "OTHER", 15, func(n *node) int { return n.Other })),
			off(number("rejected", "REJECTED", 15, func(n *node) int { return n.Rejected })),
			off(number("installed", "INSTALLED", 15, func(n *node) int { return n.Installed })),
			off(number("available", "AVAILABLE", 15, func(n *node) int { return n.Available })),
			off(text("status", "STATUS", 15, func(n *node) string { return string(n.Status) })),
			off(text("baseline", "BASELINE", 15, func(n *node) string { return p.baselineName(n) })),
			off(text("platform", "PLATFORM", 15, func(n *node) string { return n.Platform })),
			off(text("ping", "PING", 15, func(n *node) string { return n.Ping })),
			off(text("tags", "TAGS", 15, func(n *node) string { return tagWords(n.tags) })),
		},
	})
}

// place shows the columns that tell places apart as soon as there are several, unless
// somebody has chosen columns before.
func (p *Page) place() {
	if p.placed || !p.deck.Several() {
		return
	}
	p.placed = true
	titles, _ := p.nodes.AllColumns()
	for i, title := range titles {
		if title == "ACCOUNT" || title == "REGION" {
			p.nodes.ShowColumn(i, true)
		}
	}
}

// noNodes says why there is no row.
func (p *Page) noNodes() string {
	switch {
	case p.set.Patches.State().Empty():
		return p.waiting(p.set.Patches.State())
	case p.nodes.Filter() != "":
		return "no node fits the filter"
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
