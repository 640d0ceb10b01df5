package portforward

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// watchEvery is how often a session is looked at.
	watchEvery = time.Second
	// stallAfter is how long a session may take nothing from us.
	stallAfter = 5 * time.Second
)

// carrier is one open session of a tunnel.
type carrier struct {
	session Session
	bearer  bearer
	health  *health
	since   time.Time
	bye     chan struct{} // closed to give the carrier up
	settled chan struct{} // closed when its beginning was reported, or unfit says why not
	unfit   error         // read it after settled
	relays  sync.WaitGroup

	// Of the pool, under its lock.
	users    int
	resting  int       // of users: their local side has ended
	retired  bool      // takes no new connections
	leaving  bool      // bye is closed
	bulk     bool      // moves a lot
	outdated bool      // its look-up of the destination is
	idle     time.Time // since when it has no users, if it has none

	sent  int64     // bytes when last looked at
	moved int64     // the same, both ways
	stuck time.Time // since when sent did not grow though something waited
}

// health is the state of a session as its events tell it.
type health struct {
	report func(Event)
	id     atomic.Pointer[string] // session id, once known

	lost, silent, stalled atomic.Bool
}

// good reports whether the session moves. A lost connection is being resumed,
// and another session would meet the same network.
func (h *health) good() bool { return !h.silent.Load() && !h.stalled.Load() }

func (h *health) put(e Event) {
	if id := h.id.Load(); id != nil {
		e.Session = *id
	}
	h.report(e)
}

// event translates what the session says. It is called from the session's own
// goroutine and does not block.
func (h *health) event(e sessionclient.Event) {
	switch e.Kind {
	case sessionclient.Lost:
		h.lost.Store(true)
		h.put(Event{Type: Reconnecting, Err: e.Err})
	case sessionclient.Retrying:
		h.put(Event{Type: Reconnecting, Attempt: e.Attempt, Wait: e.Wait, Duration: e.Outage, Err: e.Err})
	case sessionclient.Resumed:
		h.lost.Store(false)
		h.put(Event{Type: Reconnected, Attempt: e.Attempt, Duration: e.Outage})
	case sessionclient.AgentSilent:
		h.silent.Store(true)
		h.put(Event{Type: Silent, Duration: e.Outage})
	case sessionclient.AgentBack:
		h.silent.Store(false)
		h.put(Event{Type: Recovered})
	default:
		h.put(Event{Type: Notice, Text: e.Text, Err: e.Err})
	}
}

// newCarrier prepares a session that was just opened for carrying. The session
// stays the caller's when it fails.
func newCarrier(s Session, h *health, spec Spec, size *payload) (*carrier, error) {
	info := s.Info()
	h.id.Store(&info.SessionID)
	props, err := properties(info)
	if err != nil {
		return nil, fault.New(fault.Failed, "forward "+spec.String(), "%w", err)
	}
	if info.Kind != wire.Port {
		return nil, fault.New(fault.Usage, "forward "+spec.String(), "the document opens a session of type %s, not a port", info.Kind)
	}
	now := time.Now()
	c := &carrier{since: now, idle: now, session: s, health: h, bye: make(chan struct{}), settled: make(chan struct{})}
	if multiplexed(info, props) {
		c.bearer = newMux(s, info.AgentVersion, size)
	} else {
		c.bearer = newBasic(s, props.Type == wire.LocalPortForwarding)
	}
	return c, nil
}

// fit reports whether the carrier should get a new connection. The pool's lock
// is held.
func (c *carrier) fit(now time.Time) bool {
	return !c.retired && !c.outdated && c.health.good() && c.bearer.fit(now)
}

// alive reports whether a new connection can be served at all.
func (c *carrier) alive() bool { return !c.retired && !c.bearer.spent() }

// run watches the session until it is over, given up or ctx ends, takes it out of
// p, so that nothing new is carried, and closes it.
func (c *carrier) run(ctx context.Context, p *pool) (sessionclient.Exit, error) {
	why := c.watch(ctx, p)
	p.remove(c)
	select {
	case <-c.session.Done():
		// What arrived before the end still goes to the local programs.
		_ = c.session.Close()
		c.relays.Wait()
		c.bearer.stop()
	default:
		c.bearer.stop()
		_ = c.session.Close()
		c.relays.Wait()
	}
	c.bearer.join()
	exit, err := c.session.Wait()
	if err == nil {
		err = why
	}
	return exit, err
}

// watch returns when the session has to be closed, with the reason if it was not
// ours.
func (c *carrier) watch(ctx context.Context, p *pool) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.bye:
			return nil
		case <-c.session.Done():
			return nil
		case <-c.bearer.broken():
			select {
			case <-c.session.Done(): // which broke it
				return nil
			default:
				return c.bearer.cause()
			}
		case now := <-tick.C:
			c.look(now, p)
		}
	}
}

// look finds out whether the session still takes what we have for it, and how
// much it moves.
func (c *carrier) look(now time.Time, p *pool) {
	stats := c.session.Stats()
	moved := stats.SentBytes + stats.ReceivedBytes
	p.look(c, now, moved-c.moved >= bulkRate*int64(watchEvery/time.Second))
	waits := c.bearer.writing() && stats.SentBytes == c.sent && !c.health.lost.Load()
	c.sent, c.moved = stats.SentBytes, moved
	switch {
	case !waits:
		c.stuck = time.Time{}
		if c.health.stalled.Swap(false) {
			c.health.put(Event{Type: Recovered})
		}
	case c.stuck.IsZero():
		c.stuck = now
	case now.Sub(c.stuck) >= stallAfter && !c.health.stalled.Swap(true):
		c.health.put(Event{Type: Stalled, Duration: now.Sub(c.stuck)})
	}
}
