package portforward

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

const (
	// startWindow is how long the agent may take to find that it cannot serve a
	// session: a name that does not resolve takes a resolver's patience.
	startWindow = 30 * time.Second
	// openPatience is how long a local connection waits for a session.
	openPatience = 60 * time.Second
	// retryFirst and retryMost bound the back-off between attempts to open one.
	retryFirst = 500 * time.Millisecond
	retryMost  = 30 * time.Second
)

// pool is the sessions of one tunnel, which are its lanes; lanes.go says how many
// there are. A session is opened when somebody connects and there is none, or
// another is worth it. The pool owns the goroutines that open and run them.
type pool struct {
	opener  Opener
	spec    Spec
	report  func(Event)
	fatal   func(error) // ends the tunnel
	lanes   lanes
	payload *payload
	wg      sync.WaitGroup

	mu       sync.Mutex
	live     []*carrier // oldest first
	opening  int        // attempts that are running
	waiting  int        // connections without a carrier
	outcome  *outcome   // of the attempt that ends next
	ready    bool       // some session was
	useful   bool
	failures int // in a row
	retryAt  time.Time
	lookups  lookups
}

func newPool(o Opener, spec Spec, l lanes, size *payload, report func(Event)) *pool {
	return &pool{opener: o, spec: spec, lanes: l, payload: size, report: report, outcome: newOutcome()}
}

// outcome is how an attempt to open a session ended.
type outcome struct {
	done chan struct{}
	err  error // read it after done
}

func newOutcome() *outcome { return &outcome{done: make(chan struct{})} }

// take returns a carrier for a new connection, opening a session if there is
// none, or if a lane of its own can be had. It must be given back by release.
func (p *pool) take(ctx context.Context) (*carrier, error) {
	p.wait(1)
	defer p.wait(-1)
	patience := time.NewTimer(openPatience)
	defer patience.Stop()
	lane := time.NewTimer(lanePatience)
	defer lane.Stop()
	var (
		last  error
		share bool
	)
	for {
		c, next := p.choose(ctx, share, last != nil)
		if c != nil {
			return c, nil
		}
		select {
		case <-next.done:
			if next.err != nil {
				last = next.err
			}
		case <-lane.C:
			share = true
		case <-ctx.Done():
			return nil, errCut
		case <-patience.C:
			if last == nil {
				last = context.DeadlineExceeded
			}
			return nil, fmt.Errorf("no session within %s: %w", openPatience, last)
		}
	}
}

func (p *pool) wait(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting += n
}

// openFirst has a session before anybody connects. It returns the error when
// none can be opened, or when it ends before it was of any use.
func (p *pool) openFirst(ctx context.Context) error {
	for {
		c, next := p.choose(ctx, true, false)
		if c != nil {
			p.release(c, &connection{}, false)
			if <-c.settled; c.unfit != nil {
				return p.ended(c)
			}
			return nil
		}
		<-next.done
		if next.err != nil && p.nothing() {
			return next.err
		}
	}
}

// nothing reports whether there is no session, and none to come.
func (p *pool) nothing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opening == 0 && len(p.live) == 0
}

// final reports whether trying again is of no use.
func final(err error) bool {
	switch fault.KindOf(err) {
	case fault.Auth, fault.NotFound, fault.Usage, fault.Refused:
		return true
	default:
		return false
	}
}

// choose returns a carrier or what to wait for. share says that a lane
// which others use will do, failed that an attempt has failed: better a bad
// carrier than none.
func (p *pool) choose(ctx context.Context, share, failed bool) (*carrier, *outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.age(now)
	c, room := p.best(now), p.room(now)
	switch {
	case c == nil && (failed || len(p.live) >= p.lanes.most()+standstills):
		if i := slices.IndexFunc(p.live, (*carrier).alive); i >= 0 {
			c = p.live[i]
		}
	case c != nil && c.busy() && !share && !failed && (room || p.opening >= p.waiting):
		c = nil
	}
	if c != nil {
		c.users++
		c.relays.Add(1)
		return c, nil
	}
	if p.opening == 0 || room && p.opening < p.waiting {
		p.opening++
		delay := time.Until(p.retryAt)
		p.wg.Go(func() { p.open(ctx, delay) })
	}
	return nil, p.outcome
}

// rest notes that the local program of one of c's connections has ended its side.
// It has left, as a rule, though nobody knows for a while.
func (p *pool) rest(c *carrier) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.resting++
}

// release gives a carrier back that conn was carried by. retire says that it shall
// get no more connections.
func (p *pool) release(c *carrier, conn *connection, retire bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.users--
	if conn.rested {
		c.resting--
	}
	if conn.abandoned {
		p.abandoned(c)
	}
	c.relays.Done()
	c.retired = c.retired || retire
	c.idle = time.Now()
	p.sweep(c.idle)
}

// open makes one attempt after the back-off.
func (p *pool) open(ctx context.Context, delay time.Duration) {
	var c *carrier
	err := wait.Sleep(ctx, delay)
	if err == nil {
		c, err = p.openCarrier(ctx)
	}
	now := time.Now()
	p.mu.Lock()
	others := p.carrying(now)
	if err == nil {
		p.live = append(p.live, c)
		p.sweep(now)
	} else if others > 0 {
		p.lanes.full = now.Add(laneRetry)
	} else {
		p.backOff(now)
	}
	p.opening--
	told := p.outcome
	p.outcome = newOutcome()
	retry := time.Until(p.retryAt)
	alive := slices.ContainsFunc(p.live, (*carrier).alive)
	p.mu.Unlock()
	told.err = err
	defer close(told.done)
	switch {
	case err == nil:
		p.started(ctx, c, others)
	case ctx.Err() != nil:
	case others > 0: // they are shared
		p.report(Event{Type: Notice, Lanes: others, Err: fmt.Errorf("no further session for parallel connections: %w", err)})
	case final(err) && !alive: // what is being carried goes on
		p.fatal(err)
	default:
		p.report(Event{Type: Failed, Wait: retry, Err: err})
	}
}

// backOff notes a failure; those of attempts at the same time count once. The lock
// is held.
func (p *pool) backOff(now time.Time) {
	if now.Before(p.retryAt) {
		return
	}
	delay := retryMost
	if p.failures < 6 {
		delay = min(retryFirst<<p.failures, retryMost)
	}
	p.failures++
	p.retryAt = now.Add(delay)
}

func (p *pool) openCarrier(ctx context.Context) (*carrier, error) {
	h := &health{report: p.report}
	s, err := p.opener.Open(ctx, p.spec, h.event)
	if err != nil {
		return nil, err
	}
	c, err := newCarrier(s, h, p.spec, p.payload)
	if err != nil {
		_ = s.Close()
	}
	return c, err
}

// started reports a new carrier, beside others that carry, and runs it.
func (p *pool) started(ctx context.Context, c *carrier, others int) {
	e := Event{Type: Reopened, Lanes: others + 1, Multiplexed: !c.bearer.exclusive(), AgentVersion: c.session.Info().AgentVersion}
	if others > 0 {
		e.Type = LaneOpened
	}
	p.wg.Go(func() {
		defer close(c.settled)
		if !p.isReady() {
			if c.unfit = c.bearer.confirm(ctx); c.unfit != nil {
				return
			}
			if e.Type = LaneOpened; p.becomesReady() {
				e.Type = Ready
			}
		}
		c.health.put(e)
	})
	p.wg.Go(func() {
		exit, err := c.run(ctx, p)
		p.over(c, exit, err)
	})
}

func (p *pool) isReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

// becomesReady is true once.
func (p *pool) becomesReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.ready
	p.ready = true
	return !was
}

// ended is the reason for the end of a session that was of no use.
func (p *pool) ended(c *carrier) error {
	exit, err := c.session.Wait()
	op := "forward " + p.spec.String()
	switch {
	case exit.Reason != "":
		return fault.New(fault.Failed, op, "the session ended: %s", exit.Reason)
	case err != nil:
		return &fault.Error{Op: op, Err: fmt.Errorf("the session ended: %w", err)}
	default:
		return fault.New(fault.Failed, op, "the session ended before it was ready")
	}
}

// look notes whether c moves a lot, and gives up what has been idle for too long.
func (p *pool) look(c *carrier, now time.Time, bulk bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.bulk = bulk
	p.sweep(now)
}

// remove takes a carrier out of the choice.
func (p *pool) remove(c *carrier) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.retired = true
	p.live = slices.DeleteFunc(p.live, func(o *carrier) bool { return o == c })
}

// over takes note of how a session ended.
func (p *pool) over(c *carrier, exit sessionclient.Exit, err error) {
	<-c.settled // its beginning is reported first
	now := time.Now()
	byUs := exit.Closed && err == nil
	early := !byUs && !c.bearer.worked() && now.Sub(c.since) < startWindow
	p.mu.Lock()
	p.useful = p.useful || c.bearer.worked()
	// A session that ends with a reason before it, or any other, was of any use:
	// the agent cannot or may not serve the destination.
	hopeless := early && !p.useful && exit.Reason != "" && !slices.ContainsFunc(p.live, (*carrier).alive)
	if early {
		p.backOff(now)
	} else {
		p.failures = 0
	}
	lanes := p.carrying(now)
	p.mu.Unlock()
	c.health.put(Event{Type: Ended, Lanes: lanes, Text: exit.Reason, Err: err, Duration: now.Sub(c.since)})
	if hopeless {
		p.fatal(p.ended(c))
	}
}
