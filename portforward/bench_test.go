package portforward

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/xtaci/smux"

	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// pipeConn is a sessionclient.Conn in memory.
type pipeConn struct {
	in, out chan []byte
	closed  chan struct{}
	once    *sync.Once
}

func newPipeConns() (client, agent *pipeConn) {
	up, down, closed, once := make(chan []byte, 256), make(chan []byte, 256), make(chan struct{}), new(sync.Once)
	return &pipeConn{down, up, closed, once}, &pipeConn{up, down, closed, once}
}

func (c *pipeConn) Read() ([]byte, error) {
	select {
	case b := <-c.in:
		return b, nil
	case <-c.closed:
		return nil, io.ErrClosedPipe
	}
}

func (c *pipeConn) Write(b []byte) error {
	select {
	case c.out <- slices.Clone(b):
		return nil
	case <-c.closed:
		return io.ErrClosedPipe
	}
}

func (c *pipeConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// quickAgent is the agent's end of a data channel without any pacing: payloads
// of 1 KiB, each acknowledged, in both directions.
type quickAgent struct {
	conn  *pipeConn
	input *queue
	rest  []byte

	mu     sync.Mutex
	change sync.Cond
	snd    *reliable.Sender
	rcv    *reliable.Receiver[wire.Message]
	gone   bool
}

func newQuickAgent(conn *pipeConn) *quickAgent {
	a := &quickAgent{
		conn: conn, input: newQueue(4 << 20), snd: reliable.NewSender(reliable.Window{}),
		rcv: reliable.NewReceiver[wire.Message](reliable.Limits{}),
	}
	a.change.L = &a.mu
	return a
}

// serve runs the data channel; mux streams are dialed with dial.
func (a *quickAgent) serve(dial func() (net.Conn, error)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	a.post(wire.PayloadHandshakeRequest, wire.Marshal(wire.HandshakeRequest{
		AgentVersion: newAgent,
		RequestedClientActions: []wire.RequestedAction{{
			ActionType: wire.ActionSessionType,
			ActionParameters: wire.Marshal(wire.SessionTypeRequest{
				SessionType: wire.Port,
				Properties:  wire.Marshal(wire.PortProperties{PortNumber: "80", Type: wire.LocalPortForwarding}),
			}),
		}},
	}))
	c := smux.DefaultConfig()
	c.KeepAliveDisabled = true
	mux, _ := smux.Server(a, c)
	m := &muxAgent{dial: dial}
	wg.Go(func() { m.accept(mux) })
	a.receive()
	a.mu.Lock()
	a.gone = true
	a.change.Broadcast()
	a.mu.Unlock()
	a.input.end(io.EOF)
	_ = mux.Close()
	m.wg.Wait()
}

func (a *quickAgent) receive() {
	for {
		b, err := a.conn.Read()
		if err != nil {
			return
		}
		m, err := wire.Decode(b)
		if err != nil {
			continue
		}
		switch m.Type {
		case wire.Acknowledge:
			if ack, err := wire.ParseAck(m.Payload); err == nil {
				a.mu.Lock()
				a.snd.Acked(time.Now(), ack.Seq)
				a.change.Broadcast()
				a.mu.Unlock()
			}
		case wire.InputStreamData:
			a.take(m)
		}
	}
}

func (a *quickAgent) take(m wire.Message) {
	if a.rcv.Receive(m.Seq, len(m.Payload), m) {
		ack := wire.AppendAck(nil, wire.Ack{MessageType: wire.InputStreamData, MessageID: m.ID, Seq: m.Seq})
		a.write(&wire.Message{Type: wire.Acknowledge, Flags: 3, Payload: ack})
	}
	for {
		it, ok := a.rcv.Take()
		if !ok {
			return
		}
		switch it.PayloadType {
		case wire.PayloadHandshakeResponse:
			a.post(wire.PayloadHandshakeComplete, wire.Marshal(wire.HandshakeComplete{}))
		case wire.PayloadOutput:
			_ = a.input.push(it.Payload)
		}
	}
}

func (a *quickAgent) write(m *wire.Message) {
	m.ID, m.Created = wire.NewUUID(), 1
	frame, _ := wire.Append(nil, m)
	_ = a.conn.Write(frame)
}

// post numbers and sends one payload.
func (a *quickAgent) post(typ wire.PayloadType, payload []byte) {
	a.mu.Lock()
	for !a.snd.CanPush() && !a.gone {
		a.change.Wait()
	}
	m := wire.Message{Type: wire.OutputStreamData, Seq: a.snd.NextSeq(), PayloadType: typ, Payload: payload, ID: wire.NewUUID(), Created: 1}
	frame, _ := wire.Append(nil, &m)
	a.snd.Push(frame)
	a.snd.Next(time.Now())
	a.mu.Unlock()
	_ = a.conn.Write(frame)
}

func (a *quickAgent) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		b, err := a.input.pop()
		if err != nil {
			return 0, err
		}
		a.rest = b // not recycled: the next pop gives another
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

func (a *quickAgent) Write(p []byte) (int, error) {
	for b := range slices.Chunk(p, 1024) {
		a.post(wire.PayloadOutput, slices.Clone(b))
	}
	return len(p), nil
}

func (a *quickAgent) Close() error { return nil }

// quickOpener opens real sessions to quick agents.
type quickOpener struct {
	dial func() (net.Conn, error)
	wg   sync.WaitGroup
}

func (o *quickOpener) Open(ctx context.Context, _ Spec, events func(sessionclient.Event)) (Session, error) {
	client, agent := newPipeConns()
	o.wg.Go(func() { newQuickAgent(agent).serve(o.dial) })
	return sessionclient.Dial(ctx, sessionclient.Ticket{SessionID: "s", Token: "t", StreamURL: "wss://example.com/"},
		sessionclient.WithDialer(func(context.Context, sessionclient.Ticket) (sessionclient.Conn, error) { return client, nil }),
		sessionclient.WithEvents(events))
}

// forwardQuick forwards a port to serve over a real session, and returns a
// connection.
func forwardQuick(tb testing.TB, serve func(net.Conn)) net.Conn {
	tb.Helper()
	o := &quickOpener{dial: destination(tb, serve)}
	l, err := Listen(Spec{Port: 80}, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := (&Forward{Opener: o}).Run(ctx, []Spec{{Port: 80}}, []net.Listener{l}, func(Event) {}); err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Close()
		cancel()
		wg.Wait()
		o.wg.Wait()
	})
	return c
}

// BenchmarkUpload is a megabyte from the local program to the destination, over
// a session of 1 KiB payloads.
func BenchmarkUpload(b *testing.B) {
	const size = 1 << 20
	got := make(chan int64, 1)
	total := make(chan int64, 1)
	c := forwardQuick(b, func(c net.Conn) {
		n, _ := io.CopyN(io.Discard, c, <-total)
		got <- n
	})
	block := make([]byte, size)
	b.SetBytes(size)
	b.ReportAllocs()
	total <- int64(b.N) * size
	b.ResetTimer()
	for range b.N {
		if _, err := c.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	if n := <-got; n != int64(b.N)*size {
		b.Fatalf("%d bytes arrived, want %d", n, int64(b.N)*size)
	}
}

// BenchmarkDownload is a megabyte from the destination to the local program.
func BenchmarkDownload(b *testing.B) {
	const size = 1 << 20
	block := make([]byte, size)
	more := make(chan struct{}, 1)
	c := forwardQuick(b, func(c net.Conn) {
		for range more {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	})
	b.SetBytes(size)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		defer close(more)
		for range b.N {
			more <- struct{}{}
		}
	}()
	if n, err := io.CopyN(io.Discard, c, int64(b.N)*size); err != nil {
		b.Fatalf("%d bytes arrived: %v", n, err)
	}
}

// BenchmarkEcho is a round trip of 16 bytes. Compare with BenchmarkEchoDirect:
// the difference is what forwarding adds.
func BenchmarkEcho(b *testing.B) { benchmarkEcho(b, forwardQuick(b, echo)) }

func BenchmarkEchoDirect(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err == nil {
			echo(c)
			_ = c.Close()
		}
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	benchmarkEcho(b, c)
}

func benchmarkEcho(b *testing.B, c net.Conn) {
	b.Helper()
	buf := make([]byte, 16)
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMemoryIsConstant forwards a lot and looks at what is still held while data
// is flowing: no more than the two buffers between a session and its connections may
// hold when the machine is busy, and what is on its way.
func TestMemoryIsConstant(t *testing.T) {
	size := int64(256 << 20)
	if testing.Short() {
		size = 32 << 20
	}
	done := make(chan error, 1)
	c := forwardQuick(t, func(c net.Conn) {
		_, err := io.CopyN(io.Discard, c, size)
		done <- err
	})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	block := make([]byte, 1<<20)
	var least, most uint64
	for i := range size / int64(len(block)) {
		if _, err := c.Write(block); err != nil {
			t.Fatal(err)
		}
		if i%16 == 15 {
			if h := heap(); least == 0 {
				least, most = h, h
			} else {
				least, most = min(least, h), max(most, h)
			}
		}
	}
	if err := <-done; err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if buffers := uint64(muxReceive + queueLimit + 16<<20); most > least+buffers {
		t.Errorf("the heap grew from %d to %d bytes", least, most)
	}
}
