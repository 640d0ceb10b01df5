package portforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// muxLinger is how long a half-closed connection may stay without data. The
// agent has no half-close: our FIN makes it close the connection and lose the
// answer, so it is held back until the destination has finished. What is silent
// for longer is cut: whether more would have come is not known.
const muxLinger = 60 * time.Second

var (
	errRefused = errors.New("the node could not connect to the destination")
	errCut     = errors.New("the connection was cut")
)

// lingerError is the reason for cutting a connection whose local side had ended:
// nothing came from the destination for that long. A program that has left
// altogether looks the same as one that still waits, and is the usual case.
type lingerError time.Duration

func (e lingerError) Error() string {
	return fmt.Sprintf("nothing came for %d s after this side had ended", time.Duration(e)/time.Second)
}

// stream is the far end of one connection.
type stream interface {
	// Write sends to the destination. It may wait for room in the window.
	Write(p []byte) (int, error)
	// WriteTo passes on what arrives until the destination has finished (nil), the
	// read deadline passes (a timeout) or the stream breaks.
	WriteTo(w io.Writer) (int64, error)
	// SetReadDeadline also interrupts a WriteTo that waits.
	SetReadDeadline(t time.Time) error
	// Close ends both directions at the agent. It may be called repeatedly.
	Close() error
}

// relay carries one local connection over one stream, with three goroutines:
//
//	up     local -> stream
//	drain  stream -> queue    never waits for local, until the queue is full
//	down   queue -> local
//
// Ends: when local half-closes, the stream stays open until the destination has
// finished, or is silent for linger and is cut. When the destination has finished,
// local is half-closed, and the stream is closed when local is done too, or silent
// for linger. A connection that is cut gets a reset, so that no program takes a
// part for the whole.
type relay struct {
	local  net.Conn
	remote stream
	linger time.Duration
	queue  *queue

	in, out    atomic.Int64 // bytes written to local and to remote
	localDone  atomic.Bool  // local will send nothing more
	remoteDone atomic.Bool  // local was given everything, and its end
	upErr      atomic.Pointer[error]

	// answered is called when something arrives, halfClosed when local has ended.
	answered, halfClosed func()

	cutOnce   sync.Once
	left      atomic.Bool
	err       error // why it was cut; read it after run
	abandoned bool  // the destination ended first; read it after run
}

func newRelay(local net.Conn, remote stream, linger time.Duration) *relay {
	return &relay{
		local: local, remote: remote, linger: linger, queue: newQueue(queueLimit),
		answered: func() {}, halfClosed: func() {},
	}
}

// run carries the connection to its end. The error says why it was cut short; it
// is a lingerError when the destination was silent after local had ended. A local
// program that leaves early is no error.
func (r *relay) run(ctx context.Context) error {
	called := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(called)
		if r.localDone.Load() { // it has left, as a rule
			r.cut(nil)
		} else {
			r.cut(errCut)
		}
		_ = r.remote.Close()
	})
	var wg sync.WaitGroup
	wg.Go(r.up)
	wg.Go(r.drain)
	wg.Go(r.down)
	wg.Wait()
	if !stop() {
		<-called
	}
	r.cutOnce.Do(func() {}) // waits for a cut that is under way
	_ = r.remote.Close()
	if r.left.Load() {
		_ = r.local.SetReadDeadline(time.Time{})
	} else {
		_ = r.local.Close()
	}
	return r.err
}

// leave ends the relay but not local, which another one may carry. It does not
// wait for the stream.
func (r *relay) leave(err error) {
	r.cutOnce.Do(func() {
		r.err = err
		r.left.Store(true)
		r.queue.fail(err)
		_ = r.local.SetReadDeadline(time.Unix(1, 0)) // a Read that waits returns
	})
}

// cut breaks the connection at once. It does not wait for the stream.
func (r *relay) cut(err error) {
	r.cutOnce.Do(func() {
		r.err = err
		r.queue.fail(err)
		reset(r.local)
	})
}

// reset closes a connection so that the program at its other end sees an error,
// not the end of the data.
func reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0)
	}
	_ = c.Close()
}

func (r *relay) up() {
	buf := make([]byte, blockSize)
	for {
		if r.remoteDone.Load() {
			_ = r.local.SetReadDeadline(time.Now().Add(r.linger))
		}
		n, err := r.local.Read(buf)
		if n > 0 {
			if _, werr := r.remote.Write(buf[:n]); werr != nil {
				r.upBroken(werr)
				return
			}
			r.out.Add(int64(n))
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			r.localDone.Store(true)
			r.halfClosed()
			if r.remoteDone.Load() {
				_ = r.remote.Close()
			} else {
				_ = r.remote.SetReadDeadline(time.Now().Add(r.linger))
			}
			return
		case isTimeout(err): // both sides have been silent since the far end finished
			_ = r.remote.Close()
			return
		default:
			r.cut(nil)
			_ = r.remote.Close()
			return
		}
	}
}

// upBroken handles a stream that takes nothing more, because the session ended.
// What it delivered before still goes to local, and then the reset.
func (r *relay) upBroken(err error) {
	r.upErr.Store(&err)
	if r.remoteDone.Load() {
		r.cut(err)
	}
}

func (r *relay) drain() {
	_, err := r.remote.WriteTo((*sink)(r))
	switch {
	case err == nil:
		r.queue.end(io.EOF)
	case isTimeout(err):
		_ = r.remote.Close()
		r.queue.end(lingerError(r.linger))
	default:
		r.queue.end(err)
	}
}

// sink is the relay as the writer of what arrives.
type sink relay

func (s *sink) Write(p []byte) (int, error) {
	if s.localDone.Load() {
		_ = s.remote.SetReadDeadline(time.Now().Add(s.linger))
	}
	s.answered()
	if err := s.queue.push(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (r *relay) down() {
	for {
		b, err := r.queue.pop()
		if err != nil {
			r.downDone(err)
			return
		}
		n, err := r.local.Write(b)
		r.in.Add(int64(n))
		r.queue.recycle(b)
		if err != nil { // local is gone altogether
			r.cut(nil)
			_ = r.remote.Close()
			return
		}
	}
}

func (r *relay) downDone(err error) {
	if !errors.Is(err, io.EOF) {
		r.cut(err)
		_ = r.remote.Close()
		return
	}
	r.abandoned = !r.localDone.Load()
	r.remoteDone.Store(true)
	if broken := r.upErr.Load(); broken != nil {
		r.cut(*broken)
		return
	}
	if r.localDone.Load() {
		_ = r.local.Close()
		_ = r.remote.Close()
		return
	}
	if c, ok := r.local.(interface{ CloseWrite() error }); !ok || c.CloseWrite() != nil {
		_ = r.local.Close()
		return
	}
	_ = r.local.SetReadDeadline(time.Now().Add(r.linger))
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}
