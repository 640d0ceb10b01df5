//go:build unix && !darwin

package terminal

import "time"

func waitReadable(fd, stop int, d time.Duration) (ready, canceled bool, err error) {
	return pollReadable(fd, stop, d)
}
