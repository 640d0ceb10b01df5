package sessionclient

import (
	"bufio"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// readAhead is how much one read of the socket may bring.
	readAhead = 64 << 10
	// flushAt is how much is written to the socket at once.
	flushAt = 64 << 10
	// maxUnsent makes writers wait: a peer that takes nothing may go on asking
	// for pongs.
	maxUnsent = 1 << 20
)

// stream is the byte stream below a websocket. The websocket library writes each
// frame by itself and gives up the connection when a pong cannot be written
// within 5 s. So its frames are gathered here: a batch of messages takes few
// writes, and the library never waits for the peer. Closing it cuts the
// connection at once, whatever waits.
type stream struct {
	conn  io.ReadWriteCloser
	in    *bufio.Reader
	heard atomic.Int64 // when the socket last gave something, Unix nanoseconds

	trickle trickle // of the reader

	mu      sync.Mutex
	change  sync.Cond
	out     []byte // to be written
	spare   []byte // what out was before
	holding bool   // a batch is being made: whoever makes it flushes
	busy    bool   // somebody is flushing
	err     error

	flushers sync.WaitGroup
}

func newStream(conn io.ReadWriteCloser) *stream {
	s := &stream{conn: conn}
	s.change.L = &s.mu
	s.in = bufio.NewReaderSize(readFunc(s.fetch), readAhead)
	s.heard.Store(time.Now().UnixNano())
	return s
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func (s *stream) fetch(p []byte) (int, error) {
	if s.trickle.steady() {
		time.Sleep(gatherFor)
	}
	n, err := s.conn.Read(p)
	if n > 0 {
		now := time.Now()
		s.heard.Store(now.UnixNano())
		s.trickle.read(now, n)
	}
	return n, err
}

// Read is the library's source.
func (s *stream) Read(p []byte) (int, error) { return s.in.Read(p) }

// Write takes a part of a frame from the library, which lets one goroutine in at
// a time. What belongs to no batch, as pings do, is flushed in the background.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.out) >= maxUnsent && s.busy && s.err == nil {
		s.change.Wait()
	}
	if s.err != nil {
		return 0, s.err
	}
	s.out = append(s.out, p...)
	if !s.busy && !s.holding {
		s.busy = true
		s.flushers.Go(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.drain()
		})
	}
	return len(p), nil
}

// hold begins a batch.
func (s *stream) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = true
}

// ease writes what the batch has so far when it is much.
func (s *stream) ease() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) < flushAt {
		return s.err
	}
	return s.flush()
}

// release ends a batch and returns when all of it is written.
func (s *stream) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = false
	return s.flush()
}

// flush writes what there is. It is called with mu held.
func (s *stream) flush() error {
	for s.busy {
		s.change.Wait()
	}
	s.busy = true
	s.drain()
	return s.err
}

// drain is what whoever made the stream busy does. It is called with mu held,
// and lets go of it while it writes.
func (s *stream) drain() {
	for len(s.out) > 0 && s.err == nil {
		b := s.out
		s.out, s.spare = s.spare[:0], nil
		s.mu.Unlock()
		_, err := s.conn.Write(b)
		s.mu.Lock()
		s.spare = b[:0]
		if s.err == nil {
			s.err = err
		}
		s.change.Broadcast()
	}
	s.busy = false
	s.change.Broadcast()
}

// Close cuts the connection. It may be called repeatedly.
func (s *stream) Close() error {
	err := s.conn.Close()
	s.mu.Lock()
	if s.err == nil {
		s.err = io.ErrClosedPipe
	}
	s.change.Broadcast()
	s.mu.Unlock()
	s.flushers.Wait()
	return err
}

// tap puts a stream below the connection that an upgrade yields.
type tap struct {
	base   http.RoundTripper
	stream *stream
}

func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	if conn, ok := resp.Body.(io.ReadWriteCloser); ok {
		t.stream = newStream(conn)
		resp.Body = t.stream
	}
	return resp, nil
}
