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
	// poolMost is how many sessions one tunnel may have. One is enough unless a
	// session stands still.
	poolMost = 4
	// startWindow is how long the agent may take to find that it cannot serve a
	// session: a name that does not resolve takes a resolver's patience.
	startWindow = 30 * time.Second
	// openPatience is how long a local connection waits for a session.
	openPatience = 60 * time.Second
	// retryFirst and retryMost bound the back-off between attempts to open one.
	retryFirst = 500 * time.Millisecond
	retryMost  = 30 * time.Second
)

// pool is the sessions of one tunnel: normally one, opened anew when it is over
// and somebody connects, and more while one stands still. It owns the goroutines
// that open and run them.
type pool struct {
	opener Opener
	spec   Spec
	report func(Event)
	fatal  func(error) // ends the tunnel
	wg     sync.WaitGroup

	mu       sync.Mutex
	live     []*carrier // oldest first
	opening  *attempt
	opened   int // sessions so far
	useful   bool
	failures int // in a row
	retryAt  time.Time
}

// attempt is one try to open a session.
type attempt struct {
	done chan struct{}
	err  error // read it after done
}

// take returns a carrier for a new connection, opening a session if there is
// none. It must be given back by release.
func (p *pool) take(ctx context.Context) (*carrier, error) {
	patience := time.NewTimer(openPatience)
	defer patience.Stop()
	var last error
	for {
		c, a := p.choose(ctx, last != nil)
		if c != nil {
			return c, nil
		}
		select {
		case <-a.done:
			if a.err != nil {
				last = a.err
			}
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

// final reports whether trying again is of no use.
func final(err error) bool {
	switch fault.KindOf(err) {
	case fault.Auth, fault.NotFound, fault.Usage, fault.Refused:
		return true
	default:
		return false
	}
}

// choose returns a carrier or the attempt to wait for. Better a bad carrier than
// none: when an attempt failed before, or no more sessions are allowed.
func (p *pool) choose(ctx context.Context, failed bool) (*carrier, *attempt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	i := slices.IndexFunc(p.live, func(c *carrier) bool { return c.fit(now) })
	if i < 0 && (failed || len(p.live) >= poolMost) {
		i = slices.IndexFunc(p.live, (*carrier).alive)
	}
	if i >= 0 {
		c := p.live[i]
		c.users++
		c.relays.Add(1)
		return c, nil
	}
	if p.opening == nil {
		p.opening = &attempt{done: make(chan struct{})}
		a := p.opening
		p.wg.Go(func() { p.open(ctx, a, time.Until(p.retryAtTime())) })
	}
	return nil, p.opening
}

func (p *pool) retryAtTime() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.retryAt
}

// release gives a carrier back; retire says that it shall get no more.
func (p *pool) release(c *carrier, retire bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.users--
	c.relays.Done()
	c.retired = c.retired || retire
	p.sweep()
}

// sweep gives up idle carriers that are not needed. The lock is held.
func (p *pool) sweep() {
	now := time.Now()
	keep := slices.IndexFunc(p.live, func(c *carrier) bool { return c.fit(now) })
	for i, c := range p.live {
		useless := c.retired || c.bearer.spent()
		if c.users == 0 && !c.leaving && (useless || keep >= 0 && i != keep) {
			c.retired, c.leaving = true, true
			close(c.bye)
		}
	}
}

// open makes one attempt after the back-off.
func (p *pool) open(ctx context.Context, a *attempt, delay time.Duration) {
	defer close(a.done)
	var c *carrier
	if a.err = wait.Sleep(ctx, delay); a.err == nil {
		c, a.err = p.openCarrier(ctx)
	}
	p.mu.Lock()
	p.opening = nil
	first := p.opened == 0
	if a.err == nil {
		p.live = append(p.live, c)
		p.opened++
		p.sweep()
	} else {
		p.backOff()
	}
	retry := time.Until(p.retryAt)
	alive := slices.ContainsFunc(p.live, (*carrier).alive)
	p.mu.Unlock()
	switch {
	case a.err == nil:
		p.started(ctx, c, first)
	case ctx.Err() != nil:
	case final(a.err) && !alive: // what is being carried goes on
		p.fatal(a.err)
	default:
		p.report(Event{Type: Failed, Wait: retry, Err: a.err})
	}
}

// backOff notes a failure. The lock is held.
func (p *pool) backOff() {
	delay := retryMost
	if p.failures < 6 {
		delay = min(retryFirst<<p.failures, retryMost)
	}
	p.failures++
	p.retryAt = time.Now().Add(delay)
}

func (p *pool) openCarrier(ctx context.Context) (*carrier, error) {
	h := &health{report: p.report}
	s, err := p.opener.Open(ctx, p.spec, h.event)
	if err != nil {
		return nil, err
	}
	c, err := newCarrier(s, h, p.spec)
	if err != nil {
		_ = s.Close()
	}
	return c, err
}

// started reports a new carrier and runs it.
func (p *pool) started(ctx context.Context, c *carrier, first bool) {
	e := Event{Type: Reopened, Multiplexed: !c.bearer.exclusive(), AgentVersion: c.session.Info().AgentVersion}
	if first {
		e.Type = Ready
	}
	c.health.put(e)
	p.wg.Go(func() {
		exit, err := c.run(ctx, func() { p.remove(c) })
		p.over(c, exit, err)
	})
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
	now := time.Now()
	byUs := exit.Closed && err == nil
	early := !byUs && !c.bearer.worked() && now.Sub(c.since) < startWindow
	p.mu.Lock()
	p.useful = p.useful || c.bearer.worked()
	// A session that ends with a reason before it was of any use: the agent cannot
	// or may not serve the destination.
	hopeless := early && !p.useful && exit.Reason != ""
	if early {
		p.backOff()
	} else {
		p.failures = 0
	}
	p.mu.Unlock()
	c.health.put(Event{Type: Ended, Text: exit.Reason, Err: err, Duration: now.Sub(c.since)})
	if hopeless {
		p.fatal(fault.New(fault.Failed, "forward "+p.spec.String(), "the session ended: %s", exit.Reason))
	}
}
