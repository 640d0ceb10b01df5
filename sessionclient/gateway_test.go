package sessionclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// gateway is a message gateway on a real socket: it takes upgrades, reads the
// opening text and leaves the rest to serve.
type gateway struct {
	*httptest.Server
	onPing func()

	mu       sync.Mutex
	opened   []wire.OpenDataChannel
	requests []*http.Request
	live     sync.WaitGroup
}

// newGateway starts a gateway. serve gets the number of the connection, from 0;
// when it returns, the connection is dropped without a close frame.
func newGateway(t *testing.T, serve func(n int, ws *websocket.Conn)) *gateway {
	t.Helper()
	g := &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
			if g.onPing != nil {
				g.onPing()
			}
			return true
		}})
		if err != nil {
			return
		}
		g.live.Add(1)
		defer g.live.Done()
		defer func() { _ = ws.CloseNow() }()
		ws.SetReadLimit(2 * wire.MaxMessage)
		typ, b, err := ws.Read(t.Context())
		if err != nil {
			return
		}
		var open wire.OpenDataChannel
		if typ != websocket.MessageText || json.Unmarshal(b, &open) != nil {
			t.Errorf("opened with %v %q", typ, b)
		}
		g.mu.Lock()
		n := len(g.opened)
		g.opened = append(g.opened, open)
		g.requests = append(g.requests, r)
		g.mu.Unlock()
		serve(n, ws)
	}))
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.live.Wait()
		g.Close()
	})
	return g
}

func (g *gateway) ticket() Ticket {
	return Ticket{SessionID: "me-0123", Token: "secret-token", StreamURL: strings.Replace(g.URL, "http", "ws", 1) + "/v1/data-channel/me-0123?role=publish_subscribe"}
}

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
