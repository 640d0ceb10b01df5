package gateway

import (
	"errors"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// errDetached is what an agent gets that may not come back.
var errDetached = errors.New("agent cannot reach the message gateway")

// SetFaults changes the faults of all sessions that have none of their own, from
// the next message on.
func (g *Gateway) SetFaults(f world.Faults) { g.faults.Store(&f) }

// SetSessionFaults gives one session faults of its own, from the next message
// on. The seed, and what is per connection (cuts, the message limit), counts
// from the next connection. It reports whether there is such a session.
func (g *Gateway) SetSessionFaults(id string, f world.Faults) bool {
	s := g.session(id)
	if s != nil {
		s.own.Store(&f)
	}
	return s != nil
}

// Cut drops the client's connection without a close frame (1006).
func (g *Gateway) Cut(id string) bool {
	return g.onEnd(id, clientSide, func(e *end) { e.kill() })
}

// Bye closes the client's websocket the way the service does about every hour:
// 1000 with the text "Bye". The session goes on.
func (g *Gateway) Bye(id string) bool {
	return g.onEnd(id, clientSide, func(e *end) { e.bye(websocket.StatusNormalClosure, "Bye") })
}

// CutAgent drops the agent's connection. It comes back after 100 to 200 ms.
func (g *Gateway) CutAgent(id string) bool {
	return g.onEnd(id, agentSide, func(e *end) { e.kill() })
}

// Detach drops the agent's connection for ever: the session lives on, and
// nothing the client sends is acknowledged any more.
func (g *Gateway) Detach(id string) bool {
	s := g.session(id)
	if s == nil {
		return false
	}
	s.mu.Lock()
	s.detached = true
	s.mu.Unlock()
	g.CutAgent(id)
	return true
}

// Publish sends start_publication (on) or pause_publication to both ends.
func (g *Gateway) Publish(id string, on bool) bool {
	send := func(e *end) { e.box.Push(publication(on)) }
	toClient, toAgent := g.onEnd(id, clientSide, send), g.onEnd(id, agentSide, send)
	return toClient || toAgent
}

// Inject sends raw bytes to the client as one binary websocket message, whatever
// they are: truncated, forged, oversized.
func (g *Gateway) Inject(id string, raw []byte) bool {
	return g.onEnd(id, clientSide, func(e *end) { e.box.Push(append([]byte(nil), raw...)) })
}

// ExpireTokens makes all tokens that were issued so far useless.
func (g *Gateway) ExpireTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.tokens)
}

// onEnd does something to an attached end. It reports false when there is none.
func (g *Gateway) onEnd(id string, at side, do func(*end)) bool {
	s := g.session(id)
	if s == nil {
		return false
	}
	s.mu.Lock()
	e := s.ends[at]
	s.mu.Unlock()
	if e == nil {
		return false
	}
	do(e)
	return true
}
