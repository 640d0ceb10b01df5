package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// keyTimeout bounds the KMS call: the agent waits 15 s for the response.
	keyTimeout = 14 * time.Second
	// deliverBytes bounds one hand-over to the application.
	deliverBytes = 256 << 10
)

var (
	// errClear: what was to be encrypted is not.
	errClear   = errors.New("the session is to be encrypted, but the agent goes on without")
	errLateKey = errors.New("the key service did not answer in time")
)

// pump takes in-order messages: those of the handshake are worked off, the rest
// is prepared for the application. It stops when the application lags.
func (c *channel) pump(start starter) {
	for c.end == nil {
		it, ok := c.rcv.Peek()
		if !ok {
			break
		}
		if isHandshake(it.typ) {
			c.rcv.Take()
			c.handshake(it, start)
			continue
		}
		if c.pendingSize >= deliverBytes {
			break
		}
		c.rcv.Take()
		chunk, ok, err := c.open(it)
		if err != nil {
			c.tear(err)
			return
		}
		if ok {
			c.pending = append(c.pending, chunk)
			c.pendingSize += len(chunk.Data) + itemOverhead
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
func (c *channel) open(it item) (chunk Chunk, ok bool, err error) {
	switch it.typ {
	case wire.PayloadOutput, wire.PayloadStdErr, wire.PayloadExitCode, wire.PayloadError:
	case wire.PayloadFlag:
		f, err := wire.ParseFlag(it.payload)
		if err != nil {
			c.cfg.log.Debug("ignored", "payload", it.typ, "error", err)
			return Chunk{}, false, nil
		}
		return Chunk{Kind: FlagChunk, Flag: f}, true, nil
	default: // acknowledged and discarded
		c.cfg.log.Debug("ignored", "payload", it.typ)
		return Chunk{}, false, nil
	}
	if c.hs.skip() {
		c.opened()
	}
	payload, err := c.hs.open(it.payload)
	if err != nil {
		return Chunk{}, false, &ProtocolError{Err: err}
	}
	c.stats.receivedBytes.Add(int64(len(payload)))
	switch it.typ {
	case wire.PayloadExitCode:
		code, err := wire.ParseExitCode(payload)
		if err != nil {
			c.cfg.log.Debug("ignored", "payload", it.typ, "error", err)
			return Chunk{}, false, nil
		}
		c.code = &code
		return Chunk{}, false, nil
	case wire.PayloadStdErr, wire.PayloadError:
		return Chunk{Kind: StderrChunk, Data: payload}, len(payload) > 0, nil
	default:
		return Chunk{Kind: OutputChunk, Data: payload}, len(payload) > 0, nil
	}
}

// handshake works off one message of the handshake.
func (c *channel) handshake(it item, start starter) {
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
		err = c.complete(it.payload)
	}
	if err != nil {
		c.tear(&ProtocolError{Err: err})
		return
	}
	now := time.Now()
	if want != nil {
		c.fetchKey(*want, start)
	}
	if reply != nil {
		c.send(typ, reply, now)
	}
	if want != nil || reply != nil { // repetitions gain no time
		c.timing.step = now.Add(restWait)
	}
}

func (c *channel) complete(payload []byte) error {
	changed, err := c.hs.complete(payload)
	if changed {
		c.opened()
	}
	return err
}

// fetchKey asks for the data key in the background, since the call may take
// seconds and acknowledgements must not wait for it.
func (c *channel) fetchKey(want keyWanted, start starter) {
	start(func(ctx context.Context) {
		var k dataKey
		if c.cfg.keys == nil {
			k.err = fmt.Errorf("the session wants encryption with KMS key %s, which this client was not set up for", want.keyID)
		} else {
			k = c.askKey(ctx, want)
		}
		c.keys <- k // capacity 1, and only one key is ever asked for
	})
}

func (c *channel) askKey(ctx context.Context, want keyWanted) (k dataKey) {
	limited, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	encContext := map[string]string{
		"aws:ssm:SessionId": c.ticket.SessionID,
		"aws:ssm:TargetId":  c.cfg.targetID,
	}
	if want.challenge != "" {
		encContext["aws:ssm:RandomChallenge"] = want.challenge
	}
	k.plain, k.sealed, k.err = c.cfg.keys.DataKey(limited, want.keyID, encContext)
	if errors.Is(k.err, context.DeadlineExceeded) && ctx.Err() == nil {
		k.err = errLateKey // the caller's own time is not up
	}
	return k
}

// haveKey sends the response that waited for the data key. Without a key the
// agent is told, and ends the session; our own reason is the one to show.
func (c *channel) haveKey(k dataKey) {
	reply, err := c.hs.key(k.plain, k.sealed, k.err)
	clear(k.plain)
	if err != nil {
		c.keyErr = fmt.Errorf("encrypt the session: %w", err)
	}
	if reply != nil {
		now := time.Now()
		c.timing.step = now.Add(restWait)
		c.send(wire.PayloadHandshakeResponse, reply, now)
	}
}

// opened is called when data may flow: once, or a second time after an agent
// that was taken for ready wanted a handshake after all.
func (c *channel) opened() {
	c.timing.step, c.timing.quiet = time.Time{}, time.Time{}
	first := c.info.Swap(&Info{
		SessionID: c.ticket.SessionID, Kind: c.hs.kind, AgentVersion: c.hs.agentVersion,
		Properties: c.hs.properties, Encrypted: c.hs.seal != nil,
	}) == nil
	if c.hs.message != "" {
		c.cfg.onEvent(Event{Kind: Message, Text: c.hs.message})
	}
	if first {
		close(c.ready)
	}
}
