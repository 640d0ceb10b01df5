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

// sent returns the data messages the client has sent since the last call, each
// once, however often it was sent.
func sent(t *testing.T, server *pipeEnd) (data []wire.Message) {
	t.Helper()
	synctest.Wait()
	for len(server.in) > 0 {
		m, err := wire.Decode(<-server.in)
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == wire.InputStreamData && m.Seq >= server.next {
			server.next = m.Seq + 1
			data = append(data, m)
		}
	}
	return data
}

func sessionType(kind wire.SessionType) []byte {
	return request("3.3.1142.0", wire.ActionSessionType, wire.SessionTypeRequest{SessionType: kind})
}

// TestExactlyOneResponse: however often the agent asks, and in whatever order
// the messages of the handshake come.
func TestExactlyOneResponse(t *testing.T) {
	complete := []byte("{}")
	tests := []struct {
		name   string
		frames [][]byte
	}{
		{"asked once", [][]byte{
			numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
			numbered(t, 1, wire.PayloadHandshakeComplete, complete),
		}},
		{"the request comes again under its number", [][]byte{
			numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
			numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
			numbered(t, 1, wire.PayloadHandshakeComplete, complete),
			numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
		}},
		{"a second request under a new number", [][]byte{
			numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
			numbered(t, 1, wire.PayloadHandshakeRequest, sessionType(wire.StandardStream)),
			numbered(t, 2, wire.PayloadHandshakeComplete, complete),
			numbered(t, 3, wire.PayloadHandshakeRequest, sessionType(wire.StandardStream)),
			numbered(t, 4, wire.PayloadHandshakeComplete, complete),
		}},
		{"completed before it was asked for", [][]byte{
			numbered(t, 0, wire.PayloadHandshakeComplete, complete),
			numbered(t, 1, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
			numbered(t, 2, wire.PayloadHandshakeComplete, complete),
		}},
		{"a challenge nobody asked for", [][]byte{
			numbered(t, 0, wire.PayloadEncChallengeRequest, []byte(`{"Challenge":"AAAA"}`)),
			numbered(t, 1, wire.PayloadHandshakeRequest, sessionType(wire.Port)),
			numbered(t, 2, wire.PayloadEncChallengeRequest, []byte(`{"Challenge":"AAAA"}`)),
			numbered(t, 3, wire.PayloadHandshakeComplete, complete),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, server, err := scripted(t, tt.frames, WithSize(80, 24))
				if err != nil {
					t.Fatal(err)
				}
				data := sent(t, server)
				if len(data) != 1 || data[0].PayloadType != wire.PayloadHandshakeResponse || data[0].Seq != 0 {
					t.Errorf("sent %d data messages, want one response", len(data))
				}
				if i := s.Info(); i.Kind != wire.Port || i.AgentVersion != "3.3.1142.0" || i.Encrypted {
					t.Errorf("info %+v", i)
				}
				s.Abort()
			})
		})
	}
}

// TestSizes: never before the agent is ready, never of nothing, and only where
// there is a terminal.
func TestSizes(t *testing.T) {
	tests := []struct {
		name string
		kind wire.SessionType
		ask  [][2]int // resizes after the start
		want []string
	}{
		{"a shell", wire.StandardStream, [][2]int{{80, 24}}, []string{`{"cols":132,"rows":43}`, `{"cols":80,"rows":24}`}},
		{"a command on a terminal", wire.InteractiveCommands, nil, []string{`{"cols":132,"rows":43}`}},
		{"a command without", wire.NonInteractiveCommands, [][2]int{{80, 24}}, nil},
		{"a port", wire.Port, [][2]int{{80, 24}}, nil},
		{"sizes of nothing", wire.StandardStream, [][2]int{{0, 0}, {80, 0}, {0, 24}, {-1, 5}}, []string{`{"cols":132,"rows":43}`}},
		{"absurd sizes", wire.StandardStream, [][2]int{{1 << 30, 1 << 20}}, []string{`{"cols":132,"rows":43}`, `{"cols":32768,"rows":32768}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newPipe(faults{}, 1)
				_ = server.Write(numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(tt.kind)))
				ready := false
				time.AfterFunc(time.Second, func() {
					if data := sent(t, server); len(data) != 1 || data[0].PayloadType != wire.PayloadHandshakeResponse {
						t.Errorf("%d data messages before the agent was ready, want the response", len(data))
					}
					ready = true
					_ = server.Write(numbered(t, 1, wire.PayloadHandshakeComplete, []byte("{}")))
				})
				s, err := Dial(t.Context(), ticket, WithSize(132, 43), WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
				if err != nil || !ready {
					t.Fatal(ready, err)
				}
				synctest.Wait()
				for _, size := range tt.ask {
					s.Resize(size[0], size[1])
					synctest.Wait()
				}
				var got []string
				for _, m := range sent(t, server) {
					got = append(got, string(m.Payload))
				}
				if strings.Join(got, " ") != strings.Join(tt.want, " ") {
					t.Errorf("sent %q, want %q", got, tt.want)
				}
				s.Abort()
			})
		})
	}
}

// TestUnusableKeys: the agent is told, and so is the user.
func TestUnusableKeys(t *testing.T) {
	tests := []struct {
		name string
		keys KeySource
		kms  any
		want string
	}{
		{"too short", keySource(func(string, map[string]string) ([]byte, []byte, error) { return make([]byte, 32), []byte("s"), nil }), wire.KMSEncryptionRequest{KMSKeyID: "k"}, "data key has 32 bytes, want 64"},
		{"none to be had", nil, wire.KMSEncryptionRequest{KMSKeyID: "arn:k"}, "KMS key arn:k, which this client was not set up for"},
		{"the service hangs", ctxKeys(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }), wire.KMSEncryptionRequest{KMSKeyID: "k"}, errLateKey.Error()},
		{"asked for without a key", keySource(func(string, map[string]string) ([]byte, []byte, error) { panic("asked") }), wire.KMSEncryptionRequest{}, errClear.Error()},
		{"a malformed wish", keySource(func(string, map[string]string) ([]byte, []byte, error) { panic("asked") }), 7, errClear.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t}
				statuses := 0
				w.agent = newAgent(t, func(a *agent, typ wire.PayloadType, payload []byte) {
					var resp wire.HandshakeResponse
					if typ == wire.PayloadHandshakeResponse && json.Unmarshal(payload, &resp) == nil && resp.ProcessedClientActions[0].ActionStatus == wire.ActionFailed {
						statuses++
					}
					a.send(wire.PayloadHandshakeComplete, []byte("{}")) // an agent that does not mind
				})
				w.agent.do(func() {
					w.agent.send(wire.PayloadHandshakeRequest, request("3.3.1142.0", wire.ActionKMSEncryption, tt.kms))
				})
				start := time.Now()
				_, err := Dial(t.Context(), ticket, w.options(WithKeys(tt.keys, "i-1"))...)
				if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if statuses != 1 || time.Since(start) >= 15*time.Second {
					t.Errorf("the agent was told %d times, after %s", statuses, time.Since(start))
				}
			})
		})
	}
}

// TestLateHandshake: an agent that was taken for ready because it was silent.
func TestLateHandshake(t *testing.T) {
	start, err := wire.AppendService(nil, &wire.Message{Type: wire.StartPublication})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("is made up for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, server, err := scripted(t, [][]byte{start})
			if err != nil {
				t.Fatal(err)
			}
			_ = server.Write(numbered(t, 0, wire.PayloadHandshakeRequest, sessionType(wire.Port)))
			if data := sent(t, server); len(data) != 1 || data[0].PayloadType != wire.PayloadHandshakeResponse {
				t.Fatalf("sent %d messages, want the response", len(data))
			}
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				_, _ = s.Write([]byte("x"))
			}()
			if data := sent(t, server); len(data) != 0 {
				t.Error("input was sent during the handshake")
			}
			_ = server.Write(numbered(t, 1, wire.PayloadHandshakeComplete, []byte("{}")))
			<-wrote
			if data := sent(t, server); len(data) != 1 || s.Info().Kind != wire.Port {
				t.Errorf("sent %d messages, kind %q", len(data), s.Info().Kind)
			}
			s.Abort()
		})
	})
	t.Run("is waited for where there always is one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, _, err := scripted(t, [][]byte{start}, WithHandshake())
			if !errors.Is(err, ErrNotReady) || time.Since(began) != firstMessageWait {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
		})
	})
	t.Run("does not come after output", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, server, err := scripted(t, [][]byte{start})
			if err != nil {
				t.Fatal(err)
			}
			_ = server.Write(numbered(t, 0, wire.PayloadOutput, []byte("$")))
			_ = server.Write(numbered(t, 1, wire.PayloadHandshakeRequest, sessionType(wire.Port)))
			if data := sent(t, server); len(data) != 0 {
				t.Error("a running shell answered a handshake")
			}
			s.Abort()
		})
	})
}

// TestHostileNumbers: they are neither acknowledged nor delivered, and harm
// nothing.
func TestHostileNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(faults{}, 1)
		for _, seq := range []int64{-1, -1 << 63, 1<<63 - 1, 1 << 40, 200000} {
			_ = server.Write(numbered(t, seq, wire.PayloadOutput, []byte("evil")))
		}
		_ = server.Write(numbered(t, 0, wire.PayloadOutput, []byte("good")))
		s, err := Dial(t.Context(), ticket, WithDialer(func(context.Context, Ticket) (Conn, error) { return client, nil }))
		if err != nil {
			t.Fatal(err)
		}
		for _, seq := range []int64{-1, 0, 7, 1<<63 - 1} {
			b, _ := wire.Append(nil, &wire.Message{Type: wire.Acknowledge, Created: 1, Payload: wire.AppendAck(nil, wire.Ack{MessageType: wire.InputStreamData, Seq: seq})})
			_ = server.Write(b)
		}
		synctest.Wait()
		acks := len(server.in)
		_, _ = s.Write([]byte("x"))
		if data := sent(t, server); acks != 1 || len(data) != 1 || data[0].Seq != 0 {
			t.Errorf("%d acknowledgements, %d messages", acks, len(data))
		}
		_ = server.Write(closedFrame(t, ""))
		var out bytes.Buffer
		if _, err := io.Copy(&out, s); err != nil || out.String() != "good" {
			t.Errorf("read %q, %v", out.String(), err)
		}
	})
}
