package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// changes are what changed in feeds and has not been told to pages yet. A page that
// orders 10,000 rows anew is busy for some milliseconds, so it hears of changes ten
// times a second at most, not while somebody types, and not at all while it is hidden:
// then it hears when it is shown.
type changes struct {
	feeds   [][]string // by page
	since   time.Time  // when the first of those came that the page shown waits for
	waiting bool       // a delivery is on its way
	told    time.Time  // when the last one was
	typed   time.Time  // when the last key came
}

const (
	changeGap  = 100 * time.Millisecond // between two deliveries
	changeRest = 150 * time.Millisecond // after a key
	changeLate = time.Second            // when they come whatever is typed
)

// changesDue says that it is time to look for news.
type changesDue struct{}

// Heard notes that a feed has changed.
func (m *Model) Heard(name string) tea.Cmd {
	if m.o.Desk.Eager {
		return m.tell(feed.Changed{Feed: name})
	}
	n := &m.changes
	if n.feeds == nil {
		n.feeds = make([][]string, len(m.o.Pages))
	}
	if len(n.feeds[m.page]) == 0 {
		n.since = time.Now()
	}
	for i := range n.feeds {
		if !slices.Contains(n.feeds[i], name) {
			n.feeds[i] = append(n.feeds[i], name)
		}
	}
	if n.waiting {
		return nil
	}
	if now := time.Now(); now.Sub(n.told) >= changeGap && now.Sub(n.typed) >= changeRest {
		return m.deliver() // nothing has come for a while: the first rows need not wait
	}
	n.waiting = true
	return changesIn(changeGap)
}

func changesIn(d time.Duration) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return changesDue{} })
}

// due delivers, unless somebody is typing.
func (m *Model) due() tea.Cmd {
	n := &m.changes
	if time.Since(n.typed) < changeRest && time.Since(n.since) < changeLate {
		return changesIn(changeRest / 3)
	}
	n.waiting = false
	return m.deliver()
}

// deliver tells the page shown what it has not heard.
func (m *Model) deliver() tea.Cmd {
	if m.changes.feeds == nil {
		return nil
	}
	m.changes.told = time.Now()
	names := m.changes.feeds[m.page]
	m.changes.feeds[m.page] = nil
	var cmds []tea.Cmd
	for _, name := range names {
		m.stale = true
		cmds = append(cmds, m.current().Update(feed.Changed{Feed: name}))
	}
	m.note(false)
	return tea.Batch(cmds...)
}
