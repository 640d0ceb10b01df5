package control

import (
	"sync"
	"time"
)

// throttle holds one token bucket for each operation that has a rate.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
}

// bucket holds up to one second's worth of calls.
type bucket struct {
	rate, level float64
	last        time.Time
}

func newThrottle(rates map[string]float64, now func() time.Time) *throttle {
	t := &throttle{now: now, buckets: map[string]*bucket{}}
	for op, rate := range rates {
		t.buckets[op] = &bucket{rate: rate, level: max(1, rate), last: now()}
	}
	return t
}

// allow reports whether one more call of an operation is within its rate.
func (t *throttle) allow(op string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.buckets[op]
	if !ok {
		return true
	}
	now := t.now()
	b.level = min(max(1, b.rate), b.level+now.Sub(b.last).Seconds()*b.rate)
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}
