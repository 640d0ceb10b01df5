package terminal

import (
	"runtime"
	"slices"
	"time"
)

const (
	// drawing is the goroutine in which Bubble Tea draws.
	drawing = "charm.land/bubbletea/v2.(*Program).startRenderer.func1"
	// stillWait bounds the wait for its end.
	stillWait = time.Second
)

// AwaitStill waits until Bubble Tea, which has just been told to stop drawing, has
// stopped. It does not wait for that itself: what stops late stops the clock of what
// draws afterwards, and nothing is ever drawn again. Nothing but the goroutine tells.
func AwaitStill() {
	for end := time.Now().Add(stillWait); running(drawing) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// running reports whether a goroutine is in a function.
func running(function string) bool {
	var all []runtime.StackRecord
	n, whole := runtime.GoroutineProfile(all)
	for !whole { // some have begun meanwhile
		all = make([]runtime.StackRecord, n+8)
		n, whole = runtime.GoroutineProfile(all)
	}
	return slices.ContainsFunc(all[:n], func(r runtime.StackRecord) bool {
		for frames := runtime.CallersFrames(r.Stack()); ; {
			frame, more := frames.Next()
			if frame.Function == function {
				return true
			}
			if !more {
				return false
			}
		}
	})
}
