//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// stopWait is how long the system may take to stop us.
const stopWait = time.Second

// Suspend stops this process and its group, as Ctrl-Z does in a terminal that
// is not in raw mode, and returns when they are continued. It returns
// ErrNoSuspend when there is no shell to continue them: the system does not stop
// such a process.
func Suspend() error {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, unix.SIGCONT)
	defer signal.Stop(continued)
	begin := time.Now()
	if err := unix.Kill(0, unix.SIGTSTP); err != nil {
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
