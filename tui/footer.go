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

// lastLine is the line of one message, or of the keys that matter here.
func (m *Model) lastLine(y int, k feed.State, tight bool) string {
	s := m.o.Deck.Styles
	switch {
	case m.say.Err != nil && tight:
		return m.shortError(m.say.Err)
	case m.say.Err != nil:
		return m.errorLines()[1]
	case m.say.Text != "":
		return ansi.Truncate(render.Visible(m.say.Text), m.width, s.Glyphs.Ellipsis)
	case len(m.dialogs) > 0:
		return m.hintLine(y, m.top().hints(), nil)
	case m.filter != nil:
		return m.filterView(y)
	case m.lost():
		return m.hintLine(y, nowhereHints(), nil)
	case tight && len(k.Failures) > 0:
		return m.failure(k)
	}
	return m.hintLine(y, m.pageHints(), m.counts())
}

// shortError is an error with its hint on one line.
func (m *Model) shortError(err error) string {
	s := m.o.Deck.Styles
	text := render.Visible(err.Error())
	if h := fault.HintOf(err); h != "" {
		text += ": " + render.Visible(h)
	}
	return s.Bad.Render(ansi.Truncate(s.Glyphs.Bad+" "+text, m.width, s.Glyphs.Ellipsis))
}

// errorLines are an error and its hint on the last two lines of the screen. One that
// needs only one of them has the last.
func (m *Model) errorLines() [2]string {
	s := m.o.Deck.Styles
	text := s.Glyphs.Bad + " " + render.Visible(m.say.Err.Error())
	hint := ""
	if h := fault.HintOf(m.say.Err); h != "" {
		hint = render.Visible(h)
	}
	if whole := text + ": " + hint; hint != "" && ansi.StringWidth(whole) <= m.width {
		text, hint = whole, ""
	}
	lines := wrap(text, m.width)
	switch {
	case hint == "" && len(lines) == 1:
		return [2]string{m.rule(), s.Bad.Render(lines[0])}
	case hint == "":
		return [2]string{s.Bad.Render(lines[0]), s.Bad.Render(ansi.Truncate(strings.Join(lines[1:], " "), m.width, s.Glyphs.Ellipsis))}
	}
	return [2]string{
		s.Bad.Render(ansi.Truncate(text, m.width, s.Glyphs.Ellipsis)),
		s.Strong.Render(ansi.Truncate("  "+hint, m.width, s.Glyphs.Ellipsis)),
	}
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
	case st.Of > 0:
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
