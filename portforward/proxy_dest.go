package portforward

import (
	"context"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// dest is one destination of a proxy and its sessions.
type dest struct {
	spec   Spec // Host and Port alone
	pool   *pool
	ctx    context.Context
	cancel context.CancelFunc
	conns  sync.WaitGroup

	// Under the proxy's lock.
	users   int
	resting int       // of users: their programs have ended their side, mostly for good
	since   time.Time // when the last one left or rested
	timer   *time.Timer
	err     error // what made it useless
}

// dest returns the destination for one more connection, which leaves it again.
func (p *proxy) dest(spec Spec) *dest {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.dests[spec]
	if d == nil {
		d = p.newDest(spec)
		p.dests[spec] = d
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	d.users++
	d.conns.Add(1)
	return d
}

func (p *proxy) newDest(spec Spec) *dest {
	d := &dest{spec: spec}
	d.ctx, d.cancel = context.WithCancel(p.root)
	d.pool = newPool(p.budget, spec, lanes{max: 1}, p.size, func(e Event) { p.report(spec.Remote(), e) })
	d.pool.fatal = func(err error) { p.drop(d, err) }
	p.wg.Go(func() {
		<-d.ctx.Done()
		d.conns.Wait()
		d.pool.wg.Wait()
	})
	return d
}

func (p *proxy) leave(d *dest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer d.conns.Done()
	if d.users--; d.users > 0 || p.dests[d.spec] != d {
		return
	}
	d.since = time.Now()
	d.timer = time.AfterFunc(p.Idle, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if d.users == 0 && time.Since(d.since) >= p.Idle {
			p.remove(d)
		}
	})
}

// rest notes that the program of one of d's connections has ended its side.
func (p *proxy) rest(d *dest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.resting++
	d.since = time.Now()
}

func (p *proxy) unrest(d *dest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.resting--
}

// drop gives a destination up because of err. The next connection to it starts
// anew.
func (p *proxy) drop(d *dest, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.err == nil {
		d.err = err
	}
	p.remove(d)
}

// remove ends a destination's sessions. The lock is held.
func (p *proxy) remove(d *dest) {
	if p.dests[d.spec] == d {
		delete(p.dests, d.spec)
	}
	d.cancel()
}

// evict ends the sessions of the destination that was not used for longest, to
// make room. One whose programs have left, as far as can be seen, is not in use.
// It does nothing when all are.
func (p *proxy) evict() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var oldest *dest
	for _, d := range p.dests {
		if d.users == d.resting && (oldest == nil || d.since.Before(oldest.since)) {
			oldest = d
		}
	}
	if oldest != nil {
		p.remove(oldest)
	}
}

// why is the reason behind err, which says only that waiting has ended.
func (p *proxy) why(d *dest, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	return err
}

// errBusy is final for the destination, so that its connections fail now.
var errBusy = fault.New(fault.Refused, "", "all sessions are in use").
	WithHint("close connections, or allow more with --max-sessions")

// budgetWait is how long a session waits for others to end.
const budgetWait = 10 * time.Second

// budget opens sessions, so many at a time.
type budget struct {
	opener Opener
	slots  chan struct{} // a value for each open session
	wait   time.Duration
	evict  func()
}

func (b *budget) Open(ctx context.Context, spec Spec, events func(sessionclient.Event)) (Session, error) {
	if err := b.acquire(ctx); err != nil {
		return nil, err
	}
	s, err := b.opener.Open(ctx, spec, events)
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &slotted{Session: s, free: sync.OnceFunc(func() { <-b.slots })}, nil
}

func (b *budget) acquire(ctx context.Context) error {
	select {
	case b.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(b.wait)
	defer timer.Stop()
	again := time.NewTicker(b.wait / 20) // somebody may have become idle
	defer again.Stop()
	for {
		b.evict()
		select {
		case b.slots <- struct{}{}:
			return nil
		case <-again.C:
		case <-timer.C:
			return errBusy
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// slotted is a session that gives its slot back.
type slotted struct {
	Session
	free func()
}

func (s *slotted) Close() error {
	defer s.free()
	return s.Session.Close()
}
