package awsapi

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// workers is how many calls Parallel has under way: enough to hide the time of an
// answer, under the pace of an operation.
const workers = 8

// Parallel calls each for 0 to n-1, a few at a time, and returns the first error,
// which ends the others. The calls of the API within are under the scope's pace.
func Parallel(ctx context.Context, n int, each func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	group := wait.Group{Broken: func() { cancel(nil) }}
	for range min(n, workers) {
		group.Go(func() {
			for i := range next {
				if err := each(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}
