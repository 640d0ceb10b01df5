package reliable

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestLossesWithAFullWindow loses messages at random on a fast link, with a
// window larger than what the receiver is told to hold ahead of a gap. Whatever
// is lost, the stream goes on.
func TestLossesWithAFullWindow(t *testing.T) {
	tests := []struct {
		name  string
		total int
		ahead int
		seeds uint64
		most  time.Duration
	}{
		{"the receiver holds all that can come", 20_000, 6000, 6, 5 * time.Second},
		// Its refusals count as losses, and are told from them by nothing: only
		// timeouts go on. It took hours when others than the lowest went first.
		{"the receiver refuses most of it", 10_000, 0, 1, 10 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range tt.seeds {
				a := newEnd(tt.total, Window{Bytes: 8 << 20, Messages: 4096, Ahead: tt.ahead}, Limits{})
				b := newEnd(0, Window{}, Limits{EarlyBytes: 16 << 20, EarlyCount: 6000})
				if tt.ahead == 0 {
					b = newEnd(0, Window{}, Limits{EarlyCount: 1500})
				}
				w := newWorld(t, a, b, nil)
				w.fate = silentLosses(w, seed)
				w.run()
				took := w.now.Sub(start)
				t.Logf("seed %d: %d resends, %d lost, %d refused, %v", seed, w.resends(), w.lost, w.refused, took)
				if took > tt.most {
					t.Errorf("seed %d: took %v, want at most %v", seed, took, tt.most)
				}
			}
		})
	}
}

// silentLosses loses 1 or 2 % of the data, and now and then all of up to 10 ms.
func silentLosses(w *world, seed uint64) func(packet) []time.Duration {
	rng := rand.New(rand.NewPCG(seed, 65))
	link := bottleneck(w, 10*time.Microsecond)
	loss := 0.01 + float64(seed%2)/100
	var deaf time.Time
	return func(p packet) []time.Duration {
		delays := link(p)
		switch {
		case p.ack:
			return []time.Duration{50 * time.Microsecond}
		case rng.Float64() < loss/200:
			deaf = w.now.Add(time.Duration(rng.IntN(10)) * ms)
		}
		if w.now.Before(deaf) || rng.Float64() < loss {
			return nil
		}
		return delays
	}
}
