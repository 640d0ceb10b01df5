package feed_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// Leaving waits for what was cancelled, and not for ever for what does not hear it.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		for _, tt := range []struct {
			name string
			job  func(ctx context.Context)
			took time.Duration
		}{
			{"ends in a second", func(ctx context.Context) { <-ctx.Done(); time.Sleep(time.Second) }, time.Second},
			{"does not hear", func(context.Context) { <-release }, 5 * time.Second},
		} {
			d := feed.NewDesk(nil, nil)
			cmd := d.Go(func(ctx context.Context) tea.Msg { tt.job(ctx); return nil })
			go cmd()
			synctest.Wait()
			began := time.Now()
			d.Close()
			if took := time.Since(began); took != tt.took {
				t.Errorf("what %s: closed after %s, want %s", tt.name, took, tt.took)
			}
		}
		close(release)
	})
}
