package terminal

import (
	"context"
	"os"
	"os/signal"
)

// Resizes returns a channel of the window's new sizes. A size nobody has taken yet is
// replaced by the next: what is received is always the latest. The channel is closed
// when ctx is done, after which no goroutine is left. Call Size after Resizes, not
// before, and no change is missed in between.
//
// Nobody hears of a change while the process stands still, or somebody else is in the
// foreground: whoever has the terminal again looks at its size himself. So a size that is
// sent may be the one that was sent last.
func (t *Terminal) Resizes(ctx context.Context) <-chan Size {
	out := make(chan Size, 1)
	last := t.present(Size{})
	ticks, stop := resizeTicks()
	go func() {
		defer close(out)
		defer stop()
		watch(ctx, ticks, resizesPolled, last, t.present, out)
	}()
	return out
}

// Follow tells whoever draws to look at the window whenever its size changes, at once if
// it is not from any more, and returns when ctx is done.
func (t *Terminal) Follow(ctx context.Context, from Size, tell func()) {
	resized := t.Resizes(ctx)
	if t.Window() != from {
		tell()
	}
	for range resized {
		tell()
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

// watch looks at the size on each tick and sends it to out, which has room for one. Where
// sizes are polled a tick means nothing, and only what is not the last size is sent.
func watch[T any](ctx context.Context, ticks <-chan T, polled bool, last Size, look func(last Size) Size, out chan Size) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		now := look(last)
		if polled && now == last {
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
