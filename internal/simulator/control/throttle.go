package control

import (
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// throttle holds the token buckets of the operations that have a rate; several
// can share one.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket // by operation
	high    map[string]*bucket // in their place with higher throughput
	isHigh  func() bool
}

// bucket holds up to one second's worth of calls.
type bucket struct {
	rate, level float64
	last        time.Time
}

// The rates of Parameter Store, in calls a second of an account in a Region
// (Service Quotas, "Parameter Store throughput"), without and with higher
// throughput. That of DescribeParameters is not published and an assumption.
var (
	storeRates = map[string]float64{
		"GetParameter+GetParameters+GetParametersByPath": 40, "PutParameter": 3, "DescribeParameters": 10,
	}
	storeHighRates = map[string]float64{
		"GetParameter+GetParameters": 10_000, "GetParametersByPath": 100, "PutParameter": 10, "DescribeParameters": 10,
	}
)

// newThrottle makes the buckets of a scenario. Rates that it names hold whatever
// the account's settings are; operations with a plus between them share one.
func newThrottle(w *world.World, now func() time.Time) *throttle {
	t := &throttle{now: now, buckets: map[string]*bucket{}, high: map[string]*bucket{}, isHigh: w.HighThroughput}
	if w.Scenario().Limits == world.LimitsReal {
		t.set(t.buckets, storeRates)
		t.set(t.high, storeHighRates)
	}
	t.set(t.buckets, w.Scenario().Throttle)
	t.set(t.high, w.Scenario().Throttle)
	return t
}

func (t *throttle) set(buckets map[string]*bucket, rates map[string]float64) {
	for ops, rate := range rates {
		b := &bucket{rate: rate, level: max(1, rate), last: t.now()}
		for op := range strings.SplitSeq(ops, "+") {
			buckets[op] = b
		}
	}
}

// allow reports whether one more call of an operation is within its rate.
func (t *throttle) allow(op string) bool {
	high := len(t.high) > 0 && t.isHigh()
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.buckets[op]
	if high {
		b, ok = t.high[op]
	}
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
