package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// actWait is how long the next key waits for what a key has asked for.
const actWait = 150 * time.Millisecond

// acted says that what a key has asked for has come, or takes too long to be waited for.
type acted struct{ n int }

// handOver is what a key does that may lead to something else that has the keys: a box, a
// form, a shell. The next key waits until that is there.
func (m *Model) handOver(cmd tea.Cmd) tea.Cmd {
	if m.stage == nil || cmd == nil {
		return cmd
	}
	m.acts++
	m.acting = m.acts
	over := acted{m.acting}
	return tea.Batch(
		tea.Sequence(guarded(cmd), func() tea.Msg { return over }),
		tea.Tick(actWait, func(time.Time) tea.Msg { return over }))
}

func (m *Model) acted(a acted) {
	if a.n == m.acting {
		m.acting = 0
		m.dealt()
	}
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
