package reliable

// fifo is a queue in a growing ring whose length is a power of two. It forgets
// what it gave away, so that nothing is kept alive by it.
type fifo[T any] struct {
	ring []T
	head int
	n    int
}

func (q *fifo[T]) len() int { return q.n }

// front points at the oldest entry; there must be one.
func (q *fifo[T]) front() *T { return &q.ring[q.head] }

func (q *fifo[T]) push(v T) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = v
	q.n++
}

// pop removes and returns the oldest entry; there must be one.
func (q *fifo[T]) pop() T {
	v := q.ring[q.head]
	var zero T
	q.ring[q.head] = zero
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return v
}

func (q *fifo[T]) clear() {
	clear(q.ring)
	q.head, q.n = 0, 0
}

func (q *fifo[T]) grow() {
	bigger := make([]T, max(16, 2*len(q.ring)))
	n := copy(bigger, q.ring[q.head:])
	copy(bigger[n:], q.ring[:q.head])
	q.ring, q.head = bigger, 0
}
