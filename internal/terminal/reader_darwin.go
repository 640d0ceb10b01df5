package terminal

import (
	"time"

	"golang.org/x/sys/unix"
)

// waitReadable waits with select(2): poll(2) on macOS does not support devices
// such as /dev/tty (its manual page, BUGS). Descriptors that do not fit a set
// are left to poll.
func waitReadable(fd, stop int, d time.Duration) (ready, canceled bool, err error) {
	if max(fd, stop) >= unix.FD_SETSIZE {
		return pollReadable(fd, stop, d)
	}
	var set unix.FdSet
	set.Set(fd)
	set.Set(stop)
	var most *unix.Timeval // nil: as long as it takes
	if d >= 0 {
		tv := unix.NsecToTimeval(d.Nanoseconds())
		most = &tv
	}
	if _, err := unix.Select(max(fd, stop)+1, &set, nil, nil, most); err != nil {
		return false, false, err
	}
	return set.IsSet(fd), set.IsSet(stop), nil
}
