package tui

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// subject is what actions are about, and when it became another by itself: a row
// that vanishes leaves the cursor on its neighbour, and a key that was meant for the
// one must not do anything to the other.
type subject struct {
	now     string
	changed time.Time // zero: who works here has changed it
}

// unseen is how long somebody takes to see that the cursor is on another row.
const unseen = 400 * time.Millisecond

// about is what actions are about now; empty: nothing.
func (m *Model) about() string {
	p, ok := m.current().(deck.Subject)
	if !ok {
		return ""
	}
	text := p.Subject()
	if text == "" {
		return ""
	}
	if s := m.current().Status(); s.Marked > 0 {
		text += "\x00marked" // else what is marked goes away, and the row under the cursor is left
	}
	return strconv.Itoa(m.page) + " " + text
}

// note looks at what actions are about. own is set after what somebody has done here.
func (m *Model) note(own bool) {
	now := m.about()
	if own {
		m.subject = subject{now: now}
		return
	}
	if now == m.subject.now {
		return
	}
	at := time.Time{}
	if m.subject.now != "" { // else the first rows have come
		at = time.Now()
	}
	m.subject = subject{now, at}
}

// slipped says why an action is not done: what it would be about now is not what was
// seen when the key was pressed. Empty: it is.
func (m *Model) slipped() string {
	m.note(false)
	if !m.subject.changed.IsZero() && time.Since(m.subject.changed) < unseen {
		return "the row it was about is gone: look, and press it again"
	}
	return ""
}

// actLater does an action of a menu. Rows come and go behind the menu: it is done
// only if it still is about the same, and as the page does it now.
func (m *Model) actLater(a deck.Action, about string) tea.Cmd {
	if m.about() != about && !a.Whole {
		m.stale = true
		m.say = deck.Say{Text: a.Name + ": the row it was about is gone"}
		return nil
	}
	for _, now := range m.actions() {
		if now.Key == a.Key && now.Name == a.Name && now.Own == a.Own {
			return m.act(now)
		}
	}
	m.stale = true
	m.say = deck.Say{Text: a.Name + ": it cannot be done any more"}
	return nil
}
