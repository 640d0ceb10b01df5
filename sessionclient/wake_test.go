package sessionclient

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestReconnect replaces a good connection at once; nothing is lost, and nothing
// waits, however often it is asked for.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		start := time.Now()
		for i := range 10 {
			if _, err := s.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			s.Reconnect()
			synctest.Wait()
			if st := s.Stats(); !st.Connected || st.Reconnects != int64(i+1) {
				t.Fatalf("after reconnection %d: %+v", i+1, st)
			}
			if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d > 11*initialSilence {
			t.Errorf("10 reconnections took %s", d)
		}
		if e := w.events[0]; e.Kind != Lost || !errors.Is(e.Err, errAsked) {
			t.Errorf("first event %+v", e)
		}
		_ = s.Close()
		s.Reconnect() // nothing to do, nothing to wait for
		if s.Stats().Connected {
			t.Error("connected though closed")
		}
	})
}

// initialSilence is more than one resend of a fresh connection takes: what the
// agent had sent into the old one comes again that late.
const initialSilence = 250 * time.Millisecond

// TestReconnectEndsTheWait: an outage that has lasted is over as soon as it is
// asked for, if the network is back.
func TestReconnectEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		var up atomic.Bool
		s := w.shell(WithResume(func(context.Context) (Ticket, error) {
			if up.Load() {
				return ticket, nil
			}
			return Ticket{}, errors.New("network is down")
		}))
		_ = w.pipes[0].Close()
		time.Sleep(time.Minute)
		st := s.Stats()
		if d := time.Since(st.Since); st.Connected || d != time.Minute {
			t.Errorf("stats %+v after an outage of a minute", st)
		}
		up.Store(true)
		start := time.Now()
		s.Reconnect()
		synctest.Wait()
		if st := s.Stats(); !st.Connected || !st.Since.Equal(start) {
			t.Errorf("stats %+v, want a connection since now", st)
		}
		_ = s.Close()
	})
}

// TestReconnectGivesUpAStaleAttempt, as one that began on another network.
func TestReconnectGivesUpAStaleAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		calls := 0
		s := w.shell(WithResume(func(ctx context.Context) (Ticket, error) {
			if calls++; calls > 1 {
				return ticket, nil
			}
			<-ctx.Done()
			return Ticket{}, ctx.Err()
		}))
		_ = w.pipes[0].Close()
		time.Sleep(time.Second)
		s.Reconnect() // too young to be given up
		synctest.Wait()
		if calls != 1 {
			t.Fatalf("%d calls after a second", calls)
		}
		time.Sleep(staleAfter)
		start := time.Now()
		s.Reconnect()
		synctest.Wait()
		if !s.Stats().Connected || time.Since(start) != 0 {
			t.Errorf("not connected; events %q", w.kinds())
		}
		if e := w.events[1]; e.Kind != Retrying || !errors.Is(e.Err, errStale) {
			t.Errorf("event %+v", e)
		}
		_ = s.Close()
	})
}

// TestReconnectWithoutResume leaves the session alone.
func TestReconnectWithoutResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell(WithResume(nil))
		s.Reconnect()
		_, _ = s.Write([]byte("x"))
		if _, err := io.ReadFull(s, make([]byte, 1)); err != nil || w.kinds() != "" {
			t.Errorf("read: %v; events %q", err, w.kinds())
		}
		_ = s.Close()
	})
}

// sleeper is a wall clock that can jump, as it does when the machine sleeps.
type sleeper struct{ slept atomic.Int64 }

func (s *sleeper) sleep(d time.Duration) { s.slept.Add(int64(d)) }

func (s *sleeper) option() Option {
	return func(c *config) {
		c.wall = func(now time.Time) time.Time { return now.Round(0).Add(time.Duration(s.slept.Load())) }
	}
}

// TestWakingUp: a peer that still answers is kept; one that does not is replaced
// within seconds.
func TestWakingUp(t *testing.T) {
	for _, dead := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t, agent: newAgent(t, echo)}
			w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
			g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) { w.agent.serve(serverConn{ws}) })
			var pings atomic.Int64
			g.onPing = func() bool { pings.Add(1); return !dead }
			var clock sleeper
			s, err := g.dial(w.options(WithDialer(nil), WithResume(g.resume), clock.option())...)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			time.Sleep(4 * time.Second)
			clock.sleep(overslept - time.Second) // a clock that was set
			time.Sleep(6 * time.Second)
			if n := pings.Load(); n != 0 {
				t.Errorf("%d pings without a reason", n)
			}
			clock.sleep(time.Hour)
			time.Sleep(lookEvery + suspectWait + time.Second)
			if n := pings.Load(); n != 1 {
				t.Errorf("%d pings after waking up", n)
			}
			want := ""
			if dead {
				want = "lost,resumed"
			}
			if k := w.kinds(); k != want {
				t.Errorf("events %q, want %q", k, want)
			}
			if dead && !errors.Is(w.events[0].Err, errAsleep) {
				t.Errorf("lost because %v", w.events[0].Err)
			}
			time.Sleep(time.Second)
			if _, err := s.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, make([]byte, 2)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWakingUpDuringAnOutage tries again at once.
func TestWakingUpDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		var clock sleeper
		var up atomic.Bool
		s := w.shell(clock.option(), WithResume(func(context.Context) (Ticket, error) {
			if up.Load() {
				return ticket, nil
			}
			return Ticket{}, errors.New("network is down")
		}))
		_ = w.pipes[0].Close()
		time.Sleep(time.Minute)
		for i := range 30 { // the wait for the next attempt has just begun
			before := w.kinds()
			time.Sleep(time.Second)
			if w.kinds() != before {
				break
			}
			if i == 29 {
				t.Fatal("no attempt in 30 s")
			}
		}
		up.Store(true)
		clock.sleep(time.Hour)
		time.Sleep(lookEvery)
		synctest.Wait()
		if !s.Stats().Connected {
			t.Errorf("not connected %s after waking up; events %q", lookEvery, w.kinds())
		}
		_ = s.Close()
	})
}
