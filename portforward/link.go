package portforward

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// batchLimit is how many bytes of frames may wait for the session. Two whole
// frames fit, and it is one turn of the session's own loop at 1 KiB a message.
const batchLimit = 64 << 10

// errOver ends the reading side. It must not be io.EOF, which the multiplexer
// takes for the clean end of every stream.
var errOver = errors.New("the session ended")

// link is the byte stream of frames over a Session, as the multiplexer wants it.
//
// Frames are gathered while the session is busy with earlier ones and go out
// together, so that small ones share a message. A frame on an idle link goes out
// at once: there is no timer.
type link struct {
	session Session
	streams *streams
	payload *payload

	chunk []byte // received, not yet read
	scan  frameScanner
	over  chan struct{} // closed when nothing more can be read
	why   error         // read it after over

	mu      sync.Mutex
	change  sync.Cond
	pending []byte
	closed  bool
	failure error

	writing atomic.Bool     // a Write of the session is running
	settled chan struct{}   // closed when the flusher is gone
	open    context.Context // ended by Close
	end     context.CancelFunc
}

// newLink starts the flusher. Close ends it.
func newLink(s Session, st *streams, size *payload) *link {
	l := &link{
		session: s, streams: st, payload: size,
		over: make(chan struct{}), settled: make(chan struct{}),
	}
	l.open, l.end = context.WithCancel(context.Background())
	if size.fixed > 0 {
		s.SetPayloadSize(size.fixed)
	}
	l.change.L = &l.mu
	go l.flush()
	return l
}

// Read reads frames of the agent. Only the multiplexer calls it.
func (l *link) Read(p []byte) (int, error) {
	if l.why != nil {
		return 0, l.why
	}
	for len(l.chunk) == 0 {
		c, err := l.session.Next()
		if err == nil {
			err = l.take(c)
		} else {
			err = errOver
		}
		if err != nil {
			l.why = err
			close(l.over)
			return 0, err
		}
	}
	n := copy(p, l.chunk)
	l.chunk = l.chunk[n:]
	return n, nil
}

func (l *link) take(c sessionclient.Chunk) error {
	switch {
	case c.Kind == sessionclient.OutputChunk:
		l.chunk = c.Data
		return l.scan.scan(c.Data, l.streams.heard)
	case c.Kind == sessionclient.FlagChunk && c.Flag == wire.ConnectToPortError:
		l.streams.refuse()
	}
	return nil
}

// Write queues one frame.
func (l *link) Write(p []byte) (int, error) { return l.WriteBuffers([][]byte{p}) }

// WriteBuffers queues one frame, header and data. It waits while the batch is
// full; when it returns, the frame may still have to be sent.
func (l *link) WriteBuffers(v [][]byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.pending) >= batchLimit && l.failure == nil && !l.closed {
		l.change.Wait()
	}
	switch {
	case l.failure != nil:
		return 0, l.failure
	case l.closed:
		return 0, io.ErrClosedPipe
	}
	if h := v[0]; len(h) >= frameHeader && h[1] == frameSyn {
		l.streams.syn(binary.LittleEndian.Uint32(h[4:]), time.Now())
	}
	for _, b := range v {
		l.pending = append(l.pending, b...)
		n += len(b)
	}
	l.change.Broadcast()
	return n, nil
}

// flush hands batches to the session until the link is closed and empty.
func (l *link) flush() {
	defer close(l.settled)
	var spare []byte
	size := 0
	for {
		l.mu.Lock()
		for len(l.pending) == 0 && !l.closed {
			l.change.Wait()
		}
		batch := l.pending
		l.pending = spare[:0]
		l.change.Broadcast()
		l.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		if len(batch) >= probeFrom {
			size = l.payload.grow(l.open, l.session, size)
		}
		l.writing.Store(true)
		_, err := l.session.Write(batch)
		l.writing.Store(false)
		if err != nil {
			l.mu.Lock()
			l.failure = err
			l.change.Broadcast()
			l.mu.Unlock()
			return
		}
		spare = batch
	}
}

// Close lets the flusher finish what is queued and end. It does not wait, see
// settle, and does not unblock Read, which the end of the session does.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.end()
	l.change.Broadcast()
	return nil
}

// settle waits until everything queued was handed to the session, at most d.
func (l *link) settle(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-l.settled:
	case <-timer.C:
	}
}
