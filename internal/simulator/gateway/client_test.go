package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// nodeID is the node of the tests.
const nodeID = "i-0123456789abcdef0"

// clientVersion is new enough for everything.
const clientVersion = "1.2.764.0"

// rig is a gateway behind a loopback server, with one node.
type rig struct {
	*Gateway
	t    testing.TB
	node world.NodeRuntime
	next int
}

// newRig starts a gateway and checks at the end of the test that nothing of it
// is left.
func newRig(t testing.TB, change func(*Config, *world.NodeRuntime)) *rig {
	t.Helper()
	before := runtime.NumGoroutine()
	r := &rig{t: t, node: world.NodeRuntime{ID: nodeID, Platform: "linux", AgentVersion: "3.3.1142.0", Dial: dialLoopback}}
	srv := httptest.NewUnstartedServer(nil)
	cfg := Config{
		Base: "ws://" + srv.Listener.Addr().String(),
		Keys: testKeys{},
	}
	if change != nil {
		change(&cfg, &r.node)
	}
	cfg.Node = func(id string) (world.NodeRuntime, bool) { return r.node, id == nodeID }
	r.Gateway = New(cfg)
	srv.Config.Handler = r.Gateway
	srv.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Error("close:", err)
		}
		srv.Close()
		checkGoroutines(t, before)
	})
	return r
}

// checkGoroutines waits a little for those of libraries, which end on their own.
func checkGoroutines(t testing.TB, before int) {
	t.Helper()
	if t.Failed() {
		return
	}
	http.DefaultClient.CloseIdleConnections()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-deadline:
			buf := make([]byte, 1<<20)
			t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
			return
		}
	}
}

// dialLoopback connects to a port of this machine, whatever the host is called.
func dialLoopback(ctx context.Context, _ string, port int) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// testKeys seals nothing: the sealed key is the plain one, behind its context.
type testKeys struct{}

func (testKeys) Decrypt(_ context.Context, sealed []byte, encContext map[string]string) ([]byte, error) {
	var s sealedKey
	if err := json.Unmarshal(sealed, &s); err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(s.Context, encContext) {
		return nil, errors.New("InvalidCiphertextException")
	}
	return s.Plain, nil
}

type sealedKey struct {
	Plain   []byte
	Context map[string]string
}

func (r *rig) spec(sessionType, properties string) world.SessionSpec {
	r.next++
	return world.SessionSpec{
		ID: fmt.Sprintf("tester@example.com-%d", r.next), NodeID: nodeID, SessionType: sessionType,
		Properties: json.RawMessage(properties), IdleTimeout: time.Hour,
	}
}

// open starts a session and connects a client to it.
func (r *rig) open(spec world.SessionSpec) *client {
	r.t.Helper()
	token, url, err := r.Open(r.t.Context(), spec)
	if err != nil {
		r.t.Fatal(err)
	}
	c := newClient(r, spec)
	c.connect(url, token)
	return c
}

// client is a small session client of its own: it shares nothing with package
// sessionclient but the codec and the stream.
type client struct {
	r    *rig
	spec world.SessionSpec
	wake chan struct{} // capacity 1: something was written
	sub  sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond
	ws       *websocket.Conn
	send     *reliable.Sender
	recv     *reliable.Receiver[wire.Message]
	out      map[wire.PayloadType][]byte // by type, of data payloads
	events   []wire.Message              // handshake messages and flags, in order
	service  []wire.MessageType          // messages of the service
	closed   *wire.Closed
	lost     error // why the websocket ended
	handle   func(m *wire.Message) bool
	resumes  bool // reconnect when the websocket ends
	resumed  int
	calm     func() // when that has been done stormMost times
	gone     bool   // the session is over, or given up
	bad      int    // messages that did not decode
	received int    // output messages, repeats included
}

func newClient(r *rig, spec world.SessionSpec) *client {
	c := &client{
		r: r, spec: spec, wake: make(chan struct{}, 1),
		send: reliable.NewSender(reliable.Window{Bytes: 4 << 20, Messages: 4000}),
		recv: reliable.NewReceiver[wire.Message](reliable.Limits{}),
		out:  map[wire.PayloadType][]byte{},
	}
	c.changed = sync.NewCond(&c.mu)
	r.t.Cleanup(c.stop)
	return c
}

// dial opens a data channel and sends the opening text.
func dial(ctx context.Context, url, token, version string) (*websocket.Conn, error) {
	ws, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(8 << 20)
	text := wire.Marshal(wire.OpenDataChannel{
		MessageSchemaVersion: "1.0", RequestID: wire.NewUUID().String(), TokenValue: token,
		ClientID: wire.NewUUID().String(), ClientVersion: version,
	})
	return ws, ws.Write(ctx, websocket.MessageText, text)
}

func (c *client) connect(url, token string) {
	c.r.t.Helper()
	ws, err := dial(c.r.t.Context(), url, token, clientVersion)
	if err != nil {
		c.r.t.Fatal(err)
	}
	c.mu.Lock()
	c.ws, c.lost = ws, nil
	c.send.Reconnected(time.Now())
	c.mu.Unlock()
	c.sub.Go(func() { c.read(ws) })
	c.sub.Go(func() { c.write(ws) })
}

// stop lets go of everything.
func (c *client) stop() {
	c.mu.Lock()
	c.gone, c.resumes = true, false
	ws := c.ws
	c.mu.Unlock()
	if ws != nil {
		_ = ws.CloseNow()
	}
	c.kick()
	c.sub.Wait()
}

func (c *client) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *client) read(ws *websocket.Conn) {
	for {
		_, raw, err := ws.Read(context.Background())
		if err != nil {
			c.mu.Lock()
			c.lost = err
			resume := c.resumes && !c.gone && c.closed == nil
			c.changed.Broadcast()
			c.mu.Unlock()
			c.kick()
			_ = ws.CloseNow()
			if resume {
				c.resume()
			}
			return
		}
		c.take(raw)
	}
}

// stormMost is how often a connection is cut off: where it takes longer to come back than
// until the next cut, as on a busy machine, nothing would ever come through.
const stormMost = 40

// resume reconnects as long as the session lives.
func (c *client) resume() {
	c.mu.Lock()
	c.resumed++
	over := c.resumed == stormMost && c.calm != nil
	c.mu.Unlock()
	if over {
		c.calm()
	}
	token, url, err := c.r.Resume(c.spec.ID)
	if err != nil {
		c.mu.Lock()
		c.gone = true
		c.changed.Broadcast()
		c.mu.Unlock()
		return
	}
	ws, err := dial(context.Background(), url, token, clientVersion)
	if err != nil {
		c.sub.Go(c.resume)
		return
	}
	c.mu.Lock()
	stop := c.gone
	c.ws, c.lost = ws, nil
	c.send.Reconnected(time.Now())
	c.mu.Unlock()
	if stop {
		_ = ws.CloseNow()
		return
	}
	c.sub.Go(func() { c.read(ws) })
	c.sub.Go(func() { c.write(ws) })
}

// write sends what is due until its websocket is not the current one any more.
func (c *client) write(ws *websocket.Conn) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c.mu.Lock()
		if c.ws != ws || c.lost != nil || c.gone {
			c.mu.Unlock()
			return
		}
		now := time.Now()
		c.send.Expire(now)
		var frames [][]byte
		for len(frames) < 256 {
			f, ok := c.send.Next(now)
			if !ok {
				break
			}
			frames = append(frames, f)
		}
		deadline := c.send.Deadline()
		c.mu.Unlock()
		for _, f := range frames {
			if ws.Write(context.Background(), websocket.MessageBinary, f) != nil {
				return
			}
		}
		if len(frames) == 256 {
			continue
		}
		timer.Reset(time.Hour)
		if !deadline.IsZero() {
			timer.Reset(time.Until(deadline))
		}
		select {
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// take handles one message of the gateway.
func (c *client) take(raw []byte) {
	m, err := wire.Decode(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.changed.Broadcast()
	if err != nil {
		c.bad++
		return
	}
	switch m.Type {
	case wire.OutputStreamData:
		c.received++
		if c.recv.Receive(m.Seq, len(m.Payload), m) {
			c.ack(&m)
		}
		for {
			m, ok := c.recv.Take()
			if !ok {
				break
			}
			c.deliver(&m)
		}
	case wire.Acknowledge:
		if a, err := wire.ParseAck(m.Payload); err == nil {
			c.send.Acked(time.Now(), a.Seq)
			c.kick()
		}
	case wire.ChannelClosed:
		var closed wire.Closed
		if json.Unmarshal(m.Payload, &closed) == nil {
			c.closed = &closed
		}
		c.service = append(c.service, m.Type)
	default:
		c.service = append(c.service, m.Type)
	}
}

// ack acknowledges at once, with mu held.
func (c *client) ack(m *wire.Message) {
	payload := wire.AppendAck(nil, wire.Ack{MessageType: m.Type, MessageID: m.ID, Seq: m.Seq})
	b, err := wire.Append(nil, &wire.Message{Type: wire.Acknowledge, Created: 1, Flags: 3, ID: wire.NewUUID(), Payload: payload})
	if err == nil && c.ws != nil {
		_ = c.ws.Write(context.Background(), websocket.MessageBinary, b) // lost ones are repeated on demand
	}
}

func (c *client) deliver(m *wire.Message) {
	if c.handle != nil && c.handle(m) {
		return
	}
	switch m.PayloadType {
	case wire.PayloadOutput, wire.PayloadStdErr, wire.PayloadExitCode:
		c.out[m.PayloadType] = append(c.out[m.PayloadType], m.Payload...)
	default:
		c.events = append(c.events, *m)
	}
}

// put sends one input message, waiting for the window.
func (c *client) put(t wire.PayloadType, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.send.CanPush() && !c.gone && c.closed == nil {
		c.changed.Wait()
	}
	b, err := wire.Append(nil, &wire.Message{
		Type: wire.InputStreamData, Created: uint64(time.Now().UnixMilli()), Seq: c.send.NextSeq(),
		ID: wire.NewUUID(), PayloadType: t, Payload: payload,
	})
	if err != nil {
		c.r.t.Error(err)
		return
	}
	c.send.Push(b)
	c.kick()
}

// until waits for a condition on the client, which is checked with mu held.
func (c *client) until(what string, cond func() bool) {
	c.r.t.Helper()
	if !c.within(2*time.Minute, cond) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.r.t.Fatalf("waited in vain for %s; output %.200q, %d events, closed %+v, lost %v",
			what, c.out[wire.PayloadOutput], len(c.events), c.closed, c.lost)
	}
}

func (c *client) within(d time.Duration, cond func() bool) bool {
	deadline := time.Now().Add(d)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	stop := make(chan struct{})
	var waker sync.WaitGroup
	defer waker.Wait()
	defer close(stop)
	waker.Go(func() {
		for {
			select {
			case <-tick.C: // some conditions come true with time alone
				c.changed.Broadcast()
			case <-stop:
				return
			}
		}
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	for !cond() {
		if time.Now().After(deadline) {
			return false
		}
		c.changed.Wait()
	}
	return true
}

// event waits for the next handshake message or flag of a type.
func (c *client) event(t wire.PayloadType) wire.Message {
	c.r.t.Helper()
	var m wire.Message
	c.until(fmt.Sprintf("payload type %d", t), func() bool {
		for i := range c.events {
			if c.events[i].PayloadType == t {
				m = c.events[i]
				c.events = append(c.events[:i:i], c.events[i+1:]...)
				return true
			}
		}
		return false
	})
	return m
}

// shake answers the handshake of a session without encryption.
func (c *client) shake(version string) wire.HandshakeRequest {
	c.r.t.Helper()
	var req wire.HandshakeRequest
	m := c.event(wire.PayloadHandshakeRequest)
	if err := json.Unmarshal(m.Payload, &req); err != nil {
		c.r.t.Fatal(err)
	}
	c.put(wire.PayloadHandshakeResponse, wire.Marshal(wire.HandshakeResponse{
		ClientVersion:          version,
		ProcessedClientActions: []wire.ProcessedAction{{ActionType: wire.ActionSessionType, ActionStatus: 1}},
	}))
	c.event(wire.PayloadHandshakeComplete)
	return req
}

// output waits until the output of type t contains text.
func (c *client) output(t wire.PayloadType, text string) {
	c.r.t.Helper()
	c.until(fmt.Sprintf("%q", text), func() bool { return strings.Contains(string(c.out[t]), text) })
}

// end waits for channel_closed and returns its reason.
func (c *client) end() string {
	c.r.t.Helper()
	c.until("channel_closed", func() bool { return c.closed != nil })
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed.Output
}

// status waits for a state of the session.
func (r *rig) status(id, want string) {
	r.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		got, _ := r.Status(id)
		if got == want {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			r.t.Fatalf("status is %s, want %s", got, want)
		}
	}
}
