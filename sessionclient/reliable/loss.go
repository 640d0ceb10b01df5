package reliable

import "time"

const (
	// overtakes is how many frames sent later must have arrived before an older
	// one counts as lost: fewer happens by mere reordering.
	overtakes = 3
	// burst is how many frames one acknowledgement may set free for resending.
	burst = 64
)

// highest is the orders of the latest transmissions known to have arrived,
// highest first.
type highest [overtakes]int64

var nothingYet = highest{-1, -1, -1}

func (h *highest) add(order int64) {
	for i, have := range h {
		if order > have {
			copy(h[i+1:], h[i:])
			h[i] = order
			return
		}
	}
}

// measure learns what the acknowledgement of p at a time says of the path.
//
// A frame that was sent once gives a sample. One that was sent again gives none,
// since the acknowledgement may belong to any copy (Karn's rule), unless it comes
// too soon for the last of two copies: then the first was late, not lost.
//
// Which copy arrived also decides whether what was sent in between counts as
// overtaken. Both guesses can be wrong, and are taken back: "late", when the
// frames after it run out of time as well; "lost", when one of them turns out to
// have arrived in its only copy. Else a path that stood still for a while would
// have all it holds poured in again.
//
// It reports whether a frame that was sent again has got through.
func (s *Sender) measure(p *sent, at time.Duration) (through bool) {
	late := p.tries > 1 && !s.distrust && at-p.last < s.rto.smoothed()/2
	if p.sends == 1 && p.tries == 1 || late && p.sends == 2 && p.tries == 2 {
		s.rto.sample(at - p.first)
		s.tuner.sample(at, at-p.first)
	}
	switch {
	case p.tries == 0: // belongs to an older connection
		return false
	case late:
		s.guessed = true
		s.takeBack()
		return false
	case p.tries > 1:
		s.guess = max(s.guess, p.order)
	default:
		s.guessed, s.distrust = false, false
		if p.order < s.guess {
			s.takeBack()
		}
	}
	s.top.add(p.order)
	return p.tries > 1
}

// takeBack forgets what was overtaken if that was a guess.
func (s *Sender) takeBack() {
	if s.guess >= 0 {
		s.top, s.guess = nothingYet, -1
	}
}

// transmission is one frame put on the wire; orders count up.
type transmission struct{ seq, order int64 }

// record notes a transmission of frame seq. When most of the record is outdated,
// as after days of resending into silence, it is sifted.
func (s *Sender) record(seq int64, p *sent) {
	if s.flight.len() >= 2*len(s.ring) {
		for range s.flight.len() {
			if f := s.flight.pop(); s.awaited(f) {
				s.flight.push(f)
			}
		}
	}
	p.order = s.order
	s.flight.push(transmission{seq, s.order})
	s.order++
}

// awaited reports whether f is the latest transmission of a frame that is not
// acknowledged.
func (s *Sender) awaited(f transmission) bool {
	if f.seq < s.base {
		return false
	}
	p := s.at(f.seq)
	return !p.acked && p.order == f.order
}

// findLost makes due what counts as lost: what was overtaken by three later
// transmissions, or by one and is overdue besides. Each transmission is judged
// once, oldest first. So this costs constant time per frame sent, and a frame
// that the peer has no room for is sent again at most once per round trip and
// for every three others that got through.
func (s *Sender) findLost(at time.Duration) {
	overdue := s.rto.timeout()
	for n := 0; s.flight.len() > 0; s.flight.pop() {
		f := *s.flight.front()
		if !s.awaited(f) {
			continue
		}
		p := s.at(f.seq)
		lost := f.order < s.top[overtakes-1] || f.order < s.top[0] && at-p.last >= overdue
		if !lost || n == burst {
			return // later ones were sent later still
		}
		s.makeDue(f.seq, p)
		n++
	}
}

// findNext makes due what is overdue among the lowest numbers. They go first, not
// what was sent longest ago: a receiver that holds all it can ahead of a gap
// takes nothing but the very next frame, so that resending any others, its
// refusals among them, moves nothing, and each next one would wait for its time
// to be up.
func (s *Sender) findNext(at time.Duration) {
	overdue := s.rto.timeout()
	for seq := s.base; seq < min(s.base+burst, s.tx); seq++ {
		if p := s.at(seq); !p.acked && p.order < s.top[0] && at-p.last >= overdue {
			s.makeDue(seq, p)
		}
	}
}

func (s *Sender) makeDue(seq int64, p *sent) {
	if !p.due {
		p.due = true
		s.due.push(seq)
	}
}
