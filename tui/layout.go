package tui

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// keeper knows what was kept last, so that a layout is written only when it is another.
type keeper struct {
	last    Layout
	noMouse bool // as the palette has it: what a flag says is for once
	touched bool // something was pressed since
	busy    bool // it is being written
	failed  bool // it could not be written, which is said once
}

// saveGap is how long a layout waits at least before it is written again.
const saveGap = 2 * time.Second

// kept brings the outcome of writing a layout.
type kept struct{ err error }

// layout is what is to be kept now.
func (m *Model) layout() Layout {
	l := Layout{Page: m.current().ID(), Theme: m.look.kept, NoMouse: m.keep.noMouse, Typed: m.typed, Pages: map[string]json.RawMessage{}}
	for _, p := range m.o.Pages {
		if data := p.Layout(); data != nil {
			l.Pages[p.ID()] = data
		}
	}
	return l
}

// saveLayout writes the layout when it has changed and has rested for a moment.
func (m *Model) saveLayout() tea.Cmd {
	k := &m.keep
	if m.o.SaveLayout == nil || !k.touched || k.busy || m.now().Sub(m.pace.input) < saveGap {
		return nil
	}
	k.touched = false
	l := m.layout()
	if reflect.DeepEqual(l, k.last) {
		return nil
	}
	k.last, k.busy = l, true
	return m.o.Desk.Go(func(context.Context) tea.Msg { return kept{m.o.SaveLayout(l)} })
}

// savedLayout takes the outcome; that it cannot be kept is said once.
func (m *Model) savedLayout(err error) {
	m.keep.busy = false
	if err != nil && !m.keep.failed {
		m.keep.failed = true
		m.say = deck.Say{Err: err}
	}
}
