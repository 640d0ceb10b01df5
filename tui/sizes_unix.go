//go:build unix

package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// tellSizes does nothing: Bubble Tea hears of new sizes by a signal.
func tellSizes(*terminal.Terminal, *tea.Program, <-chan struct{}) {}
