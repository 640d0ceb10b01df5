package tui

import (
	"context"
	"io"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// custom are the user's own actions on the page shown.
func (m *Model) custom() []deck.Action {
	if m.o.Own == nil {
		return nil
	}
	return m.o.Own.Actions(m.current())
}

// actions are all that keys do on the page shown. Those of the page come first: no key
// of theirs can become another's.
func (m *Model) actions() []deck.Action {
	return slices.Concat(m.current().Actions(), m.custom())
}

// customEntries are what the palette and the help offer of the user's own: saved
// views, and command lines for the row that the page is about.
func (m *Model) customEntries(about string) []entry {
	var out []entry
	for _, a := range m.custom() {
		out = append(out, m.actionEntry(a, about))
	}
	return out
}

// actionEntry is an action in a menu.
func (m *Model) actionEntry(a deck.Action, about string) entry {
	off := a.Off
	if a.Writes && m.o.Deck.ReadOnly {
		off = "this dashboard is read-only"
	}
	return entry{key: a.Key, name: a.Name, detail: a.Help, off: off, do: func() tea.Cmd { return m.actLater(a, about) }}
}

// perform runs a line that has the terminal.
func (m *Model) perform(ctx context.Context, j *job, in io.Reader, out, errs io.Writer) int {
	if j.line.Program {
		return m.o.Programs.Run(ctx, j.line, in, out, errs)
	}
	return m.o.Run.Run(ctx, j.words, j.line.At, in, out, errs)
}
