package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

func TestNothingIsLost(t *testing.T) {
	tests := []struct {
		name   string
		faults world.Faults
		during func(r *rig, id string)
	}{
		{"over a slow path", world.Faults{Latency: 5 * time.Millisecond, Jitter: 3 * time.Millisecond}, nil},
		{"with loss", world.Faults{Loss: 0.05, Seed: 1}, nil},
		{"with duplicates", world.Faults{Duplicate: 0.3, Seed: 2}, nil},
		{"with reordering", world.Faults{Reorder: 0.2, Seed: 3}, nil},
		{"with damaged digests", world.Faults{Corrupt: 0.05, Seed: 4}, nil},
		{"with everything", world.Faults{
			Latency: time.Millisecond, Jitter: time.Millisecond, Loss: 0.03, Duplicate: 0.05, Reorder: 0.05, Corrupt: 0.03,
		}, nil},
		{"while the client is cut off", world.Faults{CutEvery: 30 * time.Millisecond, Latency: time.Millisecond}, nil},
		{"while the service says Bye", world.Faults{ByeEvery: 30 * time.Millisecond, Latency: time.Millisecond}, nil},
		{"while the agent is cut off", world.Faults{Latency: time.Millisecond}, func(r *rig, id string) { r.CutAgent(id) }},
		{"while the service pauses", world.Faults{Latency: time.Millisecond}, func(r *rig, id string) { r.Publish(id, false) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(c *Config, _ *world.NodeRuntime) { c.Faults = tt.faults })
			spec := r.spec("Port", forwarding(server(t, echo)))
			token, url, err := r.Open(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			c := newClient(r, spec)
			c.resumes = true
			c.calm = func() { r.SetFaults(world.Faults{Latency: tt.faults.Latency}) }
			c.connect(url, token)
			var hit sync.WaitGroup
			if tt.during != nil {
				hit.Go(func() {
					c.until("some traffic", func() bool { return c.received > 100 })
					tt.during(r, spec.ID)
				})
			}
			echoThrough(t, c, 500_000)
			hit.Wait()
		})
	}
}

func TestFaultsAreRepeatable(t *testing.T) {
	pass := func() (delivered []byte) {
		l := newLane(7, clientSide, func(msg []byte, _ bool) { delivered = append(delivered, msg[0]) })
		f := &world.Faults{Loss: 0.3, Duplicate: 0.3}
		for i := range 100 {
			l.send(f, []byte{byte(i)})
		}
		return delivered
	}
	first := pass()
	if n := len(first); n == 100 || n == 0 || !bytes.Equal(first, pass()) {
		t.Errorf("%d of 100 delivered; want some lost, and the same ones each time", n)
	}
}

func TestTokens(t *testing.T) {
	r := newRig(t, nil)
	spec := r.spec("Port", forwarding(1))
	other := r.spec("Port", forwarding(1))
	token, url, err := r.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Open(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	refused := func(what, url, token string) {
		t.Helper()
		ws, err := dial(t.Context(), url, token, clientVersion)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		_, _, err = ws.Read(t.Context())
		if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: got %v, want the connection refused", what, err)
		}
	}
	refused("forged token", url, token+"x")
	refused("token of another session", strings.Replace(url, "-1?", "-2?", 1), token)
	c := newClient(r, spec)
	c.connect(url, token)
	c.shake(clientVersion)
	refused("used token", url, token)
	expired, url, err := r.Resume(spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.ExpireTokens()
	refused("expired token", url, expired)
	if !r.SetSessionFaults(spec.ID, world.Faults{TokenTTL: time.Nanosecond}) {
		t.Fatal("no such session")
	}
	late, url, err := r.Resume(spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	refused("token after its time", url, late)
}

func TestUpgradeIsRefused(t *testing.T) {
	r := newRig(t, func(c *Config, _ *world.NodeRuntime) {
		c.Verify = func(r *http.Request) (string, error) {
			if r.Header.Get("Authorization") == "" {
				return "", errors.New("missing authentication token")
			}
			return "", nil
		}
	})
	_, url, err := r.Open(t.Context(), r.spec("Port", forwarding(1)))
	if err != nil {
		t.Fatal(err)
	}
	status := func(url string, h http.Header) int {
		ws, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: h})
		if err == nil {
			_ = ws.CloseNow()
		}
		return resp.StatusCode
	}
	signed := http.Header{"Authorization": {"AWS4-HMAC-SHA256 ..."}}
	if got := status(url, nil); got != http.StatusForbidden {
		t.Errorf("unsigned upgrade gives %d, want 403", got)
	}
	if got := status(url, signed); got != http.StatusSwitchingProtocols {
		t.Errorf("signed upgrade gives %d, want 101", got)
	}
	if got := status(strings.Replace(url, "-1?", "-9?", 1), signed); got != http.StatusNotFound {
		t.Errorf("unknown session gives %d, want 404", got)
	}
}

func TestStatusFollowsTheClient(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	r, _ := newShellRig(t, func(c *Config, _ *world.NodeRuntime) {
		c.Changed = func(_, status, details string) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, status+details)
		}
	})
	spec := r.spec("Standard_Stream", "")
	token, url, err := r.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	r.status(spec.ID, world.SessionConnecting)
	c := newClient(r, spec)
	c.connect(url, token)
	c.output(wire.PayloadOutput, "prompt$")
	r.status(spec.ID, world.SessionConnected)
	r.Cut(spec.ID)
	c.until("the cut", func() bool { return c.lost != nil })
	if got := websocket.CloseStatus(c.lost); got != -1 {
		t.Errorf("cut closes with %d, want no close frame", got)
	}
	r.status(spec.ID, world.SessionDisconnected)
	c.resume()
	r.status(spec.ID, world.SessionConnected)
	r.Bye(spec.ID)
	c.until("the goodbye", func() bool { return c.lost != nil })
	var ce websocket.CloseError
	if !errors.As(c.lost, &ce) || ce.Code != websocket.StatusNormalClosure || ce.Reason != "Bye" {
		t.Errorf("closed with %v, want 1000 Bye", c.lost)
	}
	r.status(spec.ID, world.SessionDisconnected)
	if err := r.Terminate(spec.ID); err != nil {
		t.Fatal(err)
	}
	r.status(spec.ID, world.SessionTerminated)
	mu.Lock()
	defer mu.Unlock()
	want := "[Connected Disconnected Connected Disconnected Terminated]"
	if got := fmt.Sprint(seen); got != want {
		t.Errorf("states were %s, want %s", got, want)
	}
	if _, _, err := r.Resume(spec.ID); !errors.Is(err, world.ErrNoSession) {
		t.Errorf("resume after the end gives %v, want ErrNoSession", err)
	}
}

func TestTerminateTellsTheClient(t *testing.T) {
	r, _ := newShellRig(t, nil)
	c := r.open(r.spec("Standard_Stream", ""))
	c.output(wire.PayloadOutput, "prompt$")
	for range 2 { // idempotent
		if err := r.Terminate(c.spec.ID); err != nil {
			t.Fatal(err)
		}
	}
	if reason := c.end(); reason != "" {
		t.Errorf("ended with %q, want no reason", reason)
	}
	c.until("the close", func() bool { return c.lost != nil })
	if got := websocket.CloseStatus(c.lost); got != websocket.StatusNormalClosure {
		t.Errorf("closed with %d, want 1000", got)
	}
	if err := r.Terminate("unknown"); err != nil {
		t.Errorf("terminating an unknown session gives %v, want no error", err)
	}
}

func TestLateClientLearnsOfTheEnd(t *testing.T) {
	r := newRig(t, nil)
	spec := r.spec("Port", forwarding(1))
	token, url, err := r.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Terminate(spec.ID)
	c := newClient(r, spec)
	c.connect(url, token)
	c.end()
	if len(c.service) != 1 || c.service[0] != wire.ChannelClosed {
		t.Errorf("got %v, want channel_closed as the first message", c.service)
	}
}

func TestSecondClientReplacesTheFirst(t *testing.T) {
	r, _ := newShellRig(t, nil)
	c := r.open(r.spec("Standard_Stream", ""))
	c.output(wire.PayloadOutput, "prompt$")
	token, url, err := r.Resume(c.spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	second := newClient(r, c.spec)
	second.connect(url, token)
	c.until("the end of the first connection", func() bool { return c.lost != nil })
	r.status(c.spec.ID, world.SessionConnected)
}

func TestRefusedResume(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(1)))
	c.shake(clientVersion)
	var refusal *world.Error
	for how, ok := range map[string]func(token string, err error) bool{
		"not-found": func(_ string, err error) bool { return errors.Is(err, world.ErrNoSession) },
		"denied": func(_ string, err error) bool {
			return errors.As(err, &refusal) && refusal.Code == "AccessDeniedException"
		},
		"empty-token": func(token string, err error) bool { return token == "" && err == nil },
		"":            func(token string, err error) bool { return token != "" && err == nil },
	} {
		r.SetFaults(world.Faults{RefuseResume: how})
		if token, _, err := r.Resume(c.spec.ID); !ok(token, err) {
			t.Errorf("%q: got token %q, %v", how, token, err)
		}
	}
}

func TestSilentAgent(t *testing.T) {
	r := newRig(t, func(_ *Config, n *world.NodeRuntime) { n.Agent.Silent = true })
	c := r.open(r.spec("Port", forwarding(1)))
	if c.within(100*time.Millisecond, func() bool { return c.received > 0 || len(c.service) > 0 || c.lost != nil }) {
		t.Error("something came from an agent that never connects")
	}
	r.status(c.spec.ID, world.SessionConnecting)
}

func TestDetachedAgentLeavesTheSessionOpen(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(server(t, echo))))
	c.shake(clientVersion)
	r.Detach(c.spec.ID)
	c.until("the pause", func() bool {
		return len(c.service) > 0 && c.service[len(c.service)-1] == wire.PausePublication
	})
	c.put(wire.PayloadOutput, frame(0, nil))
	if c.within(400*time.Millisecond, func() bool { n, _ := c.send.InFlight(); return n == 0 }) {
		t.Error("acknowledged by an agent that is gone")
	}
	r.status(c.spec.ID, world.SessionConnected)
}

func TestLargeMessageClosesTheSocket(t *testing.T) {
	r := newRig(t, func(c *Config, _ *world.NodeRuntime) { c.Faults.MaxMessage = 4096 })
	c := r.open(r.spec("Port", forwarding(1)))
	c.shake(clientVersion)
	c.put(wire.PayloadOutput, make([]byte, 8192))
	c.until("the close", func() bool { return c.lost != nil })
	if got := websocket.CloseStatus(c.lost); got != websocket.StatusMessageTooBig {
		t.Errorf("closed with %d, want 1009", got)
	}
}

func TestInjectedFrameReachesTheClient(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(1)))
	c.shake(clientVersion)
	if !r.Inject(c.spec.ID, []byte("truncated")) || r.Inject("unknown", nil) {
		t.Error("want a frame injected into the session there is only")
	}
	c.until("a bad message", func() bool { return c.bad == 1 })
}

// TestServiceMessages checks the form in which the service makes its messages.
func TestServiceMessages(t *testing.T) {
	raw := closedMessage("session-1", "i-1", "why")
	head := append([]byte{0, 0, 0, 112}, []byte("channel_closed")...)
	head = append(head, make([]byte, 32-len("channel_closed"))...)
	if !bytes.HasPrefix(raw, head) {
		t.Errorf("starts with %x, want %x", raw[:36], head)
	}
	if !bytes.HasPrefix(raw[116:], []byte(`{"MessageId":"`)) || int(raw[115]) != len(raw)-116 {
		t.Errorf("payload does not start at 116 after its length: %q", raw[112:])
	}
	m, err := wire.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	var closed wire.Closed
	if err := json.Unmarshal(m.Payload, &closed); err != nil {
		t.Fatal(err)
	}
	if closed.SessionID != "session-1" || closed.Output != "why" || closed.MessageType != "channel_closed" || closed.SchemaVersion != 1 {
		t.Errorf("payload is %+v", closed)
	}
	if _, err := time.Parse(serviceDate, closed.CreatedDate); err != nil {
		t.Error(err)
	}
}

func TestPingsAreAnswered(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(1)))
	c.shake(clientVersion)
	if err := c.ws.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClosedGatewayRefuses(t *testing.T) {
	r := newRig(t, nil)
	c := r.open(r.spec("Port", forwarding(1)))
	c.shake(clientVersion)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.until("the end", func() bool { return c.lost != nil })
	if _, _, err := r.Open(t.Context(), r.spec("Port", forwarding(1))); err == nil {
		t.Error("a closed gateway opens a session")
	}
	resp, err := http.Post(strings.Replace(r.cfg.Base, "ws", "http", 1)+"/v1/data-channel/x", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", resp.StatusCode)
	}
}
