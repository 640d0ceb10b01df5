package portforward

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// rewindMost bounds what is kept of a local program's first bytes.
const rewindMost = 256 << 10

// rewinder is a local connection whose bytes can be read once more, as long as
// the destination has not answered: when the node could not connect, nothing of
// them has arrived anywhere, and another session may do better.
type rewinder struct {
	net.Conn
	plain atomic.Bool // nothing is kept, and nothing kept is left to be read

	mu   sync.Mutex
	kept []byte
	next int  // of kept, to be read
	over bool // nothing more is kept
}

func newRewinder(c net.Conn) *rewinder { return &rewinder{Conn: c} }

func (r *rewinder) Read(p []byte) (int, error) {
	if r.plain.Load() {
		return r.Conn.Read(p)
	}
	if n := r.again(p); n > 0 {
		return n, nil
	}
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over = r.over || len(r.kept)+n > rewindMost; r.over {
		r.kept, r.next = nil, 0
		r.plain.Store(true)
	} else {
		r.kept = append(r.kept, p[:n]...)
		r.next = len(r.kept)
	}
	return n, err
}

// again reads what was wound back.
func (r *rewinder) again(p []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := copy(p, r.kept[r.next:])
	r.next += n
	return n
}

// answered ends the keeping.
func (r *rewinder) answered() {
	if !r.plain.Load() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.over = true
	}
}

// rewindable reports whether everything that was read is kept.
func (r *rewinder) rewindable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.over
}

// rewind makes Read begin anew, if it can. No Read may be running.
func (r *rewinder) rewind() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = 0
	return !r.over
}

func (r *rewinder) CloseWrite() error {
	if c, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (r *rewinder) SetLinger(sec int) error {
	if c, ok := r.Conn.(interface{ SetLinger(sec int) error }); ok {
		return c.SetLinger(sec)
	}
	return errors.ErrUnsupported
}
