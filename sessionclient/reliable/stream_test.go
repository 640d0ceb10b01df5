package reliable

import (
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestResendsStayInProportionToLosses(t *testing.T) {
	tests := []struct {
		name  string
		total int
		link  func(w *world) func(packet) []time.Duration
		// most resends, given what the link lost, and most virtual time
		most   func(lost int) int
		within time.Duration
	}{
		{
			"a fast ideal link needs none", 5000,
			func(*world) func(packet) []time.Duration { return after(ms / 10) },
			func(int) int { return 0 }, time.Second,
		},
		{
			"a round trip below the first timeout needs none", 5000,
			func(*world) func(packet) []time.Duration { return after(95 * ms) },
			func(int) int { return 0 }, 2 * time.Second,
		},
		{
			"a round trip of three seconds costs one burst until it is known", 10000,
			func(*world) func(packet) []time.Duration { return after(1500 * ms) },
			func(int) int { return burst + 10 }, 40 * time.Second,
		},
		{
			"a slow uplink with ten seconds of queue is not flooded", 5000,
			func(w *world) func(packet) []time.Duration { return bottleneck(w, 10*ms) },
			func(int) int { return burst + 10 }, 52 * time.Second,
		},
		{
			"frames that are overtaken by two are not lost", 5000,
			func(w *world) func(packet) []time.Duration {
				spaced := bottleneck(w, ms/10)
				return func(p packet) []time.Duration {
					delays := spaced(p)
					if !p.ack && p.seq%5 == 0 {
						delays[0] += ms / 4
					}
					return delays
				}
			},
			func(int) int { return 0 }, time.Second,
		},
		{
			"five percent of the data lost", 10000,
			func(*world) func(packet) []time.Duration { return lossy(0.05, 0, 20*ms) },
			func(lost int) int { return lost + lost/10 + 10 }, 10 * time.Second,
		},
		{
			"five percent of the acknowledgements lost", 10000,
			func(*world) func(packet) []time.Duration { return lossy(0, 0.05, 20*ms) },
			func(lost int) int { return lost + lost/10 + 10 }, 10 * time.Second,
		},
		{
			"a fifth of everything lost", 5000,
			func(*world) func(packet) []time.Duration { return lossy(0.2, 0.2, 20*ms) },
			func(lost int) int { return lost + lost/4 + burst }, 15 * time.Second,
		},
		{
			"half of everything lost", 2000,
			func(*world) func(packet) []time.Duration { return lossy(0.5, 0.5, 20*ms) },
			func(lost int) int { return lost + lost/2 + burst }, 5 * time.Minute,
		},
		{
			"an outage of three seconds", 8000,
			func(w *world) func(packet) []time.Duration { return outage(w, 200*ms, 3200*ms, bottleneck(w, ms)) },
			func(lost int) int { return lost + 10 }, 14 * time.Second,
		},
		{
			"an outage that hits all there is", 500,
			func(w *world) func(packet) []time.Duration { return outage(w, 0, 2*time.Second, after(ms)) },
			func(lost int) int { return lost + 10 }, 8 * time.Second,
		},
		{
			"a destination that stands still for ten seconds", 5000,
			func(w *world) func(packet) []time.Duration { return bottleneck(w, ms, 300*ms, 10300*ms) },
			func(int) int { return burst + 10 }, 16 * time.Second,
		},
		{
			"a slow destination that stands still for ten seconds", 2000,
			func(w *world) func(packet) []time.Duration {
				return bottleneck(w, 10*ms, 3*time.Second, 13*time.Second)
			},
			func(int) int { return burst + 10 }, 32 * time.Second,
		},
		{
			"cuts resend what was under way and no more", 5000,
			func(w *world) func(packet) []time.Duration { return cutEvery(w, 100*ms, bottleneck(w, ms/10)) },
			func(lost int) int { return lost }, 2 * time.Second,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := upload(t, tt.total, nil)
			w.fate = tt.link(w)
			w.run()
			took := w.now.Sub(start)
			t.Logf("%d resends, %d lost, %v", w.resends(), w.lost, took)
			if most := tt.most(w.lost); w.resends() > most {
				t.Errorf("%d frames sent again, want at most %d; the link lost %d packets", w.resends(), most, w.lost)
			}
			if took > tt.within {
				t.Errorf("took %v, want at most %v", took, tt.within)
			}
		})
	}
}

// lossy loses that share of data and acknowledgements at random.
func lossy(data, acks float64, delay time.Duration) func(packet) []time.Duration {
	rng := rand.New(rand.NewPCG(1, 2))
	return func(p packet) []time.Duration {
		if share := rng.Float64(); p.ack && share < acks || !p.ack && share < data {
			return nil
		}
		return []time.Duration{delay}
	}
}

// bottleneck delivers one data packet per interval and queues the rest. It
// delivers nothing between the two moments given, if any.
func bottleneck(w *world, interval time.Duration, still ...time.Duration) func(packet) []time.Duration {
	var free time.Duration
	conn := w.conn
	return func(p packet) []time.Duration {
		now := w.now.Sub(start)
		if p.ack {
			return []time.Duration{5 * ms}
		}
		if conn != w.conn {
			conn, free = w.conn, 0 // the queue is gone with its connection
		}
		free = max(free, now) + interval
		if len(still) == 2 && free >= still[0] && free < still[1] {
			free = still[1]
		}
		return []time.Duration{free - now}
	}
}

// outage loses everything between two moments.
func outage(w *world, from, to time.Duration, link func(packet) []time.Duration) func(packet) []time.Duration {
	return func(p packet) []time.Duration {
		if since := w.now.Sub(start); since >= from && since < to {
			return nil
		}
		return link(p)
	}
}

func cutEvery(w *world, interval time.Duration, link func(packet) []time.Duration) func(packet) []time.Duration {
	next := interval
	return func(p packet) []time.Duration {
		if w.now.Sub(start) >= next {
			next = w.now.Sub(start) + interval
			w.cut()
		}
		return link(p)
	}
}

func TestSparseTrafficLearnsASlowPath(t *testing.T) {
	// One message at a time over a path slower than the first timeout: only the
	// back-off that survives from frame to frame ever allows a sample.
	s := NewSender(Window{})
	now, resends := start, 0
	for range 20 {
		s.Push([]byte("key"))
		answer := now.Add(2 * time.Second)
		for n := 0; ; n++ {
			if _, ok := s.Next(now); !ok {
				t.Fatal("nothing to send")
			}
			if n > 0 {
				resends++
			}
			if now = s.Deadline(); now.After(answer) {
				break
			}
			s.Expire(now)
		}
		now = answer
		s.Acked(now, s.NextSeq()-1)
	}
	if resends > 5 {
		t.Errorf("20 messages cost %d resends on a lossless path", resends)
	}
	if got := s.RoundTrip(); got < 1500*ms {
		t.Errorf("round trip estimated as %v, want about 2 s", got)
	}
}

func TestBothDirectionsUnderEverythingAtOnce(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 7))
		a := newEnd(500, Window{Messages: 100}, Limits{})
		b := newEnd(500, Window{Bytes: 64 << 10}, Limits{ReadyBytes: 32 << 10, EarlyBytes: 32 << 10, EarlyCount: 50})
		a.size = func(int) int { return rng.IntN(3000) }
		b.lazy = func() bool { return rng.IntN(4) == 0 }
		w := newWorld(t, a, b, nil)
		w.fate = func(packet) []time.Duration {
			delay := time.Duration(rng.IntN(60)) * ms
			switch n := rng.IntN(1000); {
			case n < 2:
				w.cut()
				return nil
			case n < 60:
				return nil
			case n < 120:
				return []time.Duration{delay, delay + 10*ms}
			}
			return []time.Duration{delay}
		}
		w.run()
	}
}
