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
func (w *World) dispatch(c *command) {
	slots := make(chan struct{}, max(1, share(c.MaxConcurrency, c.Total)))
	expired := time.NewTimer(c.Expires.Sub(w.now()))
	defer expired.Stop()
	var group sync.WaitGroup
	defer group.Wait()
	for _, inv := range c.invocations {
		select {
		case slots <- struct{}{}:
		case <-expired.C:
			w.expire(c)
			return
		case <-w.ctx.Done():
			w.stop(c, statusCancelled, statusCancelled)
			return
		}
		if !w.mayStart(c, inv) {
			<-slots
			continue
		}
		group.Go(func() {
			defer func() { <-slots }()
			w.deliver(c, inv)
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
func (w *World) deliver(c *command, inv *invocation) {
	if w.hasAgent(inv.node) {
		w.deliverToAgent(c, inv)
		return
	}
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
	expired := time.NewTimer(c.Expires.Sub(w.now()))
	defer expired.Stop()
	late := time.NewTimer(delayedAfter)
	defer late.Stop()
	arrive := time.NewTimer(w.sc.RunCommand.DeliveryDelay)
	defer arrive.Stop()
	arrived := false
	for {
		started, over, changed := w.tryStart(c, inv, arrived)
		if started || over {
			return started
		}
		select {
		case <-arrive.C:
			arrived = true
		case <-changed:
		case <-late.C:
			w.mark(c, inv, statusDelayed)
		case <-expired.C:
			w.mu.Lock()
			w.finish(c, inv, statusTimedOut, detailDelivery)
			w.mu.Unlock()
		case <-inv.ctx.Done():
			w.mu.Lock()
			w.finish(c, inv, statusCancelled, statusCancelled)
			w.mu.Unlock()
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
	c.Completed++
	switch details {
	case statusFailed, detailExecution:
		c.Errors++
	case detailDelivery:
		c.Undelivered++
	}
	if c.Completed == c.Total {
		c.Status, c.Details = c.outcome()
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
