package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// hint is a key and what it does, as the last line has it.
type hint struct{ key, name string }

// lastLine is the line of the keys that matter here, or of the filter that is typed.
func (m *Model) lastLine(y int, k feed.State, tight bool) string {
	switch {
	case len(m.dialogs) > 0:
		var right []piece
		if d, ok := m.top().(*menu); ok {
			right = d.position()
		}
		return m.hintLine(y, m.top().hints(), right)
	case m.filter != nil:
		return m.filterView(y)
	case m.lost():
		return m.hintLine(y, nowhereHints(), nil)
	case tight && len(k.Failures) > 0:
		return m.failure(k)
	}
	return m.hintLine(y, m.pageHints(), m.counts())
}

// message are the lines of what was just said, none: nothing was. It is there until the
// next key and nowhere else, so it has all the lines that it needs, up to most.
func (m *Model) message(most int) []string {
	s := m.o.Deck.Styles
	if m.say.Err == nil {
		if m.say.Text == "" {
			return nil
		}
		return m.upTo(most, widget.Wrap(render.Visible(m.say.Text), m.width))
	}
	text := s.Glyphs.Bad + " " + render.Visible(m.say.Err.Error())
	hint := render.Visible(fault.HintOf(m.say.Err))
	if whole := text + ": " + hint; hint != "" && (ansi.StringWidth(whole) <= m.width || most == 1) {
		text, hint = whole, ""
	}
	lines := widget.Wrap(text, m.width)
	bad := len(lines)
	if hint != "" {
		for _, l := range widget.Wrap(hint, m.width-2) {
			lines = append(lines, "  "+l)
		}
	}
	lines = m.upTo(most, lines)
	for i, l := range lines {
		if i < bad {
			lines[i] = s.Bad.Render(l)
		} else {
			lines[i] = s.Strong.Render(l)
		}
	}
	return lines
}

// messageRoom is how many lines a message may take. What is asked in a box stays in sight.
func (m *Model) messageRoom(a areas) int {
	_, asks := m.top().(*confirm)
	switch {
	case asks && a.tight:
		return 1
	case asks:
		return 2
	}
	return a.bodyHeight
}

// upTo are the first lines of a text that is longer than there is room for.
func (m *Model) upTo(most int, lines []string) []string {
	if most = max(most, 1); len(lines) <= most {
		return lines
	}
	last := strings.Join(lines[most-1:], " ")
	return append(lines[:most-1:most-1], ansi.Truncate(last, m.width, m.o.Deck.Styles.Glyphs.Ellipsis))
}

func (m *Model) pageHints() []hint {
	hints := []hint{{"/", "filter"}}
	if f := m.current().Filter(); f != "" {
		hints[0].name = "filter: " + render.Visible(f)
	}
	hints = append(hints, hint{":", "go to"})
	for _, a := range m.current().Actions() {
		if a.Footer && a.Key != "" && a.Off == "" && !(a.Writes && m.o.Deck.ReadOnly) {
			hints = append(hints, hint{a.Key, a.Name})
		}
	}
	return append(hints, hint{"?", "keys"})
}

// counts say how many rows there are and how many are marked.
func (m *Model) counts() []piece {
	st := m.current().Status()
	var ps []piece
	if st.Marked > 0 {
		text := grouped(st.Marked) + " marked"
		if st.Hidden > 0 {
			text += fmt.Sprintf(" (%s hidden)", grouped(st.Hidden))
		}
		ps = append(ps, piece{text: text, style: m.o.Deck.Styles.Strong})
	}
	switch {
	case st.Shown != st.Of:
		ps = append(ps, piece{text: grouped(st.Shown) + " of " + grouped(st.Of), rank: 1})
	case st.Of > 0 && !st.Lines:
		ps = append(ps, piece{text: grouped(st.Of), style: m.o.Deck.Styles.Dim, rank: 1})
	}
	return ps
}

// hintLine draws keys as far as they fit; the last one, which leads to all others,
// always stays.
func (m *Model) hintLine(y int, hints []hint, right []piece) string {
	s := m.o.Deck.Styles
	room := m.width
	for _, p := range right {
		room -= ansi.StringWidth(p.text) + len(between)
	}
	wide := func(h hint) int { return ansi.StringWidth(h.key) + 1 + ansi.StringWidth(h.name) + len(between) }
	last := len(hints) - 1
	if last < 0 {
		return m.spread(y, nil, right)
	}
	used := wide(hints[last]) - len(between)
	var left []piece
	add := func(h hint) {
		p := piece{text: h.key + " " + h.name}
		if h.key[0] < 0x80 { // arrows stand for several keys
			p.hit = func() hit { return hit{do: func() tea.Cmd { return m.press(h.key) }} }
		}
		left = append(left, p)
	}
	for _, h := range hints[:last] {
		if used+wide(h) > room {
			break
		}
		used += wide(h)
		add(h)
	}
	add(hints[last])
	line := m.spread(y, left, right)
	if !s.Color {
		return line
	}
	return m.colourHints(left, right, line)
}

// colourHints draws the line of spread again with the keys in colour.
func (m *Model) colourHints(left, right []piece, plain string) string {
	s := m.o.Deck.Styles
	var b strings.Builder
	x := 0
	for i, p := range left {
		if i > 0 {
			b.WriteString(between)
			x += len(between)
		}
		key, name, _ := strings.Cut(p.text, " ")
		b.WriteString(s.Accent.Render(key) + " " + s.Dim.Render(name))
		x += ansi.StringWidth(p.text)
	}
	if len(right) == 0 {
		return ansi.Truncate(b.String(), m.width, "")
	}
	return ansi.Truncate(b.String(), m.width, "") + ansi.TruncateLeft(plain, min(x, ansi.StringWidth(plain)), "")
}

// grouped is a number with a comma for each three digits: "1,204".
func grouped(n int) string { return widget.Grouped(n) }
