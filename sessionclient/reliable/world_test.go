package reliable

import (
	"container/heap"
	"encoding/binary"
	"testing"
	"time"
)

// world drives two ends over a link in virtual time. Whatever the link does, it
// checks after every step that the windows and the receivers' limits hold, and
// on every delivery that it is the next one.
type world struct {
	tb     testing.TB
	now    time.Time
	ends   [2]*end
	queue  arrivals
	serial int
	conn   int // number of cuts; what was on an older connection is gone

	// fate returns when a packet arrives, as delays: none is a loss, two a
	// duplicate. It may call cut.
	fate func(p packet) []time.Duration

	lost, late, refused int
}

// end is one side: a program with total messages to send, and its stream.
type end struct {
	snd    *Sender
	rcv    *Receiver[[]byte]
	window Window
	limits Limits
	size   func(i int) int
	total  int
	got    int
	lazy   func() bool // the application takes nothing now
	times  []int       // transmissions of each message
}

type packet struct {
	to    int
	ack   bool
	seq   int64
	frame []byte
}

type arrival struct {
	packet
	at     time.Time
	serial int
	conn   int
}

type arrivals []arrival

func (a arrivals) Len() int      { return len(a) }
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)   { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func (a arrivals) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].serial < a[j].serial
}

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func newEnd(total int, w Window, l Limits) *end {
	return &end{
		snd: NewSender(w), rcv: NewReceiver[[]byte](l), window: w, limits: l, total: total,
		size: func(int) int { return 1024 }, lazy: func() bool { return false },
	}
}

func newWorld(tb testing.TB, a, b *end, fate func(packet) []time.Duration) *world {
	return &world{tb: tb, now: start, ends: [2]*end{a, b}, fate: fate}
}

// upload is a world in which the first end sends total messages of 1 KiB.
func upload(tb testing.TB, total int, fate func(packet) []time.Duration) *world {
	return newWorld(tb, newEnd(total, Window{}, Limits{}), newEnd(0, Window{}, Limits{}), fate)
}

// run goes on until everything has arrived and was acknowledged.
func (w *world) run() {
	w.tb.Helper()
	total := w.ends[0].total + w.ends[1].total
	for step := 0; ; step++ {
		w.work()
		if w.done() {
			return
		}
		next := w.nextEvent()
		if next.IsZero() && w.held() {
			next = w.now.Add(ms) // a program that takes nothing
		}
		if next.IsZero() {
			w.tb.Fatalf("stuck: %d and %d of %d and %d messages arrived, nothing on the way and no deadline",
				w.ends[1].got, w.ends[0].got, w.ends[0].total, w.ends[1].total)
		}
		if step > 10000+500*total {
			w.tb.Fatalf("no end after %d steps and %v", step, w.now.Sub(start))
		}
		if next.After(w.now) {
			w.now = next
		}
		w.arrive()
		for _, e := range w.ends {
			e.snd.Expire(w.now)
		}
	}
}

func (w *world) done() bool {
	for i, e := range w.ends {
		if n, _ := e.snd.InFlight(); n > 0 || e.got < w.ends[1-i].total {
			return false
		}
	}
	return true
}

// held reports whether anything waits for a program to take it.
func (w *world) held() bool {
	a, _ := w.ends[0].rcv.Held()
	b, _ := w.ends[1].rcv.Held()
	return a+b > 0
}

// nextEvent is the next arrival or deadline.
func (w *world) nextEvent() (next time.Time) {
	for _, e := range w.ends {
		if d := e.snd.Deadline(); !d.IsZero() && (next.IsZero() || d.Before(next)) {
			next = d
		}
	}
	if len(w.queue) > 0 && (next.IsZero() || w.queue[0].at.Before(next)) {
		next = w.queue[0].at
	}
	return next
}

// work lets both programs take, push and send what they can.
func (w *world) work() {
	w.tb.Helper()
	for i, e := range w.ends {
		e.take(w.tb)
		for e.snd.CanPush() && int(e.snd.NextSeq()) < e.total {
			e.push(w.tb)
		}
		e.check(w.tb)
		for {
			pending := e.snd.Pending()
			frame, ok := e.snd.Next(w.now)
			if pending != ok {
				w.tb.Fatalf("Pending said %v, Next %v", pending, ok)
			}
			if !ok {
				break
			}
			if len(frame) < 8 {
				w.tb.Fatalf("Next returned a frame that was never pushed: %x", frame)
			}
			seq := int64(binary.BigEndian.Uint64(frame))
			e.times[seq]++
			w.send(packet{to: 1 - i, seq: seq, frame: frame})
		}
	}
}

func (e *end) push(tb testing.TB) {
	seq := e.snd.NextSeq()
	frame := make([]byte, max(8, e.size(int(seq))))
	binary.BigEndian.PutUint64(frame, uint64(seq))
	e.snd.Push(frame)
	e.times = append(e.times, 0)
}

func (e *end) take(tb testing.TB) {
	tb.Helper()
	for !e.lazy() {
		peeked, _ := e.rcv.Peek()
		frame, ok := e.rcv.Take()
		if !ok {
			return
		}
		if seq := binary.BigEndian.Uint64(frame); int(seq) != e.got || &frame[0] != &peeked[0] {
			tb.Fatalf("delivered message %d, want %d", seq, e.got)
		}
		e.got++
	}
}

// check compares what is kept with the limits.
func (e *end) check(tb testing.TB) {
	tb.Helper()
	const biggest = 4096 // the last message let in may exceed a limit in bytes
	messages, bytes := e.snd.InFlight()
	maxMessages, maxBytes := orDefault(e.window.Messages, defaultWindowMessages), orDefault(e.window.Bytes, defaultWindowBytes)
	if messages > maxMessages || bytes >= maxBytes+biggest {
		tb.Fatalf("%d messages, %d bytes unacknowledged; the window is %d, %d", messages, bytes, maxMessages, maxBytes)
	}
	if span := e.snd.next - e.snd.base; span > int64(orDefault(e.window.Ahead, spanFactor*maxMessages)) || len(e.snd.ring) > int(max(64, 2*span+2*int64(spanFactor*maxMessages))) {
		tb.Fatalf("numbering runs %d ahead in a ring of %d", span, len(e.snd.ring))
	}
	l := e.limits
	messages, bytes = e.rcv.Held() // early ones are promoted into a full ready, then others come early
	maxMessages = orDefault(l.ReadyCount, defaultReadyCount) + 2*orDefault(l.EarlyCount, defaultEarlyCount)
	maxBytes = orDefault(l.ReadyBytes, defaultReadyBytes) + 2*orDefault(l.EarlyBytes, defaultEarlyBytes)
	if messages > maxMessages || bytes >= maxBytes+biggest {
		tb.Fatalf("receiver holds %d messages, %d bytes; the limits are %d, %d", messages, bytes, maxMessages, maxBytes)
	}
}

func (w *world) send(p packet) {
	conn := w.conn
	delays := w.fate(p)
	if len(delays) == 0 || conn != w.conn {
		w.lost++
	}
	for _, d := range delays {
		if d >= minRTO/2 {
			w.late++
		}
		w.serial++
		heap.Push(&w.queue, arrival{packet: p, at: w.now.Add(d), serial: w.serial, conn: conn})
	}
}

// arrive hands over everything that is due.
func (w *world) arrive() {
	w.tb.Helper()
	for len(w.queue) > 0 && !w.queue[0].at.After(w.now) {
		a := heap.Pop(&w.queue).(arrival)
		if a.conn != w.conn {
			continue
		}
		e := w.ends[a.to]
		if a.ack {
			e.snd.Acked(w.now, a.seq)
			continue
		}
		if e.rcv.Receive(a.seq, len(a.frame), a.frame) {
			w.send(packet{to: 1 - a.to, ack: true, seq: a.seq})
		} else {
			w.refused++
		}
	}
}

// cut replaces the connection: all that is under way is lost.
func (w *world) cut() {
	w.conn++
	for _, a := range w.queue {
		if a.conn == w.conn-1 {
			w.lost++
		}
	}
	for _, e := range w.ends {
		e.snd.Reconnected(w.now)
	}
}

// resends counts the transmissions beyond the first.
func (w *world) resends() (n int) {
	for _, e := range w.ends {
		for _, times := range e.times {
			n += times - 1
		}
	}
	return n
}

// after is the fate of an ideal link.
func after(d time.Duration) func(packet) []time.Duration {
	return func(packet) []time.Duration { return []time.Duration{d} }
}
