//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

func endSignals() []os.Signal {
	return []os.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT}
}

// resend delivers SIGQUIT again, now that we no longer catch it.
func resend(sig os.Signal) {
	if sig == unix.SIGQUIT {
		// Sending a signal to ourselves cannot fail.
		_ = unix.Kill(os.Getpid(), unix.SIGQUIT)
	}
}

// resizesPolled: a signal says that there is a new size.
const resizesPolled = false

// resizeTicks delivers a tick whenever the window has changed.
func resizeTicks() (<-chan os.Signal, func()) {
	return notify(unix.SIGWINCH)
}
