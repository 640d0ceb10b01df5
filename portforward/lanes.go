package portforward

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	// AutoLanes is how many sessions a tunnel may use at once when nobody says.
	// Each is an entry in the account's session history, so they are opened only
	// for connections that are there at the same time.
	AutoLanes = 4
	// MostLanes bounds what may be asked for.
	MostLanes = 32
	// standstills is how many sessions may be had besides, while others stand still.
	standstills = 3
	// lanePatience is how long a connection waits for a lane of its own while it
	// could share one.
	lanePatience = 3 * time.Second
	// laneIdle is how long a further lane stays without connections.
	laneIdle = 30 * time.Second
	// laneRetry is how long no further lane is tried after one could not be had:
	// the account may have a limit.
	laneRetry = time.Minute
	// bulkRate is what a carrier moves, in bytes per second, when somebody
	// transfers a lot. An agent sends about 700 KB/s over one session.
	bulkRate = 128 << 10
)

// lanes says how many sessions a tunnel uses. An agent sends about 1 KiB a
// millisecond over one session, from which all its connections wait in one queue,
// and stops everything of a session when one destination does not read. So every
// connection gets a session of its own, as long as there may be more: bulk
// transfers add up, and nobody waits behind them.
type lanes struct {
	max  int           // sessions that carry; 0: AutoLanes
	idle time.Duration // how long the last one stays without connections; 0: for ever
	full time.Time     // until then no further one is tried
}

func (l *lanes) most() int {
	if l.max <= 0 {
		return AutoLanes
	}
	return min(l.max, MostLanes)
}

// best returns the carrier that serves a new connection best, nil for none: one
// without connections, else one without a bulk transfer, else the emptiest. The
// lock is held.
func (p *pool) best(now time.Time) *carrier {
	var best *carrier
	for _, c := range p.live {
		if c.fit(now) && (best == nil || c.emptier(best)) {
			best = c
		}
	}
	return best
}

// busy reports whether a new connection would have to share the carrier. What
// moved a lot a moment ago, and is over, is nobody's to share with.
func (c *carrier) busy() bool {
	return c.users > c.resting || c.users > 0 && (c.bulk || c.bearer.exclusive())
}

func (c *carrier) emptier(than *carrier) bool {
	switch {
	case c.busy() != than.busy():
		return !c.busy()
	case c.bulk != than.bulk:
		return !c.bulk
	default:
		return c.users-c.resting < than.users-than.resting
	}
}

// carrying counts the carriers that serve new connections. The lock is held.
func (p *pool) carrying(now time.Time) int {
	n := 0
	for _, c := range p.live {
		if c.fit(now) {
			n++
		}
	}
	return n
}

// room reports whether another session may be opened. The lock is held.
func (p *pool) room(now time.Time) bool {
	n := p.carrying(now)
	if n > 0 && now.Before(p.lanes.full) {
		return false
	}
	return n+p.opening < p.lanes.most() && len(p.live)+p.opening < p.lanes.most()+standstills
}

// sweep gives up carriers without connections that are not needed: those of no
// use at once, further lanes after a while, the last one if it shall not stay.
// The lock is held.
func (p *pool) sweep(now time.Time) {
	keep := p.oldest(now)
	for _, c := range p.live {
		if c.users > 0 || c.leaving {
			continue
		}
		quiet := now.Sub(c.idle)
		useless := c.retired || c.bearer.spent() || keep != nil && !c.fit(now)
		further := keep != nil && c != keep && quiet >= laneIdle
		unused := p.lanes.idle > 0 && quiet >= p.lanes.idle
		if useless || further || unused {
			c.retired, c.leaving = true, true
			close(c.bye)
		}
	}
}

// oldest returns the first carrier that serves new connections.
func (p *pool) oldest(now time.Time) *carrier {
	for _, c := range p.live {
		if c.fit(now) {
			return c
		}
	}
	return nil
}

const (
	// lookupFresh is how old an agent's look-up of the destination may be, at
	// first, when a connection is refused and another look-up is worth a session.
	lookupFresh = time.Second
	// lookupMost bounds it: it doubles while looking up again does not help.
	lookupMost = 2 * time.Minute
	// lookupSettled is how old it must be for connections that end to be a reason.
	lookupSettled = 10 * time.Second
	// lookupIdle is how old it may become while nothing is connected that would
	// break in a failover.
	lookupIdle = time.Minute
)

// lookups decides when a name should be looked up again, which takes a new
// session, for an agent does it once in each. After a failover of a database the
// name leads elsewhere. The pool's lock is held.
type lookups struct{ fruitless int }

// stale reports whether a look-up of that age may be the reason for a refusal.
func (l *lookups) stale(age time.Duration) bool {
	return age >= min(lookupFresh<<min(l.fruitless, 10), lookupMost)
}

// relocated reports whether the destination of a refused connection may be
// somewhere else by now. New connections do not get c then, nor any other carrier
// whose look-up is as old.
func (p *pool) relocated(c *carrier) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.outdated {
		return true
	}
	now := time.Now()
	if !p.spec.named() || !p.lookups.stale(now.Sub(c.since)) {
		return false
	}
	for _, o := range append([]*carrier{c}, p.live...) {
		if p.lookups.stale(now.Sub(o.since)) {
			o.outdated, o.retired = true, true
		}
	}
	p.lookups.fruitless++
	return true
}

// answered notes that the destination serves.
func (p *pool) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookups.fruitless = 0
}

// abandoned notes that the destination itself ended a connection of c. When it
// was the last one, a database may have failed over: where one is served under a
// name that moves, the next connection looks it up again, so that carriers which
// nobody uses are of no use any more. The lock is held.
func (p *pool) abandoned(c *carrier) {
	if !p.spec.moves() || c.users > c.resting {
		return
	}
	now := time.Now()
	for _, o := range append([]*carrier{c}, p.live...) {
		if o.users <= o.resting && now.Sub(o.since) >= lookupSettled {
			o.retired = true
		}
	}
}

// age gives up look-ups of a name that moves, where no connection tells whether
// it has moved: the former writer of a database may go on as a reader. Such a
// carrier still serves when no other can be had. The lock is held.
func (p *pool) age(now time.Time) {
	if !p.spec.moves() {
		return
	}
	for _, c := range p.live {
		if c.users <= c.resting && now.Sub(c.since) >= lookupIdle {
			c.outdated = true
		}
	}
}

// named reports whether the destination is a name that the agent looks up.
func (s *Spec) named() bool {
	_, err := netip.ParseAddr(s.Host)
	return s.Host != "" && err != nil
}

// movingNames are what the names of managed databases and caches have in them,
// dots around. Those of load balancers and of OpenSearch are not among them: a web
// server ends connections at any time, and every end would cost a session.
var movingNames = []string{"rds", "docdb", "neptune", "cache", "memorydb", "redshift", "redshift-serverless"}

// moves reports whether the destination's name leads elsewhere after a failover,
// as those of managed databases and caches do.
func (s *Spec) moves() bool {
	host := strings.ToLower(strings.TrimSuffix(s.Host, "."))
	name, aws := strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com")
	return aws && slices.ContainsFunc(strings.Split(name, "."), func(label string) bool {
		return slices.Contains(movingNames, label)
	})
}
