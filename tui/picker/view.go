package picker

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// View draws the picker under the prompt: the filter, the rows, a line of help.
// When it is over, nothing is left on the screen.
func (m *model) View() tea.View {
	if m.over {
		return tea.NewView("")
	}
	lines := append([]string{m.filterLine()}, m.rowLines()...)
	lines = append(lines, m.helpLine())
	for i, l := range lines {
		lines[i] = ansi.Truncate(strings.TrimRight(l, " "), m.width, "")
	}
	v := tea.NewView(strings.Join(lines, "\n"))
	v.Cursor = tea.NewCursor(min(ansi.StringWidth(m.prompt()+visible(m.filter)), max(m.width-1, 0)), 0)
	return v
}

func (m *model) prompt() string { return m.o.Title + "> " }

func (m *model) filterLine() string {
	left := m.prompt() + visible(m.filter)
	count := fmt.Sprintf("%d/%d", len(m.hits), len(m.rows))
	if len(m.order) > 0 {
		count += fmt.Sprintf(", %d marked", len(m.order))
	}
	switch {
	case m.loading:
		count += ", loading"
	case m.failed != nil:
		count += ", not up to date"
	}
	gap := m.width - ansi.StringWidth(left) - len(count) - 1
	if gap < 1 {
		return m.cut(left, m.width-1)
	}
	return m.o.Styles.Strong.Render(m.prompt()) + visible(m.filter) + strings.Repeat(" ", gap) + m.o.Styles.Dim.Render(count)
}

// columns are the widths of the parts of a row, 0 for one that has no room.
type columns struct{ state, name, id, address, detail int }

// layout shares out the width: names first, then ids, states, addresses and the
// rest. Only the rows on the screen count, so that 10,000 cost no more than ten.
func (m *model) layout(rows []row) columns {
	var want columns
	for _, r := range rows {
		want.state = max(want.state, ansi.StringWidth(visible(r.State)))
		want.name = max(want.name, ansi.StringWidth(visible(r.label())))
		want.id = max(want.id, ansi.StringWidth(visible(r.ID)))
		want.address = max(want.address, ansi.StringWidth(visible(r.Address)))
		want.detail = max(want.detail, ansi.StringWidth(visible(r.Detail)))
	}
	left := m.width - 1 - m.margin()
	var got columns
	for _, p := range []struct{ want, got *int }{
		{&want.name, &got.name}, {&want.id, &got.id}, {&want.state, &got.state}, {&want.address, &got.address}, {&want.detail, &got.detail},
	} {
		const gap = 2
		switch {
		case *p.want == 0:
			continue
		case *p.want+gap <= left, p.got == &got.name:
			*p.got = max(1, min(*p.want, left))
		case p.got == &got.detail && left > gap+8: // what is last may be cut
			*p.got = left - gap
		default:
			return got
		}
		left -= *p.got + gap
	}
	return got
}

// margin is the width in front of a row: the cursor, the mark and the glyph of
// its state.
func (m *model) margin() int {
	if m.o.Many {
		return 6
	}
	return 4
}

func (m *model) rowLines() []string {
	end := min(m.top+m.shown(), len(m.hits))
	rows := make([]row, 0, end-m.top)
	for _, h := range m.hits[m.top:end] {
		rows = append(rows, m.rows[h])
	}
	if len(rows) == 0 {
		text := "no match"
		if len(m.rows) == 0 {
			text = ""
		}
		return []string{"  " + m.o.Styles.Dim.Render(m.cut(text, m.width-3))}
	}
	c := m.layout(rows)
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = m.line(r, c, m.top+i == m.cursor)
	}
	return lines
}

func (m *model) line(r row, c columns, current bool) string {
	s := m.o.Styles
	var b strings.Builder
	pointer, mark := " ", ""
	if current {
		pointer = s.Glyphs.Pointer
	}
	if m.o.Many {
		mark = "  "
		if m.marked[r.ID] {
			mark = s.Glyphs.Marked + " "
		}
	}
	b.WriteString(s.Accent.Render(pointer) + " " + s.Strong.Render(mark) + s.Level(r.Level).Render(s.Glyphs.Level(r.Level)))
	part := func(text string, width int, style lipgloss.Style) {
		if width > 0 {
			text = m.cut(visible(text), width)
			b.WriteString(" " + style.Render(text) + strings.Repeat(" ", width-ansi.StringWidth(text)+1))
		}
	}
	name := lipgloss.Style{}
	if current {
		name = s.Strong
	}
	part(r.State, c.state, s.Level(r.Level))
	if r.Name == "" && c.id > 0 {
		part("", c.name, name)
	} else {
		part(r.label(), c.name, name)
	}
	part(r.ID, c.id, s.Dim)
	part(r.Address, c.address, lipgloss.Style{})
	part(r.Detail, c.detail, s.Dim)
	return strings.TrimRight(b.String(), " ")
}

func (m *model) helpLine() string {
	g := m.o.Styles.Glyphs
	keys := []string{g.Up + g.Down + " move", "Enter choose", "Esc leave", "type to filter"}
	if m.o.Many {
		keys = []string{keys[0], "Tab mark", "Enter choose", "Esc leave", "type to filter"}
	}
	text := ""
	for _, k := range keys {
		if ansi.StringWidth(text+k) > m.width-3 {
			break
		}
		text += k + "  "
	}
	return "  " + m.o.Styles.Dim.Render(strings.TrimRight(text, " "))
}

// cut makes text fit a width.
func (m *model) cut(text string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(text, width, m.o.Styles.Glyphs.Ellipsis)
}

// visible makes a text of somebody else's safe to print, as every other output does.
func visible(s string) string { return render.Visible(s) }
