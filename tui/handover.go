package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// actWait is how long the next key waits for what a key has asked for.
	actWait = 150 * time.Millisecond
	// actLooks is in how many parts. One is over only when it has been looked for what has
	// come meanwhile: when the whole process stands still for longer than actWait, as on a
	// busy machine, that is one part and no more.
	actLooks = 5
)

// acted says that what a key has asked for has come, or that a part of the wait for it is
// over, and how many are left.
type acted struct{ n, left int }

// handOver is what a key does that may lead to something else that has the keys: a box, a
// form, a shell. The next key waits until that is there.
func (m *Model) handOver(cmd tea.Cmd) tea.Cmd {
	if m.stage == nil || cmd == nil {
		return cmd
	}
	m.acts++
	m.acting = m.acts
	over := acted{n: m.acting}
	return tea.Batch(
		tea.Sequence(guarded(cmd), func() tea.Msg { return over }),
		over.in(actLooks))
}

// in is the wait in a number of parts.
func (a acted) in(parts int) tea.Cmd {
	a.left = parts - 1
	return tea.Tick(actWait/actLooks, func(time.Time) tea.Msg { return a })
}

func (m *Model) acted(a acted) tea.Cmd {
	switch {
	case a.n != m.acting:
		return nil
	case a.left > 0:
		return a.in(a.left)
	}
	m.acting = 0
	m.dealt()
	return nil
}

// dealt says that a key has been dealt with, and to whom the next one goes.
func (m *Model) dealt() {
	if m.stage != nil && m.acting == 0 {
		m.stage.keys.next(!m.taken())
	}
}

// taken reports whether somebody else has the terminal, or is about to have it.
func (m *Model) taken() bool { return m.pace.onScreen || m.ending }

// typedAway takes what was typed and is not for the dashboard any more.
func (m *Model) typedAway(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok && m.ending && k.String() == "ctrl+c" {
		return m.leave()
	}
	return nil
}

// parting is what gives the terminal to somebody else: when it has answered what it was
// asked, which would be keys to whoever is next, and when nobody reads from it any more.
func (m *Model) parting(cmd tea.Cmd) tea.Cmd {
	keys, ctx := m.stage.keys, m.ctx
	keys.next(false)
	return func() tea.Msg {
		keys.settle(ctx)
		keys.pause()
		return cmd()
	}
}
