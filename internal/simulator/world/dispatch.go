package world

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// delayedAfter is how long a command waits for a node until its status says so.
const delayedAfter = 2 * time.Second

// dispatch sends a command to its nodes, as many at a time as its rate control
// allows, and ends when every invocation has ended.
func (w *World) dispatch(c *command, act *Activity) {
	slots := newGate(share(c.MaxConcurrency, c.Total))
	c.expired = w.clock.deadline(c.Expires) // before anything is delivered
	defer c.expired.stop()
	var group sync.WaitGroup
	defer group.Wait()
	defer act.end()
	for _, inv := range c.invocations {
		if !slots.enter(act.of(w.ctx), c.expired.ring) {
			if w.ctx.Err() != nil {
				w.stop(c, statusCancelled, statusCancelled)
			} else {
				w.expire(c)
			}
			return
		}
		if !w.mayStart(c, inv) {
			slots.leave()
			continue
		}
		one := w.clock.work.begin()
		group.Go(func() {
			defer one.end()
			defer slots.leave()
			w.deliver(c, inv, one)
		})
	}
}

// share turns "10" or "10%" of total into a number.
func share(s string, total int) int {
	if p, ok := strings.CutSuffix(s, "%"); ok {
		n, _ := strconv.Atoi(p)
		return total * n / 100
	}
	n, _ := strconv.Atoi(s)
	return n
}

// mayStart reports whether inv is still to be sent. Once more invocations have
// failed than MaxErrors allows, nothing is.
func (w *World) mayStart(c *command, inv *invocation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if final(inv.Status) {
		return false
	}
	if c.Errors > share(c.MaxErrors, c.Total) {
		w.finish(c, inv, statusCancelled, detailTerminated)
		return false
	}
	return true
}

// expire ends what has not been delivered in time.
func (w *World) expire(c *command) { w.stop(c, statusTimedOut, detailDelivery) }

// stop ends every invocation that waits, with the given status.
func (w *World) stop(c *command, status, details string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, inv := range c.invocations {
		if inv.Status == statusPending || inv.Status == statusDelayed {
			w.finish(c, inv, status, details)
		}
	}
}

// deliver waits for the node and runs the command on it.
func (w *World) deliver(c *command, inv *invocation, act *Activity) {
	if w.hasAgent(inv.node) {
		// Real agents live in real time: the clock does not wait for them.
		defer act.park(func() bool { return false })()
		w.deliverToAgent(c, inv)
		return
	}
	inv.ctx = act.of(inv.ctx)
	if !w.reach(c, inv) {
		return
	}
	results, status, details := w.runSteps(c, inv)
	w.mu.Lock()
	defer w.mu.Unlock()
	inv.Plugins = results
	w.finish(c, inv, status, details)
}

// reach waits until the node is online and marks the invocation InProgress. It
// returns false when the invocation has ended instead.
func (w *World) reach(c *command, inv *invocation) bool {
	now := w.now()
	late := w.clock.alarm(now.Add(delayedAfter))
	defer late.stop()
	delay := w.sc.RunCommand.DeliveryDelay
	if w.clock.Speed() == 0 {
		delay = 0 // who has stopped the clock can work all the same
	}
	arrive := w.clock.alarm(now.Add(delay))
	defer arrive.stop()
	onItsWay, punctual := arrive.ring, late.ring
	for {
		started, over, changed := w.tryStart(c, inv, arrive.rung())
		if started || over {
			return started
		}
		if arrive.rung() {
			onItsWay = nil
		}
		until(inv.ctx, onItsWay, changed, punctual, c.expired.ring)
		switch {
		case inv.ctx.Err() != nil:
			w.mu.Lock()
			w.finish(c, inv, statusCancelled, statusCancelled)
			w.mu.Unlock()
		case c.expired.rung():
			w.mu.Lock()
			w.finish(c, inv, statusTimedOut, detailDelivery)
			w.mu.Unlock()
		case punctual != nil && late.rung():
			punctual = nil
			w.mark(c, inv, statusDelayed)
		}
	}
}

// tryStart marks inv InProgress when its node is there. changed is closed when
// trying again makes sense.
func (w *World) tryStart(c *command, inv *invocation, arrived bool) (started, over bool, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if final(inv.Status) {
		return false, true, nil
	}
	if !arrived || inv.node.Ping != PingOnline {
		return false, false, w.pinged
	}
	inv.Status, inv.Details = statusInProgress, statusInProgress
	if c.Status == statusPending {
		c.Status, c.Details = statusInProgress, statusInProgress
	}
	return true, false, nil
}

func (w *World) mark(c *command, inv *invocation, status string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if inv.Status == statusPending {
		inv.Status, inv.Details = status, status
		if c.Status == statusPending {
			c.Status, c.Details = statusInProgress, statusInProgress
		}
	}
}

// finish ends an invocation, once, and with the last one its command. Callers
// hold w.mu.
func (w *World) finish(c *command, inv *invocation, status, details string) {
	if final(inv.Status) {
		return
	}
	inv.Status, inv.Details = status, details
	inv.cancel()
	c.size += invocationSize
	for _, p := range inv.Plugins {
		c.size += stepSize + len(p.Stdout) + len(p.Stderr)
	}
	c.Completed++
	switch details {
	case statusFailed, detailExecution:
		c.Errors++
	case detailDelivery:
		c.Undelivered++
	}
	if c.Completed == c.Total {
		c.Status, c.Details = c.outcome()
		c.end()
	}
}

// outcome sums up the invocations of a finished command.
func (c *command) outcome() (status, details string) {
	first, same, terminated := c.invocations[0], true, false
	for _, inv := range c.invocations {
		same = same && inv.Details == first.Details
		terminated = terminated || inv.Details == detailTerminated
	}
	switch {
	case c.cancelled:
		return statusCancelled, statusCancelled
	case terminated, c.Errors > share(c.MaxErrors, c.Total) && !same:
		return statusFailed, statusFailed
	case same:
		return first.Status, first.Details
	}
	return statusFailed, detailIncomplete
}
