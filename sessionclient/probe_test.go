package sessionclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// narrow is the far end of a connection that does not carry large messages.
type narrow struct {
	Conn
	limit int
	large func(b []byte) ([]byte, error) // what becomes of one
}

func (n *narrow) Read() ([]byte, error) {
	for {
		b, err := n.Conn.Read()
		if err == nil && len(b) > n.limit+wire.HeaderSize {
			b, err = n.large(b)
		}
		if b != nil || err != nil {
			return b, err
		}
	}
}

// narrowWorld is a world whose connections are narrow; input collects what the
// agent was given.
func narrowWorld(t *testing.T, limit int, large func(p *pipeEnd, b []byte) ([]byte, error)) (w *world, s *Session, input *bytes.Buffer) {
	t.Helper()
	input = new(bytes.Buffer)
	w = &world{t: t, faults: faults{delay: 10 * time.Millisecond}}
	w.agent = newAgent(t, func(_ *agent, _ wire.PayloadType, payload []byte) { input.Write(payload) })
	s = w.shell(WithDialer(func(context.Context, Ticket) (Conn, error) {
		w.dials++
		client, server := newPipe(w.faults, uint64(w.dials))
		w.pipes = append(w.pipes, client)
		go w.agent.serve(&narrow{server, limit, func(b []byte) ([]byte, error) { return large(server, b) }})
		return client, nil
	}))
	return w, s, input
}

// received returns everything received so far.
func (a *agent) received() []wire.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.raw)
}

// numbered returns the data messages received so far, each once, in order.
func (a *agent) numbered() (all []wire.Message) {
	seen := map[int64]bool{}
	for _, m := range a.received() {
		if m.Type == wire.InputStreamData && !seen[m.Seq] {
			seen[m.Seq] = true
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b wire.Message) int { return int(a.Seq - b.Seq) })
	return all
}

var (
	large = bytes.Repeat([]byte("nop-----"), 1024)
	small = []byte("nop-----")
)

func TestProbe(t *testing.T) {
	tests := []struct {
		name  string
		limit int
		large func(p *pipeEnd, b []byte) ([]byte, error)
		ok    bool
		got   []byte // of the two
		after time.Duration
	}{
		{"gets through", 1 << 20, nil, true, large, 20 * time.Millisecond},
		{"closes the connection", 4096, func(p *pipeEnd, _ []byte) ([]byte, error) {
			_ = p.Close()
			return nil, errPipe
		}, false, small, 10 * time.Millisecond},
		{"is dropped", 4096, func(*pipeEnd, []byte) ([]byte, error) {
			return nil, nil
		}, false, small, probeWait + probeTrips*100*time.Millisecond},
		{"arrives, but the connection is closed", 4096, func(p *pipeEnd, b []byte) ([]byte, error) {
			_ = p.Close()
			return b, nil
		}, false, large, 10 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s, input := narrowWorld(t, tt.limit, tt.large)
				before, after := bytes.Repeat([]byte("before"), 5000), bytes.Repeat([]byte("after"), 5000)
				if _, err := s.Write(before); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				start := time.Now()
				ok, err := s.Probe(t.Context(), large, small)
				if d := time.Since(start); ok != tt.ok || err != nil || d > tt.after {
					t.Errorf("got %v, %v after %s; want %v within %s", ok, err, d, tt.ok, tt.after)
				}
				if _, err := s.Write(after); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if want := slices.Concat(before, tt.got, after); !bytes.Equal(input.Bytes(), want) {
					t.Errorf("the agent got %d bytes, want %d", input.Len(), len(want))
				}
				if k := w.kinds(); (k == "") != tt.ok || k != "" && k != "lost,resumed" {
					t.Errorf("events %q", k)
				}
				if st := s.Stats(); st.InFlight != 0 || !st.Connected {
					t.Errorf("stats %+v", st)
				}
				_ = s.Close()
			})
		})
	}
}

// TestProbeIsAlone: all before it is acknowledged when it goes out, and nothing
// follows until its fate is known.
func TestProbeIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s, _ := narrowWorld(t, 4096, func(*pipeEnd, []byte) ([]byte, error) { return nil, nil })
		var writes sync.WaitGroup
		writes.Go(func() { _, _ = s.Write(make([]byte, 100<<10)) })
		synctest.Wait()
		writes.Go(func() { _, _ = s.Probe(t.Context(), large, small) })
		synctest.Wait()
		writes.Go(func() { _, _ = s.Write([]byte("later")) })
		s.Resize(80, 25)
		time.Sleep(probeWait / 2)
		synctest.Wait()
		if n := len(w.agent.numbered()); n != 100 {
			t.Errorf("%d messages arrived before the probe is decided, want the 100 before it", n)
		}
		writes.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		var got []string
		for _, m := range w.agent.numbered()[100:] {
			got = append(got, fmt.Sprintf("%d:%d", m.PayloadType, len(m.Payload)))
		}
		if s := strings.Join(got, " "); s != "1:8 1:5 3:21" && s != "1:8 3:21 1:5" {
			t.Errorf("then came %s, want the substitute and what waited", s)
		}
		_ = s.Close()
	})
}

// TestProbeRefusedInWords: a service that says what is wrong with the message
// ends the connection, not the session; the same said of ordinary messages does.
func TestProbeRefusedInWords(t *testing.T) {
	for _, code := range []websocket.StatusCode{
		websocket.StatusMessageTooBig, websocket.StatusUnsupportedData, websocket.StatusInvalidFramePayloadData, websocket.StatusPolicyViolation,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &world{t: t, agent: newAgent(t, echo)}
			w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
			g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) {
				w.agent.serve(&narrow{serverConn{ws}, 4096, func([]byte) ([]byte, error) {
					return nil, ws.Close(code, "")
				}})
			})
			s, err := g.dial(w.options(WithDialer(nil), WithResume(g.resume))...)
			if err != nil {
				t.Fatal(err)
			}
			s.SetPayloadSize(2048)
			if _, err := s.Write(make([]byte, 2048)); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if ok, err := s.Probe(t.Context(), large, small); ok || err != nil || time.Since(start) > time.Second {
				t.Errorf("%d: probe: %v, %v after %s", code, ok, err, time.Since(start))
			}
			want := append([]byte{'$'}, make([]byte, 2048)...)
			if _, err := io.ReadFull(s, make([]byte, len(want)+len(small))); err != nil {
				t.Errorf("%d: %v", code, err)
			}
			if code == websocket.StatusMessageTooBig {
				s.SetPayloadSize(8192)
				_, _ = s.Write(make([]byte, 8192))
				if _, err := s.Wait(); err == nil || !strings.Contains(err.Error(), "8192") {
					t.Errorf("ended with %v", err)
				}
			}
			s.Abort()
		})
	}
}

func TestProbeThatIsGivenUp(t *testing.T) {
	block := func(*pipeEnd, []byte) ([]byte, error) { return nil, nil }
	t.Run("before it is sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, s, _ := narrowWorld(t, 4096, block)
			w.agent.do(func() { w.agent.noAck = true })
			_, _ = s.Write([]byte("x"))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if ok, err := s.Probe(ctx, large, small); ok || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, %v", ok, err)
			}
			synctest.Wait()
			if n := s.Stats().SentBytes; n != 1 {
				t.Errorf("sent %d bytes", n)
			}
			if _, err := s.Write([]byte("y")); err != nil {
				t.Error(err)
			}
			_ = s.Close()
		})
	})
	t.Run("after it was sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, s, input := narrowWorld(t, 4096, block)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if ok, err := s.Probe(ctx, large, small); ok || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, %v", ok, err)
			}
			if _, err := s.Write([]byte("y")); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if got := input.String(); got != string(small)+"y" {
				t.Errorf("the agent got %q", got)
			}
			_ = s.Close()
		})
	})
	t.Run("by the end of the session", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, s, _ := narrowWorld(t, 4096, block)
			time.AfterFunc(time.Second, func() { _ = s.Close() })
			if ok, err := s.Probe(t.Context(), large, small); ok || !errors.Is(err, errEnded) {
				t.Errorf("got %v, %v", ok, err)
			}
			<-s.Done()
			if ok, err := s.Probe(t.Context(), large, small); ok || !errors.Is(err, errEnded) {
				t.Errorf("got %v, %v of an ended session", ok, err)
			}
		})
	})
}

func TestProbeRefusesWhatMakesNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.shell()
		for _, size := range []int{0, maxPayload + 1} {
			if _, err := s.Probe(t.Context(), make([]byte, size), small); !errors.Is(err, errProbeSize) {
				t.Errorf("probe of %d bytes: %v", size, err)
			}
			if _, err := s.Probe(t.Context(), small, make([]byte, size)); !errors.Is(err, errProbeSize) {
				t.Errorf("substitute of %d bytes: %v", size, err)
			}
		}
		_ = s.Close()
		w = &world{t: t}
		s = w.shell(WithResume(nil))
		if _, err := s.Probe(t.Context(), large, small); !errors.Is(err, errNoProbe) {
			t.Error(err)
		}
		_ = s.Close()
	})
}

func TestSetPayloadSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, func(*agent, wire.PayloadType, []byte) {})}
		s := w.shell(WithPayloadSize(100))
		for _, tt := range []struct{ set, want int }{{0, defaultPayload}, {-1, defaultPayload}, {1, 1}, {8192, 8192}, {1 << 30, maxPayload}} {
			s.SetPayloadSize(tt.set)
			_, _ = s.Write(make([]byte, tt.want+1))
			time.Sleep(time.Second)
			synctest.Wait()
			raw := w.agent.received()
			if got := len(raw[len(raw)-2].Payload); got != tt.want {
				t.Errorf("a payload of %d bytes, want %d", got, tt.want)
			}
		}
		_ = s.Close()
	})
}
