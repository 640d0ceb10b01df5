package gateway

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// localClient is a client without a socket, for tests in virtual time. It
// acknowledges and keeps nothing.
type localClient struct {
	s   *session
	e   *end
	seq int64
}

func attachLocal(g *Gateway, id string) *localClient {
	c := &localClient{s: g.session(id)}
	box := mailbox.New(boxBytes)
	c.e = &end{box: box, kill: box.Close}
	c.s.attach(clientSide, c.e)
	return c
}

func (c *localClient) message(t wire.MessageType, pt wire.PayloadType, payload []byte) {
	b, err := wire.Append(nil, &wire.Message{Type: t, Created: 1, Seq: c.seq, PayloadType: pt, Payload: payload})
	if err != nil {
		panic(err)
	}
	c.s.receive(clientSide, c.e, b)
}

func (c *localClient) typed(text string) {
	c.message(wire.InputStreamData, wire.PayloadOutput, []byte(text))
	c.seq++
}

// drain reads and acknowledges what there is. It returns the reason of the end,
// if that came.
func (c *localClient) drain(t *testing.T) (reason string, over bool) {
	t.Helper()
	synctest.Wait()
	msgs, _ := c.e.box.Take(nil)
	for _, raw := range msgs {
		m, err := wire.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		switch m.Type {
		case wire.OutputStreamData:
			seq := c.seq
			c.seq = 0
			c.message(wire.Acknowledge, 0, wire.AppendAck(nil, wire.Ack{MessageType: m.Type, MessageID: m.ID, Seq: m.Seq}))
			c.seq = seq
		case wire.ChannelClosed:
			var closed wire.Closed
			if err := json.Unmarshal(m.Payload, &closed); err != nil {
				t.Fatal(err)
			}
			return closed.Output, true
		}
	}
	return "", false
}

// virtual is a gateway with one shell session in virtual time.
func virtual(t *testing.T, spec world.SessionSpec) *Gateway {
	n := world.NodeRuntime{ID: nodeID, Platform: "linux", AgentVersion: "3.3.1142.0", Machine: &fakeMachine{}}
	g := New(Config{Node: func(string) (world.NodeRuntime, bool) { return n, true }})
	if _, _, err := g.Open(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := virtual(t, world.SessionSpec{ID: "s", NodeID: nodeID, SessionType: "Standard_Stream", IdleTimeout: 20 * time.Minute})
		defer g.Close(t.Context())
		c := attachLocal(g, "s")
		for range 3 { // activity keeps it alive well beyond the timeout
			if reason, over := c.drain(t); over {
				t.Fatalf("ended too early: %q", reason)
			}
			time.Sleep(15 * time.Minute)
			c.typed("x")
		}
		c.drain(t)
		time.Sleep(20*time.Minute - time.Second)
		if _, over := c.drain(t); over {
			t.Fatal("ended before the timeout")
		}
		time.Sleep(2 * time.Second)
		if reason, over := c.drain(t); !over || reason != textIdle {
			t.Errorf("over is %v with %q, want the idle timeout", over, reason)
		}
		if status, _ := g.Status("s"); status != world.SessionTerminated {
			t.Errorf("status is %s, want Terminated", status)
		}
	})
}

func TestIdleTimeoutOfAnAbandonedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := virtual(t, world.SessionSpec{ID: "s", NodeID: nodeID, SessionType: "Standard_Stream", IdleTimeout: time.Minute})
		defer g.Close(t.Context())
		c := attachLocal(g, "s")
		c.drain(t)
		c.s.detach(clientSide, c.e)
		time.Sleep(30 * time.Second)
		if status, _ := g.Status("s"); status != world.SessionDisconnected {
			t.Errorf("status is %s, want Disconnected", status)
		}
		if _, _, err := g.Resume("s"); err != nil {
			t.Errorf("resume gives %v, want a token", err)
		}
		time.Sleep(time.Minute)
		if status, _ := g.Status("s"); status != world.SessionTerminated || g.Live() != 0 {
			t.Errorf("status is %s with %d live sessions, want Terminated with none", status, g.Live())
		}
	})
}

func TestMaximumDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := virtual(t, world.SessionSpec{
			ID: "s", NodeID: nodeID, SessionType: "Standard_Stream", IdleTimeout: time.Hour, MaxDuration: 10 * time.Minute,
		})
		defer g.Close(t.Context())
		c := attachLocal(g, "s")
		time.Sleep(10*time.Minute - time.Second)
		if _, over := c.drain(t); over {
			t.Fatal("ended too early")
		}
		time.Sleep(2 * time.Second)
		if reason, over := c.drain(t); !over || reason != textMax {
			t.Errorf("over is %v with %q, want the maximum duration", over, reason)
		}
	})
}

// TestAwayClientCostsLittle checks that output for nobody is bounded, even from
// an agent that does not heed a pause.
func TestAwayClientCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := virtual(t, world.SessionSpec{ID: "s", NodeID: nodeID, SessionType: "Standard_Stream", IdleTimeout: time.Hour})
		defer g.Close(t.Context())
		s := g.session("s")
		synctest.Wait()
		msg, err := wire.Append(nil, &wire.Message{Type: wire.OutputStreamData, Created: 1, PayloadType: 1, Payload: make([]byte, 1024)})
		if err != nil {
			t.Fatal(err)
		}
		for range 10_000 {
			s.receive(agentSide, s.ends[agentSide], msg)
		}
		if n := s.backlog[clientSide].bytes; n > backlogBytes || n < backlogBytes/2 {
			t.Errorf("%d bytes kept for an absent client, want a little less than %d", n, backlogBytes)
		}
		c := attachLocal(g, "s")
		if msgs, _ := c.e.box.Take(nil); len(msgs) < 100 || len(msgs) > 300 {
			t.Errorf("%d messages delivered on arrival, want what was kept", len(msgs))
		}
	})
}
