package commands

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func TestTrafficLingersForWhatIsStillSent(t *testing.T) {
	event := func(typ portforward.EventType, n int64) portforward.Event {
		return portforward.Event{Type: typ, Connection: n}
	}
	var load traffic
	load.event(event(portforward.Connected, 1))
	load.event(event(portforward.Connected, 2))
	load.event(event(portforward.Connected, 3))
	load.event(event(portforward.LocalEnd, 1))
	load.event(event(portforward.Closed, 1)) // twice over is over
	left := make(chan struct{})
	go func() { defer close(left); load.linger(t.Context()) }()
	load.event(event(portforward.Failed, 2))
	select {
	case <-left:
		t.Fatal("it did not wait for connection 3")
	case <-time.After(2 * lingerLeast):
	}
	load.event(event(portforward.Closed, 3))
	<-left

	load.event(event(portforward.Connected, 4))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	load.linger(ctx) // who does not want to wait need not
}

func TestMissingProgramsAreToldBeforeAnythingIsOpened(t *testing.T) {
	_, err := newChild(&Env{}, []string{"no-such-program-here"})
	if exitCode(err) != notFoundStatus || fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "command not found") {
		t.Errorf("got %v", err)
	}
}
