package sessionclient

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Every test in a bubble is also one for goroutines left behind: the bubble
// cannot end before they do.

// shell dials a shell with an echoing agent.
func (w *world) shell(opts ...Option) *Session {
	w.t.Helper()
	if w.agent == nil {
		w.agent = newAgent(w.t, echo)
	}
	w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
	s, err := Dial(w.t.Context(), ticket, w.options(opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestEndingFromEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				if i%2 == 0 {
					_ = s.Close()
				} else {
					s.Abort()
				}
			})
			wg.Go(func() { _, _ = s.Write(make([]byte, 1<<20)) })
			wg.Go(func() { _, _ = io.Copy(io.Discard, s) })
			wg.Go(func() { s.Resize(80, 24) })
		}
		wg.Wait()
		if n, err := s.Write([]byte("x")); n != 0 || !errors.Is(err, errEnded) {
			t.Errorf("write after the end: %d, %v", n, err)
		}
		if err := s.Signal(wire.TerminateSession); !errors.Is(err, errEnded) {
			t.Errorf("signal after the end: %v", err)
		}
		s.Resize(80, 24)
		s.Resize(80, 25)
		_ = s.Close()
		s.Abort()
	})
}

func TestAbortDoesNotWaitForClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		w.agent.do(func() { w.agent.noAck = true })
		_, _ = s.Write([]byte("x"))
		closed := make(chan struct{})
		start := time.Now()
		go func() { _ = s.Close(); close(closed) }()
		synctest.Wait()
		s.Abort()
		<-closed
		if d := time.Since(start); d != 0 {
			t.Errorf("aborting took %s", d)
		}
	})
}

func TestCloseFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, faults: faults{delay: 100 * time.Millisecond}}
		s := w.shell()
		start := time.Now()
		if _, err := s.Write(make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if got := w.agent.rcv.Expected(); got != 100 {
			t.Errorf("the agent got %d of 100 messages", got)
		}
		if exit, err := s.Wait(); err != nil || !exit.Closed {
			t.Errorf("ended with %+v, %v", exit, err)
		}
		if d := time.Since(start); d > 300*time.Millisecond {
			t.Errorf("closing took %s, want one round trip", d)
		}
		if _, err := s.Next(); err != nil && err != io.EOF {
			t.Errorf("next after the end: %v", err)
		}
	})
}

// TestPartialWrite: an interrupted write says how much may have been sent.
func TestPartialWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		w.agent.do(func() { w.agent.noAck = true })
		time.AfterFunc(time.Minute, s.Abort)
		n, err := s.Write(make([]byte, 8<<20))
		if !errors.Is(err, errEnded) || n < 900<<10 || n > 1100<<10 {
			t.Errorf("wrote %d, %v; want about a window and an error", n, err)
		}
	})
}

func TestLossesWhileOpening(t *testing.T) {
	handshakeRequest := request("3.3.1142.0", wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.StandardStream},
		wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"})
	for _, when := range []time.Duration{
		0, time.Second - 1, time.Second + 1, // before and after the request
		2 * time.Second,                  // during the call of the key service
		4*time.Second + time.Millisecond, // after the response
		5*time.Second + time.Millisecond, // after the session got ready
	} {
		t.Run(when.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				key := make([]byte, 64)
				key[1], key[33] = 1, 2
				responses := 0
				w := &world{t: t, faults: faults{delay: time.Millisecond}}
				w.agent = newAgent(t, func(a *agent, typ wire.PayloadType, _ []byte) {
					if typ == wire.PayloadHandshakeResponse {
						responses++
						time.AfterFunc(time.Second, func() { a.do(func() { a.send(wire.PayloadHandshakeComplete, []byte("{}")) }) })
					}
				})
				time.AfterFunc(time.Second, func() { w.agent.do(func() { w.agent.send(wire.PayloadHandshakeRequest, handshakeRequest) }) })
				go func() {
					time.Sleep(when)
					synctest.Wait()
					_ = w.pipes[0].Close()
				}()
				s, err := Dial(t.Context(), ticket, w.options(WithKeys(keySource(func(string, map[string]string) ([]byte, []byte, error) {
					time.Sleep(3 * time.Second)
					return key, []byte("sealed"), nil
				}), "i-1"))...)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if w.kinds() != "lost,resumed" || responses != 1 || !s.Info().Encrypted {
					t.Errorf("events %q, %d responses, %+v", w.kinds(), responses, s.Info())
				}
				_ = s.Close()
			})
		})
	}
}

func TestLossWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		w.agent.do(func() { w.agent.noAck = true })
		_, _ = s.Write([]byte("x"))
		time.AfterFunc(flushWait/2, func() { _ = w.pipes[0].Close() })
		start := time.Now()
		_ = s.Close()
		if exit, err := s.Wait(); err != nil || !exit.Closed || time.Since(start) > flushWait {
			t.Errorf("ended with %+v, %v after %s", exit, err, time.Since(start))
		}
	})
}

// TestLossBehindAPausedApplication: what had arrived is read, the rest comes
// over the next connection.
func TestLossBehindAPausedApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		const total = 40 << 20
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for n := 0; n < total; {
				w.agent.do(func() {
					for ; n < total && w.agent.snd.CanPush(); n += 32 << 10 {
						w.agent.send(wire.PayloadOutput, make([]byte, 32<<10))
					}
				})
				time.Sleep(time.Millisecond)
			}
		}()
		time.Sleep(time.Minute)
		_ = w.pipes[0].Close()
		time.Sleep(time.Minute)
		if n, err := io.ReadFull(s, make([]byte, total)); err != nil {
			t.Errorf("read %d bytes, then %v", n, err)
		}
		<-sent
		_ = s.Close()
	})
}

func TestDialIsCancelledAnywhere(t *testing.T) {
	stuck := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	tests := []struct {
		name string
		opts func(w *world) []Option
	}{
		{"while dialing", func(*world) []Option {
			return []Option{WithDialer(func(ctx context.Context, _ Ticket) (Conn, error) { return nil, stuck(ctx) })}
		}},
		{"while a second ticket is fetched", func(*world) []Option {
			return []Option{
				WithDialer(func(context.Context, Ticket) (Conn, error) { return nil, errors.New("no network") }),
				WithResume(func(ctx context.Context) (Ticket, error) { return Ticket{}, stuck(ctx) }),
			}
		}},
		{"while waiting for the agent", func(*world) []Option { return nil }},
		{"while waiting for the key", func(w *world) []Option {
			w.agent.do(func() {
				w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"}))
			})
			return []Option{WithKeys(ctxKeys(stuck), "i-1")}
		}},
		{"while resuming", func(w *world) []Option {
			time.AfterFunc(time.Second, func() { _ = w.pipes[0].Close() })
			return []Option{WithResume(func(ctx context.Context) (Ticket, error) { return Ticket{}, stuck(ctx) })}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(5*time.Second, cancel)
				start := time.Now()
				w := &world{t: t, agent: newAgent(t, echo)}
				_, err := Dial(ctx, ticket, w.options(tt.opts(w)...)...)
				if !errors.Is(err, context.Canceled) || time.Since(start) != 5*time.Second {
					t.Errorf("got %v after %s", err, time.Since(start))
				}
			})
		})
	}
}

// ctxKeys is a KeySource that only looks at its context.
type ctxKeys func(ctx context.Context) error

func (k ctxKeys) DataKey(ctx context.Context, _ string, _ map[string]string) (plain, sealed []byte, err error) {
	return nil, nil, k(ctx)
}

// TestHangingGateway: one that takes the connection and says nothing, and one
// that takes the upgrade and says nothing.
func TestHangingGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) { _, _, _ = ws.Read(t.Context()) })
		g.hang.Store(true)
		start := time.Now()
		_, err := g.dial(WithResume(g.resume))
		if err == nil || errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*attemptTimeout+time.Second {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		g.hang.Store(false)
		start = time.Now()
		_, err = g.dial(WithFirstMessageWait(10 * time.Second))
		if d := time.Since(start); !errors.Is(err, ErrNotReady) || d < 10*time.Second || d > 11*time.Second {
			t.Errorf("got %v after %s", err, d)
		}
	})
}

func TestStatsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, faults: faults{delay: 20 * time.Millisecond}}
		s := w.shell()
		for range 100 {
			_, _ = s.Write([]byte("ab"))
			_, _ = io.ReadFull(s, make([]byte, 2))
		}
		st := s.Stats()
		if st.SentBytes != 200 || st.ReceivedBytes != 201 || st.Damaged != 0 || st.Resends != 0 {
			t.Errorf("got %+v", st)
		}
		if st.RoundTrip < 39*time.Millisecond || st.RoundTrip > 45*time.Millisecond {
			t.Errorf("round trip %s, want 40 ms", st.RoundTrip)
		}
		_ = s.Close()
	})
}
