// Package reliable makes an ordered, lossless stream out of numbered messages
// and individual acknowledgements, as both ends of a Session Manager data
// channel do.
//
// A Sender numbers outgoing frames and keeps each until it is acknowledged; a
// Receiver puts incoming ones in order and says which to acknowledge. Both are
// plain state: no I/O, no goroutine, no clock (now is an argument). One
// goroutine owns each.
//
// Guarantees: nothing unacknowledged is ever dropped (a full window stops the
// source instead), everything is delivered once and in order, and memory is
// bounded by the limits given, whatever the peer sends.
//
// When a frame is sent again (files loss.go and rto.go): at once, when three
// frames put on the wire after it were acknowledged; when its time is up, if it
// is the oldest; with all other overdue ones, lowest numbers first, when such a
// resent frame got through; and in order after the connection was replaced.
package reliable

import "time"

// Window limits what a Sender keeps unacknowledged. Zero fields mean the
// defaults.
type Window struct {
	Bytes    int // default 1 MiB; whole frames count, and the last may exceed it
	Messages int // default 1000, or 9000 with Most
	// Most, when it is more than Bytes, lets the limit in bytes follow the path:
	// it starts at Bytes, grows up to Most while that brings throughput, and
	// shrinks where less is enough; see tuner.
	Most int
	// Ahead is how far numbering may run ahead of the oldest unacknowledged frame;
	// default 8 times Messages. The acknowledged ones in between cost memory here
	// and, as they wait for that one, much more at the receiver (the reference
	// client holds 10000, the agent 100000). It should hold them all: what it
	// refuses is resent at the pace of timeouts.
	Ahead int
}

const (
	defaultWindowBytes    = 1 << 20
	defaultWindowMessages = 1000
	defaultTunedMessages  = 9000 // 8 MiB of 1 KiB and some more
	spanFactor            = 8    // default Ahead, in Messages
)

// Sender is the sending half of a stream. The zero value is not usable; see
// NewSender.
type Sender struct {
	window Window
	tuner  tuner
	limit  int // in bytes, as of now
	rto    estimator

	ring    []sent // frames base..next-1, index seq modulo len(ring), a power of two
	base    int64  // lowest unacknowledged number
	tx      int64  // next frame to be put on this connection for the first time
	next    int64  // number of the next pushed frame
	bytes   int
	unacked int

	due    fifo[int64]        // numbers to be sent again, in order of discovery
	flight fifo[transmission] // those of this connection not judged yet, oldest first
	order  int64              // of the next transmission
	top    highest            // the latest transmissions known to have arrived

	// What measure only guessed; see there.
	guess    int64 // the highest of top that may be wrong, or -1
	guessed  bool  // the last frame sent again was judged to be late
	distrust bool  // such judgement proved wrong

	epoch    time.Time     // what the times below count from
	advanced time.Duration // when base last moved
	heard    time.Duration // last acknowledgement, or when the wire last became busy
}

// sent is one frame that is not acknowledged yet.
type sent struct {
	frame []byte
	first time.Duration // when first put on this connection
	last  time.Duration // when last put on it
	order int64         // of its latest transmission
	sends int32         // how often in all
	tries int32         // how often on this connection
	acked bool
	due   bool // waits in the due list
}

// NewSender returns a Sender whose first frame has number 0.
func NewSender(w Window) *Sender {
	s := &Sender{rto: newEstimator(), ring: make([]sent, 64), top: nothingYet, guess: -1}
	s.SetWindow(w)
	return s
}

// SetWindow changes the limits. A smaller window takes effect as frames are
// acknowledged.
func (s *Sender) SetWindow(w Window) {
	w.Bytes = orDefault(w.Bytes, defaultWindowBytes)
	if w.Most > w.Bytes {
		w.Messages = orDefault(w.Messages, defaultTunedMessages)
	}
	w.Messages = orDefault(w.Messages, defaultWindowMessages)
	w.Ahead = orDefault(w.Ahead, spanFactor*w.Messages)
	s.window, s.limit = w, w.Bytes
	s.tuner.reset(w, s.advanced)
}

// Limit is how many bytes may be kept now.
func (s *Sender) Limit() int { return s.limit }

// CanPush reports whether the window has room. While it has none the caller
// stops reading its source: back-pressure, never dropping.
func (s *Sender) CanPush() bool {
	return s.bytes < s.limit && s.unacked < s.window.Messages &&
		s.next-s.base < int64(s.window.Ahead)
}

// NextSeq is the number the next pushed frame must carry.
func (s *Sender) NextSeq() int64 { return s.next }

// Push queues a frame under NextSeq and keeps it until it is acknowledged. The
// Sender owns frame from now on; it never changes it. Push accepts frames beyond
// the window, for those that must not wait.
func (s *Sender) Push(frame []byte) {
	if int(s.next-s.base) == len(s.ring) {
		s.grow()
	}
	*s.at(s.next) = sent{frame: frame}
	s.next++
	s.bytes += len(frame)
	s.unacked++
}

// Replace exchanges the frame kept under seq for one that says the same to the
// peer, or as little: the peer takes whichever comes first. It is for a frame
// that the path does not carry, and is sent with the next transmission of seq.
// It reports false when seq is not kept (any more).
func (s *Sender) Replace(seq int64, frame []byte) bool {
	if seq < s.base || seq >= s.next || s.at(seq).acked {
		return false
	}
	p := s.at(seq)
	s.bytes += len(frame) - len(p.frame)
	p.frame = frame
	return true
}

// Next returns the frame to put on the wire now: first what is due again, then
// what was never sent. ok is false when there is nothing to do.
func (s *Sender) Next(now time.Time) (frame []byte, ok bool) {
	switch {
	case !s.Pending():
		return nil, false
	case s.due.len() > 0:
		return s.transmit(s.due.pop(), now), true
	default:
		s.tx++
		return s.transmit(s.tx-1, now), true
	}
}

// Pending reports whether Next has something to return.
func (s *Sender) Pending() bool {
	for s.due.len() > 0 && !s.isDue(*s.due.front()) {
		s.due.pop()
	}
	for s.tx < s.next && s.at(s.tx).acked {
		s.tx++ // after a reconnection
	}
	return s.due.len() > 0 || s.tx < s.next
}

func (s *Sender) isDue(seq int64) bool { return seq >= s.base && s.at(seq).due }

func (s *Sender) transmit(seq int64, now time.Time) []byte {
	at := s.since(now)
	p := s.at(seq)
	if p.tries == 0 {
		p.first = at
		if seq == s.base {
			s.heard = at // nothing else is on the wire
			s.tuner.idle()
		}
	}
	p.last, p.due = at, false
	p.sends++
	p.tries++
	s.record(seq, p)
	return p.frame
}

// Acked releases frame seq and reports whether it was waited for. Unknown and
// repeated numbers are no-ops.
func (s *Sender) Acked(now time.Time, seq int64) bool {
	if seq < s.base || seq >= s.next {
		return false
	}
	p := s.at(seq)
	if p.acked || p.sends == 0 {
		return false
	}
	at := s.since(now)
	s.heard = at
	through := s.measure(p, at)
	if !s.tuner.fixed() {
		s.tuner.acked(at, len(p.frame), !s.CanPush())
		s.limit = s.tuner.limit(at)
	}
	s.bytes -= len(p.frame)
	s.unacked--
	*p = sent{acked: true}
	s.advance(at)
	if through {
		s.findNext(at)
	}
	s.findLost(at)
	return true
}

// advance moves base past what is acknowledged.
func (s *Sender) advance(at time.Duration) {
	for s.base < s.next && s.at(s.base).acked {
		*s.at(s.base) = sent{}
		s.base++
		s.advanced = at
	}
	// After a reconnection a frame may be acknowledged before it is sent again.
	s.tx = max(s.tx, s.base)
}

// Deadline is when Expire must next be called; zero when nothing is on the wire.
// The time of the oldest frame starts anew whenever the frame before it was
// acknowledged: a slow path that moves is not a lossy one.
func (s *Sender) Deadline() time.Time {
	if s.base >= s.tx {
		return time.Time{}
	}
	p := s.at(s.base)
	if p.due {
		return time.Time{}
	}
	return s.epoch.Add(max(p.last, s.advanced) + s.rto.backedOff())
}

// Expire makes the oldest frame due again if its time is up. The timeout doubles
// with each attempt, up to 5 s, until a frame that was sent once is acknowledged.
func (s *Sender) Expire(now time.Time) {
	if d := s.Deadline(); !d.IsZero() && !now.Before(d) {
		s.rto.expired++
		if s.rto.expired > 1 { // once is mere jitter
			s.tuner.late()
			s.limit = s.tuner.window
		}
		s.distrust = s.distrust || s.guessed
		s.makeDue(s.base, s.at(s.base))
	}
}

// Reconnected makes everything unacknowledged due, in order: what was on the old
// connection may be lost. The back-off starts anew.
func (s *Sender) Reconnected(now time.Time) {
	for seq := s.base; seq < s.next; seq++ {
		p := s.at(seq)
		p.due, p.tries = false, 0
	}
	s.due.clear()
	s.flight.clear()
	s.top, s.guess = nothingYet, -1
	s.guessed, s.distrust = false, false
	s.tx = s.base
	s.advanced = s.since(now)
	s.rto.expired = 0
	s.tuner.reset(s.window, s.advanced)
	s.limit = s.window.Bytes
}

// Lowest is the lowest number that is not acknowledged; all before it are.
func (s *Sender) Lowest() int64 { return s.base }

// InFlight returns how many frames and bytes are kept.
func (s *Sender) InFlight() (messages, bytes int) { return s.unacked, s.bytes }

// Silence is how long frames have been on the wire without any acknowledgement.
// It starts anew with each connection.
func (s *Sender) Silence(now time.Time) time.Duration {
	if s.base >= s.tx {
		return 0
	}
	return s.since(now) - s.heard
}

// RoundTrip is the smoothed round-trip time, 100 ms until the first sample.
func (s *Sender) RoundTrip() time.Duration { return s.rto.smoothed() }

// since returns now as a duration since the first moment the Sender heard of.
func (s *Sender) since(now time.Time) time.Duration {
	if s.epoch.IsZero() {
		s.epoch = now
	}
	return now.Sub(s.epoch)
}

func (s *Sender) at(seq int64) *sent { return &s.ring[seq&int64(len(s.ring)-1)] }

func (s *Sender) grow() {
	bigger := make([]sent, 2*len(s.ring))
	for seq := s.base; seq < s.next; seq++ {
		bigger[seq&int64(len(bigger)-1)] = *s.at(seq)
	}
	s.ring = bigger
}
