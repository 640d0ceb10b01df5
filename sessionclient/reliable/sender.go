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
// bounded by the limits given.
package reliable

import "time"

// Window limits what a Sender keeps unacknowledged. Zero fields mean the
// defaults.
type Window struct {
	Bytes    int // default 1 MiB
	Messages int // default 1000
}

const (
	defaultWindowBytes    = 1 << 20
	defaultWindowMessages = 1000

	// fastAfter is how many later frames must be acknowledged before an older
	// one counts as lost: fewer happens by mere reordering.
	fastAfter = 3
	// burst is how many frames one acknowledgement may set free for resending
	// while the stream recovers from a timeout.
	burst = 64
)

// Sender is the sending half of a stream. The zero value is not usable; see
// NewSender.
type Sender struct {
	window Window
	rto    estimator

	ring     []sent // frames base..next-1, index seq modulo len(ring), a power of two
	base     int64  // lowest unacknowledged number
	tx       int64  // next frame to be put on the wire for the first time
	next     int64  // number of the next pushed frame
	scanned  int64  // frames below were looked at for gaps
	due      []int64
	bytes    int
	unacked  int
	lastHear time.Time // last acknowledgement, or when the first frame went out after a quiet time
}

// sent is one frame that is not acknowledged yet.
type sent struct {
	frame []byte
	at    time.Time // when last put on the wire
	sends int       // how often
	acked bool
	due   bool // waits in the due list
}

// NewSender returns a Sender whose first frame has number 0.
func NewSender(w Window) *Sender {
	s := &Sender{rto: newEstimator(), ring: make([]sent, 64)}
	s.SetWindow(w)
	return s
}

// SetWindow changes the limits. A smaller window takes effect as frames are
// acknowledged.
func (s *Sender) SetWindow(w Window) {
	if w.Bytes <= 0 {
		w.Bytes = defaultWindowBytes
	}
	if w.Messages <= 0 {
		w.Messages = defaultWindowMessages
	}
	s.window = w
}

// CanPush reports whether the window has room. While it has none the caller
// stops reading its source: back-pressure, never dropping.
func (s *Sender) CanPush() bool {
	return s.bytes < s.window.Bytes && s.unacked < s.window.Messages
}

// NextSeq is the number the next pushed frame must carry.
func (s *Sender) NextSeq() int64 { return s.next }

// Push queues a frame under NextSeq and keeps it until it is acknowledged. The
// Sender owns frame from now on; it is never changed. Push accepts frames beyond
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

// Next returns the frame to put on the wire now: first what is due again, then
// what was never sent. ok is false when there is nothing to do.
func (s *Sender) Next(now time.Time) (frame []byte, ok bool) {
	for len(s.due) > 0 {
		seq := s.due[0]
		s.due = s.due[1:]
		if len(s.due) == 0 {
			s.due = nil
		}
		if seq < s.base {
			continue
		}
		if p := s.at(seq); !p.acked && p.due {
			return s.transmit(p, now), true
		}
	}
	for s.tx < s.next {
		p := s.at(s.tx)
		s.tx++
		if !p.acked {
			return s.transmit(p, now), true
		}
	}
	return nil, false
}

// Pending reports whether Next has something to return.
func (s *Sender) Pending() bool { return len(s.due) > 0 || s.tx < s.next }

func (s *Sender) transmit(p *sent, now time.Time) []byte {
	p.due = false
	p.sends++
	p.at = now
	if s.lastHear.IsZero() {
		s.lastHear = now
	}
	return p.frame
}

// Acked releases frame seq and reports whether it was waited for. A frame that
// was sent more than once gives no round-trip sample, since the acknowledgement
// may belong to any copy (Karn's rule). Unknown and repeated numbers are no-ops.
func (s *Sender) Acked(now time.Time, seq int64) bool {
	if seq < s.base || seq >= s.next {
		return false
	}
	p := s.at(seq)
	if p.acked || p.sends == 0 {
		return false
	}
	resent := p.sends > 1
	if !resent {
		s.rto.sample(now.Sub(p.at))
	}
	s.bytes -= len(p.frame)
	s.unacked--
	s.lastHear = now
	*p = sent{acked: true}
	for s.base < s.next && s.at(s.base).acked {
		*s.at(s.base) = sent{}
		s.base++
	}
	if s.unacked == 0 {
		s.lastHear = time.Time{}
	}
	s.findGaps(seq)
	if resent {
		s.recover(now)
	}
	return true
}

// findGaps makes due what is unacknowledged although fastAfter later frames
// were acknowledged. Each frame is looked at once.
func (s *Sender) findGaps(seq int64) {
	s.scanned = max(s.scanned, s.base)
	for ; s.scanned < seq-fastAfter+1 && s.scanned < s.tx; s.scanned++ {
		if p := s.at(s.scanned); !p.acked && p.sends == 1 {
			s.makeDue(s.scanned, p)
		}
	}
}

// recover makes the oldest overdue frames due after a resent one got through:
// the loss was probably not of that one alone.
func (s *Sender) recover(now time.Time) {
	rto := s.rto.timeout()
	for seq, n := s.base, 0; seq < s.tx && n < burst; seq++ {
		p := s.at(seq)
		if p.acked || p.due || p.sends == 0 {
			continue
		}
		if now.Sub(p.at) < rto {
			return // later ones were sent later still
		}
		s.makeDue(seq, p)
		n++
	}
}

func (s *Sender) makeDue(seq int64, p *sent) {
	if !p.due {
		p.due = true
		s.due = append(s.due, seq)
	}
}

// Deadline is when Expire must next be called; zero when nothing is on the wire.
func (s *Sender) Deadline() time.Time {
	if s.base >= s.tx {
		return time.Time{}
	}
	p := s.at(s.base)
	if p.due || p.sends == 0 {
		return time.Time{}
	}
	return p.at.Add(s.rto.backoff(p.sends))
}

// Expire makes the oldest frame due again if its time is up. Its timeout doubles
// with each attempt, up to 5 s.
func (s *Sender) Expire(now time.Time) {
	if d := s.Deadline(); !d.IsZero() && !now.Before(d) {
		s.makeDue(s.base, s.at(s.base))
	}
}

// Reconnected makes everything unacknowledged due, in order: what was on the old
// connection may be lost.
func (s *Sender) Reconnected(now time.Time) {
	for seq := s.base; seq < s.tx; seq++ {
		if p := s.at(seq); !p.acked {
			p.due = false
		}
	}
	s.due = nil
	s.tx, s.scanned = s.base, s.base
	s.lastHear = time.Time{}
	if s.unacked > 0 {
		s.lastHear = now
	}
}

// InFlight returns how many frames and bytes are kept.
func (s *Sender) InFlight() (messages, bytes int) { return s.unacked, s.bytes }

// Silence is how long frames have been on the wire without any acknowledgement.
func (s *Sender) Silence(now time.Time) time.Duration {
	if s.lastHear.IsZero() || s.base >= s.tx {
		return 0
	}
	return now.Sub(s.lastHear)
}

// RoundTrip is the smoothed round-trip time, 100 ms until the first sample.
func (s *Sender) RoundTrip() time.Duration { return s.rto.smoothed() }

func (s *Sender) at(seq int64) *sent { return &s.ring[seq&int64(len(s.ring)-1)] }

func (s *Sender) grow() {
	bigger := make([]sent, 2*len(s.ring))
	for seq := s.base; seq < s.next; seq++ {
		bigger[seq&int64(len(bigger)-1)] = *s.at(seq)
	}
	s.ring = bigger
}
