package sessionclient

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// restWait is how long the agent may take for each further step of the
	// handshake; its own limit is 15 s.
	restWait = 30 * time.Second
	// quietGrace: an agent that has attached and asks for nothing wants no
	// handshake, and its program may be waiting for input.
	quietGrace = 5 * time.Second
	// silentAfter is when an unanswering agent is worth a word to the user.
	silentAfter = 30 * time.Second
	// flushWait is how long closing waits for the last acknowledgements.
	flushWait = time.Second
	// maxDamaged messages in a row are no accident any more.
	maxDamaged = 32
	// maxAcks queued stops reading: the peer sends and does not take.
	maxAcks = 4096
	// deliverBytes bounds one hand-over to the application.
	deliverBytes = 256 << 10
	// itemOverhead is what a held message costs beside its payload.
	itemOverhead = 64
)

// channel is the loop that owns a session: only it touches the streams, the
// handshake and the link. Everything reaches it through channels.
type channel struct {
	cfg      config
	ticket   Ticket
	clientID string

	snd *reliable.Sender
	rcv *reliable.Receiver[item]
	hs  handshake

	link     *link
	acks     [][]byte // encoded acknowledgements to send
	outgoing [][]byte // the batch offered to the writer
	damaged  int      // in a row

	writes    chan *write
	current   *write
	sizes     chan wire.TerminalSize // capacity 1: the latest size wins
	size      wire.TerminalSize      // to be sent; zero: none
	delivered chan []Chunk
	pending   []Chunk // the batch offered to the application

	keys    chan dataKey
	resumes chan resumeStep
	closing chan struct{} // closed to ask for a graceful end
	closed  bool          // the request was seen

	stepBy    time.Time // when the next step of the handshake is due
	quietBy   time.Time // when an attached, quiet agent counts as ready
	closeBy   time.Time // when a graceful end stops waiting
	lostAt    time.Time // since when there is no link; zero when there is one
	silent    bool      // AgentSilent was reported
	ready     chan struct{}
	readyDone bool

	end  *ending
	done chan struct{} // closed when the loop and all it started are over
	tail []Chunk       // what was received but not taken; read it after done

	keyErr error // why there is no data key
	code   *int  // the remote exit status, once known
	stats  stats
}

// item is one in-order message for the application or the handshake.
type item struct {
	typ     wire.PayloadType
	payload []byte
}

// write is one request to send, acknowledged when the window has taken it all.
type write struct {
	typ  wire.PayloadType
	data []byte
	done chan error // capacity 1
}

// dataKey is the answer of the KeySource.
type dataKey struct {
	plain, sealed []byte
	err           error
}

// ending is how the session ended.
type ending struct {
	exit Exit
	err  error
}

type stats struct {
	sentBytes, receivedBytes, resends, damaged atomic.Int64
	roundTrip                                  atomic.Int64
}

func newChannel(t Ticket, cfg config) *channel {
	return &channel{
		cfg: cfg, ticket: t, clientID: wire.NewUUID().String(),
		snd:    reliable.NewSender(cfg.window),
		rcv:    reliable.NewReceiver[item](reliable.Limits{}),
		writes: make(chan *write), sizes: make(chan wire.TerminalSize, 1), size: cfg.size,
		delivered: make(chan []Chunk), keys: make(chan dataKey, 1), resumes: make(chan resumeStep),
		closing: make(chan struct{}), ready: make(chan struct{}), done: make(chan struct{}),
	}
}

// run is the loop. It returns when the session has ended and everything it
// started is over.
func (c *channel) run(ctx context.Context, first Conn) {
	ctx, cancel := context.WithCancel(ctx)
	workers := newGroup(ctx)
	defer close(c.done)
	defer workers.wait()
	defer cancel()

	c.stepBy = time.Now().Add(c.cfg.firstWait)
	c.attach(first)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for c.end == nil {
		now := time.Now()
		c.pump(workers)
		c.push(now)
		c.fill(now)
		c.arm(timer, now)
		c.wait(ctx, timer, workers)
	}
	c.shutdown()
}

// wait blocks until something happens and handles it.
func (c *channel) wait(ctx context.Context, timer *time.Timer, workers *group) {
	var (
		in        <-chan received
		out       chan<- [][]byte
		writes    chan *write
		sizes     chan wire.TerminalSize
		delivered chan []Chunk
		closing   chan struct{}
	)
	if c.link != nil {
		if !c.rcv.Full() && len(c.acks) < maxAcks {
			in = c.link.in
		}
		if len(c.outgoing) > 0 {
			out = c.link.out
		}
	}
	if c.hs.state == open && c.current == nil && !c.closed {
		writes = c.writes
	}
	if c.size == (wire.TerminalSize{}) {
		sizes = c.sizes
	}
	if len(c.pending) > 0 {
		delivered = c.delivered
	}
	if !c.closed {
		closing = c.closing
	}
	select {
	case r, ok := <-in:
		c.receive(r, ok, workers)
	case out <- c.outgoing:
		c.outgoing = nil
	case delivered <- c.pending:
		c.pending = nil
	case c.current = <-writes:
	case c.size = <-sizes:
	case k := <-c.keys:
		c.haveKey(k)
	case step := <-c.resumes:
		c.resumeStep(step)
	case <-closing:
		c.startClosing()
	case <-timer.C:
		c.expire(time.Now())
	case <-ctx.Done():
		c.finish(Exit{}, ctx.Err())
	}
}

// receive takes one message of the reader and what else is waiting with it.
func (c *channel) receive(r received, ok bool, workers *group) {
	now := time.Now()
	for range batchFrames {
		if !ok {
			c.lost(c.link.err, workers)
			return
		}
		c.handle(r, now)
		if c.end != nil || c.rcv.Full() {
			return
		}
		select {
		case r, ok = <-c.link.in:
		default:
			return
		}
	}
}

func (c *channel) handle(r received, now time.Time) {
	m := &r.msg
	if r.damaged {
		c.stats.damaged.Add(1)
		if c.damaged++; c.damaged >= maxDamaged {
			c.finish(Exit{}, &ProtocolError{Err: fmt.Errorf("%d damaged messages in a row: %w", c.damaged, wire.ErrDigest)})
		}
		return
	}
	c.damaged = 0
	switch m.Type {
	case wire.OutputStreamData:
		if c.rcv.Receive(m.Seq, len(m.Payload)+itemOverhead, item{m.PayloadType, m.Payload}) {
			c.acknowledge(m, now)
		}
	case wire.Acknowledge:
		if a, err := wire.ParseAck(m.Payload); err == nil {
			c.snd.Acked(now, a.Seq)
			c.heardAgent()
		} else {
			c.cfg.log.Debug("ignored", "message", m.Type, "error", err)
		}
	case wire.ChannelClosed:
		c.channelClosed(m.Payload)
	case wire.StartPublication:
		if c.hs.state == waiting && c.quietBy.IsZero() {
			c.quietBy = now.Add(quietGrace)
		}
		c.cfg.log.Debug("publication", "message", m.Type)
	default:
		// pause_publication asks us to stop sending; a client that obeyed lost
		// data, and resending covers what the pause may drop.
		c.cfg.log.Debug("ignored", "message", m.Type)
	}
}

// heardAgent notes that the agent lives after it was reported silent.
func (c *channel) heardAgent() {
	c.stats.roundTrip.Store(int64(c.snd.RoundTrip()))
	if c.silent {
		c.silent = false
		c.cfg.onEvent(Event{Kind: AgentBack})
	}
}

// channelClosed ends the session as the service says.
func (c *channel) channelClosed(payload []byte) {
	var closed wire.Closed
	if err := wire.Unmarshal("channel_closed", payload, &closed); err != nil {
		c.finish(Exit{}, &ProtocolError{Err: err})
		return
	}
	c.finish(Exit{Reason: closed.Output}, nil)
}

// acknowledge says that m is kept; it is also said of what was had before.
func (c *channel) acknowledge(m *wire.Message, now time.Time) {
	payload := wire.AppendAck(make([]byte, 0, 256), wire.Ack{MessageType: wire.OutputStreamData, MessageID: m.ID, Seq: m.Seq})
	c.acks = append(c.acks, c.encode(&wire.Message{
		Type: wire.Acknowledge, Flags: wire.FlagSyn | wire.FlagFin, Payload: payload,
	}, now))
}

func (c *channel) encode(m *wire.Message, now time.Time) []byte {
	m.Created = uint64(now.UnixMilli())
	m.ID = wire.NewUUID()
	frame, err := wire.Append(make([]byte, 0, wire.HeaderSize+len(m.Payload)), m)
	if err != nil {
		panic("sessionclient: " + err.Error()) // our own messages are never empty nor too large
	}
	return frame
}

// send numbers a payload and queues it.
func (c *channel) send(typ wire.PayloadType, payload []byte, now time.Time) {
	c.snd.Push(c.encode(&wire.Message{
		Type: wire.InputStreamData, Seq: c.snd.NextSeq(), PayloadType: typ, Payload: payload,
	}, now))
	c.stats.sentBytes.Add(int64(len(payload)))
}

// push moves the terminal size and the current write into the window, as far as
// it has room.
func (c *channel) push(now time.Time) {
	if c.hs.state != open {
		return
	}
	if c.size != (wire.TerminalSize{}) && c.snd.CanPush() {
		if c.size.Cols > 0 && c.size.Rows > 0 && c.hs.kind != wire.Port && c.hs.kind != wire.NonInteractiveCommands {
			c.send(wire.PayloadSize, wire.AppendSize(nil, c.size), now)
		}
		c.size = wire.TerminalSize{}
	}
	for n := 0; c.current != nil && n < batchFrames && c.snd.CanPush(); n++ {
		w := c.current
		chunk := w.data[:min(len(w.data), c.cfg.payload)]
		w.data = w.data[len(chunk):]
		if c.hs.seal != nil && w.typ == wire.PayloadOutput {
			sealed, err := c.hs.seal.Seal(nil, chunk)
			if err != nil {
				c.finish(Exit{}, err)
				return
			}
			chunk = sealed
		}
		c.send(w.typ, chunk, now)
		if len(w.data) == 0 {
			w.done <- nil
			c.current = nil
		}
	}
}

// fill prepares the next batch for the writer: acknowledgements, then what is
// due again, then new frames.
func (c *channel) fill(now time.Time) {
	if c.link == nil || len(c.outgoing) > 0 {
		return
	}
	size := 0
	n := min(len(c.acks), batchFrames)
	c.outgoing = append(c.outgoing, c.acks[:n]...)
	if c.acks = c.acks[n:]; len(c.acks) == 0 {
		c.acks = nil
	}
	for len(c.outgoing) < 2*batchFrames && size < batchBytes {
		frame, ok := c.snd.Next(now)
		if !ok {
			return
		}
		c.outgoing = append(c.outgoing, frame)
		size += len(frame)
	}
}

// arm sets the timer to whatever is due first.
func (c *channel) arm(timer *time.Timer, now time.Time) {
	var at time.Time
	consider := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if c.link != nil {
		consider(c.snd.Deadline())
	}
	consider(c.closeBy)
	if c.hs.state != open {
		consider(c.stepBy)
		consider(c.quietBy)
	}
	if at.IsZero() {
		at = now.Add(time.Hour)
	}
	timer.Reset(at.Sub(now))
}

// expire does what the timer was set for.
func (c *channel) expire(now time.Time) {
	if c.link != nil {
		if d := c.snd.Deadline(); !d.IsZero() && !now.Before(d) {
			c.snd.Expire(now)
			c.stats.resends.Add(1)
		}
		if !c.silent && c.snd.Silence(now) > silentAfter {
			c.silent = true
			c.cfg.onEvent(Event{Kind: AgentSilent, Outage: c.snd.Silence(now)})
		}
	}
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case due(c.closeBy):
		c.finish(Exit{Closed: true}, nil)
	case c.hs.state == open:
	case due(c.quietBy):
		c.quietBy = time.Time{}
		if c.hs.skip() {
			c.opened()
		}
	case due(c.stepBy):
		c.finish(Exit{}, c.lateError())
	}
}

// startClosing begins a graceful end: what was written goes out first.
func (c *channel) startClosing() {
	c.closed = true
	c.closeBy = time.Now().Add(flushWait)
	if c.hs.state == open && c.hs.kind == wire.Port && wire.SupportsTerminateFlag(c.hs.agentVersion) {
		c.send(wire.PayloadFlag, wire.AppendFlag(nil, wire.TerminateSession), time.Now())
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
	if c.end != nil {
		return
	}
	c.end = &ending{exit, err}
}

// shutdown closes the link and leaves what was received for the application.
func (c *channel) shutdown() {
	if c.link != nil {
		c.link.close()
		c.link = nil
	}
	if c.current != nil {
		c.current.done <- c.writeError()
	}
	c.takeTail()
	if c.code != nil {
		c.end.exit.Code, c.end.exit.HasCode = *c.code, true
	}
	if _, held := c.rcv.Held(); held > 0 && c.end.err == nil && !c.end.exit.Closed {
		c.end.err = errGap
	}
}

var (
	errGap   = errors.New("the session ended with a gap in its output: a part never arrived")
	errEnded = errors.New("the session has ended")
)

func (c *channel) writeError() error {
	if c.end != nil && c.end.err != nil {
		return fmt.Errorf("%w: %w", errEnded, c.end.err)
	}
	return errEnded
}
