package pagepatch

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terms"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// lackList are the patches that the nodes of the group lack, each with how many do.
type lackList struct {
	list *widget.List
	rows []patch.Tally
	keys map[string][]string // of the nodes that lack a patch, by its key
	from view                // where the nodes of a patch were opened
}

func tallyKey(t *patch.Tally) string { return t.Key + "\x00" + t.Title }

func (p *Page) makeLacks() {
	at := func(row int) *patch.Tally { return &p.lacks.rows[row] }
	text := func(id, title string, rank int, of func(*patch.Tally) string) widget.Column {
		return widget.Column{ID: id, Title: title, Rank: rank, Text: func(row int) string { return of(at(row)) }}
	}
	number := func(id, title string, rank int, of func(*patch.Tally) int) widget.Column {
		c := text(id, title, rank, func(t *patch.Tally) string { return itoa(of(t)) })
		c.Right, c.Sort, c.Compare = true, terms.Number, func(a, b int) int { return cmp.Compare(of(at(a)), of(at(b))) }
		return c
	}
	name := text("patch", "PATCH", 0, func(t *patch.Tally) string { return t.Key })
	name.Min, name.Max = 12, 36
	severity := text("severity", "SEVERITY", 1, func(t *patch.Tally) string { return cmp.Or(t.Severity, "none") })
	severity.Compare = func(a, b int) int { return patch.CompareSeverities(at(a).Severity, at(b).Severity) }
	severity.Level = func(row int) theme.Level { return severityLevel(at(row).Severity) }
	p.lacks.list = widget.NewList(widget.Options{
		Key: func(row int) string { return tallyKey(at(row)) }, None: func() string { return p.noReading("nothing is missing") },
		Columns: []widget.Column{
			severity, name,
			number("nodes", "NODES", 2, func(t *patch.Tally) int { return t.Nodes }),
			number("missing", "MISSING", 5, func(t *patch.Tally) int { return t.Missing }),
			number("failed", "FAILED", 6, func(t *patch.Tally) int { return t.Failed }),
			text("class", "CLASS", 7, func(t *patch.Tally) string { return t.Classification }),
			text("which", "WHICH", 3, func(t *patch.Tally) string { return render.Fold(t.NodeNames()) }),
			text("title", "TITLE", 4, func(t *patch.Tally) string { return shortTitle(t.Key, t.Title) }),
			text("cves", "CVES", 8, func(t *patch.Tally) string { return strings.Join(t.CVEs, " ") }),
		},
	})
}

// severityLevel is how bad a severity looks.
func severityLevel(s string) theme.Level {
	switch {
	case patch.CompareSeverities(s, "critical") <= 0:
		return theme.Bad
	case patch.CompareSeverities(s, "important") <= 0:
		return theme.Warn
	}
	return theme.Unknown
}

// noReading says why there is no row in a list of what was read.
func (p *Page) noReading(nothing string) string {
	switch r := &p.reading; {
	case p.uncountedMiddle() && !r.busy() && !r.at.IsZero():
		return "counting" + p.deck.Styles.Glyphs.Ellipsis
	case r.busy() || r.at.IsZero():
		return r.state(p.deck.Now, p.deck.Styles.Glyphs.Ellipsis)
	case p.main().Filter() != "":
		return "nothing fits the filter; esc clears it"
	case r.trouble() != "":
		return "nothing that could be read; see above"
	}
	return nothing
}

// showLacks turns the middle from nodes to patches and back.
func (p *Page) showLacks() tea.Cmd {
	p.only = only{}
	p.fillNodes()
	p.focus = min(p.focus, paneMain)
	if p.view == viewLacks {
		p.view = viewNodes
		return p.look()
	}
	p.view = viewLacks
	if p.reading.at.IsZero() && !p.reading.busy() {
		return tea.Batch(p.look(), p.read())
	}
	return p.look()
}

// openLack shows the nodes that lack the patch under the cursor.
func (p *Page) openLack() {
	i, ok := p.lacks.list.Current()
	if !ok {
		return
	}
	t := &p.lacks.rows[i]
	p.open(p.lacks.keys[tallyKey(t)], "lack "+render.Visible(t.Key))
}

// open shows some of the nodes.
func (p *Page) open(keys []string, what string) {
	p.only = only{keys: map[string]bool{}, what: what}
	for _, k := range keys {
		p.only.keys[k] = true
	}
	p.lacks.from, p.view, p.focus = p.view, viewNodes, paneMain
	p.fillNodes()
}

// lackingKeys are the keys of the nodes that the row under the cursor is about.
func (p *Page) lackingKeys() []string {
	switch i, ok := p.main().Current(); {
	case !ok:
		return nil
	case p.view == viewLacks:
		return p.lacks.keys[tallyKey(&p.lacks.rows[i])]
	default:
		return []string{p.cve.keys[i]}
	}
}

// readNote is the heading of a list of what was read.
func (p *Page) readNote(what string, l *widget.List) string {
	if p.reading.at.IsZero() {
		return what
	}
	return fmt.Sprintf("%s %s, %s", what, l.Count(), p.reading.state(p.deck.Now, p.deck.Styles.Glyphs.Ellipsis))
}
