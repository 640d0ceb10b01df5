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
}

func newEstimator() estimator {
	return estimator{srtt: float64(initialRTT), rto: initialRTO, lo: minRTO, hi: maxRTO}
}

// sample takes one measured round trip.
func (e *estimator) sample(rtt time.Duration) {
	d := e.srtt - float64(rtt)
	if d < 0 {
		d = -d
	}
	e.rttvar = (1-varWeight)*e.rttvar + varWeight*d
	e.srtt = (1-rttWeight)*e.srtt + rttWeight*float64(rtt)
	e.rto = time.Duration(e.srtt + max(float64(granularity), 4*e.rttvar))
}

// timeout is the resend timeout of a frame sent once.
func (e *estimator) timeout() time.Duration { return min(max(e.rto, e.lo), e.hi) }

// backoff is the resend timeout of a frame sent n times: it doubles each time.
func (e *estimator) backoff(n int) time.Duration {
	d := e.timeout()
	for ; n > 1 && d < e.hi; n-- {
		d *= 2
	}
	return min(d, e.hi)
}

func (e *estimator) smoothed() time.Duration { return time.Duration(e.srtt) }
