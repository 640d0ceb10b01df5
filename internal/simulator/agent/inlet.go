package agent

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// inletBytes is how much input may wait for a handler that lags. What comes
// after it is not acknowledged.
const inletBytes = 512 << 10

// inlet is the queue of input between the worker and a handler's goroutine.
type inlet struct {
	ready chan struct{} // capacity 1: something to take
	room  chan struct{} // capacity 1: there is room again

	mu    sync.Mutex
	items []item
	bytes int
	full  bool
}

// item is one input payload.
type item struct {
	ptype   wire.PayloadType
	payload []byte
}

func newInlet() *inlet {
	return &inlet{ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// offer queues a payload, or says noRoom.
func (q *inlet) offer(t wire.PayloadType, payload []byte) verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes >= inletBytes {
		q.full = true
		return noRoom
	}
	q.items = append(q.items, item{t, payload})
	q.bytes += len(payload)
	if len(q.items) == 1 {
		select {
		case q.ready <- struct{}{}:
		default:
		}
	}
	return taken
}

// take removes and returns all that waits; buf is what take returned before, or
// nil, and is used again.
func (q *inlet) take(buf []item) []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(buf)
	items := q.items
	q.items, q.bytes = buf[:0], 0
	if q.full {
		q.full = false
		select {
		case q.room <- struct{}{}:
		default:
		}
	}
	return items
}

// next waits for input and returns all of it.
func (q *inlet) next(ctx context.Context, buf []item) ([]item, error) {
	for {
		if buf = q.take(buf); len(buf) > 0 {
			return buf, nil
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// byteStream makes one connection of an inlet's payloads and an outlet. It is
// what the multiplexer reads and writes: message boundaries mean nothing.
type byteStream struct {
	in   *inlet
	out  *outlet
	once sync.Once
	done chan struct{}

	items []item // taken; items[at:] are still to be read
	at    int
}

func newByteStream(in *inlet, out *outlet) *byteStream {
	return &byteStream{in: in, out: out, done: make(chan struct{})}
}

// Read returns input. Only one goroutine may read.
func (s *byteStream) Read(b []byte) (n int, err error) {
	for s.at == len(s.items) {
		s.items, s.at = s.in.take(s.items), 0
		if len(s.items) > 0 {
			break
		}
		select {
		case <-s.in.ready:
		case <-s.done:
			return 0, io.EOF
		}
	}
	for s.at < len(s.items) && n < len(b) {
		p := &s.items[s.at].payload
		k := copy(b[n:], *p)
		n += k
		if *p = (*p)[k:]; len(*p) == 0 {
			s.at++
		}
	}
	return n, nil
}

// Write queues output, waiting for room.
func (s *byteStream) Write(b []byte) (int, error) {
	if err := s.out.write(wire.PayloadOutput, false, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close ends a pending Read.
func (s *byteStream) Close() error {
	err := errors.New("closed twice")
	s.once.Do(func() { close(s.done); err = nil })
	return err
}
