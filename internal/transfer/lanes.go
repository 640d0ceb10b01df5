package transfer

import (
	"context"
	"sync"
)

// task is a piece of work for whichever worker is free.
type task func(context.Context, *worker) error

// crew is the workers of one upload.
type crew struct {
	first  *worker
	open   func(context.Context) (*worker, error) // another one
	want   int                                    // at most, the first included
	mu     sync.Mutex
	others []*worker
}

// run has the crew do all tasks that produce yields, and returns the first
// error. More workers than one are opened only when there is work for them;
// when one cannot be had, the others do its share.
func (c *crew) run(ctx context.Context, produce func(ctx context.Context, yield func(task) bool)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tasks := make(chan task)
	var wg sync.WaitGroup
	work := func(w *worker) {
		for t := range tasks {
			if ctx.Err() != nil {
				continue
			}
			if err := t(ctx, w); err != nil {
				cancel(err)
			}
		}
	}
	start := func(w *worker) {
		for range w.depth() {
			wg.Go(func() { work(w) })
		}
	}
	start(c.first)
	c.mu.Lock()
	for _, w := range c.others {
		start(w)
	}
	missing := c.want - 1 - len(c.others)
	c.mu.Unlock()
	opening, enough := context.WithCancel(ctx)
	defer enough()
	for range missing {
		wg.Go(func() {
			w, err := c.open(opening)
			if err != nil {
				return
			}
			c.mu.Lock()
			c.others = append(c.others, w)
			c.mu.Unlock()
			start(w)
		})
	}
	produce(ctx, func(t task) bool {
		select {
		case tasks <- t:
			return true
		case <-ctx.Done():
			return false
		}
	})
	close(tasks)
	enough() // all is taken: who is not here yet is not needed
	wg.Wait()
	return context.Cause(ctx)
}

// dismiss ends all workers but the first.
func (c *crew) dismiss() {
	var wg sync.WaitGroup
	for _, w := range c.others {
		wg.Go(w.close)
	}
	wg.Wait()
	c.others = nil
}
