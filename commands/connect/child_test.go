package connect

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func TestTrafficLingersForWhatIsStillSent(t *testing.T) {
	event := func(typ portforward.EventType, n int64) portforward.Event {
		return portforward.Event{Type: typ, Connection: n}
	}
	var load Traffic
	load.Event(event(portforward.Connected, 1))
	load.Event(event(portforward.Connected, 2))
	load.Event(event(portforward.Connected, 3))
	load.Event(event(portforward.LocalEnd, 1))
	load.Event(event(portforward.Closed, 1)) // twice over is over
	left := make(chan struct{})
	go func() { defer close(left); load.Linger(t.Context()) }()
	load.Event(event(portforward.Failed, 2))
	select {
	case <-left:
		t.Fatal("it did not wait for connection 3")
	case <-time.After(2 * lingerLeast):
	}
	load.Event(event(portforward.Closed, 3))
	<-left

	load.Event(event(portforward.Connected, 4))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	load.Linger(ctx) // who does not want to wait need not
}

func TestMissingProgramsAreToldBeforeAnythingIsOpened(t *testing.T) {
	_, err := NewChild(&cli.Env{}, []string{"no-such-program-here"})
	if cli.ExitCode(err) != notFoundStatus || fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "command not found") {
		t.Errorf("got %v", err)
	}
	if _, err = NewChild(&cli.Env{}, []string{t.TempDir()}); cli.ExitCode(err) != NotRunStatus {
		t.Errorf("a folder: %v, status %d", err, cli.ExitCode(err))
	}
}
