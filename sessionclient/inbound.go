package sessionclient

import (
	"context"
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// keyTimeout bounds the KMS call: the agent waits 15 s for the response.
const keyTimeout = 14 * time.Second

// pump takes in-order messages: those of the handshake are worked off, the rest
// is prepared for the application. It stops when the application lags.
func (c *channel) pump(workers *group) {
	size := 0
	for _, p := range c.pending {
		size += len(p.Data)
	}
	for c.end == nil {
		it, ok := c.rcv.Peek()
		if !ok {
			break
		}
		if isHandshake(it.typ) {
			c.rcv.Take()
			c.handshake(it, workers)
			continue
		}
		if size >= deliverBytes {
			break
		}
		c.rcv.Take()
		if chunk, ok := c.open(it); ok {
			c.pending = append(c.pending, chunk)
			size += len(chunk.Data)
		}
	}
	c.checkFlushed()
}

func isHandshake(t wire.PayloadType) bool {
	switch t {
	case wire.PayloadHandshakeRequest, wire.PayloadHandshakeComplete, wire.PayloadEncChallengeRequest:
		return true
	default:
		return false
	}
}

// open turns an in-order message into what the application gets; ok is false
// when there is nothing for it in there.
func (c *channel) open(it item) (chunk Chunk, ok bool) {
	switch it.typ {
	case wire.PayloadOutput, wire.PayloadStdErr, wire.PayloadExitCode, wire.PayloadError:
	case wire.PayloadFlag:
		f, err := wire.ParseFlag(it.payload)
		if err != nil {
			c.cfg.log.Debug("ignored", "payload", it.typ, "error", err)
			return Chunk{}, false
		}
		return Chunk{Kind: FlagChunk, Flag: f}, true
	default: // acknowledged and discarded
		c.cfg.log.Debug("ignored", "payload", it.typ)
		return Chunk{}, false
	}
	if c.hs.skip() {
		c.opened()
	}
	if c.hs.seal != nil {
		plain, err := c.hs.seal.Open(it.payload)
		if err != nil {
			c.finish(Exit{}, &ProtocolError{Err: err})
			return Chunk{}, false
		}
		it.payload = plain
	}
	c.stats.receivedBytes.Add(int64(len(it.payload)))
	switch it.typ {
	case wire.PayloadExitCode:
		code, err := wire.ParseExitCode(it.payload)
		if err != nil {
			c.cfg.log.Debug("ignored", "payload", it.typ, "error", err)
			return Chunk{}, false
		}
		c.code = &code
		return Chunk{}, false
	case wire.PayloadStdErr, wire.PayloadError:
		return Chunk{Kind: StderrChunk, Data: it.payload}, true
	default:
		return Chunk{Kind: OutputChunk, Data: it.payload}, true
	}
}

// handshake works off one message of the handshake.
func (c *channel) handshake(it item, workers *group) {
	now := time.Now()
	var (
		reply []byte
		typ   wire.PayloadType
		want  *keyWanted
		err   error
	)
	switch it.typ {
	case wire.PayloadHandshakeRequest:
		typ = wire.PayloadHandshakeResponse
		reply, want, err = c.hs.request(it.payload)
	case wire.PayloadEncChallengeRequest:
		typ = wire.PayloadEncChallengeResponse
		reply, err = c.hs.challenge(it.payload)
	case wire.PayloadHandshakeComplete:
		before := c.hs.state
		if err = c.hs.complete(it.payload); err == nil && before != open && c.hs.state == open {
			c.opened()
		}
	}
	if err != nil {
		c.finish(Exit{}, &ProtocolError{Err: err})
		return
	}
	c.stepBy = now.Add(restWait)
	if want != nil {
		c.fetchKey(*want, workers)
	}
	if reply != nil {
		c.send(typ, reply, now)
	}
}

// fetchKey asks for the data key in the background, since the call may take
// seconds and acknowledgements must not wait for it.
func (c *channel) fetchKey(want keyWanted, workers *group) {
	workers.start(func(ctx context.Context) {
		var k dataKey
		if c.cfg.keys == nil {
			k.err = fmt.Errorf("the session wants encryption with KMS key %s, which this client was not set up for", want.keyID)
		} else {
			ctx, cancel := context.WithTimeout(ctx, keyTimeout)
			defer cancel()
			encContext := map[string]string{
				"aws:ssm:SessionId": c.ticket.SessionID,
				"aws:ssm:TargetId":  c.cfg.targetID,
			}
			if want.challenge != "" {
				encContext["aws:ssm:RandomChallenge"] = want.challenge
			}
			k.plain, k.sealed, k.err = c.cfg.keys.DataKey(ctx, want.keyID, encContext)
		}
		c.keys <- k // capacity 1, and only one key is ever asked for
	})
}

// haveKey sends the response that waited for the data key. Without a key the
// agent is told, and ends the session; our own reason is the one to show.
func (c *channel) haveKey(k dataKey) {
	if k.err != nil {
		c.keyErr = fmt.Errorf("encrypt the session: %w", k.err)
	}
	now := time.Now()
	c.stepBy = now.Add(restWait)
	if reply := c.hs.key(k.plain, k.sealed, k.err); reply != nil {
		c.send(wire.PayloadHandshakeResponse, reply, now)
	}
	clear(k.plain)
}

// opened is called once, when data may flow.
func (c *channel) opened() {
	c.stepBy, c.quietBy = time.Time{}, time.Time{}
	if c.hs.message != "" {
		c.cfg.onEvent(Event{Kind: Message, Text: c.hs.message})
	}
	if !c.readyDone {
		c.readyDone = true
		close(c.ready)
	}
}

// takeTail keeps what the application has not taken yet.
func (c *channel) takeTail() {
	c.tail = c.pending
	for {
		it, ok := c.rcv.Take()
		if !ok {
			return
		}
		if isHandshake(it.typ) {
			continue
		}
		if chunk, ok := c.open(it); ok {
			c.tail = append(c.tail, chunk)
		}
	}
}

// lateError says what did not come in time.
func (c *channel) lateError() error {
	switch {
	case c.link == nil:
		return fmt.Errorf("%w: no connection to the message gateway", ErrNotReady)
	case c.hs.state == waiting:
		return fmt.Errorf("%w: the agent did not open its end within %s", ErrNotReady, c.cfg.firstWait)
	default:
		return fmt.Errorf("%w: the agent did not finish the handshake within %s", ErrNotReady, restWait)
	}
}
