package reliable

// Limits bounds what a Receiver holds. Zero fields mean the defaults. Messages
// that were acknowledged early become ready even when there is no room for more,
// so in all it holds at most the ready limit and twice the early one.
type Limits struct {
	ReadyBytes int // in order, not yet taken by the application; default 16 MiB
	ReadyCount int // the same in messages, so that tiny ones are bounded too; default 65536
	EarlyBytes int // ahead of a gap; default 8 MiB
	EarlyCount int // default 10000, as in the reference client
}

const (
	defaultReadyBytes = 16 << 20
	defaultReadyCount = 1 << 16
	defaultEarlyBytes = 8 << 20
	defaultEarlyCount = 10000
)

// Receiver is the receiving half of a stream. T is what a message carries.
type Receiver[T any] struct {
	limits     Limits
	next       int64
	ready      fifo[entry[T]]
	readyBytes int
	early      map[int64]entry[T]
	earlyBytes int
}

type entry[T any] struct {
	item T
	size int
}

// NewReceiver returns a Receiver that expects number 0.
func NewReceiver[T any](l Limits) *Receiver[T] {
	l.ReadyBytes = orDefault(l.ReadyBytes, defaultReadyBytes)
	l.ReadyCount = orDefault(l.ReadyCount, defaultReadyCount)
	l.EarlyBytes = orDefault(l.EarlyBytes, defaultEarlyBytes)
	l.EarlyCount = orDefault(l.EarlyCount, defaultEarlyCount)
	return &Receiver[T]{limits: l, early: make(map[int64]entry[T])}
}

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
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
		r.deliver(entry[T]{item, size})
		r.promote()
		return true
	}
	if _, dup := r.early[seq]; dup {
		return true
	}
	if len(r.early) >= r.limits.EarlyCount || r.earlyBytes+size > r.limits.EarlyBytes ||
		seq-r.next > 10*int64(r.limits.EarlyCount) {
		return false
	}
	r.early[seq] = entry[T]{item, size}
	r.earlyBytes += size
	return true
}

func (r *Receiver[T]) deliver(e entry[T]) {
	r.next++
	r.ready.push(e)
	r.readyBytes += e.size
}

// promote moves what has become deliverable out of early. It may exceed the
// limits of ready: those messages were acknowledged and are held already.
func (r *Receiver[T]) promote() {
	for len(r.early) > 0 {
		e, ok := r.early[r.next]
		if !ok {
			return
		}
		delete(r.early, r.next)
		r.earlyBytes -= e.size
		r.deliver(e)
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
	e := r.ready.pop()
	r.readyBytes -= e.size
	return e.item, true
}

// Full reports whether the application lags so far behind that reading the
// connection must stop.
func (r *Receiver[T]) Full() bool {
	return r.readyBytes >= r.limits.ReadyBytes || r.ready.len() >= r.limits.ReadyCount
}

// Expected is the number of the next message in order: all below were received.
func (r *Receiver[T]) Expected() int64 { return r.next }

// Held returns how many messages and bytes wait, in order and ahead of gaps.
func (r *Receiver[T]) Held() (messages, bytes int) {
	return r.ready.len() + len(r.early), r.readyBytes + r.earlyBytes
}
