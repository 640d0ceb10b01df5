package feed

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
)

// After is the command that brings a message after a pause, also while nobody looks
// and the clock of the dashboard stands still: for what must end by itself.
func (d *Desk) After(pause time.Duration, msg tea.Msg) tea.Cmd {
	if d.Eager {
		return nil
	}
	return d.Go(func(ctx context.Context) tea.Msg {
		t := time.NewTimer(pause)
		defer t.Stop()
		select {
		case <-t.C:
			return msg
		case <-ctx.Done():
			return nil
		}
	})
}
