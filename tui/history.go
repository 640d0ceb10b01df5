package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// visit is a page as it was looked at.
type visit struct {
	page   int
	filter string
}

// history is where one has been; it remembers filters, not rows.
type history struct {
	past, future []visit
	last         int // the page before this one
	moved        bool
}

const visitsKept = 50

func (m *Model) here() visit { return visit{m.page, m.current().Filter()} }

// open goes to a page and remembers the one left.
func (m *Model) open(o deck.Open) tea.Cmd {
	to := -1
	for i, p := range m.o.Pages {
		if p.ID() == o.Page {
			to = i
		}
	}
	if to < 0 {
		m.say = deck.Say{Text: "there is no view " + o.Page}
		return nil
	}
	from := m.here()
	cmd := m.show(to)
	p := m.current()
	if o.Clear {
		for steps := 0; p.Back() && steps < visitsKept; steps++ {
			continue // each closes one thing
		}
	}
	if o.Filter != "" || o.Clear {
		m.say.Err = p.SetFilter(o.Filter)
	}
	if m.here() != from {
		h := &m.history
		if h.past = append(h.past, from); len(h.past) > visitsKept {
			h.past = h.past[1:]
		}
		h.future = nil
	}
	if o.Then != nil {
		cmd = tea.Batch(cmd, p.Update(o.Then))
	}
	return cmd
}

// show puts a page on the screen.
func (m *Model) show(page int) tea.Cmd {
	m.stale, m.filter = true, nil
	if page == m.page {
		return nil
	}
	m.conceal(true)
	m.history.last, m.history.moved = m.page, true
	m.page = page
	m.o.Desk.Leave()
	m.keep.touched = true
	heard := m.deliver()
	m.sizePage()
	return tea.Batch(heard, m.want())
}

// walk goes back in the history, or forward again.
func (m *Model) walk(from, to *[]visit) tea.Cmd {
	if len(*from) == 0 {
		m.say = deck.Say{Text: "there is nothing further that way"}
		return nil
	}
	v := (*from)[len(*from)-1]
	*from = (*from)[:len(*from)-1]
	*to = append(*to, m.here())
	cmd := m.show(v.page)
	if m.current().Filter() != v.filter {
		m.say.Err = m.current().SetFilter(v.filter)
	}
	return cmd
}

func (m *Model) back() tea.Cmd    { return m.walk(&m.history.past, &m.history.future) }
func (m *Model) forward() tea.Cmd { return m.walk(&m.history.future, &m.history.past) }

// lastView goes to the page before this one, and back again.
func (m *Model) lastView() tea.Cmd {
	if !m.history.moved {
		m.say = deck.Say{Text: "no other view has been shown yet"}
		return nil
	}
	return m.open(deck.Open{Page: m.o.Pages[m.history.last].ID()})
}
