package reliable

import "time"

const (
	// leastWindow is where a window stops shrinking: a few messages must be under
	// way for the rate of a path to show.
	leastWindow = 64 << 10
	// slack is how long what is sent may wait on the path on top of a round trip
	// and a quarter. It covers what programs on the way need to get their turn.
	slack = 20 * time.Millisecond
	// leastSpan is the least time over which a rate is measured.
	leastSpan = 25 * time.Millisecond
	// rates is how many measurements are remembered; the fastest counts.
	rates = 10
	// enoughRates must have been taken before the window shrinks.
	enoughRates = 3
	// tripsAge is how long a shortest round trip counts, at least.
	tripsAge = 10 * time.Second
)

// tuner finds the size of a window: as much as the path delivers in its shortest
// round trip and a quarter, and in the slack. More brings no throughput, only a
// queue somewhere on the path, and everything sent later waits behind it.
//
// A window that is too small makes the rate small: as much as it lets through in
// a round trip. So what was measured asks for a larger one, by the quarter and
// the slack, and gets twice as much until it asks for no more. A path that has
// become slower shows in the rate too.
//
// The shortest round trip is seen when there is no queue. On a path that is
// always full it is looked for every ten seconds: the window is made so small
// for a moment that the path drains.
type tuner struct {
	start, most int
	window      int

	began     time.Duration // of the measurement of the rate, with an acknowledgement
	measuring bool
	delivered int  // since began
	full      bool // the window was the limit since then
	binds     bool // it was, over the measurement before
	early     bool // the measurement is of the window before this one

	rate [rates]float64 // the latest measurements, in bytes a second
	next int            // where the next one goes
	have int            // how many there are

	trip, earlier time.Duration // the shortest of this age and of the one before; 0: unknown
	since         time.Duration // when this age began
	drain         time.Duration // the path is drained until then
}

func (t *tuner) reset(w Window, at time.Duration) {
	*t = tuner{start: w.Bytes, most: w.Most, window: w.Bytes, since: at}
}

// fixed reports whether there is nothing to find.
func (t *tuner) fixed() bool { return t.most <= t.start }

// limit is how many bytes may be kept unacknowledged at a time.
func (t *tuner) limit(at time.Duration) int {
	if at < t.drain {
		return max(min(int(t.fastest()*t.shortest().Seconds()/2), t.window), min(leastWindow, t.start))
	}
	return t.window
}

// idle notes that nothing was under way until now.
func (t *tuner) idle() { t.measuring = false }

// sample takes a measured round trip.
func (t *tuner) sample(at, trip time.Duration) {
	if at-t.since > tripsAge {
		t.earlier, t.trip, t.since = t.trip, 0, at
		if t.binds && t.have > 0 && t.earlier > 0 {
			t.drain = at + 5*t.earlier/2 + 2*slack
		}
	}
	if trip = max(trip, time.Microsecond); t.trip == 0 || trip < t.trip {
		t.trip = trip
	}
}

// shortest is the round trip of the path without a queue; 0 when unknown.
func (t *tuner) shortest() time.Duration {
	if t.trip == 0 || t.earlier > 0 && t.earlier < t.trip {
		return t.earlier
	}
	return t.trip
}

func (t *tuner) fastest() (r float64) {
	for _, have := range t.rate[:t.have] {
		r = max(r, have)
	}
	return r
}

// acked takes note of n bytes that arrived; full says that the window was full
// until then.
func (t *tuner) acked(at time.Duration, n int, full bool) {
	if !t.measuring {
		t.measuring, t.began, t.delivered, t.full = true, at, 0, false
		return // what comes from here on counts
	}
	t.delivered += n
	t.full = t.full || full
	span := at - t.began
	if span < max(leastSpan, t.shortest()) {
		return
	}
	switch {
	case t.early:
		t.early = false
	case t.full && at >= t.drain:
		t.rate[t.next] = float64(t.delivered) / span.Seconds()
		t.next = (t.next + 1) % rates
		t.have = min(t.have+1, rates)
		t.tune()
	}
	t.binds = t.full
	t.began, t.delivered, t.full = at, 0, false
}

// tune sets the window to what was measured.
func (t *tuner) tune() {
	room := t.shortest() + t.shortest()/4 + slack
	want := int(t.fastest() * room.Seconds())
	switch {
	case want > t.window+t.window/8:
		t.window, t.early = min(2*t.window, t.most), true
	case t.have >= enoughRates:
		t.window = min(max(want, min(leastWindow, t.start)), t.most)
	}
}

// late notes that acknowledgements are long overdue: the path stands still or has
// become much slower, and what was measured is worth nothing.
func (t *tuner) late() {
	if !t.fixed() {
		t.window = max(t.window/4, min(leastWindow, t.start))
		t.have, t.next, t.measuring = 0, 0, false
	}
}
