package portforward

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Forward carries connections to one node. Its fields are not changed while Run
// runs.
type Forward struct {
	Opener Opener
	Node   string // named in events
	// Lazy opens the first session of a tunnel when somebody connects, not at
	// once. What is wrong with the destination then shows only there.
	Lazy bool
	// Lanes is how many sessions each tunnel may use at once, so that connections
	// do not wait for each other: 1 to MostLanes, 0 for AutoLanes. They are opened
	// as connections come and closed when idle.
	Lanes int
	// Idle closes also the last session of a tunnel when it has had no connection
	// for that long; the next one opens another. 0 leaves it to the service.
	Idle time.Duration
	// Payload is the size of the largest message in bytes; 0 finds out what the
	// service and the agent take once there is much to send.
	Payload int
}

// Run forwards each spec from its listener (same index) until ctx ends, which is
// no error, or until something makes going on useless: a first session that
// cannot be opened, a destination the agent can or may not serve, missing
// rights. It reports through emit, called from Run's own goroutine only. Run
// owns the listeners; when it returns they are closed, every session is closed
// and no goroutine is left.
func (f *Forward) Run(ctx context.Context, specs []Spec, listeners []net.Listener, emit func(Event)) error {
	if len(specs) == 0 || len(specs) != len(listeners) {
		return fault.Usagef("%d specs with %d listeners", len(specs), len(listeners))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mail = newMailbox()
		ids  atomic.Int64
		size = &payload{fixed: f.Payload}
		wg   sync.WaitGroup
		once sync.Once
		err  error
	)
	for i, spec := range specs {
		t := f.tunnel(spec, listeners[i], mail, &ids, size)
		t.report(Event{Type: Listening, Exposed: exposed(t.listener)})
		wg.Go(func() {
			if end := t.run(ctx, f.Lazy); end != nil {
				once.Do(func() { err = end })
				cancel()
			}
			_ = t.listener.Close()
		})
	}
	go func() {
		wg.Wait()
		mail.close()
	}()
	mail.drain(emit) // ends when the goroutines have
	return err
}

func (f *Forward) tunnel(spec Spec, ln net.Listener, mail *mailbox, ids *atomic.Int64, size *payload) *tunnel {
	local := ln.Addr().String()
	report := func(e Event) {
		e.Time, e.Local, e.Remote, e.Node = time.Now(), local, spec.Remote(), f.Node
		mail.put(e)
	}
	t := &tunnel{listener: ln, report: report, ids: ids}
	t.pool = newPool(f.Opener, spec, lanes{max: f.Lanes, idle: f.Idle}, size, report)
	return t
}

func exposed(ln net.Listener) bool {
	e, ok := ln.(interface{ Exposed() bool })
	return ok && e.Exposed()
}
