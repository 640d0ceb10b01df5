package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// handler does what a session is for.
type handler interface {
	// input takes one message of the client. It never blocks.
	input(t wire.PayloadType, payload []byte) verdict
	// room is signalled when input may take again after noRoom.
	room() <-chan struct{}
	// run works until the session's purpose is fulfilled or ctx is done, and
	// returns after all its goroutines have.
	run(ctx context.Context) Result
}

// worker is the driver loop of one session: a single goroutine owns everything
// here, only handlers have goroutines of their own.
type worker struct {
	cfg  Config
	opts Options
	ch   *channel
	hs   handshake
	out  *outlet

	h     handler // nil until the handshake is over
	group sync.WaitGroup
	done  chan Result // the handler's, capacity 1

	conn     *Conn // nil while detached
	batch    [][]byte
	buf      []byte // for cutting output
	attempts int
	redial   time.Time // when to attach again; zero: not

	text   bool      // cut output at UTF-8 boundaries
	pace   bool      // wait after each output message
	paced  time.Time // the next output message may go then
	hung   bool      // reading has stopped for ever
	ending bool      // result is known
	result Result
	closed bool      // the service ended the session
	drain  time.Time // end even without acknowledgements; zero: output is not all sent

	timer *time.Timer
	armed time.Time
}

func newWorker(ctx context.Context, cfg Config) *worker {
	w := &worker{
		cfg:   cfg,
		opts:  cfg.Options.withDefaults(),
		out:   newOutlet(),
		done:  make(chan Result, 1),
		timer: time.NewTimer(time.Hour),
	}
	w.hs = handshake{
		spec: &w.cfg.Spec, agentVersion: cfg.Node.AgentVersion, keys: cfg.Keys,
		requireChallenge: cfg.Node.Agent.RequireChallenge,
	}
	w.text = wire.SessionType(cfg.Spec.SessionType) != wire.Port
	if w.text {
		w.out.log = cfg.Log
	}
	w.ch = newChannel(w.opts.Window, w.emit, func(in *input) verdict { return w.deliver(ctx, in) })
	return w
}

// finish releases everything after run has returned and the context is done.
func (w *worker) finish() {
	w.timer.Stop()
	w.out.close(true)
	w.group.Wait()
	if w.conn != nil {
		w.conn.Out.Close()
		w.conn.In.Close()
	}
}

func (w *worker) run(ctx context.Context) Result {
	now := time.Now()
	w.redial = now
	w.attach(ctx, now)
	if w.hs.needed() {
		w.ch.write(now, wire.PayloadHandshakeRequest, w.hs.begin(now))
	} else {
		w.hs.stage = stageOpen
		w.start(ctx)
	}
	for {
		now = time.Now()
		w.due(ctx, now)
		w.ch.offer(now)
		w.pump(now)
		if w.over(now) {
			return w.result
		}
		w.arm()
		select {
		case <-w.inbound():
			w.receive(time.Now()) // round trips are measured by it
		case <-w.room():
		case <-w.out.ready:
		case <-w.relief():
		case <-w.timer.C:
			w.armed = time.Time{}
		case r := <-w.done:
			w.end(r)
		case <-ctx.Done():
			return w.result
		}
	}
}

// emit passes a message to the gateway. Without one it is lost, and sent again
// when it matters.
func (w *worker) emit(msg []byte) {
	if w.conn != nil {
		w.conn.Out.Push(msg)
	}
}

// congested reports whether the gateway takes no more for now. It goes on
// taking acknowledgements, whose number is bounded by what inbound lets in.
func (w *worker) congested() bool { return w.conn == nil || w.conn.Out.Full() }

// inbound is the gate of the reading side.
func (w *worker) inbound() <-chan struct{} {
	if w.hung || w.congested() {
		return nil
	}
	return w.conn.In.Ready()
}

// relief is signalled when the gateway takes more again.
func (w *worker) relief() <-chan struct{} {
	if w.conn == nil {
		return nil
	}
	return w.conn.Out.Room()
}

// room is signalled when the handler takes more again.
func (w *worker) room() <-chan struct{} {
	if w.h == nil || w.ch.held == 0 {
		return nil
	}
	return w.h.room()
}

// receive takes what the gateway has.
func (w *worker) receive(now time.Time) {
	msgs, open := w.conn.In.Take(w.batch)
	w.batch = msgs
	for _, raw := range msgs {
		switch w.ch.receive(now, raw) {
		case eventClosed:
			w.closed = true
			w.end(Result{})
			return
		case eventPaused:
			if p, ok := w.h.(interface{ paused() }); ok {
				p.paused()
			}
		case eventNone:
		}
		if w.hung {
			return
		}
	}
	if !open {
		w.conn.Out.Close()
		w.conn = nil
		w.backOff(now)
	}
}

// deliver decides about one input message in order.
func (w *worker) deliver(ctx context.Context, in *input) verdict {
	now := time.Now()
	switch {
	case w.ending && w.hs.stage == stageOpen && w.h == nil:
		return notReady // real port handlers acknowledge nothing before they can connect
	case w.ending:
		return taken // nobody wants it any more
	case in.ptype == wire.PayloadHandshakeResponse:
		return w.respond(ctx, now, in.payload)
	case in.ptype == wire.PayloadEncChallengeResponse:
		if w.hs.stage != stageChallenge {
			return taken
		}
		if w.hs.answer(in.payload) != nil {
			return notReady
		}
		w.complete(ctx, now)
		return taken
	case w.hs.stage != stageOpen || w.h == nil:
		return taken // too early: acknowledged and thrown away, as real agents do
	}
	if w.hs.sealer != nil && !in.opened && sealedIn(in.ptype) {
		plain, err := w.hs.sealer.open(in.payload)
		if err != nil {
			return notReady
		}
		in.payload, in.opened = plain, true
	}
	return w.h.input(in.ptype, in.payload)
}

func (w *worker) respond(ctx context.Context, now time.Time, payload []byte) verdict {
	if w.hs.stage != stageResponse {
		if w.opts.HangOnSecondResponse {
			w.hung = true
			return notReady
		}
		return taken
	}
	challenge, err := w.hs.respond(ctx, now, payload)
	switch {
	case errors.Is(err, errNotAcked):
		return notReady
	case err != nil:
		w.end(failed(textHandshake + err.Error()))
	case challenge != nil:
		w.ch.write(now, wire.PayloadEncChallengeRequest, challenge)
	default:
		w.complete(ctx, now)
	}
	return taken
}

// complete tells the client that the handshake is over, and begins.
func (w *worker) complete(ctx context.Context, now time.Time) {
	w.ch.write(now, wire.PayloadHandshakeComplete, w.hs.complete(now))
	w.start(ctx)
}

// start makes the handler and lets it run.
func (w *worker) start(ctx context.Context) {
	h, err := newHandler(w)
	if err != nil {
		w.end(failed(err.Error()))
		return
	}
	w.h = h
	w.group.Go(func() { w.done <- h.run(ctx) })
}

// end notes the result; the first one counts.
func (w *worker) end(r Result) {
	if !w.ending {
		w.ending, w.result = true, r
		w.hs.deadline = time.Time{}
	}
}

// over reports whether the session may end now: all output is acknowledged, or
// was waited for long enough.
//
// Deviation: the real agent numbers all its output first and then waits. What
// waits here for room in the window is not counted as sent, so a client that is
// merely slow gets all of it.
func (w *worker) over(now time.Time) bool {
	if !w.ending {
		return false
	}
	if w.closed {
		return true
	}
	if w.drain.IsZero() {
		if !w.out.empty() {
			return false
		}
		w.drain = now.Add(w.opts.Drain)
		if w.text {
			w.ch.state(now, w.cfg.Spec.ID, "Terminating")
		}
	}
	n, _ := w.ch.send.InFlight()
	return n == 0 || !now.Before(w.drain)
}

// pump cuts output into messages, as far as window, service and pace allow, and
// puts on the wire what is due.
func (w *worker) pump(now time.Time) {
	for !w.ch.paused && w.ch.send.CanPush() && !w.congested() {
		if w.pace && now.Before(w.paced) {
			break
		}
		t, payload, ok := w.out.cut(w.buf[:0], w.opts.Chunk, w.text)
		if !ok {
			break
		}
		w.buf = payload
		if w.hs.sealer != nil && sealedOut(t) {
			payload = w.hs.sealer.seal(payload)
		}
		w.ch.write(now, t, payload)
		w.paced = now.Add(paceInterval)
	}
	w.ch.flush(now, w.congested)
}

// due does what its time has come for.
func (w *worker) due(ctx context.Context, now time.Time) {
	if d := w.hs.deadline; !d.IsZero() && !now.Before(d) {
		w.end(failed(textHandshake + textTimeout))
	}
	if !w.redial.IsZero() && !now.Before(w.redial) {
		w.attach(ctx, now)
	}
	w.ch.send.Expire(now)
}

// arm sets the timer to the next moment something is due. A timer that fires
// too early does no harm, so it is seldom moved.
func (w *worker) arm() {
	var next time.Time
	earliest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	earliest(w.hs.deadline)
	earliest(w.redial)
	earliest(w.drain)
	if w.conn != nil && !w.ch.paused {
		earliest(w.ch.send.Deadline())
	}
	if w.pace && !w.out.empty() && w.ch.send.CanPush() {
		earliest(w.paced)
	}
	if next.IsZero() || (!w.armed.IsZero() && !next.Before(w.armed)) {
		return
	}
	w.armed = next
	w.timer.Reset(time.Until(next))
}

// attach opens the agent's end of the data channel.
//
// Deviation: after a loss everything unacknowledged is sent again at once. The
// real agent lets its resend loop find it, and an upload under way breaks its
// multiplexer.
func (w *worker) attach(ctx context.Context, now time.Time) {
	w.redial = time.Time{}
	conn, err := w.cfg.Dial(ctx)
	switch {
	case errors.Is(err, ErrTerminated):
		w.closed = true
		w.end(Result{})
	case err != nil:
		w.backOff(now)
	default:
		w.conn, w.attempts = conn, 0
		w.ch.state(now, w.cfg.Spec.ID, "Connected")
		w.ch.send.Reconnected(now)
	}
}

// backOff plans the next attempt to attach. After the last one the agent stays
// detached for ever, as the real one does; the session lives on.
func (w *worker) backOff(now time.Time) {
	w.redial = time.Time{}
	if w.attempts > redialRetries {
		return
	}
	first := redialFirst + time.Duration(rand.Int64N(int64(redialFirst)))
	w.redial = now.Add(min(first<<w.attempts, redialMost))
	w.attempts++
}
