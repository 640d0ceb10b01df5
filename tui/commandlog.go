package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// openLog opens the list of lines that ran and that run, the newest first. Enter
// shows the output of one.
func (m *Model) openLog() {
	d := &menu{m: m, head: "Command log", prompt: "@"}
	for i := len(m.jobs.list) - 1; i >= 0; i-- {
		j := m.jobs.list[i]
		e := entry{name: j.shown, do: func() tea.Cmd { m.push(newJobPane(m, j)); return nil }}
		e.key = j.started.In(m.o.Deck.Location).Format("15:04:05") + "  " + plainState(j)
		switch {
		case j.screen:
			e.do = func() tea.Cmd {
				m.say = deck.Say{Text: "it had the terminal to itself: nothing of it was kept"}
				return nil
			}
		case j.line.Secret && j.ended:
			e.do = func() tea.Cmd {
				m.say = deck.Say{Text: "it showed secrets: nothing of it was kept"}
				return nil
			}
		}
		d.entries = append(d.entries, e)
	}
	if text := m.unread(); text != "" {
		first, _, _ := strings.Cut(text, "\n")
		d.entries = append(d.entries, entry{name: "not read", detail: first, do: func() tea.Cmd {
			m.push(newShow(m, "What could not be read", text))
			return nil
		}})
	}
	if m.o.Operations != nil {
		d.entries = append(d.entries, entry{name: "API calls", detail: "how often each operation was called", do: func() tea.Cmd {
			m.push(newShow(m, "API calls", callTable(m.o.Operations())))
			return nil
		}})
	}
	if notes := m.o.Desk.Notes(); len(notes) > 0 {
		d.entries = append(d.entries, entry{name: "remarks", detail: notes[len(notes)-1], do: func() tea.Cmd {
			m.push(newShow(m, "Remarks", strings.Join(notes, "\n")+"\n"))
			return nil
		}})
	}
	d.fit()
	m.push(d)
}

// unread is everything that this view could not read: where, why, and what to do. What
// failed alike in one place is said once.
func (m *Model) unread() string {
	type failure struct {
		place grid.Place
		why   string
	}
	said := map[failure]bool{}
	var b strings.Builder
	for _, w := range m.wants {
		for _, f := range w.Feed.State().Failures {
			one := failure{f.Place, f.Err.Error()}
			if said[one] {
				continue
			}
			said[one] = true
			if where := m.o.Deck.PlaceName(f.Place); where != "" {
				b.WriteString(where + ": ")
			}
			b.WriteString(one.why + "\n")
			if hint := fault.HintOf(f.Err); hint != "" {
				b.WriteString("    " + hint + "\n")
			}
		}
	}
	return b.String()
}

// plainState is a job's state as a word that takes as much room as others.
func plainState(j *job) string {
	text := "running"
	switch {
	case j.running():
	case j.stopped:
		text = "stopped"
	case j.code == 0:
		text = "done"
	default:
		text = fmt.Sprintf("exit %d", j.code)
	}
	return text + strings.Repeat(" ", max(8-len(text), 0))
}

// callTable is how often each operation was called, as text.
func callTable(ops []feed.Operation) string {
	if len(ops) == 0 {
		return "No call has been made yet.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%8s %8s %9s %7s %10s  %s\n", "CALLS", "RETRIES", "THROTTLED", "FAILED", "EACH", "OPERATION")
	for _, o := range ops {
		each := ""
		if o.Calls > 0 {
			each = render.Duration(o.Time / time.Duration(o.Calls))
		}
		fmt.Fprintf(&b, "%8s %8s %9s %7s %10s  %s\n",
			grouped(o.Calls), grouped(o.Retries), grouped(o.Throttled), grouped(o.Failed), each, o.Name)
	}
	return b.String()
}
