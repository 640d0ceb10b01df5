package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// View draws the frame and the page in it. It is called after each message, most of
// which change nothing to see: then it is the frame drawn last.
func (m *Model) View() tea.View {
	v := tea.NewView(m.Frame())
	v.AltScreen, v.ReportFocus = true, true
	if !m.mouseOff {
		v.MouseMode = tea.MouseModeCellMotion
	}
	v.WindowTitle = m.windowTitle()
	v.Cursor = m.cursor
	return v
}

func (m *Model) windowTitle() string {
	title := "ssmdeck"
	if who := m.who(); who != "" {
		title += " " + who
	}
	return title
}

// areas are where the parts of the frame are: numbers of lines from the top.
type areas struct {
	// tight is set on a screen with little room: one line above the page and one
	// under it, no rules.
	tight            bool
	body, bodyHeight int
}

// Screens smaller than this in one direction are tight.
const (
	roomyWidth  = 50
	roomyHeight = 14
)

func (m *Model) areas() areas {
	if m.width < roomyWidth || m.height < roomyHeight {
		a := areas{tight: true, body: 1, bodyHeight: m.height - 2}
		if a.bodyHeight < 1 { // the page has what there is
			a.body, a.bodyHeight = 0, m.height
		}
		return a
	}
	return areas{body: 3, bodyHeight: m.height - 5}
}

// Frame is the whole screen as text: height lines, none wider than the width.
func (m *Model) Frame() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	if m.stale {
		m.draw()
		m.stale = false
	}
	return m.frame
}

// Screens smaller than this have no room for anything but the way out.
const (
	leastWidth  = 20
	leastHeight = 4
)

func (m *Model) draw() {
	m.hits, m.cursor = m.hits[:0], nil
	if m.width < leastWidth || m.height < leastHeight {
		lines := widget.Wrap("too small: 40x10 is needed; q leaves", m.width)
		m.frame = strings.Join(lines[:min(len(lines), m.height)], "\n")
		return
	}
	a := m.areas()
	known := m.known()
	lines := make([]string, 0, m.height)
	switch {
	case a.body == 0:
	case a.tight:
		lines = append(lines, m.tightHeader(known))
	default:
		lines = append(lines, m.header(known), m.tabs(1), m.upperRule())
	}
	lines = append(lines, m.body(a)...)
	switch {
	case a.body == 0:
	case a.tight:
		lines = append(lines, m.lastLine(m.height-1, known, true))
	default:
		lines = append(lines, m.lowerRule(known), m.lastLine(m.height-1, known, false))
	}
	if said := m.message(m.messageRoom(a)); a.body > 0 && len(said) > 0 {
		copy(lines[len(lines)-len(said):], said)
		m.hideCursor(len(lines) - len(said))
	}
	for i, l := range lines {
		if l = steady(l); ansi.StringWidth(l) > m.width {
			l = ansi.Truncate(l, m.width, "")
		}
		lines[i] = l
	}
	m.frame = strings.Join(lines[:min(len(lines), m.height)], "\n")
}

// hideCursor takes the cursor away where something lies over it.
func (m *Model) hideCursor(from int) {
	if m.cursor != nil && m.cursor.Y >= from {
		m.cursor = nil
	}
}

// body is the page, and the dialogs over it: bodyHeight lines.
func (m *Model) body(a areas) []string {
	lines := make([]string, a.bodyHeight)
	if n, ok := m.nowhere(); ok {
		copy(lines, m.nowhereLines(n, m.width, a.bodyHeight))
	} else if len(m.dialogs) == 0 || !m.covers(a) {
		copy(lines, strings.Split(m.current().View(), "\n"))
	}
	if d := m.top(); d != nil {
		m.overlay(lines, d, a)
	}
	return lines
}

func (m *Model) rule() string {
	return m.o.Deck.Styles.Border.Render(strings.Repeat(m.o.Deck.Styles.Glyphs.Rule, m.width))
}

// lowerRule is the line under the page: what could not be read, else nothing but a rule.
func (m *Model) lowerRule(k feed.State) string {
	if len(k.Failures) > 0 && !m.lost() {
		return m.failure(k)
	}
	return m.rule()
}

// known is how the feeds of the page stand, all in one: the oldest age, all failures,
// and the places of the feed that lacks most.
func (m *Model) known() feed.State {
	all := feed.State{Oldest: feed.Oldest(m.wants)}
	for _, w := range m.wants {
		s := w.Feed.State()
		if lacks := s.Places - s.Whole; lacks > all.Places-all.Whole || all.Places == 0 {
			all.Places, all.Loaded, all.Whole = s.Places, s.Loaded, s.Whole
		}
		all.Loading += s.Loading
		switch {
		case len(s.Failures) == 0:
		case len(all.Failures) == 0 || feed.IsPartly(all.Failures[0].Err) && !feed.IsPartly(s.Failures[0].Err):
			all.Failures, all.Kept = slices.Concat(s.Failures, all.Failures), s.Kept // what is missing before what is known in part
		default:
			all.Failures = append(all.Failures, s.Failures...)
		}
	}
	return all
}
