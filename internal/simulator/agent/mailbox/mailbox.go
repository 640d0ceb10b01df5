// Package mailbox is a bounded queue of whole messages from any number of
// writers to one reader, who takes everything that waits at once.
//
// It is what an in-process agent and the gateway have between them instead of a
// socket, and what stands in front of every websocket writer. Messages are
// passed on as they are, never copied: nobody may change one after putting it in.
package mailbox

import "sync"

// Box is one direction of a connection. Its methods may be called concurrently,
// but only one goroutine may take.
type Box struct {
	limit int
	ready chan struct{} // capacity 1; closed with the box
	room  chan struct{} // capacity 1

	mu     sync.Mutex
	space  sync.Cond // on mu: there is room again, or the box is closed
	msgs   [][]byte
	bytes  int
	closed bool
	full   bool // somebody was told so since the last Take
}

// New returns a Box that counts as full from limit bytes on.
func New(limit int) *Box {
	b := &Box{limit: limit, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	b.space.L = &b.mu
	return b
}

// Put adds msg, waiting for room first. It reports false, and drops msg, when
// the box is closed or is closed meanwhile.
func (b *Box) Put(msg []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.bytes >= b.limit && !b.closed {
		b.full = true
		b.space.Wait()
	}
	return b.add(msg)
}

// Push adds msg even to a full box. It reports false when the box is closed.
// Who pushes looks at Full from time to time, so that the excess is bounded.
func (b *Box) Push(msg []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.add(msg)
}

// add does the work of Put and Push with mu held.
func (b *Box) add(msg []byte) bool {
	if b.closed {
		return false
	}
	b.msgs = append(b.msgs, msg)
	b.bytes += len(msg)
	if len(b.msgs) == 1 { // else the reader was told, and has not taken yet
		select {
		case b.ready <- struct{}{}:
		default:
		}
	}
	return true
}

// Full reports whether the box has no room. When it reports true, Room is
// signalled after the next Take.
func (b *Box) Full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes < b.limit || b.closed {
		return false
	}
	b.full = true
	return true
}

// Room gets one value when there is room again after Full reported true.
func (b *Box) Room() <-chan struct{} { return b.room }

// Ready gets one value when there is something to take, and is closed together
// with the box: call Take in either case.
func (b *Box) Ready() <-chan struct{} { return b.ready }

// Take removes and returns all messages in order. buf is memory to reuse, or
// nil. open is false when the box is closed: what was in it is still returned.
func (b *Box) Take(buf [][]byte) (msgs [][]byte, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(buf)
	msgs, b.msgs, b.bytes = b.msgs, buf[:0], 0
	if b.full {
		b.full = false
		b.space.Broadcast()
		select {
		case b.room <- struct{}{}:
		default:
		}
	}
	return msgs, !b.closed
}

// Close refuses further messages and wakes everybody. It is idempotent.
func (b *Box) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	close(b.ready)
	b.space.Broadcast()
	select {
	case b.room <- struct{}{}:
	default:
	}
}
