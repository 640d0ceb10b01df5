package sessionclient

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// gateway is a message gateway with a real websocket server: it takes upgrades,
// reads the opening text and leaves the rest to serve.
type gateway struct {
	t      *testing.T
	url    string
	client *http.Client // how to reach it; nil: in the ordinary way
	serve  func(n int, ws *websocket.Conn)
	onPing func() bool // whether to answer
	hang   atomic.Bool // upgrades are not answered
	start  time.Time

	mu       sync.Mutex
	opened   []wire.OpenDataChannel
	requests []*http.Request
	live     sync.WaitGroup
}

// newGateway starts a gateway on a socket. serve gets the number of the
// connection, from 0; when it returns, the connection is dropped without a close
// frame.
func newGateway(t *testing.T, serve func(n int, ws *websocket.Conn)) *gateway {
	t.Helper()
	g := &gateway{t: t, serve: serve}
	server := httptest.NewServer(g)
	g.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		g.live.Wait()
		server.Close()
	})
	return g
}

// newVirtualGateway starts a gateway without sockets, so that it works in
// virtual time. A write waits for its read.
func newVirtualGateway(t *testing.T, serve func(n int, ws *websocket.Conn)) *gateway {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	g := &gateway{t: t, serve: serve, start: time.Now(), url: "http://127.0.0.1", client: &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return l.dial() },
	}}}
	server := &http.Server{Handler: g}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		g.client.CloseIdleConnections()
		_ = server.Close()
		g.live.Wait()
		served.Wait()
	})
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.hang.Load() {
		<-r.Context().Done()
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
		return g.onPing == nil || g.onPing()
	}})
	if err != nil {
		return
	}
	g.live.Add(1)
	defer g.live.Done()
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(2 * wire.MaxMessage)
	typ, b, err := ws.Read(g.t.Context())
	if err != nil {
		return
	}
	var open wire.OpenDataChannel
	if typ != websocket.MessageText || json.Unmarshal(b, &open) != nil {
		g.t.Errorf("opened with %v %q", typ, b)
	}
	g.mu.Lock()
	n := len(g.opened)
	g.opened = append(g.opened, open)
	g.requests = append(g.requests, r)
	g.mu.Unlock()
	g.serve(n, ws)
}

func (g *gateway) ticket() Ticket {
	return Ticket{SessionID: "me-0123", Token: "secret-token", StreamURL: strings.Replace(g.url, "http", "ws", 1) + "/v1/data-channel/me-0123?role=publish_subscribe"}
}

// resume is a Resume that gives the gateway's ticket.
func (g *gateway) resume(context.Context) (Ticket, error) { return g.ticket(), nil }

// dial opens a session with the gateway.
func (g *gateway) dial(opts ...Option) (*Session, error) {
	return Dial(g.t.Context(), g.ticket(), append([]Option{WithHTTPClient(g.client)}, opts...)...)
}

// pipeListener hands out ends of pipes.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

var errNoListener = errors.New("nobody listens")

func (l *pipeListener) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, errNoListener
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// serverConn is the gateway's end as a Conn, for an agent.
type serverConn struct{ ws *websocket.Conn }

func (c serverConn) Read() ([]byte, error) {
	_, b, err := c.ws.Read(context.Background())
	return b, err
}

func (c serverConn) Write(b []byte) error {
	return c.ws.Write(context.Background(), websocket.MessageBinary, b)
}

func (c serverConn) Close() error { return c.ws.CloseNow() }

// numbered encodes an agent's data message.
func numbered(t *testing.T, seq int64, typ wire.PayloadType, payload []byte) []byte {
	t.Helper()
	b, err := wire.Append(nil, &wire.Message{Type: wire.OutputStreamData, Created: 1, Seq: seq, PayloadType: typ, Payload: payload, ID: wire.NewUUID()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// closedFrame encodes the service's channel_closed.
func closedFrame(t *testing.T, output string) []byte {
	t.Helper()
	b, err := wire.AppendService(nil, &wire.Message{Type: wire.ChannelClosed, Created: 1, Payload: wire.Marshal(wire.Closed{Output: output})})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// prompt makes a session ready.
func prompt(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	if err := ws.Write(t.Context(), websocket.MessageBinary, numbered(t, 0, wire.PayloadOutput, []byte("$ "))); err != nil {
		t.Errorf("prompt: %v", err)
	}
}
