package reliable

// Limits bounds what a Receiver holds. Zero fields mean the defaults.
type Limits struct {
	ReadyBytes int // in order, not yet taken by the application; default 16 MiB
	EarlyBytes int // ahead of a gap; default 8 MiB
	EarlyCount int // default 10000, as in the reference client
}

const (
	defaultReadyBytes = 16 << 20
	defaultEarlyBytes = 8 << 20
	defaultEarlyCount = 10000
)

// Receiver is the receiving half of a stream. T is what a message carries.
type Receiver[T any] struct {
	limits     Limits
	next       int64
	ready      queue[T]
	early      map[int64]entry[T]
	earlyBytes int
}

type entry[T any] struct {
	item T
	size int
}

// NewReceiver returns a Receiver that expects number 0.
func NewReceiver[T any](l Limits) *Receiver[T] {
	if l.ReadyBytes <= 0 {
		l.ReadyBytes = defaultReadyBytes
	}
	if l.EarlyBytes <= 0 {
		l.EarlyBytes = defaultEarlyBytes
	}
	if l.EarlyCount <= 0 {
		l.EarlyCount = defaultEarlyCount
	}
	return &Receiver[T]{limits: l, early: make(map[int64]entry[T])}
}

// Receive takes message seq, of size bytes. It reports whether the message is to
// be acknowledged: true when it is kept or was had before, false when there was
// no room, so that the peer sends it again.
func (r *Receiver[T]) Receive(seq int64, size int, item T) (ack bool) {
	switch {
	case seq < 0:
		return false // no sender numbers below 0
	case seq < r.next:
		return true // had before; the peer missed our acknowledgement
	case seq == r.next:
		if r.Full() {
			return false
		}
		r.next++
		r.ready.push(entry[T]{item, size})
		r.promote()
		return true
	}
	if _, dup := r.early[seq]; dup {
		return true
	}
	if len(r.early) >= r.limits.EarlyCount || r.earlyBytes+size > r.limits.EarlyBytes ||
		seq-r.next > int64(10*r.limits.EarlyCount) {
		return false
	}
	r.early[seq] = entry[T]{item, size}
	r.earlyBytes += size
	return true
}

// promote moves what has become deliverable out of early. It may exceed
// ReadyBytes: those messages were acknowledged and are held already.
func (r *Receiver[T]) promote() {
	for len(r.early) > 0 {
		e, ok := r.early[r.next]
		if !ok {
			return
		}
		delete(r.early, r.next)
		r.earlyBytes -= e.size
		r.next++
		r.ready.push(e)
	}
}

// Peek returns the next message in order without taking it.
func (r *Receiver[T]) Peek() (item T, ok bool) {
	if r.ready.len() == 0 {
		return item, false
	}
	return r.ready.front().item, true
}

// Take removes and returns the next message in order.
func (r *Receiver[T]) Take() (item T, ok bool) {
	if r.ready.len() == 0 {
		return item, false
	}
	return r.ready.pop().item, true
}

// Full reports whether the application lags so far behind that reading the
// connection must stop.
func (r *Receiver[T]) Full() bool { return r.ready.bytes >= r.limits.ReadyBytes }

// Expected is the number of the next message in order: all below were received.
func (r *Receiver[T]) Expected() int64 { return r.next }

// Held returns how many messages and bytes wait, in order and ahead of gaps.
func (r *Receiver[T]) Held() (messages, bytes int) {
	return r.ready.len() + len(r.early), r.ready.bytes + r.earlyBytes
}

// queue is a growing ring that forgets what it gave away.
type queue[T any] struct {
	ring  []entry[T]
	head  int
	n     int
	bytes int
}

func (q *queue[T]) len() int { return q.n }

func (q *queue[T]) front() *entry[T] { return &q.ring[q.head] }

func (q *queue[T]) push(e entry[T]) {
	if q.n == len(q.ring) {
		bigger := make([]entry[T], max(16, 2*len(q.ring)))
		for i := range q.n {
			bigger[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = bigger, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = e
	q.n++
	q.bytes += e.size
}

func (q *queue[T]) pop() entry[T] {
	e := q.ring[q.head]
	q.ring[q.head] = entry[T]{}
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	q.bytes -= e.size
	return e
}
