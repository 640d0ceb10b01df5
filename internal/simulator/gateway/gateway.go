package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/simulator/agent"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// Config is what a gateway needs from the rest of the simulator.
type Config struct {
	// Base is the start of every StreamUrl: "ws://127.0.0.1:4599".
	Base string
	// Verify checks the signature of an upgrade request (or of an agent's
	// POST); nil accepts all. Whether an unsigned one is accepted is its affair.
	// node is the one whose role has signed, empty for a user.
	Verify func(*http.Request) (node string, err error)
	// Node finds the node a session leads to.
	Node func(id string) (world.NodeRuntime, bool)
	// Keys opens the data keys of encrypted sessions.
	Keys world.DataKeys
	// Faults are those of every session that has none of its own.
	Faults world.Faults
	// Agent are the options of all agents of this process.
	Agent agent.Options
	// Changed, if set, is told each new state of a session. details is the
	// reason of an end, or empty. It must not call the gateway.
	Changed func(id, status, details string)
	// Logs, if set, gives the log that a session's agent in this process keeps:
	// nil when it keeps none, with a reason when it refuses to start.
	Logs func(world.SessionSpec) (log *world.SessionLog, refusal string)
	// Agents and Jobs, if set, are told what real agents do; see control.go. Agents
	// is called by one goroutine at a time and must not call the gateway.
	Agents func(instance string, connected bool)
	Jobs   func(instance string, m JobMessage)
	// Log gets what an operator of the simulator may want to know; nil: nothing.
	Log *slog.Logger
}

// Limits of the gateway itself.
const (
	defaultTokenTTL = time.Minute
	endedSessions   = 1000                   // ended ones that are remembered
	openTimeout     = 10 * time.Second       // for the opening text frame
	closeGrace      = 250 * time.Millisecond // for clients to hear of the end when the gateway closes
)

// Gateway is the world.Sessions of the simulator and the handler of its
// websockets. Its methods may be called concurrently.
type Gateway struct {
	cfg  Config
	log  *slog.Logger
	mux  *http.ServeMux
	ctx  context.Context // of everything started here; ended by Close
	stop context.CancelFunc
	work sync.WaitGroup

	faults atomic.Pointer[world.Faults] // never nil

	// presence is held while an agent comes or goes, Config.Agents included, so that
	// the last word about it is the true one. It is taken before mu.
	presence sync.Mutex

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session
	ended    []string // ids, oldest first
	tokens   map[string]token
	sockets  map[*socket]struct{}
	controls map[string]*control // by instance
}

var (
	_ world.Sessions = (*Gateway)(nil)
	_ world.Agents   = (*Gateway)(nil)
)

// New returns a gateway without sessions.
func New(cfg Config) *Gateway {
	g := &Gateway{
		cfg:      cfg,
		log:      cfg.Log,
		sessions: map[string]*session{},
		tokens:   map[string]token{},
		sockets:  map[*socket]struct{}{},
		controls: map[string]*control{},
	}
	g.faults.Store(&cfg.Faults)
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.mux = g.routes()
	return g
}

var errClosed = errors.New("gateway is closed")

// Open registers a session and starts the agent's side of it. See
// world.Sessions.
func (g *Gateway) Open(ctx context.Context, spec world.SessionSpec) (token, streamURL string, err error) {
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	if len(spec.Properties) == 0 {
		spec.Properties = nil
	} else if !json.Valid(spec.Properties) {
		return "", "", errors.New("session properties are not JSON")
	}
	node, ok := g.cfg.Node(spec.NodeID)
	if !ok {
		return "", "", world.Errorf("TargetNotConnected", "%s is not connected.", spec.NodeID)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return "", "", errClosed
	}
	if _, taken := g.sessions[spec.ID]; taken {
		return "", "", errors.New("session " + spec.ID + " exists already")
	}
	s := newSession(g, spec)
	g.sessions[spec.ID] = s
	s.begin()
	switch c := g.controls[spec.NodeID]; {
	case c != nil:
		c.startSession(&spec)
	case !node.Agent.Silent:
		g.work.Go(func() { s.runAgent(node) })
	}
	return g.issue(spec.ID, clientSide, s.faults()), g.streamURL(spec.ID), nil
}

// Resume issues a new token. See world.Sessions.
func (g *Gateway) Resume(id string) (token, streamURL string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sessions[id]
	if g.closed || s == nil || s.isOver() {
		return "", "", world.ErrNoSession
	}
	f := s.faults()
	switch f.RefuseResume {
	case "not-found":
		return "", "", world.ErrNoSession
	case "denied":
		return "", "", world.Errorf("AccessDeniedException",
			"User is not authorized to perform: ssm:ResumeSession on resource: %s", id)
	case "empty-token":
		return "", g.streamURL(id), nil
	}
	return g.issue(id, clientSide, f), g.streamURL(id), nil
}

// Terminate ends a session. See world.Sessions.
func (g *Gateway) Terminate(id string) error {
	if s := g.session(id); s != nil {
		s.end(world.SessionTerminated, "")
	}
	return nil
}

// Status returns the state of a session. See world.Sessions.
func (g *Gateway) Status(id string) (status string, ok bool) {
	s := g.session(id)
	if s == nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status, true
}

// Live returns how many sessions have not ended.
func (g *Gateway) Live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sessions) - len(g.ended)
}

// Close ends every session, hangs up on everybody and waits for all goroutines,
// or until ctx is done.
func (g *Gateway) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	var live []*session
	for _, s := range g.sessions {
		live = append(live, s)
	}
	controls := slices.Collect(maps.Values(g.controls))
	g.mu.Unlock()
	for _, s := range live {
		s.end(world.SessionTerminated, "")
		s.close()
	}
	for _, c := range controls {
		c.k.bye(websocket.StatusNormalClosure, "")
	}
	g.stop()
	done := make(chan struct{})
	go func() { // ends when the work does, at the latest after the kills below
		g.work.Wait()
		close(done)
	}()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-done:
		return nil
	case <-grace.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	for k := range g.sockets {
		k.kill()
	}
	g.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *Gateway) session(id string) *session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[id]
}

// forget notes that a session has ended, and drops the oldest ended ones.
func (g *Gateway) forget(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = append(g.ended, id)
	if n := len(g.ended) - endedSessions; n > 0 {
		for _, old := range g.ended[:n] {
			delete(g.sessions, old)
		}
		g.ended = slices.Delete(g.ended, 0, n)
	}
}

// enter counts a request as work to wait for. It reports false when the gateway
// is closed.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Add(1)
	return true
}

func (g *Gateway) streamURL(id string) string {
	return g.cfg.Base + "/v1/data-channel/" + url.PathEscape(id) + "?role=publish_subscribe"
}
