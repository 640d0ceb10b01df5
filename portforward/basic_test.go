package portforward

import (
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// forwardBasic runs play against a forward over sessions of an old agent, in
// virtual time.
func forwardBasic(t *testing.T, kind string, play func(t *testing.T, l *memListener, o *fakeOpener, events *log)) {
	synctest.Test(t, func(t *testing.T) {
		o := &fakeOpener{open: func(int, Spec, func(sessionclient.Event)) (*fakeSession, error) {
			return newFake("s", oldAgent, kind), nil
		}}
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Port: 80}}, []net.Listener{l})
		events.await(t, Ready, 1)
		play(t, l, o, events)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		o.checkClosed(t)
	})
}

func TestBasicCarriesBytesAsTheyAre(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		f := o.opened()[0]
		c := l.dial(t)
		_, _ = io.WriteString(c, "\n")
		if got := string(<-f.input); got != "\n" {
			t.Errorf("agent got %q", got)
		}
		f.say("answer")
		if got := read(t, c, 6); got != "answer" {
			t.Errorf("got %q", got)
		}
		_ = c.Close()
		e := events.await(t, Closed, 1)
		if e.In != 6 || e.Out != 1 || e.Err != nil {
			t.Errorf("closed event: %+v", e)
		}
		synctest.Wait()
		if got := f.signalled(); !slices.Equal(got, []wire.FlagValue{wire.DisconnectToPort}) {
			t.Errorf("signals %v, want one DisconnectToPort", got)
		}
		if events.await(t, Ready, 1).Multiplexed {
			t.Error("an old agent is reported as multiplexing")
		}
	})
}

func TestBasicServesOneAtATime(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		f := o.opened()[0]
		first := l.dial(t)
		events.await(t, Connected, 1)
		second := l.dial(t)
		if e := events.await(t, Waiting, 1); e.Connection != 2 {
			t.Errorf("waiting event: %+v, want connection 2", e)
		}
		third := make(chan net.Conn, 1)
		go func() {
			near, far := newMemPair()
			l.conns <- far
			third <- near
		}()
		synctest.Wait()
		if len(third) > 0 {
			t.Error("a third connection was accepted, it should wait in the backlog")
		}
		_, _ = io.WriteString(first, "one")
		_ = first.Close()
		events.await(t, Connected, 2)
		_, _ = io.WriteString(second, "two")
		if a, b := string(<-f.input), string(<-f.input); a != "one" || b != "two" {
			t.Errorf("agent got %q and %q", a, b)
		}
		_ = second.Close()
		_ = (<-third).Close()
		events.await(t, Closed, 3)
		if n := len(o.opened()); n != 1 {
			t.Errorf("%d sessions, want one", n)
		}
	})
}

func TestBasicDropsWhatBelongsToTheOldConnection(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		f := o.opened()[0]
		first := l.dial(t)
		_, _ = io.WriteString(first, "request")
		<-f.input
		_ = first.Close()
		events.await(t, Connected, 1)
		synctest.Wait()
		time.Sleep(leastQuiet / 2)
		f.say("an answer nobody waits for")
		second := l.dial(t)
		_, _ = io.WriteString(second, "again")
		<-f.input
		f.say("fresh")
		if got := read(t, second, 5); got != "fresh" {
			t.Errorf("got %q, want nothing of the first connection", got)
		}
		_ = second.Close()
		events.await(t, Closed, 2)
	})
}

func TestBasicGreetingWaitsForTheLocalProgram(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		o.opened()[0].say("220 hello")
		synctest.Wait()
		c := l.dial(t)
		if got := read(t, c, 9); got != "220 hello" {
			t.Errorf("got %q", got)
		}
		_ = c.Close()
		events.await(t, Closed, 1)

		// The agent connects again only when we speak: a destination that greets
		// needs another session.
		again := l.dial(t)
		events.await(t, Reopened, 1)
		o.opened()[1].say("220 again")
		if got := read(t, again, 9); got != "220 again" {
			t.Errorf("got %q", got)
		}
		_ = again.Close()
		events.await(t, Closed, 2)
	})
}

func TestBasicOldGreetingIsNotServed(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		o.opened()[0].say("220 stale")
		time.Sleep(greetingAge + time.Second)
		c := l.dial(t)
		events.await(t, Reopened, 1)
		o.opened()[1].say("220 fresh")
		if got := read(t, c, 9); got != "220 fresh" {
			t.Errorf("got %q", got)
		}
		_ = c.Close()
		events.await(t, Closed, 1)
	})
}

func TestBasicHalfClose(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		f := o.opened()[0]
		c := l.dial(t)
		_, _ = io.WriteString(c, "request")
		_ = c.CloseWrite()
		<-f.input
		time.Sleep(basicLinger / 2)
		if len(f.signalled()) > 0 {
			t.Error("disconnected before the answer")
		}
		f.say("answer")
		// Nothing tells that this was all of it, so there is no orderly end.
		if got, err := io.ReadAll(c); !errors.Is(err, errReset) || string(got) != "answer" {
			t.Errorf("got %q, %v, want the answer and a reset", got, err)
		}
		e := events.await(t, Closed, 1)
		if want := "nothing came for 1 s after this side had ended"; e.Text != want || e.Err != nil {
			t.Errorf("closed with text %q and error %v, want %q and none", e.Text, e.Err, want)
		}
	})
}

func TestBasicRefused(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		c := l.dial(t)
		_, _ = io.WriteString(c, "x")
		events.await(t, Connected, 1)
		o.opened()[0].flag(wire.ConnectToPortError)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("read: %v, want a reset", err)
		}
		events.await(t, Refused, 1)
	})
}

func TestPlainSessionEndsWithItsConnection(t *testing.T) {
	forwardBasic(t, "", func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		c := l.dial(t)
		events.await(t, Connected, 1)
		f := o.opened()[0]
		f.say("all of it")
		f.end(sessionclient.Exit{}, nil) // the destination has closed
		if got, err := io.ReadAll(c); err != nil || string(got) != "all of it" {
			t.Errorf("got %q, %v, want everything and a clean end", got, err)
		}
		_ = c.Close()
		events.await(t, Closed, 1)

		c = l.dial(t)
		events.await(t, Connected, 2)
		_ = c.Close() // now the local side leaves: the session has no other use
		events.await(t, Ended, 2)
		if n := len(o.opened()); n != 2 {
			t.Errorf("%d sessions, want 2", n)
		}
		if got := o.opened()[1].signalled(); len(got) > 0 {
			t.Errorf("signals %v, want none: this agent does not connect again", got)
		}
	})
}

func TestBasicSessionEndResets(t *testing.T) {
	forwardBasic(t, wire.LocalPortForwarding, func(t *testing.T, l *memListener, o *fakeOpener, events *log) {
		c := l.dial(t)
		events.await(t, Connected, 1)
		f := o.opened()[0]
		f.say("part")
		f.end(sessionclient.Exit{}, nil)
		if got := read(t, c, 4); got != "part" {
			t.Errorf("got %q", got)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("read: %v, want a reset", err)
		}
		events.await(t, Closed, 1)
	})
}
