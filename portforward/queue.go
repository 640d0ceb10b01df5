package portforward

import (
	"io"
	"sync"
)

const (
	// queueLimit bounds what one slow local program may leave unread before it
	// holds up the others of its session. The multiplexer of version 1 has no
	// window per stream.
	queueLimit = 16 << 20
	// blockSize is the unit of copying.
	blockSize = 32 << 10
	// keepBlocks empty blocks stay for reuse.
	keepBlocks = 4
)

// queue is a bounded pipe of bytes in blocks, with one writer and one reader.
type queue struct {
	mu     sync.Mutex
	change sync.Cond
	blocks [][]byte
	free   [][]byte
	size   int
	limit  int
	err    error // what pop returns in the end
	failed bool  // at once
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.change.L = &q.mu
	return q
}

// push copies p into the queue; it waits while the queue is full. It fails when
// the reader is gone.
func (q *queue) push(p []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(p) > 0 {
		for q.size >= q.limit && q.err == nil {
			q.change.Wait()
		}
		if q.err != nil {
			return q.err
		}
		n := q.put(p)
		p = p[n:]
		q.size += n
		q.change.Broadcast()
	}
	return nil
}

// put copies what fits into the last block, or a new one.
func (q *queue) put(p []byte) int {
	last := len(q.blocks) - 1
	if last < 0 || len(q.blocks[last]) == cap(q.blocks[last]) {
		var b []byte
		if n := len(q.free); n > 0 {
			b, q.free = q.free[n-1], q.free[:n-1]
		} else {
			b = make([]byte, 0, blockSize)
		}
		q.blocks = append(q.blocks, b)
		last++
	}
	b := q.blocks[last]
	n := min(len(p), cap(b)-len(b))
	q.blocks[last] = append(b, p[:n]...)
	return n
}

// pop returns the next bytes, waiting for some, or the reason why there will be
// none. The block must be given back by recycle.
func (q *queue) pop() ([]byte, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.blocks) == 0 && q.err == nil {
		q.change.Wait()
	}
	if q.failed || len(q.blocks) == 0 {
		return nil, q.err
	}
	b := q.blocks[0]
	q.blocks[0] = nil
	q.blocks = q.blocks[1:]
	q.size -= len(b)
	q.change.Broadcast()
	return b, nil
}

// recycle takes a block back.
func (q *queue) recycle(b []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.free) < keepBlocks {
		q.free = append(q.free, b[:0])
	}
}

// end lets pop return err once it has returned everything; io.EOF is the clean
// end.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.change.Broadcast()
}

// fail discards what is in the queue and ends it at once.
func (q *queue) fail(err error) {
	if err == nil {
		err = io.ErrClosedPipe
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err, q.failed, q.blocks, q.size = err, true, nil, 0
	q.change.Broadcast()
}
