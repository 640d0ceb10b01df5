package world

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Clock is the time of simulated accounts. It runs with the machine's unless it
// is stopped, hurried or put forward. What waits for it rings when it shows the
// time, whichever way it got there.
//
// Signatures, credentials and what real agents do are not its business: they
// live in real time.
type Clock struct {
	real      func() time.Time
	forwarder chan struct{} // holds a token while nobody is in Forward

	mu      sync.Mutex // a leaf: nothing is called while it is held
	at      time.Time  // it showed this…
	since   time.Time  // …at this real time
	speed   float64    // seconds for each real one; 0: it stands
	stepped bool       // Forward holds it
	alarms  map[*alarm]struct{}

	work *work
}

// NewClock returns a clock that runs with real; nil is the machine's.
func NewClock(real func() time.Time) *Clock {
	if real == nil {
		real = time.Now
	}
	now := real()
	c := &Clock{real: real, at: now, since: now, speed: 1, alarms: map[*alarm]struct{}{}, forwarder: make(chan struct{}, 1), work: newWork()}
	c.forwarder <- struct{}{}
	return c
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// Real is the time of the machine that the clock runs with.
func (c *Clock) Real() time.Time { return c.real() }

// now is Now for those who hold c.mu.
func (c *Clock) now() time.Time {
	switch {
	case c.stepped || c.speed == 0:
		return c.at
	case c.speed == 1:
		return c.at.Add(c.real().Sub(c.since))
	}
	return c.at.Add(time.Duration(float64(c.real().Sub(c.since)) * c.speed))
}

// Speed is how many seconds it shows for each real one; 0 when it is stopped.
func (c *Clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

// SetSpeed stops the clock with 0, and lets it run with anything above.
func (c *Clock) SetSpeed(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(c.now())
	c.speed = speed
	c.armAll()
}

// set makes it show t. Callers hold c.mu.
func (c *Clock) set(t time.Time) { c.at, c.since = t, c.real() }

// start makes a clock that nothing waits for yet show t, which may be past.
func (c *Clock) start(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(t)
	c.armAll()
}

// Forward puts the clock forward, from one alarm to the next, and returns when
// everything that was due until then has happened: what it sets off runs while
// the clock stands. When ctx ends first, the clock stays where it is then. It
// cannot go back.
func (c *Clock) Forward(ctx context.Context, to time.Time) error {
	return c.forward(ctx, func(time.Time) time.Time { return to })
}

// Advance is Forward by d, from when those before have put the clock forward.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	return c.forward(ctx, func(now time.Time) time.Time { return now.Add(d) })
}

func (c *Clock) forward(ctx context.Context, end func(now time.Time) time.Time) error {
	select {
	case <-c.forwarder:
		defer func() { c.forwarder <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	to, err := c.hold(end)
	if err != nil {
		return err
	}
	defer c.release()
	for {
		if err := c.work.settle(ctx); err != nil {
			return err
		}
		if !c.step(to) {
			return c.work.settle(ctx)
		}
	}
}

// hold stops the clock for Forward, until the end that it is given.
func (c *Clock) hold(end func(now time.Time) time.Time) (to time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if to = end(now); to.Before(now) {
		return to, fmt.Errorf("the clock shows %s already and cannot go back to %s", now.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	c.set(now)
	c.stepped = true
	c.armAll()
	return to, nil
}

// release lets it run on after Forward.
func (c *Clock) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stepped = false
	c.set(c.at)
	c.armAll()
}

// step goes on to the next alarm, or to the end when there is none before it; it
// then returns false.
func (c *Clock) step(to time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, more := to, false
	for a := range c.alarms {
		if !a.at.After(next) {
			next, more = a.at, true
		}
	}
	if next.After(c.at) {
		c.at = next
	}
	first := turnLast
	for a := range c.alarms {
		if !a.at.After(c.at) {
			first = min(first, a.turn)
		}
	}
	for a := range c.alarms {
		if !a.at.After(c.at) && a.turn == first {
			a.fire()
		}
	}
	return more
}

// alarm rings once when its clock shows a time.
type alarm struct {
	clock *Clock
	at    time.Time
	ring  chan struct{} // closed
	timer *time.Timer   // while the clock runs
	turn  turn
}

// turn is the order of alarms for the same time. Those of the next turn ring when
// what those before have set off has happened: a command that ends when its time
// is up has ended by itself, and before the cutoff of its window.
type turn int

const (
	turnFirst    turn = iota
	turnDeadline      // something runs out of time
	turnLast          // the agenda's
)

// alarm sets an alarm. One for now or before rings at once.
func (c *Clock) alarm(at time.Time) *alarm { return c.setAlarm(at, turnFirst) }

// deadline is an alarm for when something is out of time.
func (c *Clock) deadline(at time.Time) *alarm { return c.setAlarm(at, turnDeadline) }

func (c *Clock) setAlarm(at time.Time, turn turn) *alarm {
	a := &alarm{clock: c, at: at, ring: make(chan struct{}), turn: turn}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarms[a] = struct{}{}
	c.arm(a)
	return a
}

// stop is for who waits no longer.
func (a *alarm) stop() {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	a.disarm()
	delete(a.clock.alarms, a)
}

// rung reports whether it has rung.
func (a *alarm) rung() bool { return closed(a.ring) }

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// fire rings. Callers hold the clock's lock.
func (a *alarm) fire() {
	a.disarm()
	delete(a.clock.alarms, a)
	close(a.ring)
}

func (a *alarm) disarm() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// longestTimer keeps the time of a timer in range; it is set again.
const longestTimer = 1000 * time.Hour

// arm sets the timer of an alarm that the clock reaches by itself. Callers hold
// c.mu.
func (c *Clock) arm(a *alarm) {
	a.disarm()
	left := a.at.Sub(c.now())
	switch {
	case left <= 0 && (a.turn == turnFirst || !c.stepped):
		a.fire()
	case c.stepped || c.speed == 0:
	default:
		d := longestTimer
		if real := float64(left) / c.speed; real < float64(longestTimer) {
			d = time.Duration(real) + 1
		}
		a.timer = time.AfterFunc(d, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if _, ok := c.alarms[a]; ok {
				c.arm(a)
			}
		})
	}
}

// armAll sets all timers anew. Callers hold c.mu.
func (c *Clock) armAll() {
	for a := range c.alarms {
		c.arm(a)
	}
}

// Sleep waits for d of the clock's time, or for the end of ctx, which it returns.
// An activity that ctx belongs to is parked meanwhile.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	a := c.alarm(c.Now().Add(d))
	defer a.stop()
	until(ctx, a.ring)
	return ctx.Err()
}

// linger is Sleep for what takes its time only to be lifelike: on a stopped clock
// it takes none, so that who has stopped it can work all the same.
func (c *Clock) linger(ctx context.Context, d time.Duration) error {
	if c.Speed() == 0 {
		return ctx.Err()
	}
	return c.Sleep(ctx, d)
}

// Branch is for a goroutine that sleeps beside others of an activity: the context
// for it, and what it calls at its end.
func (c *Clock) Branch(ctx context.Context) (context.Context, func()) {
	act := c.work.begin()
	return act.of(ctx), act.end
}

// within is context.WithTimeout in the clock's time; the error of the context is
// that of a cancelled one.
func (c *Clock) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	timed, cancel := context.WithCancel(ctx)
	a, act, done := c.deadline(c.Now().Add(d)), c.work.begin(), make(chan struct{})
	go func() {
		defer close(done)
		defer act.end()
		until(act.of(timed), a.ring)
		cancel()
	}()
	return timed, func() {
		a.stop()
		cancel()
		<-done
	}
}
