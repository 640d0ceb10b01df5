package portforward

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xtaci/smux"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	newAgent = "3.3.0.0"
	oldAgent = "3.0.100.0" // no multiplexer
)

var errFakeOver = errors.New("the fake session has ended")

// fakeSession is a Session whose far end a test plays, through far.
type fakeSession struct {
	info   sessionclient.Info
	input  chan []byte // what the client wrote
	output chan sessionclient.Chunk
	done   chan struct{}
	once   sync.Once
	exit   sessionclient.Exit
	err    error
	closed atomic.Int32 // calls of Close

	mu      sync.Mutex
	signals []wire.FlagValue
	writes  [][]byte
	keep    bool // writes
	sent    int64
	entered chan struct{} // told when Write is called, unless nil
	flush   func() error  // what Flush does, unless nil
}

// newFake makes a port session; kind is the type property.
func newFake(id, agentVersion, kind string) *fakeSession {
	props, _ := json.Marshal(map[string]string{"portNumber": "80", "type": kind})
	return &fakeSession{
		info: sessionclient.Info{
			SessionID: id, Kind: wire.Port, AgentVersion: agentVersion, Properties: props,
		},
		input: make(chan []byte, 64), output: make(chan sessionclient.Chunk, 64), done: make(chan struct{}),
	}
}

func (f *fakeSession) Info() sessionclient.Info { return f.info }

func (f *fakeSession) Next() (sessionclient.Chunk, error) {
	select {
	case c := <-f.output:
		return c, nil
	default:
	}
	select {
	case c := <-f.output:
		return c, nil
	case <-f.done:
		select {
		case c := <-f.output: // the tail
			return c, nil
		default:
			return sessionclient.Chunk{}, io.EOF
		}
	}
}

func (f *fakeSession) Write(p []byte) (int, error) {
	b := slices.Clone(p)
	f.mu.Lock()
	if f.keep {
		f.writes = append(f.writes, b)
	}
	f.mu.Unlock()
	if f.entered != nil {
		f.entered <- struct{}{}
	}
	select {
	case f.input <- b:
		f.mu.Lock()
		f.sent += int64(len(p))
		f.mu.Unlock()
		return len(p), nil
	case <-f.done:
		return 0, errFakeOver
	}
}

func (f *fakeSession) Signal(v wire.FlagValue) error {
	select {
	case <-f.done:
		return errFakeOver
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signals = append(f.signals, v)
	return nil
}

// Probe is not answered, so that messages stay small.
func (f *fakeSession) Probe(context.Context, []byte, []byte) (bool, error) { return false, nil }

func (f *fakeSession) SetPayloadSize(int) {}

func (f *fakeSession) Flush(context.Context) error {
	if f.flush != nil {
		return f.flush()
	}
	select {
	case <-f.done:
		return errFakeOver
	default:
		return nil
	}
}

func (f *fakeSession) Stats() sessionclient.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return sessionclient.Stats{SentBytes: f.sent}
}

func (f *fakeSession) Done() <-chan struct{} { return f.done }

func (f *fakeSession) Wait() (sessionclient.Exit, error) {
	<-f.done
	return f.exit, f.err
}

func (f *fakeSession) Close() error {
	f.closed.Add(1)
	f.end(sessionclient.Exit{Closed: true}, nil)
	return nil
}

// end is the far end ending the session.
func (f *fakeSession) end(exit sessionclient.Exit, err error) {
	f.once.Do(func() {
		f.exit, f.err = exit, err
		close(f.done)
	})
}

// say sends output of the agent.
func (f *fakeSession) say(text string) { f.send(sessionclient.Chunk{Data: []byte(text)}) }

func (f *fakeSession) flag(v wire.FlagValue) {
	f.send(sessionclient.Chunk{Kind: sessionclient.FlagChunk, Flag: v})
}

// send delivers what the far end sends, unless the session is over: what an agent
// says of the end (a FIN for every stream, say) reaches nobody.
func (f *fakeSession) send(c sessionclient.Chunk) bool {
	select {
	case <-f.done: // first, as a select takes any of what is possible
		return false
	default:
	}
	select {
	case f.output <- c:
		return true
	case <-f.done:
		return false
	}
}

func (f *fakeSession) signalled() []wire.FlagValue {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.signals)
}

// farEnd is the agent's side of a fakeSession as a byte stream.
type farEnd struct {
	f    *fakeSession
	rest []byte
}

func (e *farEnd) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		select {
		case e.rest = <-e.f.input:
		case <-e.f.done:
			return 0, io.EOF
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Write sends in pieces of 1024 bytes, as agents do.
func (e *farEnd) Write(p []byte) (int, error) {
	for b := range slices.Chunk(p, 1024) {
		if !e.f.send(sessionclient.Chunk{Data: slices.Clone(b)}) {
			return 0, errFakeOver
		}
	}
	return len(p), nil
}

func (e *farEnd) Close() error { return nil }

// muxAgent plays the multiplexing agent as deployed ones behave: it dials inside
// its accept loop, and a FIN of the client closes the destination's connection
// completely.
type muxAgent struct {
	f    *fakeSession
	dial func() (net.Conn, error)
	wg   sync.WaitGroup
}

// serveMux runs the agent until the session ends.
func serveMux(t *testing.T, f *fakeSession, dial func() (net.Conn, error)) {
	t.Helper()
	a := &muxAgent{f: f, dial: dial}
	c := smux.DefaultConfig()
	c.KeepAliveDisabled = true
	mux, err := smux.Server(&farEnd{f: f}, c)
	if err != nil {
		t.Fatal(err)
	}
	a.wg.Go(func() { a.accept(mux) })
	go func() {
		<-f.done
		_ = mux.Close()
	}()
	t.Cleanup(func() {
		f.end(sessionclient.Exit{}, nil)
		a.wg.Wait()
	})
}

func (a *muxAgent) accept(mux *smux.Session) {
	for {
		s, err := mux.AcceptStream()
		if err != nil {
			return
		}
		conn, err := a.dial()
		if err != nil {
			a.f.flag(wire.ConnectToPortError)
			_ = s.Close()
			continue
		}
		a.wg.Go(func() {
			_, _ = io.Copy(conn, s)
			_ = conn.Close()
		})
		a.wg.Go(func() {
			_, _ = io.Copy(s, conn)
			_ = s.Close()
		})
	}
}

// fakeOpener hands out sessions that open makes.
type fakeOpener struct {
	open func(n int, spec Spec, events func(sessionclient.Event)) (*fakeSession, error)

	mu       sync.Mutex
	calls    int
	times    []time.Time
	sessions []*fakeSession
}

func (o *fakeOpener) Open(_ context.Context, spec Spec, events func(sessionclient.Event)) (Session, error) {
	o.mu.Lock()
	o.calls++
	n := o.calls
	o.times = append(o.times, time.Now())
	o.mu.Unlock()
	f, err := o.open(n, spec, events)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.sessions = append(o.sessions, f)
	o.mu.Unlock()
	return f, nil
}

func (o *fakeOpener) opened() []*fakeSession {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sessions)
}

// checkClosed fails unless every session was closed exactly once.
func (o *fakeOpener) checkClosed(t *testing.T) {
	t.Helper()
	for i, f := range o.opened() {
		if n := f.closed.Load(); n != 1 {
			t.Errorf("session %d was closed %d times, want once", i+1, n)
		}
	}
}

// log collects events and lets tests wait for them.
type log struct {
	mu     sync.Mutex
	events []Event
	change chan struct{}
}

func newLog() *log { return &log{change: make(chan struct{})} }

func (l *log) emit(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	close(l.change)
	l.change = make(chan struct{})
}

// await returns the nth event of a type.
func (l *log) await(t *testing.T, typ EventType, n int) Event {
	t.Helper()
	timeout := time.NewTimer(10 * time.Minute) // virtual in synctest, else never reached
	defer timeout.Stop()
	for {
		l.mu.Lock()
		seen := 0
		for _, e := range l.events {
			if e.Type == typ {
				if seen++; seen == n {
					l.mu.Unlock()
					return e
				}
			}
		}
		change := l.change
		l.mu.Unlock()
		select {
		case <-change:
		case <-timeout.C:
			t.Fatalf("no %q number %d among %v", typ, n, l.types())
		}
	}
}

func (l *log) types() []EventType {
	l.mu.Lock()
	defer l.mu.Unlock()
	var types []EventType
	for _, e := range l.events {
		types = append(types, e.Type)
	}
	return types
}

func (l *log) count(typ EventType) int {
	n := 0
	for _, x := range l.types() {
		if x == typ {
			n++
		}
	}
	return n
}

// memListener is a listener for virtual time.
type memListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemListener() *memListener {
	return &memListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5432} }

// dial connects a local program.
func (l *memListener) dial(t *testing.T) *memConn {
	t.Helper()
	near, far := newMemPair()
	select {
	case l.conns <- far:
	case <-l.done:
		t.Fatal("dial: the listener is closed")
	}
	return near
}

// memConn is a connection for virtual time that can be half-closed and reset.
type memConn struct {
	net.Conn // the reading half
	w        net.Conn
	aborting atomic.Bool
	aborted  atomic.Bool // by reset
	peer     *memConn
}

var errReset = errors.New("connection reset by peer")

func newMemPair() (*memConn, *memConn) {
	r1, w1 := net.Pipe()
	r2, w2 := net.Pipe()
	a, b := &memConn{Conn: r1, w: w2}, &memConn{Conn: r2, w: w1}
	a.peer, b.peer = b, a
	return a, b
}

func (c *memConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) && c.peer.aborted.Load() {
		err = errReset
	}
	return n, err
}

func (c *memConn) Write(p []byte) (int, error) { return c.w.Write(p) }
func (c *memConn) CloseWrite() error           { return c.w.Close() }
func (c *memConn) SetLinger(int) error         { c.aborting.Store(true); return nil }

func (c *memConn) Close() error {
	if c.aborting.Load() {
		c.aborted.Store(true)
	}
	_ = c.w.Close()
	return c.Conn.Close()
}

// start runs a Forward over listeners of its own; stop ends it and returns its
// error.
func start(t *testing.T, f *Forward, specs []Spec, listeners []net.Listener) (*log, func() error) {
	t.Helper()
	l := newLog()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- f.Run(ctx, specs, listeners, l.emit) }()
	return l, func() error {
		cancel()
		return <-result
	}
}
