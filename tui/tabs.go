package tui

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// tabs is the line of the pages; titles are cut where they do not fit, that of the
// page shown last.
func (m *Model) tabs(y int) string {
	s := m.o.Deck.Styles
	texts, gap := m.tabTexts()
	var b strings.Builder
	x := 0
	for i, t := range texts {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
			x += gap
		}
		w := ansi.StringWidth(t)
		m.hits = append(m.hits, hit{y: y, from: x, to: x + w, do: func() tea.Cmd { return m.open(deck.Open{Page: m.o.Pages[i].ID()}) }})
		switch {
		case i != m.page:
			b.WriteString(t)
		case s.Color:
			b.WriteString(s.Selected.Render(t))
		default:
			b.WriteString(s.Strong.Render(t))
		}
		x += w
	}
	return b.String()
}

func (m *Model) tabTexts() (texts []string, gap int) {
	const longest = 30
	for cut := longest; cut >= 0; cut-- {
		texts = texts[:0]
		total := 0
		for i, p := range m.o.Pages {
			title := p.Title()
			if i != m.page {
				title = shorter(title, cut)
			}
			if title != "" {
				title = m.pointed(i) + title
			}
			texts = append(texts, tabDigit(i)+title)
			total += ansi.StringWidth(texts[i])
		}
		for gap := 2; gap > 0; gap-- {
			if total+gap*(len(texts)-1) <= m.width {
				return texts, gap
			}
		}
	}
	return texts, 1
}

// pointed is between the number and the title of a page; it marks the page shown
// where no colour does.
func (m *Model) pointed(i int) string {
	if i == m.page && !m.o.Deck.Styles.Color {
		return m.o.Deck.Styles.Glyphs.Pointer
	}
	return " "
}

// shorter cuts a title to a width.
func shorter(title string, width int) string {
	if short := shortTitles[title]; short != "" && width < ansi.StringWidth(title) {
		title = short
	}
	return ansi.Truncate(title, width, "")
}

// shortTitles are for titles that read badly when they are cut.
var shortTitles = map[string]string{"Parameters": "Params", "Automation": "Autom."}

// crumbs are what has been opened inside the page: "Fleet › web-1".
func (m *Model) crumbs() string {
	c := m.current().Status().Crumbs
	if len(c) == 0 {
		return ""
	}
	sep := " " + m.o.Deck.Styles.Glyphs.Crumb + " "
	return render.Visible(m.current().Title() + sep + strings.Join(c, sep))
}

// upperRule is the line over the page, with what has been opened in it.
func (m *Model) upperRule() string {
	s := m.o.Deck.Styles
	c := m.crumbs()
	if c == "" {
		return m.rule()
	}
	c = ansi.Truncate(" "+c+" ", max(m.width-2, 0), s.Glyphs.Ellipsis)
	rest := strings.Repeat(s.Glyphs.Rule, max(m.width-1-ansi.StringWidth(c), 0))
	return s.Border.Render(s.Glyphs.Rule) + s.Accent.Render(c) + s.Border.Render(rest)
}

// tightHeader is all there is above the page on a small screen.
func (m *Model) tightHeader(k feed.State) string {
	s := m.o.Deck.Styles
	left := []piece{{text: tabDigit(m.page) + " " + m.current().Title(), style: s.Title}}
	if c := m.crumbs(); c != "" {
		left[0].text = tabDigit(m.page) + " " + c
	}
	w := m.o.Deck.Where
	where := m.place()
	if name := cmp.Or(w.Context, w.Alias, w.Account); name != "" && len(where) > 0 {
		where[0].text = render.Visible(name)
	}
	return m.spread(0, append(left, where...), m.facts(k))
}
