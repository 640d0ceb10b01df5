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
	// batchFrames and batchBytes bound what is handed to the writer at once.
	batchFrames = 64
	batchBytes  = 256 << 10
)

var errDead = fmt.Errorf("nothing was heard from the service for %s", deadAfter)

// link is one connection with the goroutines that serve it: a reader, which
// decodes, a writer, and a pinger. It fails as a whole and only once; then in is
// closed after everything received before was passed on.
type link struct {
	conn Conn
	in   chan received  // from the reader
	out  chan [][]byte  // to the writer
	err  error          // why in was closed; read it only then
	stop func(error)    // fails the link
	wg   sync.WaitGroup // the goroutines

	failure  atomic.Pointer[error]
	gone     chan struct{} // closed by stop
	heard    atomic.Int64  // when the last frame arrived, Unix nanoseconds
	passing  atomic.Bool   // the reader is waiting for the loop
	shutOnce sync.Once
}

// received is one decoded message, or a damaged one.
type received struct {
	msg     wire.Message
	damaged bool // wrong digest: not to be acknowledged
}

// newLink starts serving conn. close must be called, also after a failure.
func newLink(conn Conn) *link {
	l := &link{
		conn: conn, in: make(chan received, 64), out: make(chan [][]byte), gone: make(chan struct{}),
	}
	l.heard.Store(time.Now().UnixNano())
	l.wg.Add(2)
	go l.read()
	go l.write()
	if p, ok := conn.(pinger); ok {
		l.wg.Add(1)
		go l.ping(p)
	}
	return l
}

// fail ends the link; the first reason stays.
func (l *link) fail(err error) {
	l.shutOnce.Do(func() {
		l.failure.Store(&err)
		close(l.gone)
	})
}

// close ends the link and waits for its goroutines.
func (l *link) close() {
	l.fail(errors.New("closed"))
	_ = l.conn.Close()
	for range l.in { // unblock the reader
	}
	l.wg.Wait()
}

func (l *link) read() {
	defer l.wg.Done()
	defer close(l.in)
	for {
		b, err := l.conn.Read()
		if err != nil {
			l.fail(err)
			l.err = *l.failure.Load()
			return
		}
		l.heard.Store(time.Now().UnixNano())
		m, err := wire.Decode(b)
		damaged := errors.Is(err, wire.ErrDigest)
		if err != nil && !damaged {
			l.fail(&ProtocolError{Err: err})
			l.err = *l.failure.Load()
			return
		}
		l.passing.Store(true)
		l.in <- received{m, damaged}
		l.passing.Store(false)
	}
}

func (l *link) write() {
	defer l.wg.Done()
	for {
		select {
		case batch := <-l.out:
			for _, frame := range batch {
				if err := l.conn.Write(frame); err != nil {
					l.fail(fmt.Errorf("the connection broke: %w", err))
					_ = l.conn.Close()
					return
				}
			}
		case <-l.gone:
			_ = l.conn.Close()
			return
		}
	}
}

// ping keeps the connection alive and fails it when the peer is dead. While the
// reader waits for the application no pong can be seen, and none is missed.
func (l *link) ping(p pinger) {
	defer l.wg.Done()
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for {
		select {
		case <-l.gone:
			return
		case now := <-ticker.C:
			if l.passing.Load() {
				l.heard.Store(now.UnixNano())
			}
			if now.Sub(time.Unix(0, l.heard.Load())) > deadAfter {
				l.fail(errDead)
				return
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				pctx, done := context.WithTimeout(ctx, deadAfter)
				defer done()
				if p.Ping(pctx) == nil {
					l.heard.Store(time.Now().UnixNano())
				}
			}()
		}
	}
}

// ProtocolError is a message that breaks the rules of the data channel. It ends
// the session: no reconnection cures it.
type ProtocolError struct{ Err error }

func (e *ProtocolError) Error() string { return "the service broke the protocol: " + e.Err.Error() }

// Unwrap returns the rule that was broken.
func (e *ProtocolError) Unwrap() error { return e.Err }
