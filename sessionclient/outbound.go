package sessionclient

import (
	"fmt"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// batchFrames and batchBytes bound what is handed to the writer at once,
	// besides as many acknowledgements.
	batchFrames = 64
	batchBytes  = 256 << 10
)

// acknowledge says that m is kept; it is also said of what was had before.
func (c *channel) acknowledge(m *wire.Message, now time.Time) {
	c.ackPayload = wire.AppendAck(c.ackPayload[:0], wire.Ack{MessageType: wire.OutputStreamData, MessageID: m.ID, Seq: m.Seq})
	frame := c.encode(&wire.Message{
		Type: wire.Acknowledge, Flags: wire.FlagSyn | wire.FlagFin, Payload: c.ackPayload,
	}, now)
	if frame != nil {
		c.acks = append(c.acks, frame)
	}
}

// encode returns nil, and ends the session, when m cannot be sent. Nothing that
// comes from the network should bring that about.
func (c *channel) encode(m *wire.Message, now time.Time) []byte {
	m.Created = uint64(now.UnixMilli())
	m.ID = wire.NewUUID()
	frame, err := wire.Append(make([]byte, 0, wire.HeaderSize+len(m.Payload)), m)
	if err != nil {
		c.finish(Exit{}, fmt.Errorf("encode %s: %w", m.Type, err))
		return nil
	}
	return frame
}

// send numbers a payload and queues it.
func (c *channel) send(typ wire.PayloadType, payload []byte, now time.Time) {
	frame := c.encode(&wire.Message{
		Type: wire.InputStreamData, Seq: c.snd.NextSeq(), PayloadType: typ, Payload: payload,
	}, now)
	if frame == nil {
		return
	}
	c.snd.Push(frame)
	c.stats.sentBytes.Add(int64(len(payload)))
}

// push moves the terminal size and the current write into the window, as far as
// it has room.
func (c *channel) push(now time.Time) {
	if c.hs.state != open || c.end != nil {
		return
	}
	if c.probe != nil {
		c.pushProbe(now)
		return
	}
	if c.size != (wire.TerminalSize{}) && c.snd.CanPush() {
		if c.size.Cols > 0 && c.size.Rows > 0 && c.hs.kind != wire.Port && c.hs.kind != wire.NonInteractiveCommands {
			c.send(wire.PayloadSize, wire.AppendSize(nil, c.size), now)
		}
		c.size = wire.TerminalSize{}
	}
	for n := 0; c.current != nil && n < batchFrames && c.snd.CanPush() && c.end == nil; n++ {
		c.pushWrite(c.current, now)
	}
}

// pushWrite moves one message of w into the window.
func (c *channel) pushWrite(w *write, now time.Time) {
	chunk := w.data[:min(len(w.data), int(c.payload.Load()))]
	rest := w.data[len(chunk):]
	c.largest = max(c.largest, len(chunk))
	if w.typ == wire.PayloadOutput {
		if chunk = c.seal(chunk); chunk == nil {
			return
		}
	}
	c.send(w.typ, chunk, now)
	if w.data = rest; len(rest) == 0 {
		w.done <- nil
		c.current = nil
	}
}

// seal returns an output payload as it must be sent, or nil when that ended the
// session.
func (c *channel) seal(payload []byte) []byte {
	if c.hs.seal == nil {
		return payload
	}
	sealed, err := c.hs.seal.Seal(payload)
	if err != nil {
		c.finish(Exit{}, err)
		return nil
	}
	return sealed
}

// fill prepares the next batch for the writer: acknowledgements, then what is
// due again, then new frames.
func (c *channel) fill(now time.Time) {
	if c.link == nil || len(c.outgoing) > 0 {
		return
	}
	batch := c.spare[:0]
	n := min(len(c.acks), batchFrames)
	batch = append(batch, c.acks[:n]...)
	c.acks = c.acks[:copy(c.acks, c.acks[n:])]
	for size := 0; len(batch) < n+batchFrames && size < batchBytes; {
		frame, ok := c.snd.Next(now)
		if !ok {
			break
		}
		batch = append(batch, frame)
		size += len(frame)
	}
	c.outgoing, c.spare = batch, nil
	if len(batch) == 0 {
		c.outgoing, c.spare = nil, batch
	}
}

// handedOver is called when the writer took the batch that was offered: so it is
// done with the one before.
func (c *channel) handedOver() {
	clear(c.writing)
	c.spare, c.writing, c.outgoing = c.writing, c.outgoing, nil
}
