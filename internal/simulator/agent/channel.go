package agent

import (
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// Bounds on what the agent keeps of what the client sends.
const (
	heldBytes  = 16 << 20 // in order, but the handler has no room
	earlyBytes = 32 << 20 // ahead of a gap
	earlyCount = 100_000  // the real agent's reorder buffer
)

// input is one message from the client.
type input struct {
	seq     int64
	id      wire.UUID
	ptype   wire.PayloadType
	payload []byte
	acked   bool // it came ahead of a gap and was acknowledged then
	opened  bool // payload is decrypted
}

// verdict is what a handler says to one input message.
type verdict int

const (
	taken    verdict = iota // handled: acknowledge it
	noRoom                  // keep it and offer it again; not acknowledged until then
	notReady                // neither kept nor acknowledged: the client sends it again
)

// event is what a received message means to the worker beyond its data.
type event int

const (
	eventNone   event = iota
	eventClosed       // the service ended the session
	eventPaused       // the client is away or slow
)

// channel is one end of a data channel in the agent's role: numbering,
// acknowledging, ordering. It does no I/O and reads no clock; what is to be
// sent is handed to emit.
type channel struct {
	emit    func(msg []byte)
	deliver func(in *input) verdict

	send    *reliable.Sender
	recv    *reliable.Receiver[*input]
	handled int64 // all input below was handled
	held    int   // in order, not handled yet
	paused  bool
	resume  bool   // a pause came that no start followed yet
	slab    []byte // memory for outgoing messages
}

func newChannel(w reliable.Window, emit func([]byte), deliver func(*input) verdict) *channel {
	return &channel{
		emit:    emit,
		deliver: deliver,
		send:    reliable.NewSender(w),
		recv: reliable.NewReceiver[*input](reliable.Limits{
			ReadyBytes: heldBytes, EarlyBytes: earlyBytes, EarlyCount: earlyCount,
		}),
	}
}

// receive takes one message from the gateway. Like the real agent it ignores
// digests, unknown types and what goes the other way.
func (c *channel) receive(now time.Time, raw []byte) event {
	m, err := wire.Parse(raw)
	if err != nil {
		return eventNone
	}
	switch m.Type {
	case wire.InputStreamData:
		c.paused = false // any input lifts a pause
		c.input(now, &m)
	case wire.Acknowledge:
		c.paused = false // so does any acknowledgement
		if a, err := wire.ParseAck(m.Payload); err == nil {
			c.send.Acked(now, a.Seq)
		}
	case wire.ChannelClosed:
		return eventClosed
	case wire.StartPublication:
		c.start(now)
	case wire.PausePublication:
		c.paused, c.resume = true, true
		return eventPaused
	}
	return eventNone
}

// start lifts a pause. After one, what is unacknowledged was probably sent to
// nobody.
//
// Deviation: the real agent sends only what its resend loop finds, one message
// in 100 ms.
func (c *channel) start(now time.Time) {
	c.paused = false
	if c.resume {
		c.resume = false
		c.send.Reconnected(now)
	}
}

// input acknowledges after handling, as the real agent does: an acknowledgement
// means that the destination has the bytes.
func (c *channel) input(now time.Time, m *wire.Message) {
	in := &input{seq: m.Seq, id: m.ID, ptype: m.PayloadType, payload: m.Payload}
	expected := c.recv.Expected()
	switch {
	case m.Seq < c.handled:
		c.ack(now, in) // a repeat: our acknowledgement was lost
	case m.Seq < expected:
		// A repeat of what still waits for the handler.
	case m.Seq > expected:
		if c.recv.Receive(m.Seq, len(m.Payload), in) && !in.acked {
			in.acked = true
			c.ack(now, in)
		}
	case c.held > 0:
		// Deviation: the real agent's reader would be blocked in the handler
		// and not have read this at all. We keep it, and go on reading
		// acknowledgements.
		if c.recv.Receive(m.Seq, len(m.Payload), in) {
			c.recount(expected)
		}
	default:
		v := c.deliver(in)
		if v == notReady || !c.recv.Receive(m.Seq, len(m.Payload), in) {
			return
		}
		c.recount(expected)
		if v == taken {
			c.took(now)
			c.offer(now)
		}
	}
}

// recount brings held up to date after Expected moved on from what it was.
func (c *channel) recount(was int64) { c.held += int(c.recv.Expected() - was) }

// offer gives the handler what waits, as far as it takes it.
func (c *channel) offer(now time.Time) {
	for c.held > 0 {
		in, ok := c.recv.Peek()
		if !ok || c.deliver(in) != taken {
			return
		}
		c.took(now)
	}
}

// took acknowledges the first of what waits, which was handled.
func (c *channel) took(now time.Time) {
	in, _ := c.recv.Take()
	c.held--
	c.handled++
	if !in.acked {
		c.ack(now, in)
	}
}

// ack sends an acknowledgement. It is not numbered and not repeated.
func (c *channel) ack(now time.Time, in *input) {
	var payload [256]byte
	c.emit(c.encode(now, &wire.Message{
		Type:  wire.Acknowledge,
		Flags: wire.FlagSyn | wire.FlagFin,
		Payload: wire.AppendAck(payload[:0], wire.Ack{
			MessageType: wire.InputStreamData, MessageID: in.id, Seq: in.seq,
		}),
	}))
}

// state tells the service how the session stands. Clients never see it.
func (c *channel) state(now time.Time, sessionID, state string) {
	c.emit(c.encode(now, &wire.Message{
		Type:    wire.AgentSessionState,
		Flags:   wire.FlagSyn | wire.FlagFin,
		Payload: wire.Marshal(wire.SessionState{SchemaVersion: 1, SessionState: state, SessionID: sessionID}),
	}))
}

// write numbers a payload and queues it for sending; an empty one is dropped
// before it gets a number.
func (c *channel) write(now time.Time, t wire.PayloadType, payload []byte) {
	if len(payload) == 0 {
		return
	}
	seq := c.send.NextSeq()
	m := wire.Message{Type: wire.OutputStreamData, Seq: seq, PayloadType: t, Payload: payload}
	if seq == 0 {
		m.Flags = wire.FlagSyn
	}
	c.send.Push(c.encode(now, &m))
}

// flush puts on the wire what is due, unless the service paused us or stop
// reports that enough is queued.
func (c *channel) flush(now time.Time, stop func() bool) {
	for !c.paused && !stop() {
		frame, ok := c.send.Next(now)
		if !ok {
			return
		}
		c.emit(frame)
	}
}

// slabSize is how much memory is allocated at a time for outgoing messages,
// which are small and many.
const slabSize = 64 << 10

// encode returns m in memory that is never used again.
func (c *channel) encode(now time.Time, m *wire.Message) []byte {
	m.Created = uint64(now.UnixMilli())
	m.ID = wire.NewUUID()
	size := wire.HeaderSize + len(m.Payload)
	if cap(c.slab)-len(c.slab) < size {
		c.slab = make([]byte, 0, max(slabSize, size))
	}
	from := len(c.slab)
	b, err := wire.Append(c.slab, m)
	if err != nil { // empty or too large: our own bug, no input leads here
		panic("agent: " + err.Error())
	}
	c.slab = b
	return b[from:len(b):len(b)]
}
