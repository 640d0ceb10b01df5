package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// tellSizes tells the program each new size of the window until it has ended: Bubble Tea
// learns of them from the keys of the console, which it does not read.
func tellSizes(t *terminal.Terminal, p *tea.Program, ended <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sizes := t.Resizes(ctx)
	for {
		select {
		case size := <-sizes:
			p.Send(tea.WindowSizeMsg{Width: size.Cols, Height: size.Rows})
		case <-ended:
			return
		}
	}
}
