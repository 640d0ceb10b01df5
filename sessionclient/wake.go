package sessionclient

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// lookEvery is how often a loop without work looks at the clock.
	lookEvery = 5 * time.Second
	// overslept is how much later than that the look must come to mean that the
	// machine slept, or the process was stopped.
	overslept = 10 * time.Second
	// suspectWait is how long a peer that may be gone has for a sign of life.
	suspectWait = 3 * time.Second
	// staleAfter is how long an attempt to connect is left alone by haste: one
	// that is older may have begun before the machine slept, or on a network that
	// is no more.
	staleAfter = 3 * time.Second
)

var (
	errAsleep = errors.New("nothing was heard from the service after this machine had slept")
	errStale  = errors.New("the attempt was given up for a new one")
)

// lookAtClock notices that the machine slept: the wall clock went on, and this
// loop, which comes by every few seconds, did not. (The other clock stands still
// meanwhile on some systems, on others not.) The connection is likely dead then,
// and a wait for the next attempt, or for the next ping, is a wait for nothing.
func (c *channel) lookAtClock(now time.Time) {
	wall := c.cfg.wall(now)
	gap := wall.Sub(c.timing.looked)
	slept := !c.timing.looked.IsZero() && gap > lookEvery+overslept
	c.timing.looked = wall
	c.timing.awake = now.Add(lookEvery)
	if !slept {
		return
	}
	c.cfg.log.Debug("the machine slept", "for", gap)
	if c.link != nil {
		c.link.doubt()
	} else {
		c.haste.hurry()
	}
}

// haste lets the loop hurry the goroutine that resumes.
type haste struct {
	wake chan struct{} // capacity 1

	mu     sync.Mutex
	since  time.Time // when the running attempt began, in wall-clock time
	cancel func()    // ends it; nil: none runs
}

func newHaste() haste { return haste{wake: make(chan struct{}, 1)} }

// hurry ends the present wait, or the next one, and an attempt that has taken
// long already.
func (h *haste) hurry() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cancel != nil && time.Now().Round(0).Sub(h.since) > staleAfter {
		h.cancel()
	}
}

// forget what came too late for the outage before.
func (h *haste) forget() {
	select {
	case <-h.wake:
	default:
	}
}

// sleep waits for d, or until somebody is in a hurry, or for the end of ctx,
// which it returns.
func (h *haste) sleep(ctx context.Context, d time.Duration) (hurried bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.wake:
		return true, nil
	case <-ctx.Done():
	}
	return false, ctx.Err()
}

// attempt returns the context for one attempt; done must be called after it.
func (h *haste) attempt(ctx context.Context) (limited context.Context, done func()) {
	limited, cancel := context.WithCancel(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since, h.cancel = time.Now().Round(0), cancel
	return limited, func() {
		h.mu.Lock()
		h.cancel = nil
		h.mu.Unlock()
		cancel()
	}
}
