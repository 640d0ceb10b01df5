package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// Show shows the dashboard on a terminal until it is left, or ctx ends.
func Show(ctx context.Context, _ *terminal.Terminal, o Options) (Outcome, error) {
	_, err := tea.NewProgram(New(o), tea.WithContext(ctx), tea.WithoutSignalHandler()).Run()
	return Outcome{}, err
}
