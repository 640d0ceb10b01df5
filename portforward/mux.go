package portforward

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/xtaci/smux"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

const (
	// muxReceive bounds what all streams of a session may hold unread inside the
	// multiplexer; relays empty it into their own queues.
	muxReceive = 16 << 20
	// settleWait is how long a session that is given up may take to send the last
	// frames.
	settleWait = 500 * time.Millisecond
)

var (
	// errAgain: nothing was carried, another session may do it.
	errAgain     = errors.New("the session cannot take the connection")
	errKeepAlive = errors.New("the multiplexer heard nothing for 30 s")
)

// bearer is how a session carries connections.
type bearer interface {
	// carry serves a connection until its end and sets its byte counts. errAgain
	// means that nothing was done.
	carry(ctx context.Context, c *connection) error
	// fit reports whether a new connection would be served well.
	fit(now time.Time) bool
	// spent reports that the session can serve no further connection at all.
	spent() bool
	// exclusive reports that connections are served one at a time.
	exclusive() bool
	// worked reports whether the destination ever answered.
	worked() bool
	// writing reports whether something waits for the session to take it.
	writing() bool
	// broken is closed when carrying has become impossible, because of cause,
	// though the session may go on.
	broken() <-chan struct{}
	cause() error
	// confirm waits until the agent has found the destination's address, and fails
	// when the session ends before.
	confirm(ctx context.Context) error
	// stop cuts what is still carried and sends what is queued.
	stop()
	// join waits for the bearer's goroutines; the session must have ended.
	join()
}

// muxBearer carries many connections over one session.
type muxBearer struct {
	link     *link
	streams  *streams
	mux      *smux.Session
	failed   chan struct{} // closed by watch
	why      error         // read it after failed
	watching chan struct{} // closed when watch is over
}

// newMux starts the client of the multiplexer. The agent decides by our version,
// we by the agent's, whether there are keep-alives; both must agree.
func newMux(s Session, agentVersion string, size *payload) *muxBearer {
	st := newStreams()
	m := &muxBearer{
		link: newLink(s, st, size), streams: st,
		failed: make(chan struct{}), watching: make(chan struct{}),
	}
	mux, err := smux.Client(m.link, muxConfig(agentVersion))
	if err != nil {
		panic("portforward: " + err.Error()) // our own configuration is valid
	}
	m.mux = mux
	go m.watch()
	return m
}

func muxConfig(agentVersion string) *smux.Config {
	c := smux.DefaultConfig() // version 1, frames of 32 KiB as the agent's
	c.KeepAliveDisabled = wire.DisablesKeepAlive(agentVersion)
	c.MaxReceiveBuffer = muxReceive
	return c
}

// watch finds out why nothing can be carried any more.
func (m *muxBearer) watch() {
	defer close(m.watching)
	select {
	case <-m.link.over:
		m.why = m.link.why
	case <-m.link.open.Done(): // closed by us, or by the multiplexer itself
		m.why = errKeepAlive
	}
	close(m.failed)
}

func (m *muxBearer) carry(ctx context.Context, c *connection) error {
	s, err := m.mux.OpenStream()
	if err != nil {
		return errAgain
	}
	r := newRelay(c.local, nil, muxLinger)
	r.answered, r.halfClosed = c.local.answered, c.rest
	state := m.streams.attach(s.ID(), func() {
		// Nothing has arrived anywhere, so the connection may be carried again.
		if c.local.rewindable() && c.again() {
			r.leave(errRefused)
		} else {
			r.cut(errRefused)
		}
	})
	defer m.streams.leave(state)
	r.remote = &muxStream{Stream: s, state: state, bearer: m}
	c.tell(Connected)
	err = r.run(ctx)
	c.in, c.out, c.abandoned = r.in.Load(), r.out.Load(), r.abandoned
	if !r.left.Load() {
		return err
	}
	if c.local.rewind() {
		return errAgain
	}
	reset(c.local) // it had more to say meanwhile than is kept
	return err
}

func (m *muxBearer) fit(now time.Time) bool { return !m.spent() && !m.streams.hanging(now) }

func (m *muxBearer) spent() bool {
	select {
	case <-m.failed:
		return true
	default:
		return m.mux.IsClosed()
	}
}

// confirm sends a frame that means nothing: the agent acknowledges none before it
// has looked the destination up. The frame passes the link's queue by, so that
// Flush comes after it; it cannot come between the parts of another.
func (m *muxBearer) confirm(ctx context.Context) error {
	if _, err := m.link.session.Write(nop); err != nil {
		return err
	}
	return m.link.session.Flush(ctx)
}

func (m *muxBearer) exclusive() bool         { return false }
func (m *muxBearer) worked() bool            { return m.streams.worked() }
func (m *muxBearer) writing() bool           { return m.link.writing.Load() }
func (m *muxBearer) broken() <-chan struct{} { return m.failed }
func (m *muxBearer) cause() error            { return m.why }

func (m *muxBearer) stop() {
	_ = m.mux.Close()
	_ = m.link.Close() // the multiplexer did, unless it was closed before
	m.link.settle(settleWait)
}

func (m *muxBearer) join() {
	<-m.link.settled
	<-m.watching
}

// muxStream is a stream of the multiplexer that gives everything that arrived,
// and tells a finished stream from a session that ended.
type muxStream struct {
	*smux.Stream
	state  *streamState
	bearer *muxBearer
}

func (s *muxStream) WriteTo(w io.Writer) (int64, error) {
	n, err := s.Stream.WriteTo(w)
	if err == nil || isTimeout(err) {
		return n, err
	}
	select {
	case <-s.bearer.link.over:
	default:
		return n, err
	}
	// The library may report the end of the session before what it has kept.
	buf := make([]byte, blockSize)
	for {
		k, rerr := s.Read(buf)
		if k > 0 {
			m, werr := w.Write(buf[:k])
			n += int64(m)
			if werr != nil {
				return n, werr
			}
		}
		if rerr != nil {
			break
		}
	}
	if errors.Is(s.bearer.link.why, errOver) && s.bearer.streams.ended(s.state) {
		return n, nil
	}
	return n, err
}
