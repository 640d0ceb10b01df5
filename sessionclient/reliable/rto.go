package reliable

import "time"

// The constants of the estimator are those of the reference programs, but for
// the bounds: theirs are none and 1 s.
const (
	initialRTT = 100 * time.Millisecond
	initialRTO = 200 * time.Millisecond
	minRTO     = 200 * time.Millisecond
	maxRTO     = 5 * time.Second
	// granularity is the least the variation counts.
	granularity = 10 * time.Millisecond
	// longestSample bounds what one measurement may do: a clock that jumped or a
	// machine that slept must not spoil the estimate for minutes.
	longestSample = time.Minute

	rttWeight = 1.0 / 8
	varWeight = 1.0 / 4
)

// estimator smooths round-trip samples into a resend timeout (RFC 6298, with
// the reference programs' start value instead of the first sample). It keeps
// float64 nanoseconds as they do.
type estimator struct {
	srtt, rttvar float64
	rto          time.Duration
	lo, hi       time.Duration
	expired      int // timeouts since the last sample; each doubles the next
}

func newEstimator() estimator {
	return estimator{srtt: float64(initialRTT), rto: initialRTO, lo: minRTO, hi: maxRTO}
}

// sample takes one measured round trip, which also ends the back-off.
func (e *estimator) sample(rtt time.Duration) {
	rtt = min(max(rtt, 0), longestSample)
	d := e.srtt - float64(rtt)
	if d < 0 {
		d = -d
	}
	e.rttvar = (1-varWeight)*e.rttvar + varWeight*d
	e.srtt = (1-rttWeight)*e.srtt + rttWeight*float64(rtt)
	e.rto = time.Duration(e.srtt + max(float64(granularity), 4*e.rttvar))
	e.expired = 0
}

// timeout is how long a frame may take before it counts as overdue.
func (e *estimator) timeout() time.Duration { return min(max(e.rto, e.lo), e.hi) }

// backedOff is the timeout doubled for each one that passed without a sample.
// Only a sample ends it (the second half of Karn's rule): else a path that has
// become slower than the timeout would be resent to for ever, unmeasured.
func (e *estimator) backedOff() time.Duration {
	d := e.timeout()
	for n := e.expired; n > 0 && d < e.hi; n-- {
		d *= 2
	}
	return min(d, e.hi)
}

func (e *estimator) smoothed() time.Duration { return time.Duration(e.srtt) }
