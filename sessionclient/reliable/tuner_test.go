package reliable

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// road is a path of its own rate and round trip, with a queue without end.
type road struct {
	rate  float64 // bytes a second
	trip  time.Duration
	free  time.Duration // when the last message has left the queue
	block time.Duration // nothing leaves it before
}

// send puts n bytes on the road at a time and returns when they are acknowledged.
func (r *road) send(at time.Duration, n int) time.Duration {
	r.free = max(r.free, at, r.block) + time.Duration(float64(n)/r.rate*1e9)
	return r.free + r.trip
}

// journey drives a Sender over a road.
type journey struct {
	*Sender
	road      *road
	at        time.Duration
	frame     []byte
	acks      fifo[ackAt] // in order of arrival, for the road keeps order
	delivered int
	most      int // bytes in flight
	echo      time.Duration
}

type ackAt struct {
	seq  int64
	at   time.Duration
	size int
}

func newJourney(r *road, payload int) *journey {
	s := NewSender(Window{Bytes: 1 << 20, Most: 8 << 20})
	return &journey{Sender: s, road: r, frame: make([]byte, payload+144)}
}

func (j *journey) now() time.Time { return start.Add(j.at) }

// run goes on for d, with a source that always has more.
func (j *journey) run(d time.Duration) (rate float64) {
	end, from := j.at+d, j.delivered
	j.most, j.echo = 0, 0
	for j.at < end {
		for j.CanPush() {
			j.Push(j.frame)
		}
		for {
			seq := j.tx
			frame, ok := j.Next(j.now())
			if !ok {
				break
			}
			if seq == j.tx {
				seq = j.base // resent
			}
			back := j.road.send(j.at, len(frame))
			j.echo = max(j.echo, back-j.at)
			j.acks.push(ackAt{seq, back, len(frame)})
		}
		_, bytes := j.InFlight()
		j.most = max(j.most, bytes)
		next := end
		if j.acks.len() > 0 {
			next = min(next, j.acks.front().at)
		}
		if d := j.Deadline(); !d.IsZero() {
			next = min(next, max(d.Sub(start), j.at))
		}
		j.at = next
		for j.acks.len() > 0 && j.acks.front().at <= j.at {
			a := j.acks.pop()
			if j.Acked(j.now(), a.seq) {
				j.delivered += a.size
			}
		}
		j.Expire(j.now())
	}
	return float64(j.delivered-from) / d.Seconds()
}

// TestWindowFollowsThePath: the throughput is the path's, or what the largest
// window makes of it, within a second or two; and what waits on the path is not
// much more than that takes.
func TestWindowFollowsThePath(t *testing.T) {
	for _, trip := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond} {
		for _, mb := range []float64{0.5, 2, 10, 30, 100} {
			for _, payload := range []int{1 << 10, 32 << 10} {
				if payload == 1<<10 && mb > 10 && (mb > 30 || trip != 100*time.Millisecond) {
					continue // nothing new in millions of messages
				}
				t.Run(fmt.Sprintf("%s/%gMB/%d", trip, mb, payload), func(t *testing.T) {
					r := &road{rate: mb * 1e6, trip: trip}
					j := newJourney(r, payload)
					if first := j.run(4 * time.Second); first < 0.6*min(r.rate, 8<<20/trip.Seconds()) && trip <= 100*time.Millisecond {
						t.Errorf("%.1f MB/s in the first seconds", first/1e6)
					}
					j.run(4 * time.Second) // what the first window has put into a slow path is gone
					rate := j.run(12 * time.Second)
					can := min(r.rate, 8<<20/max(trip, 1).Seconds())
					if rate < 0.9*can {
						t.Errorf("%.3f MB/s, want %.1f", rate/1e6, can/1e6)
					}
					product := r.rate * trip.Seconds()
					if most := product*1.25 + r.rate*slack.Seconds()*2 + 2*leastWindow + float64(payload); float64(j.most) > min(most, 8<<20+float64(payload+144)) {
						t.Errorf("%d bytes in flight, want no more than %.0f for a product of %.0f", j.most, most, product)
					}
				})
			}
		}
	}
}

// TestWindowOfAPathThatChanges: it becomes slower, and faster again.
func TestWindowOfAPathThatChanges(t *testing.T) {
	r := &road{rate: 50e6, trip: 50 * time.Millisecond}
	j := newJourney(r, 8<<10)
	j.run(5 * time.Second)
	for _, mb := range []float64{5, 40, 1, 60} {
		r.rate = mb * 1e6
		j.run(5 * time.Second)
		if rate := j.run(5 * time.Second); rate < 0.9*r.rate {
			t.Errorf("%.1f MB/s of %g", rate/1e6, mb)
		}
		if limit := r.rate*0.1 + 3*leastWindow; float64(j.most) > limit {
			t.Errorf("%d bytes in flight at %g MB/s, want no more than %.0f", j.most, mb, limit)
		}
	}
	// A detour: the old round trip is forgotten in time.
	r.rate, r.trip = 30e6, 150*time.Millisecond
	j.run(30 * time.Second)
	if rate := j.run(10 * time.Second); rate < 0.85*r.rate {
		t.Errorf("%.1f MB/s after a detour", rate/1e6)
	}
}

// TestWindowAfterAStall: it has shrunk, and grows again.
func TestWindowAfterAStall(t *testing.T) {
	r := &road{rate: 40e6, trip: 20 * time.Millisecond}
	j := newJourney(r, 4<<10)
	j.run(5 * time.Second)
	r.block = j.at + 3*time.Second
	j.run(2900 * time.Millisecond)
	if j.Limit() > 256<<10 {
		t.Errorf("a window of %d bytes though nothing is acknowledged", j.Limit())
	}
	j.run(1500 * time.Millisecond)
	if rate := j.run(2 * time.Second); rate < 0.9*r.rate {
		t.Errorf("%.1f MB/s a second after the stall", rate/1e6)
	}
}

// TestWindowOfARest: a source with little to send leaves the window alone.
func TestWindowOfARest(t *testing.T) {
	r := &road{rate: 40e6, trip: 20 * time.Millisecond}
	j := newJourney(r, 1024)
	j.run(5 * time.Second)
	had := j.Limit()
	for range 100 {
		j.Push(j.frame)
		j.Next(j.now())
		j.at += 100 * time.Millisecond
		for j.acks.len() > 0 {
			j.Acked(j.now(), j.acks.pop().seq)
		}
		j.Acked(j.now(), j.NextSeq()-1)
	}
	if j.Limit() != had {
		t.Errorf("the window went from %d to %d bytes while there was little to send", had, j.Limit())
	}
	j.Reconnected(j.now())
	if j.Limit() != 1<<20 {
		t.Errorf("a window of %d bytes on a new connection", j.Limit())
	}
}

// TestTunedWindowOverABadLink: whatever the window does, everything arrives, once
// and in order.
func TestTunedWindowOverABadLink(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := upload(t, 20_000, nil)
		tuned := Window{Bytes: 64 << 10, Most: 2 << 20}
		w.ends[0].snd.SetWindow(tuned)
		w.ends[0].window = Window{Bytes: tuned.Most, Messages: defaultTunedMessages}
		most := 0
		w.fate = func(packet) []time.Duration {
			most = max(most, w.ends[0].snd.Limit())
			d := 20*time.Millisecond + time.Duration(rng.IntN(2))*ms
			switch n := rng.IntN(5000); {
			case n == 0:
				w.cut()
				return nil
			case n < 20:
				return nil
			case n < 200:
				return []time.Duration{d, d + 5*ms}
			}
			return []time.Duration{d}
		}
		w.run()
		if most <= tuned.Bytes {
			t.Errorf("seed %d: the window never grew beyond %d bytes", seed, most)
		}
	}
}

func TestFixedWindowStaysAsItIs(t *testing.T) {
	r := &road{rate: 1e6, trip: 100 * time.Millisecond}
	j := newJourney(r, 1024)
	j.SetWindow(Window{Bytes: 256 << 10})
	j.run(10 * time.Second)
	if j.Limit() != 256<<10 || j.most < 256<<10 {
		t.Errorf("a window of %d bytes, %d in flight", j.Limit(), j.most)
	}
}
