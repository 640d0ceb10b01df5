package sessionclient

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/reliable"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// maxDamaged messages in a row are no accident any more.
	maxDamaged = 32
	// maxAcks queued stops reading: the peer sends and does not take.
	maxAcks = 4096
	// itemOverhead is what a held message costs beside its payload. It also
	// bounds messages that have none.
	itemOverhead = 64
)

// channel is the loop that owns a session: only it touches the streams, the
// handshake and the link. Everything reaches it through channels.
//
//	channel.go   the loop and what comes from the link
//	inbound.go   in-order messages: handshake, output
//	outbound.go  input, acknowledgements, batches for the writer
//	flush.go     waiting for what was written to be acknowledged
//	probe.go     whether a large message gets through
//	timing.go    what is due when
//	outage.go    losing the link, attaching the next one
//	wake.go      a machine that slept
//	ending.go    how it ends, and what is left for the application
type channel struct {
	cfg      config
	ticket   Ticket
	clientID string

	snd *reliable.Sender
	rcv *reliable.Receiver[item]
	hs  handshake

	link    *link
	outage  outage
	damaged int // messages in a row

	acks       [][]byte // encoded acknowledgements to send
	ackPayload []byte   // scratch
	outgoing   [][]byte // the batch offered to the writer
	writing    [][]byte // the batch the writer has, or had last
	spare      [][]byte // the one before, to be used again

	writes      chan *write
	current     *write
	flushes     chan *flush
	flushing    []*flush // oldest first
	probes      chan *probe
	probe       *probe                 // the one that is not decided; nothing is written meanwhile
	payload     atomic.Int64           // of an Output message, in bytes, at most
	largest     int                    // that was sent
	sizes       chan wire.TerminalSize // capacity 1: the latest size wins
	size        wire.TerminalSize      // to be sent; zero: none
	delivered   chan []Chunk
	pending     []Chunk // the batch offered to the application
	pendingSize int     // what it costs, in bytes

	keys       chan dataKey
	resumes    chan resumeStep
	reconnects chan struct{} // capacity 1: asked for a new connection
	haste      haste         // of whoever resumes
	closing    chan struct{} // closed to ask for a graceful end
	closed     bool          // the request was seen

	timing timing
	silent bool // AgentSilent was reported
	ready  chan struct{}
	info   atomic.Pointer[Info] // set before ready is closed

	end  *ending
	torn bool          // an in-order message could not be read: what follows it is not for the application
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
	data []byte     // what is left of it
	done chan error // capacity 1
}

// dataKey is the answer of the KeySource.
type dataKey struct {
	plain, sealed []byte
	err           error
}

type stats struct {
	sentBytes, receivedBytes, resends, damaged atomic.Int64
	roundTrip, inFlight, window                atomic.Int64
	reconnects                                 atomic.Int64
	// since is when the link came up, in nanoseconds of the epoch, or minus the
	// time when it was lost: one word, so that both are of the same moment.
	since atomic.Int64
}

func newChannel(t Ticket, cfg config) *channel {
	c := &channel{
		cfg: cfg, ticket: t, clientID: wire.NewUUID().String(),
		snd:    reliable.NewSender(cfg.window),
		rcv:    reliable.NewReceiver[item](cfg.receive),
		writes: make(chan *write), probes: make(chan *probe), flushes: make(chan *flush), sizes: make(chan wire.TerminalSize, 1), size: cfg.size,
		delivered: make(chan []Chunk), keys: make(chan dataKey, 1), resumes: make(chan resumeStep),
		reconnects: make(chan struct{}, 1), haste: newHaste(),
		closing: make(chan struct{}), ready: make(chan struct{}), done: make(chan struct{}),
	}
	c.payload.Store(int64(cfg.payload))
	return c
}

// run is the loop. It returns when the session has ended and everything it
// started is over.
func (c *channel) run(ctx context.Context, first Conn) {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer close(c.done)
	defer workers.Wait()
	defer cancel()
	start := func(f func(context.Context)) { workers.Go(func() { f(ctx) }) }

	c.timing.step = time.Now().Add(c.cfg.firstWait)
	c.attach(first)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		c.lookAtClock(now)
		c.pump(start)
		c.push(now)
		c.fill(now)
		c.tellFlushed()
		if c.end != nil {
			break
		}
		c.arm(timer, now)
		c.publish()
		c.wait(ctx, timer, start)
	}
	c.shutdown()
}

// wait blocks until something happens and handles it.
func (c *channel) wait(ctx context.Context, timer *time.Timer, start starter) {
	var (
		in        <-chan received
		gone      <-chan struct{}
		out       chan<- [][]byte
		writes    chan *write
		probes    chan *probe
		flushes   chan *flush
		withdrawn <-chan struct{}
		sizes     chan wire.TerminalSize
		delivered chan []Chunk
		closing   chan struct{}
	)
	if c.link != nil {
		in, gone = c.source()
		if len(c.outgoing) > 0 {
			out = c.link.out
		}
	}
	switch {
	case c.probe != nil:
		withdrawn = c.probe.withdrawn()
	case c.hs.state == open && c.current == nil && !c.closed:
		writes, probes, flushes = c.writes, c.probes, c.flushes
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
		c.receive(r, ok, start)
	case <-gone: // there is an end to what may still come
	case out <- c.outgoing:
		c.handedOver()
	case delivered <- c.pending:
		c.pending, c.pendingSize = nil, 0
	case c.current = <-writes:
	case c.probe = <-probes:
	case f := <-flushes:
		c.startFlush(f)
	case <-withdrawn:
		c.decide(false, c.probe.ctx.Err())
	case c.size = <-sizes:
	case k := <-c.keys:
		c.haveKey(k)
	case step := <-c.resumes:
		c.resumeStep(step)
	case <-c.reconnects:
		c.reconnect(errAsked, start)
	case <-closing:
		c.startClosing()
	case <-timer.C:
		c.timing.armed = time.Time{}
		c.expire(time.Now(), start)
	case <-ctx.Done():
		c.finish(Exit{}, ctx.Err())
	}
}

// source returns where messages come from, nil to hold up the reader: for the
// application, which must not miss anything, or for a peer that does not take
// our acknowledgements. The latter ends with the connection, which gone tells.
func (c *channel) source() (in <-chan received, gone <-chan struct{}) {
	if c.rcv.Full() {
		c.link.clogged.Store(false)
		return nil, nil
	}
	clogged := len(c.acks) >= maxAcks
	c.link.clogged.Store(clogged)
	if clogged {
		select {
		case <-c.link.gone:
		default:
			return nil, c.link.gone
		}
	}
	return c.link.in, nil
}

// receive takes one message of the reader and what else is waiting with it.
func (c *channel) receive(r received, ok bool, start starter) {
	now := time.Now()
	for n := 1; ; n++ {
		if !ok {
			c.lost(c.link.err, start)
			return
		}
		c.handle(r, now)
		if c.end != nil || c.rcv.Full() || n == batchFrames {
			return // whatever is taken from the reader must be handled
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
		before := c.rcv.Expected()
		if c.rcv.Receive(m.Seq, len(m.Payload)+itemOverhead, item{m.PayloadType, m.Payload}) {
			c.acknowledge(m, now)
		}
		c.outage.progress = c.outage.progress || c.rcv.Expected() != before
	case wire.Acknowledge:
		a, err := wire.ParseAck(m.Payload)
		if err != nil {
			c.cfg.log.Debug("ignored", "message", m.Type, "error", err)
			return
		}
		if c.snd.Acked(now, a.Seq) {
			c.outage.progress = true
			c.heardAgent()
			if c.probe != nil && c.probe.sent && a.Seq == c.probe.seq {
				c.decide(true, nil)
			}
		}
	case wire.ChannelClosed:
		c.channelClosed(m.Payload)
	case wire.StartPublication:
		if c.hs.state == waiting && c.timing.quiet.IsZero() && !c.cfg.handshake {
			c.timing.quiet = now.Add(quietGrace)
		}
		c.cfg.log.Debug("publication", "message", m.Type)
	default:
		// pause_publication asks us to stop sending; a client that obeyed lost
		// data, and resending covers what the pause may drop.
		c.cfg.log.Debug("ignored", "message", m.Type)
	}
}

// publish makes what Stats tells current.
func (c *channel) publish() {
	_, bytes := c.snd.InFlight()
	if n := int64(bytes); c.stats.inFlight.Load() != n {
		c.stats.inFlight.Store(n)
	}
	if n := int64(c.snd.Limit()); c.stats.window.Load() != n {
		c.stats.window.Store(n)
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
