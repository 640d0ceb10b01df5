package tui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// filterLine is the line `/` opens. The rows follow each key; a text that is no
// filter yet leaves the last good one in force.
type filterLine struct {
	in     input
	before string // the filter when the line was opened
	err    error
}

func (m *Model) openFilter() {
	m.filter = &filterLine{in: newInput(m.current().Filter()), before: m.current().Filter()}
	if m.filter.before != "" {
		m.filter.in.insert(" ")
	}
}

func (m *Model) filterKey(k tea.KeyPressMsg) tea.Cmd {
	f := m.filter
	switch k.String() {
	case "enter":
		m.filter = nil
		if f.err != nil { // a wrong filter is not kept
			m.say.Err = f.err
		}
	case "esc":
		if strings.TrimSpace(f.in.text()) != "" {
			f.in.set("")
			m.applyFilter()
		} else {
			m.filter = nil
		}
	case "ctrl+c":
		f.in.set(f.before)
		m.applyFilter()
		m.filter = nil
	case "up", "down", "pgup", "pgdown":
		return m.current().Update(k)
	default:
		if f.in.key(k) {
			m.applyFilter()
		}
	}
	return nil
}

func (m *Model) applyFilter() {
	m.filter.err = m.current().SetFilter(strings.TrimSpace(m.filter.in.text()))
}

// filterView is the line itself, with what is wrong behind it, or what fits.
func (m *Model) filterView(y int) string {
	s, f := m.o.Deck.Styles, m.filter
	end := ""
	st := m.current().Status()
	switch {
	case f.err != nil:
		end = s.Glyphs.Bad + " " + render.Visible(m.briefly(f.err))
	default:
		end = grouped(st.Shown) + " of " + grouped(st.Of)
	}
	least := min(max(m.width/3, 12), m.width)
	if room := m.width - least - len(between) - 1; ansi.StringWidth(end) > room {
		end = ansi.Truncate(end, max(room, 0), s.Glyphs.Ellipsis)
	}
	width := m.width - 1 - ansi.StringWidth(end) - len(between)
	text, x := f.in.view(width, "")
	m.cursor = tea.NewCursor(1+x, y)
	pad := strings.Repeat(" ", max(m.width-1-ansi.StringWidth(text)-ansi.StringWidth(end), 0))
	style := s.Dim
	if f.err != nil {
		style = s.Bad
	}
	return s.Accent.Render("/") + text + pad + style.Render(end)
}

// briefly is an error with the hint, without what was attempted.
func (m *Model) briefly(err error) string {
	text := err.Error()
	var f *fault.Error
	if errors.As(err, &f) && f.Err != nil {
		text = f.Err.Error()
	}
	if h := fault.HintOf(err); h != "" {
		text += ": " + h
	}
	return text
}
