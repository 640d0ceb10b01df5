package tui

import (
	tea "charm.land/bubbletea/v2"
)

// hit is a part of the frame that does something when it is clicked.
type hit struct {
	y, from, to int
	do          func() tea.Cmd
}

// mouse takes a click or the wheel to what is under it. Whatever a click does, a key
// does, too.
func (m *Model) mouse(msg tea.MouseMsg) tea.Cmd {
	m.stale = true
	at := msg.Mouse()
	if click, ok := msg.(tea.MouseClickMsg); ok {
		if click.Button != tea.MouseLeft {
			return nil
		}
		for _, h := range m.hits {
			if h.y == at.Y && at.X >= h.from && at.X < h.to {
				return h.do()
			}
		}
	}
	if d := m.top(); d != nil {
		return m.mouseIn(d, msg)
	}
	a := m.areas()
	y := at.Y - a.body
	if y < 0 || y >= a.bodyHeight {
		return nil
	}
	return m.current().Update(moved(msg, 0, a.body))
}

// moved is a mouse message in other coordinates.
func moved(msg tea.MouseMsg, left, top int) tea.Msg {
	switch e := msg.(type) {
	case tea.MouseClickMsg:
		e.X, e.Y = e.X-left, e.Y-top
		return e
	case tea.MouseWheelMsg:
		e.X, e.Y = e.X-left, e.Y-top
		return e
	}
	return msg
}
