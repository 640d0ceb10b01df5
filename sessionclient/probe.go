package sessionclient

import (
	"context"
	"errors"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// probeWait is how long the answer to a probe may take, and probeTrips how
	// many round trips more.
	probeWait  = 5 * time.Second
	probeTrips = 8

	maxPayload = wire.MaxMessage / 2
)

var (
	errUnanswered = errors.New("a large message was not answered")
	errNoProbe    = errors.New("only a session that can be resumed can be probed")
	errProbeSize  = errors.New("a probe and its substitute have between 1 byte and 512 KiB")
)

// probe is one message that may be too large for the path. It is sent with
// nothing else in flight, and everything written later waits: so whatever
// happens to the connection is its doing, or is taken to be.
type probe struct {
	payload, substitute []byte
	ctx                 context.Context
	done                chan probed // capacity 1

	sent     bool
	seq      int64
	deadline time.Time
}

type probed struct {
	ok  bool
	err error
}

// SetPayloadSize sets the largest payload of the Output messages still to be
// made, in bytes: 1024 for 0 or less, at most 512 KiB.
func (s *Session) SetPayloadSize(n int) { s.ch.payload.Store(int64(payloadSize(n))) }

func payloadSize(n int) int {
	if n <= 0 {
		return defaultPayload
	}
	return min(n, maxPayload)
}

// Probe finds out whether a message with this payload gets through, whatever the
// payload size is. It is sent alone: after all that was written before is
// acknowledged, and nothing written later goes out until it is decided.
//
// When it is not acknowledged in about 5 s, or the connection is lost meanwhile,
// it has not got through. Then it is sent again on a new connection with the
// substitute as its payload, and the session goes on. The agent may have got
// either: both must mean the same to it.
//
// An error means that nothing was found out. When ctx ends after the probe was
// sent, it is decided all the same, behind the caller's back.
func (s *Session) Probe(ctx context.Context, payload, substitute []byte) (ok bool, err error) {
	switch {
	case s.ch.cfg.resume == nil:
		return false, errNoProbe
	case !probeable(payload), !probeable(substitute):
		return false, errProbeSize
	}
	p := &probe{payload: payload, substitute: substitute, ctx: ctx, done: make(chan probed, 1)}
	select {
	case s.ch.probes <- p:
	case <-s.ch.done:
		return false, s.ch.writeError()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case r := <-p.done:
		return r.ok, r.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func probeable(payload []byte) bool { return len(payload) > 0 && len(payload) <= maxPayload }

// withdrawn tells when the caller wants no more of a probe that was not sent.
func (p *probe) withdrawn() <-chan struct{} {
	if p.sent {
		return nil
	}
	return p.ctx.Done()
}

// pushProbe sends the probe once nothing else is in flight.
func (c *channel) pushProbe(now time.Time) {
	p := c.probe
	if n, _ := c.snd.InFlight(); p.sent || n > 0 || c.link == nil {
		return
	}
	payload := c.seal(p.payload)
	if payload == nil {
		return
	}
	p.sent, p.seq = true, c.snd.NextSeq()
	p.deadline = now.Add(probeWait + probeTrips*c.snd.RoundTrip())
	c.send(wire.PayloadOutput, payload, now)
}

// refuse puts the substitute in the place of a probe that was sent; it goes out
// with the next connection. It reports whether there was one.
func (c *channel) refuse(now time.Time) bool {
	p := c.probe
	if p == nil || !p.sent {
		return false
	}
	payload := c.seal(p.substitute)
	if payload == nil {
		return true
	}
	frame := c.encode(&wire.Message{
		Type: wire.InputStreamData, Seq: p.seq, PayloadType: wire.PayloadOutput, Payload: payload,
	}, now)
	if frame != nil {
		c.snd.Replace(p.seq, frame)
		c.decide(false, nil)
	}
	return true
}

// decide answers the probe.
func (c *channel) decide(ok bool, err error) {
	c.probe.done <- probed{ok, err}
	c.probe = nil
}
