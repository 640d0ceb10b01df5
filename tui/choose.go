package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// newChoose asks for one of several things.
func newChoose(m *Model, c deck.Choose) dialog {
	d := &menu{m: m, head: c.Title, prompt: "/"}
	for i, e := range c.Entries {
		d.entries = append(d.entries, entry{name: e.Name, detail: e.Detail, off: e.Off, do: func() tea.Cmd {
			if c.Done == nil {
				return nil
			}
			return c.Done(i)
		}})
	}
	d.fit()
	return d
}
