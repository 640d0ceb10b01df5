package sessionclient

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

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
		{"cuts", faults{delay: 20 * time.Millisecond}, 60 * time.Millisecond, 4 << 20},
		{"everything at once, in bulk", faults{dup: 0.05, reorder: 0.05, delay: 5 * time.Millisecond}, 40 * time.Millisecond, 64 << 20},
		{"everything at once, and loss", faults{loss: 0.02, dup: 0.05, reorder: 0.05, delay: 10 * time.Millisecond}, 35 * time.Millisecond, 4 << 20},
	}
	for _, tt := range tests {
		if raceEnabled {
			tt.size = min(tt.size, 16<<20)
		}
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
	t.Logf("%d connections", w.dials)
	if cut > 0 && !strings.Contains(w.kinds(), "lost,resumed,lost,resumed") {
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
