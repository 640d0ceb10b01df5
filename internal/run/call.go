package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// The rates of Run Command are not public, so one run keeps well below any that
// is plausible: 190 calls in its first minute, 120 in each that follows.
const (
	callsPerSecond = 2
	callsAtOnce    = 70 // enough for a run on 50 nodes to be read without waiting
)

// pacer is a token bucket for the calls of one run, used by one goroutine. It
// comes on top of the scope's own limiter, which works per operation.
type pacer struct {
	rate, burst float64 // calls: a second, at once
	tokens      float64
	filled      time.Time
}

func newPacer() *pacer { return pacerOf(callsPerSecond, callsAtOnce) }

func pacerOf(rate, burst float64) *pacer {
	return &pacer{rate: rate, burst: burst, tokens: burst, filled: time.Now()}
}

func (p *pacer) wait(ctx context.Context) error {
	now := time.Now()
	p.tokens = min(p.tokens+now.Sub(p.filled).Seconds()*p.rate, p.burst)
	p.filled = now
	p.tokens--
	if p.tokens >= 0 {
		return ctx.Err()
	}
	return wait.Sleep(ctx, time.Duration(-p.tokens/p.rate*float64(time.Second)))
}

// left is how many calls can be made at once now.
func (p *pacer) left() float64 {
	return min(p.tokens+time.Since(p.filled).Seconds()*p.rate, p.burst)
}

// Back-off after a failed call, and how long failing may go on. A throttled
// call is repeated for ever: the service is there, and has the answer.
const (
	firstBackOff = time.Second
	maxBackOff   = 30 * time.Second
	giveUpAfter  = 10 * time.Minute
)

// call makes one paced call for a follower. Throttles and failures on the way
// are repeated with growing pauses and reported as notices; what comes back is
// an answer, the service's refusal, or the end of ctx. The refusal is the SDK's
// own error: give it to awsapi.Explain.
func call[T any](ctx context.Context, f *follower, do func(context.Context) (T, error)) (T, error) {
	return callAt(ctx, f, f.pacer, do)
}

// callAt is call under another pace.
func callAt[T any](ctx context.Context, f *follower, p *pacer, do func(context.Context) (T, error)) (T, error) {
	var zero T
	pause := firstBackOff
	began := time.Now()
	for {
		if err := p.wait(ctx); err != nil {
			return zero, err
		}
		out, err := do(ctx)
		if err == nil {
			return out, nil
		}
		if ctx.Err() != nil {
			return zero, ctx.Err()
		}
		switch weigh(err) {
		case isThrottled:
			f.throttles++
			f.notice(Notice{Kind: Throttled, Text: "the service asks to slow down", Count: f.throttles, Wait: pause})
		case isTransient:
			if time.Since(began) > giveUpAfter {
				return zero, err
			}
			f.retries++
			f.notice(Notice{Kind: Retrying, Text: plain(err), Count: f.retries, Wait: pause})
		case isNotYet, isRefused:
			return zero, err
		}
		if err := wait.Sleep(ctx, wait.Jitter(pause)); err != nil {
			return zero, err
		}
		pause = min(pause*2, maxBackOff)
	}
}

// weight is what an error means to someone who follows a command.
type weight int

const (
	isRefused   weight = iota // the service said no, and will again
	isThrottled               // it will answer later
	isTransient               // it was not reached, or had a fault of its own
	isNotYet                  // it does not know the command or invocation (yet)
)

func weigh(err error) weight {
	var noInvocation *types.InvocationDoesNotExist
	var noCommand *types.InvalidCommandId
	if errors.As(err, &noInvocation) || errors.As(err, &noCommand) {
		return isNotYet
	}
	var e *fault.Error
	var http interface{ HTTPStatusCode() int }
	if !errors.As(awsapi.Explain("", err), &e) || errors.As(err, &http) && http.HTTPStatusCode() == 501 {
		return isRefused
	}
	switch {
	case e.Kind == fault.Throttled:
		return isThrottled
	case e.Kind == fault.Service, e.Kind == fault.Failed && (e.Code == "" || serverFault(err)):
		return isTransient
	default:
		return isRefused
	}
}

// plain is the cause of an error without the SDK's wrappers.
func plain(err error) string {
	var e *fault.Error
	if errors.As(awsapi.Explain("", err), &e) {
		return e.Error()
	}
	return err.Error()
}

// interrupted is the error of a follower whose context ended: the commands go
// on, and the hint says how to come back to them.
func interrupted(cause error, ref string, unsent int) error {
	e := &fault.Error{Kind: fault.Interrupted, Op: "run"}
	left := &Left{Unsent: unsent, text: "interrupted", cause: cause}
	if errors.Is(cause, context.DeadlineExceeded) {
		e.Kind = fault.Pending
		left.text = "not done in the time given"
	}
	e.Err = left
	if ref != "" {
		e.Hint = fmt.Sprintf("what was sent goes on: `ssmdeck run watch %s` follows, `ssmdeck run cancel %s` stops it", ref, ref)
	}
	return e
}

// Left is why a run is not followed any more though it goes on: a context ended.
type Left struct {
	Unsent int // nodes that were not sent the command
	text   string
	cause  error
}

func (l *Left) Error() string {
	if l.Unsent > 0 {
		return fmt.Sprintf("%s; %d nodes were not sent the command", l.text, l.Unsent)
	}
	return l.text
}

func (l *Left) Unwrap() error { return l.cause }
