package feed_test

import (
	"context"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// What breaks in a goroutine of a load ends the dashboard with the trace of that goroutine.
func TestACrashHasTheStackOfWhereItWas(t *testing.T) {
	d := feed.NewDesk(nil, nil)
	defer d.Close()
	msg := d.Go(func(context.Context) tea.Msg {
		var g wait.Group
		g.Go(breaks)
		g.Wait()
		return nil
	})()
	c, ok := msg.(feed.Crashed)
	if !ok || c.Value != "boom" || !strings.Contains(string(c.Stack), "feed_test.breaks") {
		t.Errorf("it was %T %v\n%s", msg, c.Value, c.Stack)
	}
}

func breaks() { panic("boom") }

// A program that ends drops commands that it has not begun: closing the desk must not
// wait for them, and must wait for those that run.
func TestClosingWaitsForWhatRuns(t *testing.T) {
	d := feed.NewDesk(nil, nil)
	ran := false
	dropped := d.Go(func(context.Context) tea.Msg { ran = true; return nil })
	began, over := make(chan struct{}), false
	go d.Go(func(ctx context.Context) tea.Msg {
		close(began)
		<-ctx.Done()
		over = true
		return nil
	})()
	<-began
	d.Close()
	if !over {
		t.Error("what runs was not waited for")
	}
	if msg := dropped(); msg != nil || ran {
		t.Errorf("something began after the end: %v", msg)
	}
}

func TestAPanicIsAMessage(t *testing.T) {
	d := feed.NewDesk(nil, nil)
	defer d.Close()
	msg := d.Go(func(context.Context) tea.Msg { panic("boom") })()
	if c, ok := msg.(feed.Crashed); !ok || c.Value != "boom" || len(c.Stack) == 0 {
		t.Errorf("got %#v", msg)
	}
}
