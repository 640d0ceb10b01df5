package terminal

import (
	"context"
	"os"
	"os/signal"
)

// Resizes returns a channel of the window's new sizes. Only changes are sent,
// and a size nobody has taken yet is replaced by the next: what is received is
// always the latest. The channel is closed when ctx is done, after which no
// goroutine is left. Call Size after Resizes, not before, and no change is
// missed in between.
func (t *Terminal) Resizes(ctx context.Context) <-chan Size {
	out := make(chan Size, 1)
	last := t.present(Size{})
	ticks, stop := resizeTicks()
	go func() {
		defer close(out)
		defer stop()
		watch(ctx, ticks, last, t.present, out)
	}()
	return out
}

// Follow tells each new size of the window to whoever draws, first the present one if it
// is not from, and returns when ctx is done.
func (t *Terminal) Follow(ctx context.Context, from Size, tell func(Size)) {
	resized := t.Resizes(ctx)
	for more := true; more; _, more = <-resized {
		if now := t.Window(); now != from {
			from = now
			tell(now)
		}
	}
}

// present returns the size now, or last when it cannot be had.
func (t *Terminal) present(last Size) Size {
	cols, rows, err := t.Size()
	if err != nil {
		return last
	}
	return Size{cols, rows}
}

// watch looks at the size on each tick and sends what changed to out, which has
// room for one.
func watch[T any](ctx context.Context, ticks <-chan T, last Size, look func(last Size) Size, out chan Size) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		now := look(last)
		if now == last {
			continue
		}
		last = now
		select {
		case <-out: // replace what nobody has taken
		default:
		}
		out <- now
	}
}

func notify(sig os.Signal) (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, sig)
	return c, func() { signal.Stop(c) }
}
