package pagepatch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// SearchCVE has the page show the nodes that lack a patch for a CVE.
type SearchCVE struct{ CVE string }

// cveList are the nodes affected by a CVE, and those of which nobody knows.
type cveList struct {
	list  *widget.List
	id    string
	rows  []patch.Lack
	keys  []string // of their nodes
	count patch.Affected
}

func (p *Page) makeCVE() {
	at := func(row int) *patch.Lack { return &p.cve.rows[row] }
	text := func(id, title string, rank int, of func(*patch.Lack) string) widget.Column {
		return widget.Column{ID: id, Title: title, Rank: rank, Text: func(row int) string { return of(at(row)) }}
	}
	state := text("state", "STATE", 1, func(l *patch.Lack) string { _, w := stateWord(l.State); return w })
	state.Level = func(row int) theme.Level { level, _ := stateWord(at(row).State); return level }
	name := text("name", "NAME", 0, func(l *patch.Lack) string { return cmp.Or(strings.TrimSpace(l.Name), l.ID) })
	name.Min, name.Max = 10, 32
	severity := text("severity", "SEVERITY", 3, func(l *patch.Lack) string { return l.Severity })
	severity.Compare = func(a, b int) int { return patch.CompareSeverities(at(a).Severity, at(b).Severity) }
	scanned := text("scanned", "SCANNED", 4, func(l *patch.Lack) string { return p.scannedOf(l) })
	scanned.Compare = func(a, b int) int { return at(a).Scanned.Compare(at(b).Scanned) }
	p.cve.list = widget.NewList(widget.Options{
		Key: func(row int) string { return p.cve.keys[row] + "\x00" + at(row).Patch + "\x00" + at(row).Title },
		None: func() string {
			if p.cve.id == "" {
				return "no CVE was asked for"
			}
			return p.noReading("no node is known to lack a patch for it")
		},
		Columns: []widget.Column{
			state, name,
			text("patch", "PATCH", 2, func(l *patch.Lack) string { return l.Patch }),
			severity, scanned,
			text("group", "GROUP", 6, func(l *patch.Lack) string { return l.Group }),
			text("title", "TITLE", 5, func(l *patch.Lack) string { return shortTitle(l.Patch, l.Title) }),
			p.cvePlace("account", "ACCOUNT", func(at grid.Place) string { return at.Who() }),
			p.cvePlace("region", "REGION", func(at grid.Place) string { return at.Region }),
		},
	})
}

// cvePlace is a column of where the nodes are.
func (p *Page) cvePlace(id, title string, of func(grid.Place) string) widget.Column {
	return widget.Column{ID: id, Title: title, Rank: 7, Off: true, Text: func(row int) string {
		if n := p.fleet.byKey[p.cve.keys[row]]; n != nil {
			return of(n.at)
		}
		return ""
	}}
}

// scannedOf is how old what is known of a node is.
func (p *Page) scannedOf(l *patch.Lack) string {
	switch {
	case l.Scanned.IsZero() && l.State == patch.StateUnknown:
		return "not known"
	case l.Scanned.IsZero():
		return "never"
	case l.Stale:
		return age(p.deck.Now, l.Scanned) + " stale"
	}
	return age(p.deck.Now, l.Scanned)
}

// askCVE asks which CVE is meant. Those that are known to be open are offered.
func (p *Page) askCVE() tea.Cmd {
	known := map[string]int{}
	for _, n := range p.reading.nodes {
		of := map[string]bool{}
		for _, f := range n.Patches {
			for _, c := range f.CVEs {
				of[c] = true
			}
		}
		for c := range of {
			known[c]++
		}
	}
	var ids []string
	for c := range known {
		ids = append(ids, c)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if known[a] != known[b] {
			return known[b] - known[a]
		}
		return strings.Compare(a, b)
	})
	return deck.Ask(deck.Form{
		Title: "Which nodes are open to a CVE?",
		Fields: []deck.Field{{
			Name: "cve", Label: "CVE", Value: p.likelyCVE(), Help: "CVE-2026-12345",
			Choices: func(typed string) []string {
				return slices.DeleteFunc(slices.Clone(ids), func(c string) bool { return !strings.Contains(c, strings.ToUpper(strings.TrimSpace(typed))) })
			},
			Check: func(value string) error { _, err := patch.ParseCVEs("cve", []string{value}); return err },
		}},
		Done: func(v map[string]string) tea.Cmd { return deck.Ask(SearchCVE{CVE: v["cve"]}) },
	})
}

// likelyCVE is that of the patch under the cursor, or the one asked for last.
func (p *Page) likelyCVE() string {
	var of []string
	if i, ok := p.list.Current(); ok && p.focus == panePatches {
		of = p.found[i].CVEs
	} else if i, ok := p.lacks.list.Current(); ok && p.view == viewLacks {
		of = p.lacks.rows[i].CVEs
	}
	if len(of) > 0 {
		return of[0]
	}
	return p.cve.id
}

// searchCVE shows who lacks a patch for a CVE.
func (p *Page) searchCVE(id string) tea.Cmd {
	ids, err := patch.ParseCVEs("cve", []string{id})
	if err != nil {
		return deck.Ask(deck.Say{Err: err})
	}
	p.cve.id, p.view, p.focus, p.only = ids[0], viewCVE, paneMain, only{}
	p.fillNodes()
	if p.reading.at.IsZero() && !p.reading.busy() {
		return tea.Batch(p.look(), p.read())
	}
	return p.look()
}

// openAffected shows the node under the cursor.
func (p *Page) openAffected() {
	if i, ok := p.cve.list.Current(); ok {
		p.open([]string{p.cve.keys[i]}, "open to "+p.cve.id)
	}
}

// conclusion says in sentences what the list means: who is not in it lacks no patch
// that names the CVE, which is no proof.
func (c *cveList) conclusion() []string {
	a := c.count
	verb := "lack"
	if a.Lacking == 1 {
		verb = "lacks"
	}
	out := []string{fmt.Sprintf("%d of %s %s a patch for %s", a.Lacking, widget.Count(a.Nodes, "node"), verb, c.id)}
	if a.Waiting > 0 {
		out[0] += fmt.Sprintf(", %d more have it and wait for a reboot", a.Waiting)
	}
	if n := a.Never + a.Unknown; n > 0 {
		out = append(out, fmt.Sprintf("of %s nothing is known: %d never scanned, %d not readable", widget.Count(n, "node"), a.Never, a.Unknown))
	}
	if a.Blank > 0 {
		out = append(out, fmt.Sprintf("%s security patches that name no CVE, and may be open to it, too", lacksOther(a.Blank)))
	}
	return out
}

func lacksOther(n int) string {
	if n == 1 {
		return "1 other node lacks"
	}
	return fmt.Sprintf("%d other nodes lack", n)
}
