//go:build unix

package terminal

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits for a file to have something, or for cancel. It cancels by
// closing one end of a pipe whose other end is waited for too: that is seen by
// every wait, now and later.
type waiter struct {
	r      *os.File
	cancel func()
}

func newWaiter(*os.File) (*waiter, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &waiter{r: r, cancel: sync.OnceFunc(func() { w.Close() })}, nil
}

func (w *waiter) close() error { return w.r.Close() }

// read is called by one goroutine at a time.
func (w *waiter) read(f *os.File, p []byte) (int, error) {
	defer runtime.KeepAlive(f)
	for {
		if _, err := w.ready(f, -1); err != nil {
			return 0, err
		}
		n, err := unix.Read(int(f.Fd()), p)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case errors.Is(err, unix.EIO): // the terminal is gone
			return 0, io.EOF
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// ready waits until a read would not wait, for at most d; below 0: as long as it takes.
func (w *waiter) ready(f *os.File, d time.Duration) (bool, error) {
	defer runtime.KeepAlive(f)
	fd, stop := int(f.Fd()), int(w.r.Fd())
	if fd < 0 { // poll would wait for ever
		return false, os.ErrClosed
	}
	end := time.Now().Add(d)
	for {
		left := time.Duration(-1)
		if d >= 0 {
			left = max(time.Until(end), 0)
		}
		ready, canceled, err := waitReadable(fd, stop, left)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false, os.NewSyscallError("poll", err)
		case canceled:
			return false, ErrCanceled
		case ready:
			return true, nil
		case left == 0:
			return false, nil
		}
	}
}

// pollReadable waits with poll(2); d below 0: as long as it takes.
func pollReadable(fd, stop int, d time.Duration) (ready, canceled bool, err error) {
	const events = unix.POLLIN | unix.POLLHUP | unix.POLLERR
	fds := []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLIN}}
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	if _, err := unix.Poll(fds, ms); err != nil {
		return false, false, err
	}
	if fds[1].Revents&unix.POLLNVAL != 0 {
		return false, false, unix.EBADF
	}
	return fds[1].Revents&events != 0, fds[0].Revents != 0, nil
}
