//go:build unix && !darwin

package terminal

func waitReadable(fd, stop int) (ready, canceled bool, err error) { return pollReadable(fd, stop) }
