package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
)

// steadyAfter is when a connection counts as one that holds, even if nothing
// went over it. One that is lost sooner, and carried nothing new, belongs to the
// same outage: the next is not tried at once, and the budget goes on counting.
const steadyAfter = 10 * time.Second

// errAsked is the loss of a link that the caller wanted.
var errAsked = errors.New("another connection was asked for")

// outage is what is known of the link's losses.
type outage struct {
	since    time.Time // when the link was lost that began it
	err      error     // why the latest was lost
	attached time.Time // when the present or latest link came up
	progress bool      // the present link carried something new
	flaps    int       // links that came to nothing, in a row
}

// attach starts serving a connection.
func (c *channel) attach(conn Conn) {
	now := time.Now()
	c.link = newLink(conn)
	c.snd.Reconnected(now)
	c.outage.attached, c.outage.progress = now, false
	c.stats.since.Store(now.UnixNano())
}

// lost takes leave of a broken link and starts to resume, if that can help.
func (c *channel) lost(err error, start starter) {
	old := c.link
	c.link, c.acks = nil, nil
	c.outgoing, c.writing, c.spare = nil, nil, nil
	now := time.Now()
	c.outage.lost(err, now)
	c.stats.since.Store(-now.UnixNano())
	probed := c.refuse(now)
	if err, final := c.final(err, probed); final {
		old.close()
		c.finish(Exit{Closed: err == nil}, err)
		return
	}
	flaps := c.outage.flaps
	c.cfg.onEvent(Event{Kind: Lost, Err: err})
	c.haste.forget()
	start(func(ctx context.Context) {
		old.close()
		c.resume(ctx, flaps)
	})
}

// reconnect takes the present link for lost, because of err, and resumes without
// a pause; while that goes on already, it is hurried.
func (c *channel) reconnect(err error, start starter) {
	switch {
	case c.end != nil || c.closed || c.cfg.resume == nil:
	case c.link == nil:
		c.haste.hurry()
	default:
		c.outage.progress = true // nothing is held against this link
		c.lost(err, start)
	}
}

func (o *outage) lost(err error, now time.Time) {
	o.err = err
	if !o.progress && !o.since.IsZero() && now.Sub(o.attached) < steadyAfter {
		o.flaps++
		return
	}
	o.since, o.flaps = now, 0
}

// final decides whether the loss of a link is the end: without an error when
// the session was being closed anyway. A message that is too big is no end when
// it was a probe.
func (c *channel) final(err error, probed bool) (error, bool) {
	var (
		protocol *ProtocolError
		closed   *closeError
	)
	switch {
	case errors.As(err, &protocol):
		return err, true
	case errors.Is(err, errTooBig), errors.Is(err, errText):
		return &ProtocolError{Err: err}, true
	case c.closed:
		return nil, true
	case errors.As(err, &closed) && closed.code == websocket.StatusMessageTooBig && c.largest > defaultPayload && !probed:
		// What is on its way cannot be cut anew: the agent may have it.
		return fmt.Errorf("the service does not take payloads of %d bytes: %w", c.largest, err), true
	case c.cfg.resume == nil:
		return fmt.Errorf("%w and the session cannot be resumed", err), true
	case c.outage.flaps > 0 && c.spent(time.Now()):
		return c.givenUp(err), true
	default:
		return nil, false
	}
}

// spent reports whether the outage has used up its budget.
func (c *channel) spent(now time.Time) bool {
	return c.cfg.budget > 0 && now.Sub(c.outage.since) > c.cfg.budget
}

func (c *channel) givenUp(err error) error {
	return fmt.Errorf("%w for %s: %w", ErrLost, time.Since(c.outage.since).Round(time.Second), err)
}

// resumeStep takes one report of the resuming goroutine.
func (c *channel) resumeStep(s resumeStep) {
	now := time.Now()
	lasted := now.Sub(c.outage.since)
	switch {
	case s.conn != nil:
		c.attach(s.conn)
		c.stats.reconnects.Add(1)
		c.cfg.onEvent(Event{Kind: Resumed, Attempt: s.attempt, Outage: lasted})
	case s.over:
		c.finish(Exit{}, s.err)
	case c.spent(now):
		c.finish(Exit{}, c.givenUp(s.err))
	default:
		c.outage.err = s.err
		c.cfg.onEvent(Event{Kind: Retrying, Attempt: s.attempt, Wait: s.wait, Outage: lasted, Err: s.err})
	}
}
