package terminal

import (
	"os"
	"syscall"
	"time"
)

// endSignals: Go turns the closing of the console, logoff and shutdown into
// SIGTERM.
func endSignals() []os.Signal { return []os.Signal{syscall.SIGTERM} }

func resend(os.Signal) {}

const resizesPolled = true

// resizeTicks delivers a tick whenever it is time to look at the window. Windows has
// no signal for it, and its console events would have to be taken from the
// input, so the size is polled.
func resizeTicks() (<-chan time.Time, func()) {
	const poll = 250 * time.Millisecond
	t := time.NewTicker(poll)
	return t.C, t.Stop
}
