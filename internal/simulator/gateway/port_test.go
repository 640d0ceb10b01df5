package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
	"github.com/xtaci/smux"
)

// server is a destination on loopback that handles each connection with serve.
func server(t testing.TB, serve func(net.Conn)) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); conns.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

func forwarding(port int) string {
	return fmt.Sprintf(`{"portNumber":"%d","localPortNumber":"0","type":"LocalPortForwarding"}`, port)
}

// muxConn is the byte stream under the client's multiplexer.
type muxConn struct {
	c    *client
	size int // of payloads
	mu   sync.Mutex
	cond *sync.Cond
	buf  bytes.Buffer
	done bool
}

// multiplex puts a multiplexer on a client, whose session must have shaken hands
// afterwards.
func multiplex(t *testing.T, c *client, size int) *smux.Session {
	t.Helper()
	m := &muxConn{c: c, size: size}
	m.cond = sync.NewCond(&m.mu)
	c.mu.Lock()
	c.handle = func(msg *wire.Message) bool {
		if msg.PayloadType != wire.PayloadOutput {
			return false
		}
		m.mu.Lock()
		m.buf.Write(msg.Payload)
		m.mu.Unlock()
		m.cond.Broadcast()
		return true
	}
	c.mu.Unlock()
	s, err := smux.Client(m, &smux.Config{
		Version: 1, KeepAliveDisabled: true, KeepAliveInterval: time.Second, KeepAliveTimeout: 3 * time.Second,
		MaxFrameSize: 32768, MaxReceiveBuffer: 4 << 20, MaxStreamBuffer: 65536,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (m *muxConn) Read(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.buf.Len() == 0 {
		if m.done {
			return 0, io.EOF
		}
		m.cond.Wait()
	}
	return m.buf.Read(b)
}

func (m *muxConn) Write(b []byte) (int, error) {
	for chunk := range chunks(b, m.size) {
		m.c.put(wire.PayloadOutput, chunk)
	}
	return len(b), nil
}

func (m *muxConn) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = true
	m.cond.Broadcast()
	return nil
}

func chunks(b []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

func TestMuxCarriesManyConnections(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(server(t, echo))))
	mux := multiplex(t, c, 1024)
	c.shake(clientVersion)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s, err := mux.OpenStream()
			if err != nil {
				t.Error(err)
				return
			}
			data := bytes.Repeat([]byte{byte(i), 1, 2, 3, '\n'}, 40_000)
			go func() { _, _ = s.Write(data) }()
			got := make([]byte, len(data))
			if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, data) {
				t.Errorf("stream %d: echo differs, %v", i, err)
			}
			_ = s.Close()
		})
	}
	all.Wait()
	c.put(wire.PayloadFlag, wire.AppendFlag(nil, wire.TerminateSession))
	if out := c.end(); out != "" {
		t.Errorf("session ended with %q, want no reason", out)
	}
	r.status(c.spec.ID, world.SessionTerminated)
}

func TestMuxRefusedDestination(t *testing.T) {
	r := newRig(t, func(_ *Config, n *world.NodeRuntime) {
		n.Dial = func(context.Context, string, int) (net.Conn, error) { return nil, errors.New("connection refused") }
	})
	c := r.open(r.spec("Port", forwarding(1)))
	mux := multiplex(t, c, 1024)
	c.shake(clientVersion)
	s, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read gives %v, want the FIN of the stream", err)
	}
	flag := c.event(wire.PayloadFlag)
	if v, _ := wire.ParseFlag(flag.Payload); v != wire.ConnectToPortError {
		t.Errorf("flag is %d, want %d", v, wire.ConnectToPortError)
	}
}
