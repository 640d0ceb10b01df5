package feed

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Events carries what happens to a screen. While the screen is busy, or suspended
// under a shell, a newer event replaces an older one of the same key: memory is
// bounded by the number of keys, and the last event of each key always arrives. Who
// puts events in never waits for a screen.
type Events[E any] struct {
	key  func(E) string // "" keeps every one
	wake chan struct{}  // capacity 1: something to collect

	mu    sync.Mutex
	order []E
	last  map[string]int // where in order
	done  bool
	err   error
}

// Batch is what has happened since the last one.
type Batch[E any] struct {
	From   *Events[E]
	Events []E
	Done   bool  // nothing comes after
	Err    error // with which it ended
}

// NewEvents makes a carrier. key tells which events replace each other; "" none.
func NewEvents[E any](key func(E) string) *Events[E] {
	return &Events[E]{key: key, wake: make(chan struct{}, 1), last: map[string]int{}}
}

// Put adds an event. It may be called from any goroutine.
func (f *Events[E]) Put(e E) {
	f.mu.Lock()
	k := f.key(e)
	if at, ok := f.last[k]; ok && k != "" {
		f.order[at] = e
	} else {
		if k != "" {
			f.last[k] = len(f.order)
		}
		f.order = append(f.order, e)
	}
	f.mu.Unlock()
	f.signal()
}

// Close delivers err after the last events.
func (f *Events[E]) Close(err error) {
	f.mu.Lock()
	f.done, f.err = true, err
	f.mu.Unlock()
	f.signal()
}

func (f *Events[E]) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Next is the command that brings the next Batch, after pause at the earliest. A
// page asks for the next when it has taken one, and no more when it is Done or
// shows something else.
func (f *Events[E]) Next(d *Desk, pause time.Duration) tea.Cmd {
	if d.Eager {
		if len(f.wake) == 0 {
			return nil
		}
		pause = 0
	}
	return d.Go(func(ctx context.Context) tea.Msg {
		if pause > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-f.wake:
		case <-ctx.Done():
			return nil
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		b := Batch[E]{From: f, Events: f.order, Done: f.done, Err: f.err}
		f.order = nil
		clear(f.last)
		return b
	})
}
