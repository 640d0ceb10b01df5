package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// nowhere is what stands in place of every page while there is no place to look at.
func (m *Model) nowhere() (deck.Nowhere, bool) {
	return deck.NowhereOf(m.o.Deck, m.o.Desk, m.o.Contexts, "ctrl+r")
}

// lost reports whether there is no place to look at.
func (m *Model) lost() bool {
	_, lost := m.nowhere()
	return lost
}

// nowhereLines draw it, as far as there is room: why first, then what can be done.
func (m *Model) nowhereLines(n deck.Nowhere, width, height int) []string {
	s := m.o.Deck.Styles
	roomy := height >= 12+4*len(n.Lost)
	var lines []string
	gap := func() {
		if roomy {
			lines = append(lines, "")
		}
	}
	lines = append(lines, s.Title.Render(ansi.Truncate(n.Head, width, s.Glyphs.Ellipsis)))
	gap()
	for _, f := range n.Lost {
		for _, l := range widget.Wrap(s.Glyphs.Bad+" "+n.Where(f)+render.Visible(f.Err.Error()), width) {
			lines = append(lines, s.Bad.Render(l))
		}
		if h := fault.HintOf(f.Err); h != "" {
			for _, l := range widget.Wrap(render.Visible(h), max(width-2, 1)) {
				lines = append(lines, "  "+s.Strong.Render(l))
			}
		}
		gap()
	}
	names := 0
	for _, w := range n.Ways {
		names = max(names, ansi.StringWidth(w.Name))
	}
	for _, w := range n.Ways {
		if width < names+30 {
			lines = append(lines, widget.Wrap(w.Name+": "+w.Value, width)...)
			continue
		}
		pad := strings.Repeat(" ", names-ansi.StringWidth(w.Name)+2)
		lines = append(lines, s.Accent.Render(w.Name)+pad+ansi.Truncate(w.Value, width-names-2, s.Glyphs.Ellipsis))
	}
	return lines[:min(len(lines), height)]
}

// nowhereHints are the keys that mean something then.
func nowhereHints() []hint { return []hint{{"ctrl+r", "try again"}, {":", "go to"}, {"q", "leave"}} }

// again ends this dashboard for one that tries once more to open its places.
func (m *Model) again() tea.Cmd { return m.quitWith(Outcome{Again: true}) }
