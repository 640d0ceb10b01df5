package sessionclient

import (
	"fmt"
	"time"
)

const (
	// restWait is how long the agent may take for each further step of the
	// handshake; its own limit is 15 s.
	restWait = 30 * time.Second
	// quietGrace: an agent that has attached and asks for nothing wants no
	// handshake, and its program may be waiting for input.
	quietGrace = 5 * time.Second
	// defaultSilence is when an unanswering agent is worth a word to the user.
	defaultSilence = 30 * time.Second
	// flushWait is how long closing waits for the last acknowledgements.
	flushWait = time.Second
)

// timing holds what is due when; zero means never.
type timing struct {
	step  time.Time // the next step of the handshake is due
	quiet time.Time // an attached, quiet agent counts as ready
	close time.Time // a graceful end stops waiting
	awake time.Time // the next look at the clock
	armed time.Time // what the timer is set to

	looked time.Time // when the clock was last looked at, in wall-clock time
}

// arm sets the timer to whatever is due first. A timer that is set too early is
// left alone, for deadlines move with every acknowledgement.
func (c *channel) arm(timer *time.Timer, now time.Time) {
	at := c.due(now)
	if at.IsZero() || !c.timing.armed.IsZero() && !at.Before(c.timing.armed) {
		return
	}
	timer.Reset(at.Sub(now))
	c.timing.armed = at
}

// due returns when expire must next be called, zero when not at all.
func (c *channel) due(now time.Time) (at time.Time) {
	consider := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if c.link != nil {
		consider(c.snd.Deadline())
		if silence := c.snd.Silence(now); silence > 0 && !c.silent {
			consider(now.Add(c.cfg.silence - silence))
		}
	}
	consider(c.timing.awake)
	if c.probe != nil {
		consider(c.probe.deadline)
	}
	consider(c.timing.close)
	if c.hs.state != open {
		consider(c.timing.step)
		consider(c.timing.quiet)
	}
	return at
}

// expire does what is due.
func (c *channel) expire(now time.Time, start starter) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if c.link != nil {
		if due(c.snd.Deadline()) {
			c.snd.Expire(now)
			c.stats.resends.Add(1)
		}
		if silence := c.snd.Silence(now); silence >= c.cfg.silence && !c.silent {
			c.silent = true
			c.cfg.onEvent(Event{Kind: AgentSilent, Outage: silence})
		}
	}
	if c.probe != nil && due(c.probe.deadline) {
		c.reconnect(errUnanswered, start)
	}
	switch {
	case due(c.timing.close):
		c.finish(Exit{Closed: true}, nil)
	case c.hs.state == open:
	case due(c.timing.quiet):
		c.timing.quiet = time.Time{}
		if c.hs.assume() {
			c.opened()
		}
	case due(c.timing.step):
		c.finish(Exit{}, c.lateError())
	}
}

// lateError says what did not come in time.
func (c *channel) lateError() error {
	switch {
	case c.link == nil && c.outage.err != nil:
		return fmt.Errorf("%w: no connection to the message gateway: %w", ErrNotReady, c.outage.err)
	case c.hs.state == waiting && c.outage.err != nil:
		return fmt.Errorf("%w: the agent did not open its end within %s; the connection was lost meanwhile: %w", ErrNotReady, c.cfg.firstWait, c.outage.err)
	case c.hs.state == waiting:
		return fmt.Errorf("%w: the agent did not open its end within %s", ErrNotReady, c.cfg.firstWait)
	case c.hs.state == keying:
		return fmt.Errorf("%w: there was no data key within %s", ErrNotReady, restWait)
	default:
		return fmt.Errorf("%w: the agent did not finish the handshake within %s", ErrNotReady, restWait)
	}
}
