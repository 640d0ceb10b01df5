package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// pingEvery keeps NAT and VPN flows alive and finds dead peers.
	pingEvery = 28 * time.Second
	// deadAfter is how long nothing at all may arrive: two missed pongs and
	// some slack.
	deadAfter = 75 * time.Second
	// drainWait is how long the reader may go on when writing fails: what ended
	// the connection may still have to be read.
	drainWait = time.Second
)

var (
	errDead   = fmt.Errorf("nothing was heard from the service for %s", deadAfter)
	errClosed = errors.New("closed by us")
)

// link is one connection with the goroutines that serve it: a reader, which
// decodes, a writer, a pinger, and one that closes it. It fails as a whole and
// only once; then in is closed after everything received before was passed on.
type link struct {
	conn Conn
	in   chan received // from the reader
	out  chan [][]byte // to the writer
	err  error         // why in was closed; read it only then
	wg   sync.WaitGroup

	once    sync.Once
	gone    chan struct{} // closed by fail
	failure error         // read it after gone
	read    chan struct{} // closed when the reader is over

	passing atomic.Bool  // the reader is held up by the loop
	resumed atomic.Int64 // when it last went on, Unix nanoseconds
	writing atomic.Int64 // since when the writer has its batch; 0: it has none
	clogged atomic.Bool  // the loop holds the reader up because of the writer

	doubts chan struct{} // capacity 1: the peer may be gone
}

// received is one decoded message, or a damaged one.
type received struct {
	msg     wire.Message
	damaged bool // wrong digest: not to be acknowledged
}

// newLink starts serving conn. close must be called, also after a failure.
func newLink(conn Conn) *link {
	l := &link{
		conn: conn, in: make(chan received, batchFrames), out: make(chan [][]byte),
		gone: make(chan struct{}), read: make(chan struct{}), doubts: make(chan struct{}, 1),
	}
	l.wg.Go(l.serveIn)
	l.wg.Go(l.serveOut)
	l.wg.Go(func() {
		<-l.gone
		_ = conn.Close()
	})
	if p, ok := conn.(pinger); ok {
		l.wg.Go(func() { l.watch(p) })
	}
	return l
}

// fail ends the link; the first reason stays.
func (l *link) fail(err error) {
	l.once.Do(func() {
		l.failure = err
		close(l.gone)
	})
}

// close ends the link and waits for its goroutines.
func (l *link) close() {
	l.fail(errClosed)
	for range l.in { // unblock the reader
	}
	l.wg.Wait()
}

// serveIn is the reader.
func (l *link) serveIn() {
	l.fail(l.receive())
	l.err = l.failure
	close(l.in)
	close(l.read)
}

// receive passes messages on until the connection fails.
func (l *link) receive() error {
	for {
		b, err := l.conn.Read()
		if err != nil {
			return err
		}
		m, err := wire.Decode(b)
		damaged := errors.Is(err, wire.ErrDigest)
		if err != nil && !damaged {
			return &ProtocolError{Err: err}
		}
		select {
		case l.in <- received{m, damaged}:
			continue
		default:
		}
		l.passing.Store(true)
		l.in <- received{m, damaged}
		l.resumed.Store(time.Now().UnixNano())
		l.passing.Store(false)
	}
}

// serveOut is the writer.
func (l *link) serveOut() {
	write := l.writeEach
	if b, ok := l.conn.(batcher); ok {
		write = b.WriteBatch
	}
	for {
		select {
		case batch := <-l.out:
			l.writing.Store(time.Now().UnixNano())
			if err := write(batch); err != nil {
				l.drain()
				l.fail(fmt.Errorf("the connection broke: %w", err))
				return
			}
			l.writing.Store(0)
		case <-l.gone:
			return
		}
	}
}

func (l *link) writeEach(batch [][]byte) error {
	for _, frame := range batch {
		if err := l.conn.Write(frame); err != nil {
			return err
		}
	}
	return nil
}

// drain lets the reader find out by itself that the connection is over. One that
// is held up by the loop gets the time it needs.
func (l *link) drain() {
	ticker := time.NewTicker(drainWait)
	defer ticker.Stop()
	for {
		select {
		case <-l.read:
			return
		case <-l.gone:
			return
		case <-ticker.C:
			if !l.passing.Load() {
				return
			}
		}
	}
}

// watch sends pings and fails the link when the peer is dead.
func (l *link) watch(p pinger) {
	ctx, cancel := context.WithCancel(context.Background())
	var pings sync.WaitGroup
	defer pings.Wait()
	defer cancel()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	dead := time.NewTimer(deadAfter)
	defer dead.Stop()
	ask := func() {
		pings.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, deadAfter)
			defer cancel()
			_ = p.Ping(ctx) // its answer is heard, or it is not
		})
	}
	var (
		asked   time.Time
		suspect <-chan time.Time
	)
	for {
		select {
		case <-l.gone:
			return
		case <-ping.C:
			ask()
		case <-l.doubts:
			asked, suspect = time.Now(), time.After(suspectWait)
			ask()
			continue
		case <-suspect:
			suspect = nil
			if p.Heard().Before(asked) && !l.passing.Load() {
				l.fail(errAsleep)
				return
			}
		case <-dead.C:
		}
		if suspect != nil {
			continue // that tells sooner
		}
		left := deadAfter - l.silence(p.Heard(), time.Now())
		if left <= 0 {
			l.fail(errDead)
			return
		}
		dead.Reset(left)
	}
}

// doubt asks the peer for a sign of life that must come soon.
func (l *link) doubt() {
	select {
	case l.doubts <- struct{}{}:
	default:
	}
}

// silence is how long the peer could have been heard and was not. While the
// reader is held up for the application, nothing can be; while it is held up
// because the peer does not take our acknowledgements, that is what counts.
// Wall-clock time is meant, for the other one may stand still while the machine
// sleeps.
func (l *link) silence(heard, now time.Time) time.Duration {
	last := max(heard.UnixNano(), l.resumed.Load())
	if l.passing.Load() {
		if last = l.writing.Load(); last == 0 || !l.clogged.Load() {
			return 0
		}
	}
	return time.Duration(now.UnixNano() - last)
}

// ProtocolError is a message that breaks the rules of the data channel. It ends
// the session: no reconnection cures it.
type ProtocolError struct{ Err error }

func (e *ProtocolError) Error() string { return "the service broke the protocol: " + e.Err.Error() }

// Unwrap returns the rule that was broken.
func (e *ProtocolError) Unwrap() error { return e.Err }
