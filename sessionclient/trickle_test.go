package sessionclient

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func TestTrickle(t *testing.T) {
	tests := []struct {
		name  string
		pause time.Duration
		size  int
		want  bool
	}{
		{"an agent's bulk data", 1300 * time.Microsecond, 1148, true},
		{"the same, gathered", gatherFor, 4 * 1148, true},
		{"somebody typing fast", 5 * time.Millisecond, 130, false},
		{"full messages now and then", 50 * time.Millisecond, 1148, false},
		{"a fast source", 200 * time.Microsecond, 64 << 10, false},
		{"acknowledgements of a slow upload", time.Millisecond, 300, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr trickle
			now := time.Now()
			for i := range 100 {
				if tr.steady() && i < trickleReads {
					t.Fatalf("steady after %d reads", i)
				}
				now = now.Add(tt.pause)
				tr.read(now, tt.size)
			}
			if tr.steady() != tt.want {
				t.Errorf("steady: %v", tr.steady())
			}
			tr.read(now.Add(time.Millisecond), 130)
			if tr.steady() {
				t.Error("steady after a small message")
			}
		})
	}
}

// TestTrickleIsReadInTime: the last message of a trickle is late by no more than
// what is gathered for, and one that follows on its own is not late at all.
func TestTrickleIsReadInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 200
		sent := make(chan time.Time, 1)
		g := newVirtualGateway(t, func(_ int, ws *websocket.Conn) {
			go func() {
				for {
					if _, _, err := ws.Read(t.Context()); err != nil {
						return
					}
				}
			}()
			for seq := range int64(messages) {
				_ = ws.Write(t.Context(), websocket.MessageBinary, numbered(t, seq, wire.PayloadOutput, make([]byte, 1024)))
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Second)
			sent <- time.Now()
			_ = ws.Write(t.Context(), websocket.MessageBinary, numbered(t, messages, wire.PayloadOutput, []byte("last")))
			<-t.Context().Done()
		})
		s, err := g.dial()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range messages {
			if _, err := s.Next(); err != nil {
				t.Fatal(err)
			}
		}
		// The pipe below holds nothing, so each write waits for its read: at most
		// the whole pause for each message.
		if d := time.Since(start); d > messages*(gatherFor+time.Millisecond) {
			t.Errorf("%d messages took %s", messages, d)
		}
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(<-sent); d > gatherFor {
			t.Errorf("a message on its own took %s", d)
		}
		_ = s.Close()
	})
}
