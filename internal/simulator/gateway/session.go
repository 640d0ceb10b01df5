package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/internal/simulator/agent"
	"github.com/ssmdeck/ssmdeck/internal/simulator/agent/mailbox"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// What a client is told when the service ends its session. The first is the
// service's own text as users reported it, the second is modelled on it.
const (
	textIdle = "Your session timed out due to inactivity and has been terminated."
	textMax  = "Your session reached its maximum duration and has been terminated."
)

// Bounds, in bytes, of what the gateway holds for one end.
const (
	boxBytes     = 4 << 20   // an end that is there but slow; then the other is slowed down
	backlogBytes = 256 << 10 // an end that is away; then messages are dropped
)

// farewellWait is how long the output of an ended session may take to reach a
// slow client before it is told of the end.
const farewellWait = 10 * time.Second

// session is one session: two ends and what lies between them.
type session struct {
	g        *Gateway
	spec     world.SessionSpec
	ctx      context.Context // of its agent; ended with the session
	cancel   context.CancelFunc
	lanes    [2]*lane // by the side they lead to
	own      atomic.Pointer[world.Faults]
	reported atomic.Bool  // a real agent has reported the result
	active   atomic.Int64 // when data last flowed, Unix nanoseconds

	mu       sync.Mutex
	status   string
	over     bool
	farewell []byte  // the client's channel_closed, once over
	ends     [2]*end // nil: away
	backlog  [2]backlog
	visited  bool          // a client was here
	detached bool          // the agent may not attach any more
	pumped   chan struct{} // closed when all output of the in-process agent is on its way
	idle     *time.Timer
	limit    *time.Timer
}

// end is one attachment of a client or an agent.
type end struct {
	box  *mailbox.Box                                   // messages for it
	kill func()                                         // hangs up abruptly
	bye  func(code websocket.StatusCode, reason string) // hangs up politely
	gone atomic.Bool                                    // replaced or hung up: what it still sends is dropped
}

// backlog is what waits for an end that is away.
type backlog struct {
	msgs  [][]byte
	bytes int
}

// add keeps msg if there is room.
func (b *backlog) add(msg []byte) {
	if b.bytes+len(msg) <= backlogBytes {
		b.msgs = append(b.msgs, msg)
		b.bytes += len(msg)
	}
}

func newSession(g *Gateway, spec world.SessionSpec) *session {
	s := &session{g: g, spec: spec, status: world.SessionConnecting}
	s.ctx, s.cancel = context.WithCancel(g.ctx)
	seed := g.faults.Load().Seed
	for to := range s.lanes {
		s.lanes[to] = newLane(seed, side(to), func(msg []byte, last bool) { s.deliver(side(to), msg, last) })
	}
	return s
}

// begin starts the timers.
func (s *session) begin() {
	s.active.Store(time.Now().UnixNano())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spec.IdleTimeout > 0 {
		s.idle = time.AfterFunc(s.spec.IdleTimeout, s.checkIdle)
	}
	if s.spec.MaxDuration > 0 {
		s.limit = time.AfterFunc(s.spec.MaxDuration, func() { s.end(world.SessionTerminated, textMax) })
	}
}

// checkIdle ends the session when no data flowed for the idle timeout.
func (s *session) checkIdle() {
	quiet := time.Since(time.Unix(0, s.active.Load()))
	if rest := s.spec.IdleTimeout - quiet; rest > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.over {
			s.idle.Reset(rest)
		}
		return
	}
	s.end(world.SessionTerminated, textIdle)
}

func (s *session) faults() *world.Faults {
	if f := s.own.Load(); f != nil {
		return f
	}
	return s.g.faults.Load()
}

func (s *session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// attach makes e the session's end of a side, in place of an older one. A client
// of an ended session is told so.
func (s *session) attach(at side, e *end) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		if at == clientSide {
			e.box.Push(s.farewell)
		} else {
			e.box.Push(closedMessage(s.spec.ID, s.spec.NodeID, ""))
		}
		e.box.Close()
		return
	}
	if old := s.ends[at]; old != nil {
		old.gone.Store(true)
		old.kill()
	}
	s.ends[at] = e
	if at == clientSide {
		s.visited = true
	}
	if peer := s.ends[at.other()]; peer != nil {
		e.box.Push(publication(true))
		peer.box.Push(publication(true))
	}
	for _, msg := range s.backlog[at].msgs {
		e.box.Push(msg)
	}
	s.backlog[at] = backlog{}
	s.setStatus("")
}

// detach notes that e has gone.
func (s *session) detach(at side, e *end) {
	e.gone.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends[at] != e {
		return
	}
	s.ends[at] = nil
	if s.over {
		return
	}
	if peer := s.ends[at.other()]; peer != nil {
		peer.box.Push(publication(false))
	}
	s.setStatus("")
}

// setStatus works out the state, with mu held, and tells who wants to know.
func (s *session) setStatus(details string) {
	status := s.status
	switch {
	case s.over:
	case s.ends[clientSide] == nil && s.visited:
		status = world.SessionDisconnected
	case s.ends[clientSide] != nil && s.ends[agentSide] != nil:
		status = world.SessionConnected
	case s.ends[clientSide] != nil && status == world.SessionDisconnected:
		status = world.SessionConnected // its agent is away for a moment
	}
	if status == s.status && !s.over {
		return
	}
	s.status = status
	if s.g.cfg.Changed != nil {
		s.g.cfg.Changed(s.spec.ID, status, details)
	}
}

// receive takes a message that e, an end of side from, has sent. It blocks while
// the other end is slow.
func (s *session) receive(from side, e *end, msg []byte) {
	if e.gone.Load() {
		return
	}
	switch typeOf(msg) {
	case wire.AgentSessionState:
		return // meant for the service
	case wire.InputStreamData, wire.OutputStreamData:
		s.active.Store(time.Now().UnixNano())
	}
	l := s.lanes[from.other()]
	if l.send(s.faults(), msg) {
		s.g.work.Go(l.carry)
	}
}

// deliver is the far end of a lane.
func (s *session) deliver(to side, msg []byte, last bool) {
	s.mu.Lock()
	e := s.ends[to]
	if e == nil {
		if !s.over {
			s.backlog[to].add(msg)
		}
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if last {
		e.box.Push(msg)
		e.box.Close() // its writer says goodbye after that
		return
	}
	e.box.Put(msg) // false: the end has gone meanwhile, and the message with it
}

// end ends the session; only the first call counts. output is the reason the
// client is given.
func (s *session) end(status, output string) {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.over, s.status = true, status
	s.farewell = closedMessage(s.spec.ID, s.spec.NodeID, output)
	for _, t := range []*time.Timer{s.idle, s.limit} {
		if t != nil {
			t.Stop()
		}
	}
	s.backlog = [2]backlog{}
	s.setStatus(output)
	agentEnd := s.ends[agentSide]
	s.mu.Unlock()

	if agentEnd != nil {
		agentEnd.box.Push(closedMessage(s.spec.ID, s.spec.NodeID, ""))
		agentEnd.box.Close()
	}
	l := s.lanes[clientSide]
	if l.enqueue(waiting{msg: s.farewell, last: true}, s.faults().Latency) {
		s.g.work.Go(l.carry)
	}
	s.cancel()
	s.g.forget(s.spec.ID)
	if c := s.g.control(s.spec.NodeID); c != nil && !s.reported.Load() {
		c.endSession(s.spec.ID)
	}
}

// close lets go of what is still on its way.
func (s *session) close() {
	for _, l := range s.lanes {
		l.close()
	}
}

// runAgent is the agent of this process: it works on the session and reports
// the result.
func (s *session) runAgent(node world.NodeRuntime) {
	options := s.g.cfg.Agent
	options.Pace = options.Pace || s.faults().Pace
	cfg := agent.Config{Spec: s.spec, Node: node, Keys: s.g.cfg.Keys, Dial: s.dialAgent, Options: options}
	var log *world.SessionLog
	if s.g.cfg.Logs != nil {
		var refusal string
		if log, refusal = s.g.cfg.Logs(s.spec); refusal != "" {
			s.end(world.SessionFailed, refusal)
			return
		}
	}
	if log != nil {
		cfg.Log = log
	}
	r := agent.Run(s.ctx, cfg)
	if log != nil {
		_ = log.Close() // uploaded before the end is reported, as real agents do
	}
	s.mu.Lock()
	pumped := s.pumped
	s.mu.Unlock()
	if pumped != nil {
		t := time.NewTimer(farewellWait)
		defer t.Stop()
		select {
		case <-pumped:
		case <-t.C:
		case <-s.ctx.Done():
		}
	}
	s.end(endStatus(r.Failed), r.Output)
}

// endStatus is the state of a session whose agent has reported its result.
func endStatus(failed bool) string {
	if failed {
		return world.SessionFailed
	}
	return world.SessionTerminated
}

// dialAgent attaches the agent of this process.
func (s *session) dialAgent(context.Context) (*agent.Conn, error) {
	s.mu.Lock()
	over, detached := s.over, s.detached
	s.mu.Unlock()
	switch {
	case over:
		return nil, agent.ErrTerminated
	case detached:
		return nil, errDetached
	}
	c := &agent.Conn{In: mailbox.New(boxBytes), Out: mailbox.New(boxBytes)}
	hangUp := func() { c.In.Close(); c.Out.Close() }
	e := &end{box: c.In, kill: hangUp, bye: func(websocket.StatusCode, string) { hangUp() }}
	s.attach(agentSide, e)
	pumped := make(chan struct{})
	s.mu.Lock()
	s.pumped = pumped
	s.mu.Unlock()
	s.g.work.Go(func() {
		defer close(pumped)
		s.pump(e, c.Out)
	})
	return c, nil
}

// pump carries what the agent of this process sends, until it hangs up.
func (s *session) pump(e *end, out *mailbox.Box) {
	var msgs [][]byte
	for open := true; open; {
		<-out.Ready()
		msgs, open = out.Take(msgs)
		for _, msg := range msgs {
			s.receive(agentSide, e, msg)
		}
	}
	s.detach(agentSide, e)
	e.box.Close()
}
