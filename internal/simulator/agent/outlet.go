package agent

import (
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// outletBytes is how much output may wait for the worker. A source that gets
// further ahead is blocked. Beside a paced agent it is about what waits inside a
// real one, in the buffers of a socket: there an echo waits a quarter of a second
// behind a download of the same session.
const (
	outletBytes      = 1 << 20
	pacedOutletBytes = 192 << 10
)

var errOutlet = errors.New("session has ended")

// outlet is the queue between a handler's sources and the worker, which cuts
// messages out of it. Payload types keep their order.
type outlet struct {
	ready chan struct{} // capacity 1: something to cut
	log   io.Writer     // gets a copy of all text; nil: nobody does

	mu     sync.Mutex
	space  sync.Cond // on mu
	segs   []segment
	bytes  int
	limit  int
	closed bool
}

// segment is a run of output of one type.
type segment struct {
	ptype wire.PayloadType
	data  []byte
	whole bool // one message, never joined with others
	used  int  // bytes of data that were cut already
}

func newOutlet() *outlet {
	o := &outlet{ready: make(chan struct{}, 1), limit: outletBytes}
	o.space.L = &o.mu
	return o
}

// pace makes the room that of a paced agent.
func (o *outlet) pace() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limit = pacedOutletBytes
}

// write queues a copy of b, waiting for room. whole makes it a message of its
// own; else it is joined with its neighbours of the same type and cut anywhere.
func (o *outlet) write(t wire.PayloadType, whole bool, b []byte) error {
	for len(b) > 0 {
		o.mu.Lock()
		for o.bytes >= o.limit && !o.closed {
			o.space.Wait()
		}
		if o.closed {
			o.mu.Unlock()
			return errOutlet
		}
		n := len(b)
		if !whole {
			n = max(textEnd(b, min(n, o.limit-o.bytes)), min(n, utf8.UTFMax))
		}
		o.add(t, whole, b[:n])
		if o.log != nil && (t == wire.PayloadOutput || t == wire.PayloadStdErr) {
			_, _ = o.log.Write(b[:n])
		}
		o.mu.Unlock()
		b = b[n:]
		select {
		case o.ready <- struct{}{}:
		default:
		}
	}
	return nil
}

// segmentBytes is the least memory a run of output gets.
const segmentBytes = 32 << 10

func (o *outlet) add(t wire.PayloadType, whole bool, b []byte) {
	o.bytes += len(b)
	if n := len(o.segs); n > 0 && !whole {
		last := &o.segs[n-1]
		if last.ptype == t && !last.whole && len(last.data)+len(b) <= cap(last.data) {
			last.data = append(last.data, b...)
			return
		}
	}
	size := len(b)
	if !whole {
		size = max(size, segmentBytes)
	}
	o.segs = append(o.segs, segment{ptype: t, data: append(make([]byte, 0, size), b...), whole: whole})
}

// cut removes the next payload of at most limit bytes and appends it to dst.
// With text set it never ends within a UTF-8 sequence.
func (o *outlet) cut(dst []byte, limit int, text bool) (t wire.PayloadType, payload []byte, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	payload = dst
	for len(o.segs) > 0 {
		s := &o.segs[0]
		if ok && (s.whole || s.ptype != t) {
			break
		}
		rest := s.data[s.used:]
		n := min(len(rest), limit-(len(payload)-len(dst)))
		if s.whole {
			n = len(rest)
		} else if text && n < len(rest) {
			n = textEnd(rest, n)
		}
		if n == 0 {
			break
		}
		t, ok = s.ptype, true
		payload = append(payload, rest[:n]...)
		s.used += n
		o.bytes -= n
		if s.used < len(s.data) || s.whole {
			if s.whole {
				o.drop()
			}
			break
		}
		o.drop()
	}
	if ok && o.bytes < o.limit {
		o.space.Broadcast()
	}
	return t, payload, ok
}

// drop forgets the first segment.
func (o *outlet) drop() {
	o.segs[0] = segment{}
	o.segs = o.segs[1:]
	if len(o.segs) == 0 {
		o.segs = nil
	}
}

// empty reports whether all output was cut.
func (o *outlet) empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.segs) == 0
}

// close makes all writers fail. With discard what waits is forgotten.
func (o *outlet) close(discard bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if discard {
		o.segs, o.bytes = nil, 0
	}
	o.space.Broadcast()
}
