package gateway

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// defaultSeed makes the random faults of a scenario without a seed repeatable.
const defaultSeed = 0x55d_dec

// laneBytes bounds what a lane keeps on its way. Beyond it the sender waits.
const laneBytes = 64 << 20

// reorderDelay is how much later than its successors a reordered message comes.
const reorderDelay = 5 * time.Millisecond

// lane is one direction of a session, with the troubles of its path. Without
// any, a message goes straight through.
type lane struct {
	deliver func(msg []byte, last bool)

	sending sync.Mutex // one sender at a time keeps the order; guards rng
	rng     *rand.Rand

	mu     sync.Mutex
	space  sync.Cond // on mu
	queue  delayed
	bytes  int
	order  uint64
	latest time.Time // due time of the last message in order
	busy   bool      // carry runs or has a message in hand
	closed bool
	wake   chan struct{} // capacity 1
}

func newLane(seed uint64, direction side, deliver func([]byte, bool)) *lane {
	if seed == 0 {
		seed = defaultSeed
	}
	l := &lane{deliver: deliver, wake: make(chan struct{}, 1), rng: rand.New(rand.NewPCG(seed, uint64(direction)))}
	l.space.L = &l.mu
	return l
}

// send takes one message. It reports whether carry must be started, because the
// message has to wait.
func (l *lane) send(f *world.Faults, msg []byte) (carry bool) {
	l.sending.Lock()
	defer l.sending.Unlock()
	if l.hit(f.Loss) {
		return false
	}
	copies := 1
	if l.hit(f.Duplicate) {
		copies = 2
	}
	if l.hit(f.Corrupt) {
		msg = corrupted(msg)
	}
	for range copies {
		delay, late := f.Latency, l.hit(f.Reorder)
		if f.Jitter > 0 {
			delay += time.Duration(l.rng.Int64N(int64(f.Jitter)))
		}
		if late {
			delay += reorderDelay
		}
		carry = l.enqueue(waiting{msg: msg, late: late}, delay) || carry
	}
	return carry
}

// hit throws the dice.
func (l *lane) hit(p float64) bool { return p > 0 && l.rng.Float64() < p }

// enqueue delivers w after delay. Messages keep their order but for late ones,
// which others overtake.
func (l *lane) enqueue(w waiting, delay time.Duration) (carry bool) {
	l.mu.Lock()
	if delay <= 0 && !l.busy {
		l.mu.Unlock()
		l.deliver(w.msg, w.last)
		return false
	}
	defer l.mu.Unlock()
	for l.bytes >= laneBytes && !l.closed {
		l.space.Wait()
	}
	if l.closed {
		return false
	}
	w.due = time.Now().Add(delay)
	if !w.late {
		if w.due.Before(l.latest) {
			w.due = l.latest
		}
		l.latest = w.due
	}
	l.order++
	w.order = l.order
	heap.Push(&l.queue, w)
	l.bytes += len(w.msg)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	carry, l.busy = !l.busy, true
	return carry
}

// carry delivers what waits, each when its time has come, until nothing is left.
func (l *lane) carry() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		l.mu.Lock()
		if l.closed || len(l.queue) == 0 {
			l.busy = false
			l.mu.Unlock()
			return
		}
		if wait := time.Until(l.queue[0].due); wait > 0 {
			l.mu.Unlock()
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-l.wake:
			}
			continue
		}
		w := heap.Pop(&l.queue).(waiting)
		l.bytes -= len(w.msg)
		l.space.Broadcast()
		l.mu.Unlock()
		l.deliver(w.msg, w.last)
	}
}

// close forgets what waits and lets carry end.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.queue, l.bytes = nil, 0
	l.space.Broadcast()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// corrupted returns a copy of msg with a wrong payload digest.
func corrupted(msg []byte) []byte {
	const digest = 80 // its place in the header
	if len(msg) <= digest {
		return msg
	}
	c := append([]byte(nil), msg...)
	c[digest] ^= 0xff
	return c
}

// waiting is a message on its way.
type waiting struct {
	msg   []byte
	late  bool // others may overtake it
	last  bool // nothing follows
	due   time.Time
	order uint64
}

// delayed is a heap of messages, the first due on top.
type delayed []waiting

func (d delayed) Len() int { return len(d) }
func (d delayed) Less(i, j int) bool {
	if d[i].due.Equal(d[j].due) {
		return d[i].order < d[j].order
	}
	return d[i].due.Before(d[j].due)
}
func (d delayed) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Push and Pop are for package heap.
func (d *delayed) Push(x any) { *d = append(*d, x.(waiting)) }

func (d *delayed) Pop() any {
	old := *d
	n := len(old) - 1
	w := old[n]
	old[n] = waiting{}
	*d = old[:n]
	return w
}
