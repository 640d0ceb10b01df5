package portforward

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// The multiplexer keeps channels in a global pool, which virtual time forbids:
// these tests run in real time, over loopback sockets, and wait for events only.

// destination is a TCP server that handles every connection with serve.
func destination(t testing.TB, serve func(net.Conn)) func() (net.Conn, error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

// forwardMux forwards over one session to an agent that dials with dial.
func forwardMux(t *testing.T, spec string, dial func() (net.Conn, error)) (*Listener, *fakeOpener, *log) {
	t.Helper()
	return forwardLanes(t, spec, 1, dial)
}

// forwardLanes forwards over up to so many sessions.
func forwardLanes(t *testing.T, spec string, lanes int, dial func() (net.Conn, error)) (*Listener, *fakeOpener, *log) {
	t.Helper()
	o := &fakeOpener{open: func(n int, _ Spec, _ func(sessionclient.Event)) (*fakeSession, error) {
		f := newFake(fmt.Sprintf("s-%d", n), newAgent, wire.LocalPortForwarding)
		serveMux(t, f, dial)
		return f, nil
	}}
	l := listen(t, spec, Options{})
	s, err := ParseSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	events, stop := start(t, &Forward{Opener: o, Node: "i-1", Lanes: lanes}, []Spec{s}, []net.Listener{l})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		o.checkClosed(t)
		checkNothingRuns(t)
	})
	events.await(t, Ready, 1)
	return l, o, events
}

// checkNothingRuns fails when a goroutine of ours outlives Run. Some may be past
// their last statement, but not gone yet: they are given the processor.
func checkNothingRuns(t *testing.T) {
	t.Helper()
	created := regexp.MustCompile(`(?m)^created by .*\n.*\n?`) // by whom, not where it is
	ours := regexp.MustCompile(`portforward\.\(\*(relay|carrier|pool|tunnel|link\)\.flush|muxBearer|Forward)`)
	var stacks []byte
	for range 10000 {
		stacks = make([]byte, 1<<18)
		stacks = created.ReplaceAll(stacks[:runtime.Stack(stacks, true)], nil)
		if !ours.Match(stacks) {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("something is still running:\n%s", stacks)
}

func connect(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// connectToNothing connects to a listener whose destination refuses, and wants a
// reset; it may come before our own connect has returned.
func connectToNothing(t *testing.T, l net.Listener) {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		return
	}
	defer c.Close()
	if n, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read %d, %v, want a reset", n, err)
	}
}

func roundTrip(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("read: %v", err)
	}
	if string(got) != text {
		t.Fatalf("got %q, want %q", got, text)
	}
}

func TestMuxCarriesManyConnections(t *testing.T) {
	l, o, events := forwardMux(t, "0:80", destination(t, echo))
	var conns []net.Conn
	for range 20 {
		conns = append(conns, connect(t, l))
	}
	for i, c := range conns {
		roundTrip(t, c, fmt.Sprintf("connection %d", i))
	}
	if n := len(o.opened()); n != 1 {
		t.Errorf("%d sessions, want one", n)
	}
	ready := events.await(t, Ready, 1)
	if !ready.Multiplexed || ready.Session != "s-1" || ready.Node != "i-1" || ready.Remote != "localhost:80" || ready.Local != l.Addr().String() {
		t.Errorf("ready event: %+v", ready)
	}
}

func TestMuxHalfCloseKeepsTheAnswer(t *testing.T) {
	release := make(chan struct{})
	l, _, events := forwardMux(t, "0:80", destination(t, func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, 7))
		<-release
		_, _ = io.WriteString(c, "the answer")
	}))
	c := connect(t, l)
	_, _ = io.WriteString(c, "request")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	close(release)
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "the answer" {
		t.Errorf("got %q, %v, want the answer", got, err)
	}
	e := events.await(t, Closed, 1)
	if e.Err != nil || e.In != 10 || e.Out != 7 || e.Connection != 1 || e.Peer != c.LocalAddr().String() {
		t.Errorf("closed event: %+v", e)
	}
}

func TestMuxRefusedDestination(t *testing.T) {
	up := destination(t, echo)
	var mu sync.Mutex
	down := true
	l, o, events := forwardMux(t, "0:80", func() (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return nil, errors.New("connection refused")
		}
		return up()
	})
	connectToNothing(t, l)
	if e := events.await(t, Refused, 1); e.Connection != 1 || e.Session != "s-1" {
		t.Errorf("refused event: %+v", e)
	}
	if e := events.await(t, Closed, 1); !errors.Is(e.Err, errRefused) {
		t.Errorf("closed event: %+v, want %v", e, errRefused)
	}
	mu.Lock()
	down = false
	mu.Unlock()
	roundTrip(t, connect(t, l), "works again")
	if n := len(o.opened()); n != 1 {
		t.Errorf("%d sessions, want the same one", n)
	}
}

func TestMuxLooksUpANameAgainWhenRefused(t *testing.T) {
	up := destination(t, echo)
	var mu sync.Mutex
	sessions, moved := 0, false
	o := &fakeOpener{open: func(n int, _ Spec, _ func(sessionclient.Event)) (*fakeSession, error) {
		f := newFake(fmt.Sprintf("s-%d", n), newAgent, wire.LocalPortForwarding)
		mu.Lock()
		defer mu.Unlock()
		sessions++
		old := !moved // the look-up of this session
		serveMux(t, f, func() (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if old && moved {
				return nil, errors.New("connection refused")
			}
			return up()
		})
		return f, nil
	}}
	l := listen(t, "0:db:5432", Options{})
	events, stop := start(t, &Forward{Opener: o, Lanes: 1}, []Spec{{Host: "db", Port: 5432}}, []net.Listener{l})
	roundTrip(t, connect(t, l), "before the failover")
	time.Sleep(lookupFresh) // time that passes
	mu.Lock()
	moved = true
	mu.Unlock()
	roundTrip(t, connect(t, l), "after it, on the first try, with what was sent already")
	events.await(t, Reopened, 1)
	if n := events.count(Refused); n != 0 {
		t.Errorf("%d refused events, want none: the connection was carried", n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if sessions != 2 {
		t.Errorf("%d sessions, want a second one", sessions)
	}
	o.checkClosed(t)
}

func TestMuxRefusedWhereverItIsLookedUp(t *testing.T) {
	var mu sync.Mutex
	dials := 0
	l, o, events := forwardMux(t, "0:db:5432", func() (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		dials++
		return nil, errors.New("connection refused")
	})
	connectToNothing(t, l) // the look-up is fresh
	events.await(t, Refused, 1)
	time.Sleep(lookupFresh)
	connectToNothing(t, l) // looked up again, in vain
	events.await(t, Refused, 2)
	time.Sleep(lookupFresh)
	connectToNothing(t, l) // not again so soon
	events.await(t, Refused, 3)
	if n := len(o.opened()); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if dials != 4 {
		t.Errorf("%d dials, want 4", dials)
	}
}

// TestMuxRefusalTakesNoOtherConnectionBack has a connection that waits for a long
// answer when a later one is refused. What it has sent must not be sent again.
func TestMuxRefusalTakesNoOtherConnectionBack(t *testing.T) {
	up := destination(t, func(c net.Conn) {
		b := make([]byte, 3)
		if _, err := io.ReadFull(c, b[:1]); err != nil { // the request; its answer takes long
			return
		}
		_, _ = io.ReadFull(c, b[1:])
		_, _ = c.Write(b)
	})
	var mu sync.Mutex
	dials := 0
	l, o, events := forwardMux(t, "0:db:5432", func() (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if dials++; dials == 2 {
			return nil, errors.New("connection refused")
		}
		return up()
	})
	time.Sleep(lookupFresh)
	first := connect(t, l)
	_, _ = io.WriteString(first, "P")
	events.await(t, Connected, 1)
	second := connect(t, l) // refused, and carried by another session
	roundTrip(t, second, "xyz")
	_, _ = io.WriteString(first, "OS")
	got := make([]byte, 3)
	if _, err := io.ReadFull(first, got); err != nil || string(got) != "POS" {
		t.Errorf("got %q, %v", got, err)
	}
	if n := len(o.opened()); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if dials != 3 {
		t.Errorf("%d dials, want 3", dials)
	}
}

// fullConn is a local program that has sent as much as is kept, and sends more
// just when the destination refuses.
type fullConn struct {
	net.Conn
	left    int
	full    chan struct{} // closed when so much was read
	refused chan struct{} // closed by the interruption
	once    sync.Once
	closed  atomic.Bool
}

func (c *fullConn) Read(p []byte) (int, error) {
	if c.left > 0 {
		n := min(len(p), c.left)
		c.left -= n
		return n, nil
	}
	select {
	case <-c.refused:
		return 0, os.ErrDeadlineExceeded
	default:
	}
	close(c.full)
	<-c.refused
	return 1, nil
}

func (c *fullConn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		c.once.Do(func() { close(c.refused) })
	}
	return nil
}

func (c *fullConn) Close() error {
	c.closed.Store(true)
	return nil
}

func TestMuxRefusedWhileMoreComesThanIsKept(t *testing.T) {
	local := &fullConn{left: rewindMost, full: make(chan struct{}), refused: make(chan struct{})}
	f := newFake("s", newAgent, wire.LocalPortForwarding)
	serveMux(t, f, func() (net.Conn, error) {
		<-local.full
		return nil, errors.New("connection refused")
	})
	m := newMux(f, newAgent, &payload{})
	c := &connection{
		local: newRewinder(local), tell: func(EventType) {}, rest: func() {},
		again: func() bool { return true },
	}
	if err := m.carry(t.Context(), c); !errors.Is(err, errRefused) {
		t.Errorf("got %v, want %v", err, errRefused)
	}
	if !local.closed.Load() {
		t.Error("the local program waits for ever")
	}
	f.end(sessionclient.Exit{}, nil)
	m.stop()
	m.join()
}

func TestMuxSessionEndResetsAndReopens(t *testing.T) {
	l, o, events := forwardMux(t, "0:80", destination(t, echo))
	c := connect(t, l)
	roundTrip(t, c, "first")
	o.opened()[0].end(sessionclient.Exit{Reason: "idle timeout"}, nil)
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want a reset: the data is not complete", err)
	}
	if e := events.await(t, Ended, 1); e.Text != "idle timeout" || e.Session != "s-1" {
		t.Errorf("ended event: %+v", e)
	}
	roundTrip(t, connect(t, l), "second")
	if e := events.await(t, Reopened, 1); e.Session != "s-2" {
		t.Errorf("reopened event: %+v", e)
	}
}

func TestMuxFinishedConnectionsSurviveTheEndOfTheSession(t *testing.T) {
	// The destination finishes and the session ends at once: what had arrived, and
	// its end, must reach the local program, every time.
	for range 20 {
		f := newFake("s", newAgent, wire.LocalPortForwarding)
		m := newMux(f, newAgent, &payload{})
		near, far := tcpPair(t)
		done, open := make(chan error, 1), make(chan struct{})
		go func() {
			done <- m.carry(t.Context(), &connection{local: newRewinder(far), rest: func() {}, tell: func(EventType) { close(open) }})
		}()
		<-open // as stream 3
		f.say("\x01\x02\x04\x00\x03\x00\x00\x00data\x01\x01\x00\x00\x03\x00\x00\x00")
		f.end(sessionclient.Exit{}, nil)
		got, err := io.ReadAll(near)
		if err != nil || string(got) != "data" {
			t.Fatalf("got %q, %v, want data and a clean end", got, err)
		}
		_ = near.Close()
		<-done
		m.stop()
		m.join()
	}
}

func tcpPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func TestMuxBrokenProtocolEndsTheSession(t *testing.T) {
	l, o, events := forwardMux(t, "0:80", destination(t, echo))
	c := connect(t, l)
	roundTrip(t, c, "fine")
	o.opened()[0].say("\x02\x00\x00\x00\x03\x00\x00\x00")
	if e := events.await(t, Ended, 1); !errors.Is(e.Err, errFrames) {
		t.Errorf("ended event: %+v, want %v", e, errFrames)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want a reset", err)
	}
	roundTrip(t, connect(t, l), "fine again")
}

func TestMuxSlowReaderDoesNotStopOthers(t *testing.T) {
	const flood = 8 << 20
	l, _, _ := forwardMux(t, "0:80", destination(t, func(c net.Conn) {
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil {
			return
		}
		if b[0] == 'f' {
			_, _ = c.Write(make([]byte, flood))
			return
		}
		_, _ = c.Write(b)
		echo(c)
	}))
	slow, quick := connect(t, l), connect(t, l)
	_, _ = io.WriteString(slow, "f")
	if _, err := io.ReadFull(slow, make([]byte, 1)); err != nil { // the flood has begun
		t.Fatal(err)
	}
	for i := range 50 {
		roundTrip(t, quick, fmt.Sprintf("message %d", i))
	}
	n, err := io.Copy(io.Discard, slow)
	if err != nil || n != flood-1 {
		t.Errorf("the slow reader got %d bytes, %v, want %d", n+1, err, flood)
	}
}

func TestMuxOverUnixSocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "x")
	l, _, events := forwardMux(t, "unix:"+path+":80", destination(t, echo))
	roundTrip(t, connect(t, l), "through a socket")
	if e := events.await(t, Connected, 1); e.Local != path {
		t.Errorf("local is %q, want %q", e.Local, path)
	}
}

func TestMuxCoalescesWhileTheSessionIsBusy(t *testing.T) {
	f := newFake("s", newAgent, wire.LocalPortForwarding)
	f.input = make(chan []byte) // the session takes one batch at a time
	f.entered = make(chan struct{}, 2)
	st := newStreams()
	l := newLink(f, st, &payload{settled: true})
	frames := [][]byte{
		{1, 0, 0, 0, 3, 0, 0, 0}, {1, 2, 1, 0, 3, 0, 0, 0, 'a'}, {1, 0, 0, 0, 5, 0, 0, 0}, {1, 2, 1, 0, 5, 0, 0, 0, 'b'},
	}
	for i, b := range frames {
		if _, err := l.WriteBuffers([][]byte{b}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-f.entered // the session has the first frame
		}
	}
	first, second := <-f.input, <-f.input
	if !bytes.Equal(first, frames[0]) || !bytes.Equal(second, bytes.Join(frames[1:], nil)) {
		t.Errorf("batches %x and %x, want the first frame, then the rest together", first, second)
	}
	_ = l.Close()
	<-l.settled
}

// TestMuxTransfersAreExact sends 64 MiB each way at the same time.
func TestMuxTransfersAreExact(t *testing.T) {
	size := 64 << 20
	if testing.Short() {
		size = 4 << 20
	}
	var upload [sha256.Size]byte
	received := make(chan struct{})
	l, _, events := forwardMux(t, "0:80", destination(t, func(c net.Conn) {
		var wg sync.WaitGroup
		wg.Go(func() {
			defer close(received)
			h := sha256.New()
			_, _ = io.CopyN(h, c, int64(size))
			upload = [sha256.Size]byte(h.Sum(nil))
		})
		_, _ = io.CopyN(c, rand.NewChaCha8([32]byte{2}), int64(size))
		wg.Wait()
	}))
	c := connect(t, l)
	sum := func(seed byte) (s [sha256.Size]byte) {
		h := sha256.New()
		_, _ = io.CopyN(h, rand.NewChaCha8([32]byte{seed}), int64(size))
		return [sha256.Size]byte(h.Sum(nil))
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.CopyN(c, rand.NewChaCha8([32]byte{1}), int64(size))
	})
	h := sha256.New()
	if n, err := io.Copy(h, c); err != nil || n != int64(size) {
		t.Errorf("downloaded %d bytes, %v, want %d", n, err, size)
	}
	wg.Wait()
	<-received
	if [sha256.Size]byte(h.Sum(nil)) != sum(2) {
		t.Error("the download differs")
	}
	if upload != sum(1) {
		t.Error("the upload differs")
	}
	_ = c.Close()
	if e := events.await(t, Closed, 1); e.In != int64(size) || e.Out != int64(size) || e.Err != nil {
		t.Errorf("closed event: %+v", e)
	}
}

func TestSeveralSpecs(t *testing.T) {
	o := &fakeOpener{}
	o.open = func(n int, spec Spec, _ func(sessionclient.Event)) (*fakeSession, error) {
		f := newFake("for "+spec.Remote(), newAgent, wire.LocalPortForwarding)
		name := spec.Remote() + "\n"
		serveMux(t, f, destination(t, func(c net.Conn) { _, _ = io.WriteString(c, name) }))
		return f, nil
	}
	specs := []Spec{{Port: 80}, {Host: "db", Port: 5432}}
	l1, l2 := listen(t, "0:80", Options{}), listen(t, "0:db:5432", Options{})
	events, stop := start(t, &Forward{Opener: o, Lanes: 1}, specs, []net.Listener{l1, l2})
	for l, want := range map[net.Listener]string{l1: "localhost:80", l2: "db:5432"} {
		got, err := io.ReadAll(connect(t, l))
		if err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if n := events.count(Listening); n != 2 {
		t.Errorf("%d listening events, want 2", n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	o.checkClosed(t)
	if _, err := net.Dial("tcp", l1.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}
