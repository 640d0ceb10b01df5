package pagepatch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// What nodes are put together by.
const (
	byGroup    = "group"
	byBaseline = "baseline"
	byPlatform = "platform"
	byAge      = "age"
	byState    = "state"
	byAccount  = "account"
	byRegion   = "region"
	byTag      = "tag:" // and the key
)

// wholeFleet is the key of the line that stands for all nodes.
const wholeFleet = "\x00all"

// listKey is the key of a group in the list: that of the group without a name would
// be empty, which no row's may be.
func listKey(key string) string { return "=" + key }

// groupList is the pane on the left.
type groupList struct {
	list   *widget.List
	by     string
	slices []patch.Slice // the whole fleet first
	chosen string        // key of a slice behind the first; "": the whole fleet
	// inside says that chosen is a group: the key of the group without a name is "".
	inside bool
	names  map[grid.Place]map[string]string // of baselines, by id
}

func (p *Page) makeGroups() {
	g := &p.groups
	at := func(row int) *patch.Slice { return &g.slices[row] }
	number := func(id, title string, rank int, level theme.Level, of func(*patch.Slice) int) widget.Column {
		return widget.Column{
			ID: id, Title: title, Right: true, Rank: rank, Text: func(row int) string {
				if s := at(row); id != "nodes" && s.Nodes > 0 && s.Unknown == s.Nodes {
					return "-" // not known, which is not 0
				}
				return widget.Grouped(of(at(row)))
			},
			Compare: func(a, b int) int { return cmp.Compare(of(at(a)), of(at(b))) },
		}
	}
	g.list = widget.NewList(widget.Options{
		Key: func(row int) string { return listKey(at(row).Key) },
		Columns: []widget.Column{
			{
				ID: "name", Title: "GROUP", Min: 10, Max: 28, Text: func(row int) string { return p.groupName(at(row).Key) },
				Level: func(row int) theme.Level { return levels.PatchCounts(&at(row).Counts) },
			},
			{
				ID: "compliant", Title: "OK", Right: true, Min: 6, Rank: 1, Text: func(row int) string { return percent(at(row).Counts) },
				Compare: func(a, b int) int {
					x, _ := at(a).Percent()
					y, _ := at(b).Percent()
					return cmp.Compare(x, y)
				},
			},
			number("nodes", "NODES", 2, theme.Unknown, func(s *patch.Slice) int { return s.Nodes }),
			number("crit", "CRIT", 3, levels.Critical, func(s *patch.Slice) int { return s.WithCritical }),
			number("sec", "SEC", 4, levels.Security, func(s *patch.Slice) int { return s.WithSecurity }),
			number("never", "NEVER", 5, levels.NeverScanned, func(s *patch.Slice) int { return s.NeverScanned }),
			number("stale", "STALE", 6, levels.Stale, func(s *patch.Slice) int { return s.Stale }),
		},
	})
}

// groupKey is where a node belongs, of nodes that were counted at a time.
func groupKey(by string, n *node, made time.Time) string {
	switch by {
	case byGroup, byBaseline, byPlatform, byAge:
		return patch.Dimension(by).Key(&n.Row, made)
	case byState:
		_, word := n.state()
		return word
	case byAccount:
		return n.at.Who()
	case byRegion:
		return n.at.Region
	default:
		return n.tags[strings.TrimPrefix(by, byTag)]
	}
}

// groupName is a key as people read it.
func (p *Page) groupName(key string) string {
	switch {
	case key == wholeFleet:
		return "whole fleet"
	case key == "":
		return "(none)"
	case p.groups.by == byAge && key == string(patch.NeverScanned):
		return "never scanned"
	case p.groups.by == byBaseline:
		for _, names := range p.groups.names {
			if name := names[baseline.ShortID(key)]; name != "" {
				return name
			}
		}
		return baseline.ShortID(key)
	}
	return render.Visible(key)
}

// fillGroups counts the groups anew.
func (p *Page) fillGroups() {
	g := &p.groups
	g.names = map[grid.Place]map[string]string{}
	for _, b := range p.svc.Baselines.Rows() {
		if g.names[b.Place] == nil {
			g.names[b.Place] = map[string]string{}
		}
		g.names[b.Place][baseline.ShortID(b.Value.ID)] = render.Visible(b.Value.Name)
	}
	var groups patch.Slicer
	still := false
	for _, n := range p.fleet.nodes {
		key := groupKey(p.groups.by, n, p.fleet.made)
		still = still || g.inside && key == g.chosen
		groups.Add(key, &n.Row)
	}
	by := patch.ByGroup
	if g.by == byAge {
		by = patch.ByAge
	}
	g.slices = append([]patch.Slice{{Key: wholeFleet, Counts: p.fleet.total}}, groups.Slices(by)...)
	if g.inside && !still {
		g.chosen, g.inside = "", false
	}
	g.list.Reset(len(g.slices))
}

// pick makes the group under the cursor the one that the other panes are about.
func (p *Page) pick() {
	g := &p.groups
	i, ok := g.list.Current()
	if !ok {
		return
	}
	key := g.slices[i].Key
	inside := key != wholeFleet
	if !inside {
		key = ""
	}
	if key == g.chosen && inside == g.inside {
		return
	}
	g.chosen, g.inside = key, inside
	p.fillNodes()
}

// in reports whether a node is in the group that was chosen.
func (p *Page) in(n *node) bool {
	return !p.groups.inside || groupKey(p.groups.by, n, p.fleet.made) == p.groups.chosen
}

// chosenCounts are the numbers of the group that was chosen.
func (p *Page) chosenCounts() patch.Counts {
	if p.groups.inside {
		for _, s := range p.groups.slices {
			if s.Key == p.groups.chosen {
				return s.Counts
			}
		}
	}
	return p.fleet.total
}

// groupBy puts the nodes together by something else.
func (p *Page) groupBy(by string) {
	p.groups.by, p.groups.chosen, p.groups.inside = by, "", false
	p.fillGroups()
	p.groups.list.Select(listKey(wholeFleet))
	p.fillNodes()
}

// askGroup asks what nodes are to be put together by.
func (p *Page) askGroup() tea.Cmd {
	words := []string{byGroup, byBaseline, byPlatform, byAge, byState, byAccount, byRegion}
	details := map[string]string{
		byGroup: "patch group, by the last scan or the tag", byBaseline: "baseline of the last scan", byPlatform: "operating system with its version",
		byAge: "age of the last scan", byState: "the worst that is wrong", byAccount: "account", byRegion: "Region",
	}
	tags := map[string]int{}
	for _, n := range p.fleet.nodes {
		for k := range n.tags {
			tags[k]++
		}
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		words = append(words, byTag+k)
		details[byTag+k] = "tag, on " + widget.Count(tags[k], "node")
	}
	var entries []deck.Entry
	for _, w := range words {
		e := deck.Entry{Name: render.Visible(w), Detail: details[w]}
		if w == p.groups.by {
			e.Off = "they are put together by it now"
		}
		entries = append(entries, e)
	}
	return deck.Ask(deck.Choose{Title: "Put nodes together by", Entries: entries, Done: func(i int) tea.Cmd {
		p.groupBy(words[i])
		return p.look()
	}})
}
