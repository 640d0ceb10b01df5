package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// pace is how busy the dashboard is: it loads as often as the page wants while
// somebody works with it, less often when nobody does, and not at all when nobody looks.
type pace struct {
	input     time.Time // of the last key or click
	blurred   bool      // the window is not in focus
	onScreen  bool      // something else has the terminal
	throttled int       // as counted last
	hitAt     time.Time // when calls were turned away last
}

const (
	defaultIdle   = 10 * time.Minute
	restAfter     = time.Minute // without a key; then loads come less often
	restFactor    = 3.0
	throttledFor  = time.Minute
	throttleSlows = 2.0
)

// Second is the tick of the root: once a second, with the time.
type Second struct{ At time.Time }

// tick is the command of the next tick. Tests bring their own.
func (m *Model) tick() tea.Cmd {
	if m.o.Desk.Eager {
		return nil
	}
	return tea.Tick(time.Second, func(t time.Time) tea.Msg { return Second{At: t} })
}

func (m *Model) idle() time.Duration {
	if m.o.Idle > 0 {
		return m.o.Idle
	}
	return defaultIdle
}

// pauseKey has nothing loaded by itself until it is pressed again.
const pauseKey = "z"

// paused says why nothing is loaded by itself; empty: it is.
func (m *Model) paused() string {
	switch {
	case m.o.Desk.Held:
		return pauseKey + " resumes"
	case m.pace.blurred:
		return "not in focus"
	case m.now().Sub(m.pace.input) >= m.idle():
		return "press a key"
	}
	return ""
}

// seen reports whether somebody looks: then what is shown is read anew by itself.
func (m *Model) seen() bool { return m.paused() == "" && !m.pace.onScreen }

// hold stops all that is loaded by itself, or lets it go on.
func (m *Model) hold() tea.Cmd {
	m.o.Desk.Held, m.stale = !m.o.Desk.Held, true
	if m.o.Desk.Held {
		m.say = deck.Say{Text: "paused: " + pauseKey + " resumes, ctrl+r reads this view once"}
		return nil
	}
	m.say = deck.Say{Text: "loads go on"}
	return m.o.Desk.Tick(m.pace.factor(m.now()))
}

// factor is by how much ages are stretched.
func (p *pace) factor(now time.Time) float64 {
	f := 1.0
	if now.Sub(p.input) >= restAfter {
		f *= restFactor
	}
	if !p.hitAt.IsZero() && now.Sub(p.hitAt) < throttledFor {
		f *= throttleSlows
	}
	return f
}

// second moves the clock on, loads what is due and lets the page count.
func (m *Model) second(at time.Time) tea.Cmd {
	slept := at.Round(0).Sub(m.now().Round(0)) >= deck.Revealed // by the date: the clock of a machine that sleeps stands
	m.o.Deck.Now, m.stale = at, true
	m.conceal(slept)
	if calls, _ := m.o.Desk.Spending(); calls.Throttled > m.pace.throttled {
		m.pace.throttled, m.pace.hitAt = calls.Throttled, at
	}
	cmds := []tea.Cmd{m.tick(), m.saveLayout()}
	seen := m.seen()
	if seen {
		cmds = append(cmds, m.o.Desk.Tick(m.pace.factor(at)), m.current().Update(deck.Tick{}))
	}
	for _, p := range m.o.Pages {
		if f, ok := p.(deck.Follower); ok && (!seen || p != m.current()) {
			cmds = append(cmds, f.Unseen())
		}
	}
	return tea.Batch(cmds...)
}

// touched notes a key or a click; the first after a pause loads what is due.
func (m *Model) touched() tea.Cmd {
	was := m.paused()
	m.pace.input, m.pace.blurred = m.now(), false
	m.keep.touched = true
	if was == "" {
		return nil
	}
	m.stale = true
	return m.o.Desk.Tick(1)
}

func (m *Model) focus(on bool) tea.Cmd {
	m.pace.blurred, m.stale = !on, true
	if !on {
		return nil
	}
	return m.o.Desk.Tick(m.pace.factor(m.now()))
}
