package reliable

import "time"

const (
	// overtakes is how many frames sent later must have arrived before an older
	// one counts as lost: fewer happens by mere reordering.
	overtakes = 3
	// fastResends is how often one frame is sent again for having been overtaken.
	// After that only its timeout does it: the peer sees it and has no room.
	fastResends = 3
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
// too soon for the last of two copies: then the first was late, not lost, and
// what was sent after it is hardly lost either. That is a guess. It is given up
// when the frames after it run out of time as well, and trusted again once a
// frame is acknowledged that was sent only once.
func (s *Sender) measure(p *sent, at time.Duration) {
	early := p.tries > 1 && !s.distrust && at-p.last < s.rto.smoothed()/2
	switch {
	case p.tries == 1:
		s.guessed, s.distrust = false, false
	case early:
		s.guessed = true
	}
	if p.sends == 1 && p.tries == 1 || early && p.sends == 2 && p.tries == 2 {
		s.rto.sample(at - p.first)
	}
	if p.tries > 0 && !early {
		s.top.add(p.order)
	}
}

// findLost makes due what counts as lost: what was overtaken by three later
// transmissions, or by one and is overdue besides. Each transmission is judged
// once, oldest first, so that this costs constant time per frame sent.
func (s *Sender) findLost(at time.Duration) {
	overdue := s.rto.timeout()
	for n := 0; s.flight.len() > 0; s.flight.pop() {
		seq, order := *s.flight.front(), s.order-int64(s.flight.len())
		if seq < s.base {
			continue
		}
		p := s.at(seq)
		if p.acked || p.order != order {
			continue // arrived, or judged by its later transmission
		}
		lost := order < s.top[overtakes-1] || order < s.top[0] && at-p.last >= overdue
		if !lost || n == burst {
			return // later ones were sent later still
		}
		if p.tries <= fastResends {
			s.makeDue(seq, p)
			n++
		}
	}
}

func (s *Sender) makeDue(seq int64, p *sent) {
	if !p.due {
		p.due = true
		s.due.push(seq)
	}
}
