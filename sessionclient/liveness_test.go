package sessionclient

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// TestPings checks the interval against a real websocket server, and that an
// idle session whose peer answers goes on.
func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pings []time.Time
		g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) {
			prompt(t, ws)
			_, _, _ = ws.Read(t.Context()) // acknowledgement
			_, _, _ = ws.Read(t.Context()) // answers pings
		})
		g.onPing = func() bool { pings = append(pings, time.Now()); return true }
		s, err := g.dial()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.Sleep(time.Hour)
		select {
		case <-s.Done():
			_, err := s.Wait()
			t.Errorf("the idle session ended: %v", err)
		default:
		}
		_ = s.Close()
		if len(pings) < 100 {
			t.Fatalf("%d pings in an hour", len(pings))
		}
		for _, at := range pings {
			if d := at.Sub(start); d < 25*time.Second || d > 30*time.Second {
				t.Errorf("a ping after %s, want 25 s to 30 s", d)
			}
			start = at
		}
	})
}

// TestDeadPeerIsReplaced: nothing is answered any more, and the session is
// resumed on another connection 75 s after the last sign of life.
func TestDeadPeerIsReplaced(t *testing.T) {
	for _, tt := range []struct {
		name string
		busy bool // a write is stuck as well
	}{{"idle", false}, {"with a blocked writer", true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, agent: newAgent(t, echo)}
				w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
				dead := make(chan struct{})
				g := newVirtualGateway(t, func(n int, ws *websocket.Conn) {
					if n > 0 {
						w.agent.serve(serverConn{ws})
						return
					}
					prompt(t, ws)
					_, _, _ = ws.Read(t.Context())
					<-dead
				})
				s, err := g.dial(w.options(WithDialer(nil), WithResume(g.resume))...)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				defer close(dead)
				start := time.Now()
				if tt.busy {
					go func() { _, _ = s.Write(make([]byte, 64<<10)) }()
				}
				time.Sleep(deadAfter - time.Second)
				synctest.Wait()
				if k := w.kinds(); strings.Contains(k, "lost") {
					t.Fatalf("given up %s after the last sign of life, want %s", time.Since(start), deadAfter)
				}
				time.Sleep(2 * time.Second)
				if k := w.kinds(); !strings.Contains(k, "lost,resumed") {
					t.Errorf("events %q %s after the last sign of life", k, time.Since(start))
				}
			})
		})
	}
}

// TestPausedReaderIsNoDeadPeer: an application that does not read for a long
// time sees no pong; a peer that dies behind it is found when it goes on.
func TestPausedReaderIsNoDeadPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		stop := make(chan struct{})
		g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) {
			go func() {
				for {
					if _, _, err := ws.Read(context.Background()); err != nil {
						return
					}
				}
			}()
			for seq := int64(0); ; seq++ {
				select {
				case <-stop: // dead from here on
					<-t.Context().Done()
					return
				default:
				}
				if ws.Write(t.Context(), websocket.MessageBinary, numbered(t, seq, wire.PayloadOutput, make([]byte, 32<<10))) != nil {
					return
				}
			}
		})
		var silent atomic.Bool
		g.onPing = func() bool { return !silent.Load() }
		s, err := g.dial(w.options(WithDialer(nil), WithResume(func(context.Context) (Ticket, error) { return Ticket{}, ErrSessionGone }))...)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		if w.kinds() != "" {
			t.Fatalf("events %q while the application paused", w.kinds())
		}
		close(stop)
		silent.Store(true)
		start := time.Now()
		_, _ = io.Copy(io.Discard, s)
		if d := time.Since(start); w.kinds() != "lost" || d < deadAfter || d > deadAfter+pingEvery {
			t.Errorf("events %q after %s, want the loss after %s", w.kinds(), d, deadAfter)
		}
	})
}

// TestPingsOfAPeerThatNeverReads: neither they nor our own cost the connection.
func TestPingsOfAPeerThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) {
			prompt(t, ws)
			_, _, _ = ws.Read(t.Context())
			for t.Context().Err() == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_ = ws.Ping(ctx)
				cancel()
			}
		})
		s, err := g.dial(w.options(WithDialer(nil))...)
		if err != nil {
			t.Fatal(err)
		}
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			_, _ = s.Write(make([]byte, 2<<20))
		}()
		time.Sleep(10 * time.Minute)
		if w.kinds() != "agent silent" {
			t.Errorf("events %q, want only that the agent is silent", w.kinds())
		}
		start := time.Now()
		_ = s.Close()
		if d := time.Since(start); d > flushWait+closeWait+time.Second {
			t.Errorf("closing took %s", d)
		}
		<-wrote
	})
}

// TestDeadPeerThatTookNoAcknowledgements: so many of them wait that nothing is
// read any more, and so no sign of life can be missed.
func TestDeadPeerThatTookNoAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := make([][]byte, 2*maxAcks)
		for i := range frames {
			frames[i] = numbered(t, int64(i), wire.PayloadOutput, []byte("x"))
		}
		c := newDeadConn(frames...)
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return c, nil }))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(time.Hour, s.Abort)
		n, err := io.Copy(io.Discard, s)
		if d := time.Since(start); !errors.Is(err, errDead) || d > deadAfter+pingEvery {
			t.Errorf("ended with %v after %s", err, d)
		}
		if n < maxAcks || n == int64(len(frames)) {
			t.Errorf("%d messages were taken while their acknowledgements were not", n)
		}
	})
}
