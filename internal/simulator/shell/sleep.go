package shell

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Clock is what programs sleep by, when it is not the machine's own.
type Clock interface {
	// Sleep waits for d, or for the end of ctx, which it returns.
	Sleep(ctx context.Context, d time.Duration) error
	// Branch is for a goroutine that sleeps beside a program: the context for it,
	// and what it calls at its end.
	Branch(ctx context.Context) (context.Context, func())
}

type clockKey struct{}

// WithClock returns a context whose programs sleep by a clock, which may be put
// forward. Machines that run real programs know real time only.
func WithClock(ctx context.Context, c Clock) context.Context {
	return context.WithValue(ctx, clockKey{}, c)
}

// Sleep waits for d by the clock of ctx, or for the end of ctx, which it returns.
func Sleep(ctx context.Context, d time.Duration) error {
	if c, ok := ctx.Value(clockKey{}).(Clock); ok {
		return c.Sleep(ctx, d)
	}
	return wait.Sleep(ctx, d)
}

// AfterFunc calls f when d has passed by the clock of ctx, unless stop is called or
// ctx ends before. stop waits for f.
func AfterFunc(ctx context.Context, d time.Duration, f func()) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	end := func() {}
	if c, ok := ctx.Value(clockKey{}).(Clock); ok {
		ctx, end = c.Branch(ctx)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer end()
		if Sleep(ctx, d) == nil {
			f()
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
