package portforward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// ProxyIdle is how long a destination's session stays without connections.
	ProxyIdle = 2 * time.Minute
	// ProxySessions is how many sessions a proxy has at once when nobody says.
	ProxySessions = 8
	// MostProxySessions bounds what may be asked for.
	MostProxySessions = 32
	// askPatience is how long a local program may take to say where it wants to go.
	askPatience = 30 * time.Second
	// settleLeast and settleMost bound how long an unproven destination has to
	// refuse before the program is told that it is connected.
	settleLeast = 150 * time.Millisecond
	settleMost  = time.Second
)

// Proxy lets local programs choose the destination: it speaks SOCKS 4, 4a and 5
// and HTTP (CONNECT, and plain requests) on one port, and has a session for each
// destination, opened on demand. Names are looked up by the node. Its fields are
// not changed while Run runs.
//
// Agents do not say that a connection was made, only that it was not. A program
// is told that it is connected when its session is open and the destination has
// answered, or has not refused for a moment (two round trips or so). A refusal
// that comes later is a reset.
type Proxy struct {
	Opener   Opener
	Node     string        // named in events
	Idle     time.Duration // 0: ProxyIdle
	Sessions int           // at once; 0: ProxySessions

	budgetWait time.Duration // 0: budgetWait
}

// proxy is one Run.
type proxy struct {
	Proxy
	local  string
	mail   *mailbox
	ids    atomic.Int64
	budget *budget
	size   *payload
	wg     sync.WaitGroup // connections and destinations
	root   context.Context

	mu    sync.Mutex
	dests map[Spec]*dest
}

// Run serves ln until ctx ends, which is no error. It reports through emit,
// called from Run's own goroutine only: Listening when it serves, and then what
// happens to the destinations, named by Remote. Run owns ln; when it returns
// every session is closed and no goroutine is left.
func (p *Proxy) Run(ctx context.Context, ln net.Listener, emit func(Event)) error {
	if p.Sessions < 0 || p.Sessions > MostProxySessions || p.Idle < 0 {
		return fault.Usagef("a proxy has 1 to %d sessions", MostProxySessions)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &proxy{Proxy: *p, local: ln.Addr().String(), mail: newMailbox(), dests: map[Spec]*dest{}, root: ctx, size: &payload{}}
	if r.Idle == 0 {
		r.Idle = ProxyIdle
	}
	if r.Sessions == 0 {
		r.Sessions = ProxySessions
	}
	if r.budgetWait == 0 {
		r.budgetWait = budgetWait
	}
	r.budget = &budget{opener: r.Opener, slots: make(chan struct{}, r.Sessions), wait: r.budgetWait, evict: r.evict}
	r.report("", Event{Type: Listening, Exposed: exposed(ln)})
	var err error
	r.wg.Go(func() {
		<-ctx.Done()
		_ = ln.Close()
	})
	r.wg.Go(func() {
		defer cancel()
		err = r.accept(ctx, ln)
	})
	go func() {
		r.wg.Wait()
		r.mail.close()
	}()
	r.mail.drain(emit) // ends when the goroutines have
	return err
}

func (p *proxy) report(remote string, e Event) {
	e.Time, e.Local, e.Remote, e.Node = time.Now(), p.local, remote, p.Node
	p.mail.put(e)
}

func (p *proxy) accept(ctx context.Context, ln net.Listener) error {
	gate := newGate()
	for failures := 0; gate.enter(ctx); {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			failures = 0
			p.wg.Go(func() {
				defer gate.leave()
				p.serve(ctx, conn)
			})
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed) || failures >= acceptTries:
			return err
		}
		gate.leave()
		failures++
		_ = wait.Sleep(ctx, acceptRetry)
	}
	return nil
}

// serve carries one connection from its request to its end.
func (p *proxy) serve(ctx context.Context, conn net.Conn) {
	start := time.Now()
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	_ = conn.SetDeadline(start.Add(askPatience))
	if ctx.Err() != nil {
		return
	}
	a, err := readAsk(conn)
	if !stop() {
		return
	}
	e := Event{Connection: p.ids.Add(1), Peer: peer(conn)}
	if err != nil {
		var bad *askError
		if errors.As(err, &bad) {
			_, _ = conn.Write(bad.reply)
			e.Type, e.Err = Notice, fmt.Errorf("a request of %s was refused: %w", e.Peer, err)
			p.report("", e)
		}
		return
	}
	_ = conn.SetDeadline(time.Time{})
	d := p.dest(a.spec)
	defer p.leave(d)
	p.carry(d, e, start, &asker{Conn: conn, ask: a, settled: make(chan struct{})})
}

// carry serves a connection whose destination is known.
func (p *proxy) carry(d *dest, e Event, start time.Time, conn *asker) {
	v := &visit{
		pool: d.pool, conn: &connection{local: newRewinder(conn)}, start: start, event: e,
		chosen: func(c *carrier) { conn.settle = settleTime(c) },
		rest:   func() { p.rest(d) },
		unrest: func() { p.unrest(d) },
	}
	c, err := v.run(d.ctx)
	switch {
	case c == nil:
		err = p.why(d, err)
		if e.Type, e.Err = Failed, err; p.root.Err() == nil {
			p.report(d.spec.Remote(), e)
		}
		conn.fail(err)
	case !v.connected:
		conn.fail(p.why(d, err))
	default:
		if err != nil && !errors.Is(err, errRefused) {
			err = sessionEnd(c, err)
		}
		conn.fail(err)
		v.over(c, err)
	}
}

// settleTime is how long a refusal is waited for. A destination that has answered
// on this session needs no proof.
func settleTime(c *carrier) time.Duration {
	if c.bearer.worked() {
		return 0
	}
	return min(max(settleLeast, 50*time.Millisecond+3*c.session.Stats().RoundTrip), settleMost)
}

// sessionEnd is the reason the session gave for its end, if that is why a
// connection broke: a name that does not resolve, a forbidden address.
func sessionEnd(c *carrier, err error) error {
	select {
	case <-c.session.Done():
		if exit, _ := c.session.Wait(); exit.Reason != "" {
			return fmt.Errorf("the session ended: %s", exit.Reason)
		}
	default:
	}
	return err
}
