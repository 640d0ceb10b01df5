package sessionclient

import (
	"errors"
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

var (
	errGap   = errors.New("the session ended with a gap in its output: a part never arrived")
	errEnded = errors.New("the session has ended")
)

// ending is how the session ended.
type ending struct {
	exit Exit
	err  error
}

// startClosing begins a graceful end: what was written goes out first.
func (c *channel) startClosing() {
	c.closed = true
	now := time.Now()
	c.timing.close = now.Add(flushWait)
	if c.probe != nil {
		c.decide(false, errEnded)
	}
	if c.hs.state == open && c.hs.kind == wire.Port && wire.SupportsTerminateFlag(c.hs.agentVersion) {
		c.send(wire.PayloadFlag, wire.AppendFlag(nil, wire.TerminateSession), now)
	}
	c.checkFlushed()
}

// checkFlushed ends a closing session once everything was acknowledged.
func (c *channel) checkFlushed() {
	if c.closed && c.end == nil && c.current == nil {
		if n, _ := c.snd.InFlight(); n == 0 || c.link == nil {
			c.finish(Exit{Closed: true}, nil)
		}
	}
}

// finish decides how the session ended; the first word counts.
func (c *channel) finish(exit Exit, err error) {
	if c.end == nil {
		c.end = &ending{exit, err}
	}
}

// tear ends the session for an in-order message that cannot be read.
func (c *channel) tear(err error) {
	c.torn = true
	c.finish(Exit{}, err)
}

// shutdown closes the link and leaves what was received for the application.
func (c *channel) shutdown() {
	if c.link != nil {
		c.link.close()
		c.link = nil
		c.stats.since.Store(-time.Now().UnixNano())
	}
	if c.current != nil {
		c.current.done <- c.writeError()
	}
	if c.probe != nil {
		c.decide(false, c.writeError())
	}
	err := c.takeTail()
	if _, held := c.rcv.Held(); held > 0 && err == nil && !c.end.exit.Closed {
		err = errGap
	}
	if c.end.err == nil {
		c.end.err = err
	}
	if c.code != nil {
		c.end.exit.Code, c.end.exit.HasCode = *c.code, true
	}
}

// takeTail keeps what the application has not taken yet, up to the first thing
// that cannot be read. The end may have come in one go with the last step of the
// handshake, which then still counts.
func (c *channel) takeTail() error {
	c.tail = c.pending
	if c.torn {
		return nil
	}
	for {
		it, ok := c.rcv.Take()
		if !ok {
			return nil
		}
		if isHandshake(it.typ) {
			if it.typ == wire.PayloadHandshakeComplete {
				if err := c.complete(it.payload); err != nil {
					return &ProtocolError{Err: err}
				}
			}
			continue
		}
		chunk, ok, err := c.open(it)
		if err != nil {
			return err
		}
		if ok {
			c.tail = append(c.tail, chunk)
		}
	}
}

// startError is why the session ended before it was ready.
func (c *channel) startError() error {
	switch {
	case c.keyErr != nil:
		return c.keyErr
	case c.end.err != nil:
		return c.end.err
	case c.end.exit.Reason != "":
		return &EndedError{Reason: c.end.exit.Reason}
	default:
		return &EndedError{Reason: "the session ended before it was ready"}
	}
}

func (c *channel) writeError() error {
	if c.end != nil && c.end.err != nil {
		return fmt.Errorf("%w: %w", errEnded, c.end.err)
	}
	return errEnded
}
