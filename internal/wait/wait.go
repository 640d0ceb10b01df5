// Package wait holds what every loop that tries again needs.
package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

// Sleep waits for d, at once for none, or for the end of ctx, which it returns.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Jitter spreads d by a fifth either way, so that many who wait do not come back
// at once. d is at least 0.
func Jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}
