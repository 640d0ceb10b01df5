package sessionclient

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

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
