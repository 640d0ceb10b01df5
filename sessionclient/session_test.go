package sessionclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

var errPipe = errors.New("pipe closed")

var ticket = Ticket{SessionID: "me-0123", Token: "secret-token", StreamURL: "wss://example.com/v1/data-channel/me-0123"}

// world connects sessions under test with an agent.
type world struct {
	t      *testing.T
	agent  *agent
	faults faults
	dials  int
	pipes  []*pipeEnd

	mu     sync.Mutex
	events []Event
}

func (w *world) dial(context.Context, Ticket) (Conn, error) {
	w.dials++
	client, server := newPipe(w.faults, uint64(w.dials))
	w.pipes = append(w.pipes, client)
	go w.agent.serve(server)
	return client, nil
}

func (w *world) options(more ...Option) []Option {
	return append([]Option{
		WithDialer(w.dial),
		WithResume(func(context.Context) (Ticket, error) { return ticket, nil }),
		WithEvents(func(e Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}),
	}, more...)
}

func (w *world) kinds() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, e := range w.events {
		names = append(names, e.Kind.String())
	}
	return strings.Join(names, ",")
}

func echo(a *agent, typ wire.PayloadType, payload []byte) {
	if typ == wire.PayloadOutput {
		a.send(wire.PayloadOutput, payload)
	}
}

func TestShellWithoutHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		time.AfterFunc(time.Second, func() { w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte("sh-5.2$ ")) }) })
		s, err := Dial(t.Context(), ticket, w.options(WithSize(132, 43))...)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info().Kind; got != wire.StandardStream {
			t.Errorf("kind %q, want a shell", got)
		}
		if _, err := s.Write([]byte("ls\n")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 11)
		if _, err := io.ReadFull(s, got); err != nil {
			t.Fatal(err)
		}
		if want := "sh-5.2$ ls\n"; string(got) != want {
			t.Errorf("read %q, want %q", got, want)
		}
		s.Resize(80, 24)
		synctest.Wait()
		w.agent.closeChannel("")
		exit, err := s.Wait()
		if err != nil || exit.Reason != "" || exit.HasCode {
			t.Errorf("ended with %+v, %v; want an ordinary end", exit, err)
		}
		var inputs []string
		for _, m := range w.agent.raw {
			if m.Type == wire.InputStreamData {
				inputs = append(inputs, fmt.Sprintf("%d:%s", m.PayloadType, m.Payload))
			}
		}
		want := `3:{"cols":132,"rows":43} 1:ls` + "\n" + ` 3:{"cols":80,"rows":24}`
		if got := strings.Join(inputs, " "); got != want {
			t.Errorf("agent got %q, want %q", got, want)
		}
	})
}

func TestNothingIsSentBeforeTheAgentIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, func(a *agent, typ wire.PayloadType, _ []byte) {
			if typ == wire.PayloadHandshakeResponse {
				time.AfterFunc(3*time.Second, func() {
					a.do(func() { a.send(wire.PayloadHandshakeComplete, []byte(`{"CustomerMessage":"hello"}`)) })
				})
			}
		})}
		time.AfterFunc(time.Second, func() {
			w.agent.do(func() {
				w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0",
					wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.StandardStream},
					"Juggle", map[string]int{"balls": 3}))
			})
		})
		s, err := Dial(t.Context(), ticket, w.options(WithSize(80, 24))...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var order []string
		for _, m := range w.agent.raw {
			if m.Type == wire.InputStreamData {
				order = append(order, fmt.Sprint(m.PayloadType))
			}
		}
		if got, want := strings.Join(order, ","), "6,3"; got != want {
			t.Errorf("payload types sent: %s, want %s", got, want)
		}
		want := `{"ClientVersion":"` + ClientVersion + `","ProcessedClientActions":[` +
			`{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""},` +
			`{"ActionType":"Juggle","ActionStatus":3,"ActionResult":null,"Error":"unsupported action \"Juggle\""}],` +
			`"Errors":["unsupported action \"Juggle\""]}`
		for _, m := range w.agent.raw {
			if m.PayloadType == wire.PayloadHandshakeResponse && string(m.Payload) != want {
				t.Errorf("response\n%s, want\n%s", m.Payload, want)
			}
		}
		if w.kinds() != "message" || w.events[0].Text != "hello" {
			t.Errorf("events %s, want the customer message", w.kinds())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCommandStreamsAndExitCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.agent = newAgent(t, func(a *agent, typ wire.PayloadType, _ []byte) {
			if typ != wire.PayloadHandshakeResponse {
				return
			}
			a.send(wire.PayloadHandshakeComplete, []byte(`{}`))
			a.send(wire.PayloadOutput, []byte("out\n"))
			a.send(wire.PayloadStdErr, []byte("err\n"))
			a.send(99, []byte("from the future"))
			a.send(wire.PayloadExitCode, []byte("EXIT_CODE: 7"))
			time.AfterFunc(time.Second, func() { a.closeChannel("") })
		})
		time.AfterFunc(0, func() {
			w.agent.do(func() {
				w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0",
					wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.NonInteractiveCommands}))
			})
		})
		s, err := Dial(t.Context(), ticket, w.options(WithSize(80, 24))...)
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		exit, err := s.CopyOutput(&stdout, &stderr)
		if err != nil {
			t.Fatal(err)
		}
		if !exit.HasCode || exit.Code != 7 {
			t.Errorf("exit %+v, want code 7", exit)
		}
		if stdout.String() != "out\n" || stderr.String() != "err\n" {
			t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
		}
	})
}

func TestFailures(t *testing.T) {
	frame := func(m wire.Message) []byte {
		m.Created, m.ID = 1, wire.NewUUID()
		b, err := wire.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	output := frame(wire.Message{Type: wire.OutputStreamData, PayloadType: wire.PayloadOutput, Payload: []byte("hi")})
	forged := bytes.Clone(output)
	forged[len(forged)-1] ^= 1
	hugeHeader := bytes.Clone(output)
	copy(hugeHeader, []byte{0x7f, 0xff, 0xff, 0xff})
	tests := []struct {
		name   string
		frames [][]byte
		want   string
	}{
		{"a truncated frame", [][]byte{output[:50]}, "broke the protocol: message is shorter"},
		{"a header length past the end", [][]byte{hugeHeader}, "broke the protocol: header length"},
		{"forged digests without end", slicesRepeat(forged, maxDamaged), "damaged messages in a row"},
		{"a channel_closed that is not JSON", [][]byte{frame(wire.Message{Type: wire.ChannelClosed, Payload: []byte("bye")})}, "malformed channel_closed"},
		{"a handshake that is not JSON", [][]byte{frame(wire.Message{Type: wire.OutputStreamData, PayloadType: wire.PayloadHandshakeRequest, Payload: []byte("no")})}, "malformed handshake request"},
		{
			"an end with a reason before the start",
			[][]byte{frame(wire.Message{Type: wire.ChannelClosed, Payload: []byte(`{"Output":"lookup db: no such host"}`)})},
			"lookup db: no such host",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newPipe(faults{}, 1)
				for _, f := range tt.frames {
					_ = server.Write(f)
				}
				_, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func slicesRepeat(b []byte, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

func TestAgentThatNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newPipe(faults{}, 1)
		start := time.Now()
		_, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if !errors.Is(err, ErrNotReady) {
			t.Errorf("got %v, want ErrNotReady", err)
		}
		if d := time.Since(start); d != firstMessageWait {
			t.Errorf("gave up after %s, want %s", d, firstMessageWait)
		}
	})
}

func TestQuietProgramGetsInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		time.AfterFunc(time.Second, func() {
			w.agent.do(func() {
				b, _ := wire.AppendService(nil, &wire.Message{Type: wire.StartPublication})
				_ = w.agent.conn.Write(b)
			})
		})
		start := time.Now()
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Second+quietGrace {
			t.Errorf("ready after %s, want %s", d, time.Second+quietGrace)
		}
		_, _ = s.Write([]byte("x"))
		b := make([]byte, 1)
		if _, err := s.Read(b); err != nil || b[0] != 'x' {
			t.Errorf("read %q, %v", b, err)
		}
		_ = s.Close()
	})
}

func TestDialIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newPipe(faults{}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := Dial(ctx, ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

// TestNothingIsLostOverBadLinks is the promise of the package: whatever the
// connection does, both directions arrive whole, in order, once.
func TestNothingIsLostOverBadLinks(t *testing.T) {
	tests := []struct {
		name   string
		faults faults
		cut    time.Duration
		size   int
	}{
		{"a perfect link", faults{}, 0, 1 << 20},
		{"duplicates and reordering", faults{dup: 0.05, reorder: 0.05, delay: 5 * time.Millisecond}, 0, 1 << 20},
		{"loss", faults{loss: 0.1, delay: 5 * time.Millisecond}, 0, 256 << 10},
		{"cuts", faults{delay: 20 * time.Millisecond}, 170 * time.Millisecond, 4 << 20},
		{"everything at once", faults{loss: 0.02, dup: 0.05, reorder: 0.05, delay: 10 * time.Millisecond}, 90 * time.Millisecond, 4 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { roundTrip(t, tt.faults, tt.cut, tt.size) })
		})
	}
}

func roundTrip(t *testing.T, f faults, cut time.Duration, size int) {
	w := &world{t: t, faults: f, agent: newAgent(t, echo)}
	w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
	s, err := Dial(t.Context(), ticket, w.options()...)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	if cut > 0 {
		go func() {
			ticker := time.NewTicker(cut)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					_ = w.pipes[len(w.pipes)-1].Close()
				case <-stop:
					return
				}
			}
		}()
	}
	data := make([]byte, size)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(data)
	go func() {
		if _, err := s.Write(data); err != nil {
			t.Errorf("write: %v", err)
		}
	}()
	got := make([]byte, 1+size)
	if _, err := io.ReadFull(s, got); err != nil {
		t.Errorf("read: %v", err)
	}
	if sha256.Sum256(got[1:]) != sha256.Sum256(data) {
		t.Error("what came back differs from what was sent")
	}
	close(stop)
	_ = s.Close()
	if cut > 0 && !strings.Contains(w.kinds(), "lost,resumed") {
		t.Errorf("events %s, want cuts and resumptions", w.kinds())
	}
}

func TestResumption(t *testing.T) {
	tests := []struct {
		name       string
		resume     func(n int) (Ticket, error)
		budget     time.Duration
		wantErr    error
		wantEvents string
	}{
		{"goes on after ten minutes without network", func(n int) (Ticket, error) {
			if n < 62 {
				return Ticket{}, errors.New("network is unreachable")
			}
			return ticket, nil
		}, 0, nil, "resumed"},
		{"ends when the session is gone", func(int) (Ticket, error) { return Ticket{}, ErrSessionGone }, 0, ErrSessionGone, "lost"},
		{"an empty token means that it is gone", func(int) (Ticket, error) { return Ticket{SessionID: "x"}, nil }, 0, ErrSessionGone, "lost"},
		{"gives up when the budget is spent", func(int) (Ticket, error) { return Ticket{}, errors.New("denied") }, time.Minute, ErrLost, "retrying"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, agent: newAgent(t, echo)}
				w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
				n := 0
				s, err := Dial(t.Context(), ticket, append(w.options(), WithBudget(tt.budget),
					WithResume(func(context.Context) (Ticket, error) { n++; return tt.resume(n) }))...)
				if err != nil {
					t.Fatal(err)
				}
				one := make([]byte, 1)
				_, _ = s.Read(one)
				_ = w.pipes[0].Close()
				if _, err := s.Write([]byte("a")); err != nil { // typed while the line is down
					t.Errorf("write: %v", err)
				}
				_, err = s.Read(one)
				if tt.wantErr != nil {
					if !errors.Is(err, tt.wantErr) {
						t.Errorf("read: %v, want %v", err, tt.wantErr)
					}
				} else if err != nil || one[0] != 'a' {
					t.Errorf("read %q, %v", one, err)
				}
				if !strings.HasSuffix(w.kinds(), tt.wantEvents) {
					t.Errorf("events %s, want a last %s", w.kinds(), tt.wantEvents)
				}
				_ = s.Close()
			})
		})
	}
}

func TestWindowStopsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.agent.do(func() { w.agent.noAck = true })
		done := make(chan error, 1)
		go func() {
			_, err := s.Write(make([]byte, 8<<20))
			done <- err
		}()
		time.Sleep(20 * time.Second)
		select {
		case err := <-done:
			t.Fatalf("a write of 8 MiB returned (%v) though nothing was acknowledged", err)
		default:
		}
		if sent := s.Stats().SentBytes; sent > 1<<20 {
			t.Errorf("%d bytes are in flight, want at most 1 MiB", sent)
		}
		time.Sleep(20 * time.Second)
		if !strings.Contains(w.kinds(), "agent silent") {
			t.Errorf("events %q, want a word about the silent agent", w.kinds())
		}
		w.agent.do(func() { w.agent.noAck = false })
		go func() { _, _ = io.Copy(io.Discard, s) }()
		if err := <-done; err != nil {
			t.Errorf("write: %v", err)
		}
		if !strings.Contains(w.kinds(), "agent back") {
			t.Errorf("events %q, want the agent back", w.kinds())
		}
		_ = s.Close()
	})
}

func TestSlowReaderBoundsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		w.agent.do(func() { w.agent.send(wire.PayloadOutput, []byte{'$'}) })
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		const total = 40 << 20
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for sent := 0; sent < total; {
				w.agent.mu.Lock()
				for w.agent.snd.CanPush() && sent < total {
					w.agent.send(wire.PayloadOutput, make([]byte, 32<<10))
					sent += 32 << 10
				}
				w.agent.flush()
				w.agent.mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		}()
		time.Sleep(10 * time.Second)
		held := s.ch.stats.receivedBytes.Load()
		if held > 1<<20 {
			t.Errorf("%d bytes were opened for an application that reads nothing", held)
		}
		n, err := io.ReadFull(s, make([]byte, 1+total))
		if err != nil {
			t.Errorf("read %d bytes, then %v", n, err)
		}
		<-sent
		_ = s.Close()
	})
}

func TestEveryMessageIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, agent: newAgent(t, echo)}
		w.agent.do(func() {
			for range 50 {
				w.agent.send(wire.PayloadOutput, []byte("x"))
			}
		})
		s, err := Dial(t.Context(), ticket, w.options()...)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !w.agent.drained() {
			t.Error("not everything was acknowledged although nobody reads yet")
		}
		for _, m := range w.agent.raw {
			if m.Type == wire.Acknowledge && (m.Flags != 3 || m.Seq != 0 || m.PayloadType != 0) {
				t.Errorf("acknowledge with flags %d, number %d, payload type %d", m.Flags, m.Seq, m.PayloadType)
			}
		}
		_ = s.Close()
	})
}

func TestGapAtTheEndIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(faults{}, 1)
		for _, seq := range []int64{0, 2} {
			b, _ := wire.Append(nil, &wire.Message{Type: wire.OutputStreamData, Created: 1, Seq: seq, PayloadType: wire.PayloadOutput, Payload: []byte("x")})
			_ = server.Write(b)
		}
		b, _ := wire.AppendService(nil, &wire.Message{Type: wire.ChannelClosed, Created: 1, Payload: []byte(`{}`)})
		_ = server.Write(b)
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if string(got) != "x" || !errors.Is(err, errGap) {
			t.Errorf("read %q, %v; want the part before the gap and an error", got, err)
		}
	})
}

func TestTicketKeepsItsSecret(t *testing.T) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, ticket); strings.Contains(s, "secret") {
			t.Errorf("%s prints %q", format, s)
		}
	}
}

func TestTicketValidate(t *testing.T) {
	tests := []struct {
		url string
		ok  bool
	}{
		{"wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/x?role=publish_subscribe", true},
		{"ws://127.0.0.1:4599/v1/data-channel/x", true},
		{"ws://[::1]:4599/x", true},
		{"ws://localhost:1/x", true},
		{"ws://example.com/x", false},
		{"ftp://example.com/x", false},
		{"", false},
		{"wss://", false},
	}
	for _, tt := range tests {
		err := Ticket{Token: "t", StreamURL: tt.url}.validate()
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v, want ok %t", tt.url, err, tt.ok)
		}
	}
}
