package awsapi

import (
	"context"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Pace of one operation in one account and Region. Only Parameter Store's rates are
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

// take uses a token, if there is one, and else returns how long it takes until there is.
func (b *bucket) take(now time.Time) time.Duration {
	b.fill(now)
	if b.tokens < 1 {
		return max(time.Duration((1-b.tokens)/b.rate*float64(time.Second)), time.Microsecond)
	}
	b.tokens--
	return 0
}

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

// valueRate is what Parameter Store gives an account by default, for all reads of values
// together ("Systems Manager endpoints and quotas", GetParameter transactions per second).
const (
	valueRate = 40.0
	nameRate  = 10.0
	putRate   = 5.0
)

// limiter is what a pacer asks before a call, and tells after it.
type limiter interface {
	take(now time.Time) time.Duration
	throttled(now time.Time)
	went(now time.Time)
}

// newLimiter makes the limiter of an operation, and those that the service counts
// together with it share one; see sharedLimit.
func newLimiter(operation string, writes bool, now time.Time) limiter {
	switch operation {
	case parameterValues:
		return newLearner(valueRate, valueRate, now)
	case "SSM.DescribeParameters":
		return newLearner(nameRate, nameRate, now)
	case "SSM.GetParameterHistory", "SSM.ListTagsForResource":
		// A backup takes one of them for each parameter, and their limits are not
		// published.
		return newLearner(readRate, readRate, now)
	case "SSM.PutParameter":
		return newLearner(putRate, putRate, now)
	case "SSM.TerminateSession":
		// Whoever leaves ends all sessions at once and has a second or two: what
		// waits longer stays open. Nothing is made, so there is nothing to spare.
		return newBucket(readRate, endBurst, now)
	case "SSM.ResumeSession":
		// It makes nothing either, and somebody waits with a dead line.
		return newBucket(readRate, readBurst, now)
	}
	if writes {
		return newBucket(writeRate, writeBurst, now)
	}
	return newBucket(readRate, readBurst, now)
}

const parameterValues = "values of parameters"

// sharedLimit is the limit that an operation falls under: its own, but for the reads of
// values, of which Parameter Store has one limit.
func sharedLimit(operation string) string {
	switch operation {
	case "SSM.GetParameter", "SSM.GetParameters", "SSM.GetParametersByPath":
		return parameterValues
	}
	return operation
}

// pacer holds the limits of one account and Region. It is safe for concurrent use.
type pacer struct {
	mu     sync.Mutex
	limits map[string]*limit
}

// limit is one limiter and the calls that wait for it: one after another, so that none
// of them still goes by a rate that has been lowered since.
type limit struct {
	limiter
	turn chan struct{} // holds one element while nobody waits for a token
}

func newPacer() *pacer { return &pacer{limits: map[string]*limit{}} }

// Paces are those of a process, by where calls go and who makes them: the limits are an
// account's, however often a scope of it is opened. The zero value is ready; it is safe
// for concurrent use.
type Paces struct {
	mu sync.Mutex
	of map[string]*pacer
}

// at returns the pacer of a place.
func (p *Paces) at(place string) *pacer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[string]*pacer{}
	}
	one := p.of[place]
	if one == nil {
		one = newPacer()
		p.of[place] = one
	}
	return one
}

// wait blocks until the operation may be sent, or ctx ends.
func (p *pacer) wait(ctx context.Context, operation string, writes bool) error {
	l := p.limitOf(sharedLimit(operation), writes)
	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { l.turn <- struct{}{} }()
	for {
		p.mu.Lock()
		d := l.take(time.Now())
		p.mu.Unlock()
		if err := wait.Sleep(ctx, d); err != nil || d == 0 {
			return err
		}
	}
}

func (p *pacer) limitOf(key string, writes bool) *limit {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limits[key]
	if l == nil {
		l = &limit{newLimiter(key, writes, time.Now()), make(chan struct{}, 1)}
		l.turn <- struct{}{}
		p.limits[key] = l
	}
	return l
}

// answered tells the pacer how a call went that it let through. It reports whether the
// rate of a throttled one is being learned: then there is no reason to wait long.
func (p *pacer) answered(operation string, throttled bool) (learning bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, now := p.limits[sharedLimit(operation)], time.Now()
	switch {
	case l == nil:
	case throttled:
		l.throttled(now)
		_, learning = l.limiter.(*learner)
	default:
		l.went(now)
	}
	return learning
}
