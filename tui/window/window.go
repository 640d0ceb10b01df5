// Package window tells a Bubble Tea program the size of the window that it is drawn in,
// since the program is given no terminal to look at (see terminal.Canvas).
package window

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// Options are those of a program that is drawn on t, whose window has a size. Whatever
// tells the program a size then tells the one that the window has at that moment.
func Options(t *terminal.Terminal, size terminal.Size) []tea.ProgramOption {
	return []tea.ProgramOption{tea.WithWindowSize(size.Cols, size.Rows), tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
		if _, ok := msg.(tea.WindowSizeMsg); ok {
			now := t.Window()
			return tea.WindowSizeMsg{Width: now.Cols, Height: now.Rows}
		}
		return msg
	})}
}

// Look has the program look at the size, as when somebody else has had the terminal.
func Look() tea.Msg { return tea.WindowSizeMsg{} }

// Follow has the program look whenever the size changes, at once if it is not size any
// more, and returns when ctx is done.
func Follow(ctx context.Context, t *terminal.Terminal, size terminal.Size, p *tea.Program) {
	t.Follow(ctx, size, func() { p.Send(Look()) })
}
