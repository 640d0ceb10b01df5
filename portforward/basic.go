package portforward

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// basicLinger is how long a half-closed connection may stay without data when
	// the agent does not multiplex. Such an agent does not tell when the
	// destination has closed, and others may be waiting. So whether the answer was
	// complete is never known, and the connection is cut.
	basicLinger = time.Second
	// leastQuiet is the least time without data after a disconnect before the next
	// connection is served: what is under way still belongs to the old one.
	leastQuiet = 100 * time.Millisecond
	// greetingAge is how old a greeting of the destination may be when the first
	// local connection comes.
	greetingAge = 10 * time.Second
	// basicChunks may wait for the local program; more stay with the session.
	basicChunks = 16
)

// basicBearer carries one connection at a time: payloads are the bytes of the
// connection, without framing. The agent connects when the session starts and,
// if reuse, again when data comes after a disconnect. So it never connects again
// to a destination that speaks first; then every connection needs a session.
type basicBearer struct {
	session Session
	reuse   bool // the agent connects again
	slot    chan struct{}
	chunks  chan []byte
	quit    chan struct{} // closed by stop: nobody takes chunks any more
	over    chan struct{} // closed when nothing more arrives
	clean   bool          // the destination finished; read it after over

	mu         sync.Mutex
	current    *relay
	served     int
	sentAny    bool
	heardAny   bool
	spokeFirst bool
	greeted    time.Time
	used       bool // spent
	stopOnce   sync.Once

	busy atomic.Bool
}

func newBasic(s Session, reuse bool) *basicBearer {
	b := &basicBearer{
		session: s, reuse: reuse, slot: make(chan struct{}, 1), chunks: make(chan []byte, basicChunks),
		quit: make(chan struct{}), over: make(chan struct{}),
	}
	go b.pump()
	return b
}

// pump passes on what arrives, also before there is a local connection.
func (b *basicBearer) pump() {
	defer close(b.over)
	defer close(b.chunks)
	for {
		c, err := b.session.Next()
		if err != nil {
			exit, werr := b.session.Wait()
			b.clean = !b.reuse && werr == nil && exit.Reason == "" && !exit.Closed
			return
		}
		switch {
		case c.Kind == sessionclient.OutputChunk && len(c.Data) > 0:
			b.heard(time.Now())
			select {
			case b.chunks <- c.Data:
			case <-b.quit:
			}
		case c.Kind == sessionclient.FlagChunk && c.Flag == wire.ConnectToPortError:
			b.refuse()
		}
	}
}

func (b *basicBearer) heard(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.heardAny && !b.sentAny {
		b.spokeFirst, b.greeted = true, now
	}
	b.heardAny = true
}

func (b *basicBearer) refuse() {
	b.mu.Lock()
	r := b.current
	b.mu.Unlock()
	if r != nil {
		r.cut(errRefused)
	}
}

func (b *basicBearer) carry(ctx context.Context, c *connection) error {
	if err := b.acquire(ctx, c); err != nil {
		return err
	}
	defer func() { <-b.slot }()
	if !b.fit(time.Now()) {
		b.spend()
		return errAgain
	}
	s := &basicStream{bearer: b, deadline: make(chan time.Time, 1), closed: make(chan struct{})}
	r := newRelay(c.local, s, basicLinger)
	r.answered, r.halfClosed = c.local.answered, c.rest
	b.mu.Lock()
	b.current = r
	b.served++
	b.mu.Unlock()
	c.tell(Connected)
	err := r.run(ctx)
	c.in, c.out = r.in.Load(), r.out.Load()
	b.disconnect(ctx)
	return err
}

// acquire waits for the connection before this one to end.
func (b *basicBearer) acquire(ctx context.Context, c *connection) error {
	select {
	case b.slot <- struct{}{}:
		return nil
	default:
		c.tell(Waiting)
	}
	select {
	case b.slot <- struct{}{}:
		return nil
	case <-b.over:
		return errAgain
	case <-ctx.Done():
		return errCut
	}
}

// disconnect has the agent close its connection, and lets what is under way from
// it run out, for nothing marks where the next one begins.
func (b *basicBearer) disconnect(ctx context.Context) {
	b.mu.Lock()
	b.current = nil
	again := b.reuse && !b.spokeFirst
	b.mu.Unlock()
	if !again || b.session.Signal(wire.DisconnectToPort) != nil {
		b.spend()
		return
	}
	quiet := max(leastQuiet, 2*b.session.Stats().RoundTrip)
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case _, ok := <-b.chunks:
			if !ok {
				return
			}
			timer.Reset(quiet)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (b *basicBearer) spend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used = true
}

func (b *basicBearer) fit(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	stale := b.spokeFirst && b.served == 0 && now.Sub(b.greeted) > greetingAge
	return !b.used && !stale
}

func (b *basicBearer) spent() bool {
	select {
	case <-b.over:
		return true
	default:
		return !b.fit(time.Now())
	}
}

func (b *basicBearer) worked() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heardAny
}

// confirm does nothing: whatever is sent is for the destination.
func (b *basicBearer) confirm(context.Context) error { return nil }

func (b *basicBearer) exclusive() bool         { return true }
func (b *basicBearer) writing() bool           { return b.busy.Load() }
func (b *basicBearer) broken() <-chan struct{} { return b.over }
func (b *basicBearer) cause() error            { return errOver }
func (b *basicBearer) stop()                   { b.stopOnce.Do(func() { close(b.quit) }) }
func (b *basicBearer) join()                   { <-b.over }

// basicStream is the session as the far end of one connection.
type basicStream struct {
	bearer    *basicBearer
	deadline  chan time.Time // capacity 1: the latest wins
	closed    chan struct{}
	closeOnce sync.Once
}

func (s *basicStream) Write(p []byte) (int, error) {
	select {
	case <-s.closed:
		return 0, io.ErrClosedPipe
	default:
	}
	b := s.bearer
	b.mu.Lock()
	b.sentAny = true
	b.mu.Unlock()
	b.busy.Store(true)
	defer b.busy.Store(false)
	return b.session.Write(p)
}

func (s *basicStream) WriteTo(w io.Writer) (n int64, err error) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case c, ok := <-s.bearer.chunks:
			if !ok {
				return n, s.bearer.ending()
			}
			m, err := w.Write(c)
			n += int64(m)
			if err != nil {
				return n, err
			}
		case t := <-s.deadline:
			timer.Reset(time.Until(t))
		case <-timer.C:
			return n, os.ErrDeadlineExceeded
		case <-s.closed:
			return n, io.ErrClosedPipe
		}
	}
}

// ending is how the stream ends when the session is over.
func (b *basicBearer) ending() error {
	<-b.over
	if b.clean {
		return nil
	}
	return errOver
}

func (s *basicStream) SetReadDeadline(t time.Time) error {
	for {
		select {
		case s.deadline <- t:
			return nil
		default:
		}
		select {
		case <-s.deadline:
		default:
		}
	}
}

func (s *basicStream) Close() error {
	s.closeOnce.Do(func() { close(s.closed) })
	return nil
}
