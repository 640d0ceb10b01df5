//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stopWait is how long the system may take to stop us.
const stopWait = time.Second

// stops watches the signals that stop the process and let it go on. Once it does, it
// does so until the process ends: Go has no way back to what the system does by
// itself, so from then on it is us who stop.
var stops struct {
	sync.Mutex // held while the process stands still
	once       sync.Once
	signals    chan os.Signal
}

// watchStops begins to watch, at the first guard that holds a terminal.
func watchStops() {
	stops.once.Do(func() {
		signals := make(chan os.Signal, 2)
		stops.Lock()
		stops.signals = signals
		stops.Unlock()
		signal.Notify(signals, unix.SIGTSTP, unix.SIGCONT)
		go func() {
			for sig := range signals {
				stopped(sig)
			}
		}()
	})
}

// stopped puts the face that holds the terminal aside: to stop, or because we were
// stopped already, by what cannot be caught, and whoever had the terminal meanwhile
// has left it in another mode.
func stopped(sig os.Signal) {
	g := holder()
	switch {
	case sig == unix.SIGCONT && g != nil:
		go g.aside(func() error { return nil })
	case sig == unix.SIGCONT:
	case g != nil:
		go g.aside(func() error { return standStill(os.Getpid()) })
	default:
		_ = standStill(os.Getpid())
	}
}

// Suspend stops this process and its group, as Ctrl-Z does in a terminal that
// is not in raw mode, and returns when they are continued. It returns
// ErrNoSuspend when there is no shell to continue them: the system does not stop
// such a process.
func Suspend() error { return standStill(0) }

// standStill stops this process (its pid) or its group (0), and returns when it is
// continued.
func standStill(pid int) error {
	stops.Lock()
	defer stops.Unlock()
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	if stops.signals != nil {
		signal.Stop(stops.signals)
		defer func() {
			for len(stops.signals) > 0 { // of what has just been done
				<-stops.signals
			}
			signal.Notify(stops.signals, unix.SIGTSTP, unix.SIGCONT)
		}()
	}
	begin := time.Now()
	if err := sendStop(pid); err != nil {
		return os.NewSyscallError("kill", err)
	}
	select {
	case <-continued:
		return nil
	case <-time.After(stopWait):
		if time.Since(begin) > 3*stopWait/2 {
			return nil // we were stopped, and the timer was faster than the signal
		}
		return ErrNoSuspend
	}
}

// sendStop has the system stop a process or a group. Once SIGTSTP is watched it does
// nothing to us, and SIGTTIN, which nobody watches, does what it did: unlike SIGSTOP it
// stops nobody whom no shell could continue.
func sendStop(pid int) error {
	if stops.signals == nil {
		return unix.Kill(pid, unix.SIGTSTP)
	}
	if pid == 0 {
		// What is for the others of the group must not reach us at all: that nobody asks
		// for it is not enough, for a handler that has been entered runs when we go on,
		// when it is asked for again, and we would stop once more.
		signal.Ignore(unix.SIGTSTP)
		if err := unix.Kill(0, unix.SIGTSTP); err != nil {
			return err
		}
	}
	return unix.Kill(os.Getpid(), unix.SIGTTIN)
}
