package shell

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

type sleepKey struct{}

// WithSleep returns a context whose programs sleep as sleep says: by a clock that
// can be put forward. Machines that run real programs know real time only.
func WithSleep(ctx context.Context, sleep func(context.Context, time.Duration) error) context.Context {
	return context.WithValue(ctx, sleepKey{}, sleep)
}

// Sleep waits for d, or for the end of ctx, which it returns.
func Sleep(ctx context.Context, d time.Duration) error {
	if sleep, ok := ctx.Value(sleepKey{}).(func(context.Context, time.Duration) error); ok {
		return sleep(ctx, d)
	}
	return wait.Sleep(ctx, d)
}
