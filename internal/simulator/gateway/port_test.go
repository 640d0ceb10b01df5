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
	ctx, cancel := context.WithCancel(context.Background())
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				stop := context.AfterFunc(ctx, func() { _ = c.Close() })
				defer stop()
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); cancel(); conns.Wait() })
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

// echoThrough sends size bytes through one stream of a multiplexed session and
// checks that they come back.
func echoThrough(t *testing.T, c *client, size int) {
	t.Helper()
	mux := multiplex(t, c, 1024)
	c.shake(clientVersion)
	s, err := mux.OpenStream()
	if err != nil {
		t.Error(err)
		return
	}
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	var up sync.WaitGroup
	up.Go(func() { _, _ = s.Write(data) })
	got := make([]byte, size)
	if n, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("echo differs: %d of %d bytes, %v", n, size, err)
	}
	_ = s.Close()
	up.Wait()
}

func TestClientFinClosesTheDestination(t *testing.T) {
	r := newRig(t, nil)
	closed := make(chan error, 1)
	c := r.open(r.spec("Port", forwarding(server(t, func(d net.Conn) {
		got, _ := io.ReadAll(d) // until the agent closes
		_, err := d.Write([]byte("answer"))
		closed <- errors.Join(err, fmt.Errorf("%s", got))
	}))))
	mux := multiplex(t, c, 1024)
	c.shake(clientVersion)
	s, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Write([]byte("question"))
	_ = s.CloseWrite()
	if got, err := io.ReadAll(s); len(got) != 0 || err != nil {
		t.Errorf("got %q, %v; want nothing: real agents close fully on FIN", got, err)
	}
	if got := <-closed; !bytes.HasSuffix([]byte(got.Error()), []byte("question")) {
		t.Errorf("destination got %v, want the question", got)
	}
}

func TestDestinationEndIsAFin(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(server(t, func(d net.Conn) { _, _ = d.Write([]byte("bye")) }))))
	mux := multiplex(t, c, 1024)
	c.shake(clientVersion)
	s, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(s); string(got) != "bye" || err != nil {
		t.Errorf("got %q, %v; want bye and the end", got, err)
	}
}

func TestStalledDestinationStallsTheSession(t *testing.T) {
	r := newRig(t, nil)
	release := make(chan struct{})
	open := sync.OnceFunc(func() { close(release) })
	defer open()
	port := server(t, func(d net.Conn) {
		<-release
		_, _ = io.Copy(io.Discard, d)
	})
	c := r.open(r.spec("Port", forwarding(port)))
	mux := multiplex(t, c, 32<<10)
	c.shake(clientVersion)
	s, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	var up sync.WaitGroup
	up.Go(func() { _, _ = s.Write(make([]byte, 32<<20)) })
	c.until("a full window", func() bool { return !c.send.CanPush() && c.send.Silence(time.Now()) > 300*time.Millisecond })
	open()
	up.Wait()
	c.until("acknowledgements", func() bool { n, _ := c.send.InFlight(); return n == 0 })
}

func TestBasicPortForOldClients(t *testing.T) {
	r := newRig(t, nil)
	accepted := make(chan struct{}, 10)
	c := r.open(r.spec("Port", forwarding(server(t, func(d net.Conn) {
		accepted <- struct{}{}
		echo(d)
	}))))
	c.shake("1.1.69.0") // too old to multiplex
	<-accepted          // dialled at the start
	c.put(wire.PayloadOutput, []byte("one"))
	c.output(wire.PayloadOutput, "one")
	c.put(wire.PayloadFlag, wire.AppendFlag(nil, wire.DisconnectToPort))
	c.put(wire.PayloadOutput, []byte("two"))
	c.output(wire.PayloadOutput, "onetwo")
	<-accepted // dialled again for new data
	c.put(wire.PayloadFlag, wire.AppendFlag(nil, wire.TerminateSession))
	if reason := c.end(); reason != "" {
		t.Errorf("ended with %q, want no reason", reason)
	}
}

func TestBasicPortDialsAgainAfterTheDestinationClosed(t *testing.T) {
	r := newRig(t, func(_ *Config, n *world.NodeRuntime) { n.AgentVersion = "3.0.161.0" }) // too old to multiplex
	c := r.open(r.spec("Port", forwarding(server(t, func(d net.Conn) {
		b := make([]byte, 1)
		_, _ = io.ReadFull(d, b)
		_, _ = d.Write(append([]byte("got "), b...))
	}))))
	c.shake(clientVersion)
	for _, b := range []string{"1", "2", "3"} {
		// A byte written before the agent has noticed the close is lost, with
		// real agents too: it is sent until it is answered.
		for !c.within(300*time.Millisecond, func() bool { return bytes.Contains(c.out[wire.PayloadOutput], []byte("got "+b)) }) {
			c.put(wire.PayloadOutput, []byte(b))
		}
	}
}

func TestStdioEndsWithItsConnection(t *testing.T) {
	r := newRig(t, nil)
	port := server(t, func(d net.Conn) {
		_, _ = d.Write([]byte("SSH-2.0-test\r\n"))
		_, _ = io.ReadFull(d, make([]byte, 4))
	})
	c := r.open(r.spec("Port", fmt.Sprintf(`{"portNumber":"%d"}`, port)))
	c.shake(clientVersion)
	c.output(wire.PayloadOutput, "SSH-2.0-test\r\n")
	c.put(wire.PayloadOutput, []byte("quit"))
	if reason := c.end(); reason != "" {
		t.Errorf("ended with %q, want no reason", reason)
	}
	r.status(c.spec.ID, world.SessionTerminated)
}

func TestUnreachableDestinations(t *testing.T) {
	refused := errors.New("dial tcp 127.0.0.1:5432: connect: connection refused")
	tests := []struct {
		name, properties, want string
	}{
		{"basic port refused", `{"portNumber":"5432"}`, "Unable to connect to specified port: " + refused.Error()},
		{
			"forbidden address", `{"portNumber":"80","host":"169.254.169.254","type":"LocalPortForwarding"}`,
			"Forwarding to IP address 169.254.169.254 is forbidden.",
		},
		{"unknown name", `{"portNumber":"80","host":"nowhere","type":"LocalPortForwarding"}`, "lookup nowhere: no such host"},
		{"no port", `{"host":"db"}`, "Port number is empty in session properties."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(_ *Config, n *world.NodeRuntime) {
				n.Dial = func(context.Context, string, int) (net.Conn, error) { return nil, refused }
				n.Resolve = func(host string) error {
					if host == "nowhere" {
						return errors.New("lookup nowhere: no such host")
					}
					return &world.ForbiddenError{Host: host}
				}
			})
			c := r.open(r.spec("Port", tt.properties))
			c.shake(clientVersion)
			if got := c.end(); got != tt.want {
				t.Errorf("ended with %q, want %q", got, tt.want)
			}
			r.status(c.spec.ID, world.SessionFailed)
		})
	}
}

func TestHangingDialBlocksNewStreamsOnly(t *testing.T) {
	port := server(t, echo)
	hang := make(chan struct{})
	calls := make(chan struct{}, 3)
	r := newRig(t, func(_ *Config, n *world.NodeRuntime) {
		n.Dial = func(ctx context.Context, host string, _ int) (net.Conn, error) {
			calls <- struct{}{}
			if len(calls) == 2 {
				select {
				case <-hang:
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
			return dialLoopback(ctx, host, port)
		}
	})
	c := r.open(r.spec("Port", forwarding(port)))
	mux := multiplex(t, c, 1024)
	c.shake(clientVersion)
	var streams [3]io.ReadWriteCloser
	for i := range streams {
		s, err := mux.Open()
		if err != nil {
			t.Fatal(err)
		}
		streams[i] = s
		_, _ = s.Write([]byte{byte('a' + i)})
	}
	read := func(i int) byte {
		b := make([]byte, 1)
		_, _ = io.ReadFull(streams[i], b)
		return b[0]
	}
	if got := read(0); got != 'a' {
		t.Errorf("first stream echoes %q, want a: it goes on", got)
	}
	if n := len(calls); n > 2 {
		t.Errorf("%d dials, want no third one while the second hangs", n)
	}
	close(hang)
	if got := string([]byte{read(1), read(2)}); got != "bc" {
		t.Errorf("later streams echo %q, want bc", got)
	}
}
