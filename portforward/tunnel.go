package portforward

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// mostConnections of one tunnel are carried at once; more wait in the
	// listener's backlog. It is the agent's own limit of unaccepted streams.
	mostConnections = 1024
	// mostExclusive: beside those that are carried, one is known to wait.
	mostExclusive = 2
	// acceptRetry is the pause after a failed accept, as when files run out;
	// acceptTries of them in a row end the tunnel.
	acceptRetry = 50 * time.Millisecond
	acceptTries = 100
)

// tunnel is one spec: a listener and the sessions behind it.
type tunnel struct {
	listener net.Listener
	pool     *pool
	report   func(Event)
	ids      *atomic.Int64
	gate     *gate
	wg       sync.WaitGroup // connections
}

// connection is one accepted local connection.
type connection struct {
	local   *rewinder
	tell    func(EventType) // reports Connected and Waiting
	in, out int64           // bytes, when it is over
	// abandoned: the destination ended it, not the local program.
	abandoned bool
	// rest notes that the local program has ended its side, mostly for good.
	rest   func()
	rested bool
	// again reports whether another session may reach the destination that the
	// carrier's could not.
	again func() bool
}

// limit is how many connections are taken at once.
func (t *tunnel) limit(b bearer) int {
	if b.exclusive() {
		return t.pool.lanes.most() + mostExclusive - 1
	}
	return mostConnections
}

// run accepts connections until ctx ends or something final happens, which it
// returns. Unless lazy, the first session is opened at once, and must open.
func (t *tunnel) run(ctx context.Context, lazy bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		once sync.Once
		err  error
	)
	fatal := func(e error) {
		once.Do(func() { err = e })
		cancel()
	}
	t.pool.fatal = fatal
	t.gate = newGate()
	if !lazy {
		t.wg.Go(func() { // so that what is wrong shows at once
			if e := t.pool.openFirst(ctx); e != nil && ctx.Err() == nil {
				fatal(e)
			}
		})
	}
	t.wg.Go(func() {
		<-ctx.Done()
		_ = t.listener.Close()
	})
	if e := t.accept(ctx); e != nil {
		fatal(e)
	}
	t.wg.Wait()
	t.pool.wg.Wait()
	return err
}

// accept hands connections to goroutines.
func (t *tunnel) accept(ctx context.Context) error {
	for failures := 0; t.gate.enter(ctx); {
		conn, err := t.listener.Accept()
		switch {
		case err == nil:
			failures = 0
			t.wg.Go(func() {
				defer t.gate.leave()
				t.serve(ctx, conn)
			})
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed) || failures >= acceptTries:
			return err
		}
		t.gate.leave()
		failures++
		_ = wait.Sleep(ctx, acceptRetry)
	}
	return nil
}

// serve carries one connection to its end.
func (t *tunnel) serve(ctx context.Context, conn net.Conn) {
	v := &visit{
		pool: t.pool, conn: &connection{local: newRewinder(conn)}, start: time.Now(),
		event:  Event{Connection: t.ids.Add(1), Peer: peer(conn)},
		chosen: func(c *carrier) { t.gate.setLimit(t.limit(c.bearer)) },
	}
	c, err := v.run(ctx)
	if v.connected && c != nil {
		v.over(c, err)
		return
	}
	reset(conn)
	if e := v.event; c == nil && ctx.Err() == nil {
		e.Type, e.Err = Failed, err
		t.report(e)
	}
}

func peer(c net.Conn) string {
	if a := c.RemoteAddr(); a != nil && a.String() != "@" {
		return a.String()
	}
	return ""
}

// gate bounds the connections that are taken at once. One goroutine enters.
type gate struct {
	mu    sync.Mutex
	n     int
	limit int
	wake  chan struct{} // capacity 1
}

func newGate() *gate { return &gate{limit: mostConnections, wake: make(chan struct{}, 1)} }

// enter waits for room; it is false when ctx ended.
func (g *gate) enter(ctx context.Context) bool {
	for {
		g.mu.Lock()
		room := g.n < g.limit
		if room {
			g.n++
		}
		g.mu.Unlock()
		if room {
			return ctx.Err() == nil
		}
		select {
		case <-g.wake:
		case <-ctx.Done():
			return false
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	g.n--
	g.mu.Unlock()
	g.signal()
}

func (g *gate) setLimit(limit int) {
	g.mu.Lock()
	g.limit = limit
	g.mu.Unlock()
	g.signal()
}

func (g *gate) signal() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
