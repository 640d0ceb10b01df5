package sessionclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// scripted dials a session whose far end sends frames and no more.
func scripted(t *testing.T, frames [][]byte, opts ...Option) (*Session, *pipeEnd, error) {
	t.Helper()
	client, server := newPipe(faults{}, 1)
	for _, f := range frames {
		_ = server.Write(f)
	}
	s, err := Dial(t.Context(), ticket, append([]Option{WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil })}, opts...)...)
	return s, server, err
}

func TestHugeHandshakeDoesNotPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var req wire.HandshakeRequest
		for range 20000 {
			req.RequestedClientActions = append(req.RequestedClientActions, wire.RequestedAction{ActionType: "\x01", ActionParameters: json.RawMessage("1")})
		}
		_, _, err := scripted(t, [][]byte{numbered(t, 0, wire.PayloadHandshakeRequest, wire.Marshal(req))})
		var protocol *ProtocolError
		if !errors.As(err, &protocol) {
			t.Errorf("got %v, want a broken protocol", err)
		}
	})
}

// TestFloodsAreBounded: messages that cost little count too when nobody reads.
func TestFloodsAreBounded(t *testing.T) {
	flag := wire.AppendFlag(nil, wire.ConnectToPortError)
	for name, typ := range map[string]wire.PayloadType{"flags": wire.PayloadFlag, "small output": wire.PayloadOutput} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, server, err := scripted(t, [][]byte{numbered(t, 0, wire.PayloadOutput, []byte("$"))})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Abort()
				go func() { // takes the acknowledgements
					for {
						if _, err := server.Read(); err != nil {
							return
						}
					}
				}()
				const most = 200000
				taken := 0
				for ; taken < most; taken++ {
					select {
					case server.peer.in <- numbered(t, int64(taken+1), typ, flag):
						continue
					case <-time.After(time.Minute):
					}
					break
				}
				if taken == most {
					t.Errorf("%d messages were taken for an application that reads nothing", taken)
				}
			})
		})
	}
}

func TestShortCommandThatEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(faults{}, 1)
		_ = server.Write(numbered(t, 0, wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.NonInteractiveCommands})))
		time.AfterFunc(time.Second, func() {
			// All at once: the loop sees them in one go.
			_ = server.Write(numbered(t, 1, wire.PayloadHandshakeComplete, []byte(`{}`)))
			_ = server.Write(numbered(t, 2, wire.PayloadOutput, []byte("out")))
			_ = server.Write(numbered(t, 3, wire.PayloadExitCode, []byte("EXIT_CODE: 3")))
			_ = server.Write(closedFrame(t, ""))
		})
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info().Kind; got != wire.NonInteractiveCommands {
			t.Errorf("kind %q", got)
		}
		var out bytes.Buffer
		exit, err := s.CopyOutput(&out, io.Discard)
		if err != nil || out.String() != "out" || exit.Code != 3 || !exit.HasCode {
			t.Errorf("got %q, %+v, %v", out.String(), exit, err)
		}
	})
}

// TestDamagedTailIsAnError: nothing from behind the damage is read, whichever
// part of the client comes upon it.
func TestDamagedTailIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		first  string
		closed bool
	}{
		"after the end":        {first: "a", closed: true},
		"while a reader waits": {first: "a"},
		// The rest waits until the application has taken this.
		"behind a full hand-over": {first: strings.Repeat("a", deliverBytes)},
	} {
		t.Run(name, func(t *testing.T) { damagedTail(t, c.first, c.closed) })
	}
}

func damagedTail(t *testing.T, first string, closed bool) {
	synctest.Test(t, func(t *testing.T) {
		key := make([]byte, 64)
		key[1], key[33] = 1, 2
		agentSeal, _ := newSeal(append(bytes.Clone(key[32:]), key[:32]...))
		client, server := newPipe(faults{}, 1)
		_ = server.Write(numbered(t, 0, wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"})))
		time.AfterFunc(time.Second, func() {
			_ = server.Write(numbered(t, 1, wire.PayloadHandshakeComplete, []byte(`{}`)))
		})
		s, err := Dial(t.Context(), ticket, WithKeys(keySource(func(string, map[string]string) ([]byte, []byte, error) {
			return bytes.Clone(key), []byte("sealed"), nil
		}), "i-1"), WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if err != nil {
			t.Fatal(err)
		}
		seq := int64(2)
		send := func(text string, damage bool) {
			c, _ := agentSeal.Seal([]byte(text))
			if damage {
				c[len(c)-1] ^= 1
			}
			_ = server.Write(numbered(t, seq, wire.PayloadOutput, c))
			seq++
		}
		send(first, false)
		send("b", true)
		send("c", false)
		if closed {
			_ = server.Write(closedFrame(t, ""))
		}
		synctest.Wait()
		got, err := io.ReadAll(s)
		var protocol *ProtocolError
		if string(got) != first || !errors.As(err, &protocol) {
			t.Errorf("read %d bytes that end in %q, %v; want what came before the damage and an error", len(got), got[max(0, len(got)-3):], err)
		}
	})
}

func TestPlaintextBeforeTheKeyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := scripted(t, [][]byte{
			numbered(t, 0, wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"})),
			numbered(t, 1, wire.PayloadOutput, []byte("forged")),
			numbered(t, 2, wire.PayloadHandshakeComplete, []byte(`{}`)),
		}, WithKeys(keySource(func(string, map[string]string) ([]byte, []byte, error) {
			time.Sleep(time.Second)
			return nil, nil, errors.New("denied")
		}), "i-1"))
		if err == nil {
			t.Error("a session that was to be encrypted opened in the clear")
		}
	})
}

// TestNoDowngrade: an agent that goes on although there is no key.
func TestNoDowngrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(faults{}, 1)
		_ = server.Write(numbered(t, 0, wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionKMSEncryption, wire.KMSEncryptionRequest{KMSKeyID: "k"})))
		time.AfterFunc(time.Second, func() {
			_ = server.Write(numbered(t, 1, wire.PayloadHandshakeComplete, []byte(`{}`)))
		})
		denied := errors.New("kms denied")
		_, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }),
			WithKeys(keySource(func(string, map[string]string) ([]byte, []byte, error) { return nil, nil, denied }), "i-1"))
		if !errors.Is(err, denied) {
			t.Errorf("got %v, want the refusal to go on without encryption", err)
		}
	})
}

func TestRepeatedHandshakeDoesNotExtendTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(faults{}, 1)
		go func() {
			for seq := int64(0); ; seq++ {
				select {
				case <-client.closed:
					return
				case <-time.After(10 * time.Second):
					_ = server.Write(numbered(t, seq, wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionSessionType, wire.SessionTypeRequest{SessionType: wire.Port})))
				}
			}
		}()
		start := time.Now()
		_, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if !errors.Is(err, ErrNotReady) || time.Since(start) > firstMessageWait+restWait {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
	})
}

// TestBlockedWriterOfADeadPeer: the pings find out, and the writer that is stuck
// must not hide it.
func TestBlockedWriterOfADeadPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newDeadConn(numbered(t, 0, wire.PayloadOutput, []byte("$")))
		start := time.Now()
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return c, nil }))
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = s.Write([]byte("x")) }()
		done := make(chan struct{})
		go func() { _, _ = s.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Hour):
			t.Error("a dead connection was not noticed within an hour")
			_ = c.Close()
		}
		if _, err := s.Wait(); !strings.Contains(err.Error(), "nothing was heard") {
			t.Errorf("ended with %v", err)
		}
		if d := time.Since(start); d > deadAfter+time.Second {
			t.Errorf("noticed after %s, want %s", d, deadAfter)
		}
	})
}

// TestSilentAgentBehindABlockedWriter: what cannot even be sent is silence too.
func TestSilentAgentBehindABlockedWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newDeadConn(numbered(t, 0, wire.PayloadOutput, []byte("$")))
		var events []Event
		s, err := Dial(t.Context(), ticket, WithEvents(func(e Event) { events = append(events, e) }),
			WithDialer(func(context.Context, Ticket) (Conn, error) { return struct{ Conn }{c}, nil }))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte("x"))
		time.Sleep(time.Minute)
		s.Abort()
		if len(events) != 1 || events[0].Kind != AgentSilent {
			t.Errorf("events %v, want a silent agent", events)
		}
	})
}

// deadConn gives some frames and is dead from then on: a write blocks, no pong
// comes.
type deadConn struct {
	frames chan []byte
	closed chan struct{}
	at     time.Time
}

func newDeadConn(frames ...[]byte) *deadConn {
	c := &deadConn{frames: make(chan []byte, len(frames)), closed: make(chan struct{}), at: time.Now()}
	for _, f := range frames {
		c.frames <- f
	}
	return c
}

func (c *deadConn) Read() ([]byte, error) {
	select {
	case <-c.closed:
		return nil, errPipe
	default:
	}
	select {
	case b := <-c.frames:
		return b, nil
	case <-c.closed:
		return nil, errPipe
	}
}

func (c *deadConn) Write([]byte) error {
	<-c.closed
	return errPipe
}

func (c *deadConn) Ping(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (c *deadConn) Heard() time.Time { return c.at }

func (c *deadConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}
