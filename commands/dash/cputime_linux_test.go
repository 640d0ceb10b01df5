package dash_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is how much CPU time the thread has used.
func cpuTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
