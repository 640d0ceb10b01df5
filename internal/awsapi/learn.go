package awsapi

import (
	"math"
	"time"
)

// The learning of a rate. Parameter Store's limits are settings of an account, and
// others use them up at the same time: the only truth is when the service turns calls
// away. Until then the rate doubles about three times a second, while calls wait for it;
// after that it is what the service let through, a little less, and grows as TCP CUBIC
// does (RFC 9438): slowly up to where it was refused, then in ever larger steps.
const (
	probeStep   = 2.0    // calls a second more for each call that went, before the first throttle
	learnedPart = 0.93   // of the rate that the service was found to give, after a throttle
	cubicScale  = 0.01   // of that rate: with learnedPart it is back there after 1.9 s
	maxLearned  = 1000.0 // calls a second; more is never needed
	idleGap     = 500 * time.Millisecond
	learnPause  = 400 * time.Millisecond // answers to calls already sent are one complaint
	grantTime   = 4 * time.Second        // calls that went longer ago say nothing of the rate
	forgetTime  = time.Minute            // without a throttle, and without a call that waits

	// A rate that is found again and again is looked for more seldom.
	sameRate = 0.15
	mostCalm = 8.0
	calmer   = 2.0
)

// learner is a bucket whose rate is found out. It reads no clock; one pacer owns it.
type learner struct {
	bucket
	first  float64       // burst to begin with
	top    float64       // the rate that the service gives, as far as it is known; 0: never throttled
	calm   float64       // by how much growth is slowed down
	since  time.Duration // for how long calls have waited since the last throttle
	seen   time.Time     // of the last answer
	grants [64]time.Time // when the last calls went, a ring
	next   int
}

func newLearner(rate, burst float64, now time.Time) *learner {
	return &learner{bucket: *newBucket(rate, burst, now), first: burst, seen: now, calm: 1}
}

// take forgets a rate below the first one when that is old news: others that used the
// limit up then say nothing of now.
func (l *learner) take(now time.Time) time.Duration {
	l.fill(now)
	if l.rate < l.ceiling && l.tokens >= l.burst && now.Sub(l.cut) > forgetTime && now.Sub(l.seen) > idleGap {
		*l = *newLearner(l.ceiling, l.first, now)
	}
	return l.bucket.take(now)
}

// granted is the rate of the calls that went lately.
func (l *learner) granted(now time.Time) float64 {
	n, oldest := 0, now
	for _, at := range l.grants {
		if !at.IsZero() && now.Sub(at) <= grantTime {
			n++
			if at.Before(oldest) {
				oldest = at
			}
		}
	}
	if n < 2 || !oldest.Before(now) {
		return l.rate / 2
	}
	return float64(n) / now.Sub(oldest).Seconds()
}

// throttled takes the rate back to what went through lately. Where no call had to wait,
// that says how many were wanted, and not what the service gives: then to half of it at
// the most.
func (l *learner) throttled(now time.Time) {
	l.fill(now)
	waited := l.tokens < 1
	l.tokens = min(l.tokens, 0)
	if !l.cut.IsZero() && now.Sub(l.cut) < learnPause {
		return
	}
	top := max(min(l.granted(now), l.rate), minRate)
	if !waited {
		top = max(top, l.rate/2)
	}
	if math.Abs(top-l.top) <= sameRate*l.top {
		l.calm = min(l.calm*calmer, mostCalm)
	} else {
		l.calm = 1
	}
	l.cut, l.seen, l.since, l.top = now, now, 0, top
	l.rate = max(top*learnedPart, minRate)
	l.burst = min(l.burst, max(top/4, 1))
}

// went notes a call that was not throttled. The rate grows only while calls wait:
// who does not use a rate learns nothing about it.
func (l *learner) went(now time.Time) {
	l.fill(now)
	l.grants[l.next] = now
	l.next = (l.next + 1) % len(l.grants)
	gap := min(now.Sub(l.seen), idleGap)
	l.seen = now
	if l.tokens >= 1 {
		return
	}
	if l.top == 0 {
		l.rate = min(l.rate+probeStep, maxLearned)
		return
	}
	l.since += gap
	t := l.since.Seconds()/l.calm - math.Cbrt((1-learnedPart)/cubicScale)
	l.rate = min(max(l.rate, l.top*(1+cubicScale*t*t*t)), maxLearned)
}
