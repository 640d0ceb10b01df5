package awsapi

import (
	"context"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Pace of one operation in one scope. Only Parameter Store's rates are
// published, so these are a start, not a truth: throttling corrects them.
const (
	readRate   = 10.0 // calls per second
	writeRate  = 3.0
	readBurst  = 10.0 // calls at once after a pause
	writeBurst = 3.0
	endBurst   = 128.0 // more sessions than one process has

	minRate  = 0.5         // calls per second, whatever the service says
	cutPause = time.Second // answers to calls already sent are one complaint, not many
	regrowth = 0.05        // of the ceiling, for each call that is not throttled
)

// bucket is a token bucket whose rate is halved by a throttle and creeps back.
// It reads no clock; one pacer owns it.
type bucket struct {
	ceiling, rate float64 // tokens per second
	burst, tokens float64
	filled        time.Time // when tokens was true
	cut           time.Time // of the last halving
}

func newBucket(rate, burst float64, now time.Time) *bucket {
	return &bucket{ceiling: rate, rate: rate, burst: burst, tokens: burst, filled: now}
}

// take uses a token and returns how long to wait for it.
func (b *bucket) take(now time.Time) time.Duration {
	b.fill(now)
	b.tokens--
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}

// back returns a token that was not used after all.
func (b *bucket) back() { b.tokens = min(b.tokens+1, b.burst) }

// throttled halves the rate and forgets the savings.
func (b *bucket) throttled(now time.Time) {
	b.fill(now)
	if !b.cut.IsZero() && now.Sub(b.cut) < cutPause {
		return
	}
	b.cut = now
	b.rate = max(b.rate/2, minRate)
	b.tokens = min(b.tokens, 0)
}

// went notes a call that was not throttled.
func (b *bucket) went(now time.Time) {
	if b.rate < b.ceiling {
		b.fill(now) // what is past was earned at the old rate
		b.rate = min(b.rate+b.ceiling*regrowth, b.ceiling)
	}
}

func (b *bucket) fill(now time.Time) {
	if d := now.Sub(b.filled); d > 0 {
		b.tokens = min(b.tokens+d.Seconds()*b.rate, b.burst)
		b.filled = now
	}
}

// pacer holds the buckets of one scope, one for each operation. It is safe for
// concurrent use.
type pacer struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

func newPacer() *pacer { return &pacer{buckets: map[string]*bucket{}} }

// wait blocks until the operation may be sent, or ctx ends.
func (p *pacer) wait(ctx context.Context, operation string, writes bool) error {
	p.mu.Lock()
	now := time.Now()
	b := p.buckets[operation]
	if b == nil {
		b = newBucket(readRate, readBurst, now)
		switch {
		case operation == "SSM.TerminateSession":
			// Whoever leaves ends all sessions at once and has a second or two: what
			// waits longer stays open. Nothing is made, so there is nothing to spare.
			b = newBucket(readRate, endBurst, now)
		case operation == "SSM.ResumeSession":
			// It makes nothing either, and somebody waits with a dead line.
		case writes:
			b = newBucket(writeRate, writeBurst, now)
		}
		p.buckets[operation] = b
	}
	d := b.take(now)
	p.mu.Unlock()
	err := wait.Sleep(ctx, d)
	if err != nil && d > 0 {
		p.mu.Lock()
		b.back()
		p.mu.Unlock()
	}
	return err
}

// answered tells the pacer how a call went that it let through.
func (p *pacer) answered(operation string, throttled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, now := p.buckets[operation], time.Now()
	switch {
	case b == nil:
	case throttled:
		b.throttled(now)
	default:
		b.went(now)
	}
}
