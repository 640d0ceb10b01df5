package portforward

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestMeterCountsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Meter
		o := opener(func(int, func(sessionclient.Event)) (*fakeSession, error) { return basicSession(), nil })
		l := newMemListener()
		events, stop := start(t, &Forward{Opener: o}, []Spec{{Port: 80}}, []net.Listener{m.Listener(l)})
		events.await(t, Ready, 1)
		c := l.dial(t)
		_, _ = io.WriteString(c, "hello")
		if got := string(<-o.opened()[0].input); got != "hello" {
			t.Fatalf("agent got %q", got)
		}
		o.opened()[0].say("hi")
		answer(t, c, "hi")
		synctest.Wait()
		if got, want := m.Counters(), (Counters{Open: 1, Total: 1, In: 2, Out: 5}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(c); !errors.Is(err, errReset) { // the wrapper lets a reset through
			t.Errorf("got %v, want a reset", err)
		}
		if got := m.Counters(); got.Open != 0 || got.Total != 1 {
			t.Errorf("got %+v at the end", got)
		}
	})
}

// A connection whose client has ended its side is open, and is said to be half closed:
// whether more comes from the far end is not known.
func TestMeterTellsConnectionsThatAreHalfClosed(t *testing.T) {
	var m Meter
	l := newMemListener()
	ln := m.Listener(l)
	near := make(chan net.Conn, 1)
	go func() { near <- l.dial(t) }()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client := <-near
	if w, ok := client.(interface{ CloseWrite() error }); !ok || w.CloseWrite() != nil {
		t.Fatal("the client cannot end its side")
	}
	for range 2 {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	if got := m.Counters(); got.Open != 1 || got.Half != 1 || got.Now() != "1 (1 half closed)" {
		t.Errorf("got %+v", got)
	}
	for range 2 {
		_ = c.Close()
	}
	_, _ = c.Read(make([]byte, 1)) // after the end it counts for nothing
	if got := m.Counters(); got.Open != 0 || got.Half != 0 || got.Now() != "0" {
		t.Errorf("got %+v at the end", got)
	}
}
