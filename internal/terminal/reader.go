package terminal

import (
	"errors"
	"os"
	"sync"
	"time"
)

// ErrCanceled is returned by a Read that was cancelled.
var ErrCanceled = errors.New("read was cancelled")

// Reader reads from a file until it is cancelled. Without it, a read of the
// terminal left behind eats the next key meant for somebody else.
//
// A Read that waits returns ErrCanceled promptly after Cancel, as do all later
// ones, and no byte that arrives after Cancel is taken from the file. One
// goroutine reads; Cancel and Close may be called from any.
//
// On Unix this holds for terminals, pipes and files. On Windows it holds for
// consoles in raw mode; a read of a line-edited console returns at the next
// Enter, and a pipe as soon as Windows cancels the read.
type Reader struct {
	file *os.File
	wait *waiter

	reading sync.Mutex // held by Read, so that Close can wait for it
	closed  bool       // guarded by reading
}

// CancelableReader returns a Reader of f. The file stays the caller's, Close
// does not close it; nobody else may read it until Read has returned for the
// last time.
func CancelableReader(f *os.File) (*Reader, error) {
	w, err := newWaiter(f)
	if err != nil {
		return nil, err
	}
	return &Reader{file: f, wait: w}, nil
}

// Read reads what is there, waiting for the first byte. The end of the file,
// and a terminal that was hung up, is io.EOF. On a Windows console in raw mode
// Ctrl-Z is the byte 0x1A like any other.
func (r *Reader) Read(p []byte) (int, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.closed {
		return 0, ErrCanceled
	}
	if len(p) == 0 {
		return 0, nil
	}
	return r.wait.read(r.file, p)
}

// Wait waits until Read would not wait, for at most d; below 0: for as long as it takes.
// It ends with ErrCanceled as Read does. False: d is over.
func (r *Reader) Wait(d time.Duration) (ready bool, err error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.closed {
		return false, ErrCanceled
	}
	return r.wait.ready(r.file, d)
}

// Cancel makes the Read or Wait that waits, and every later one, return ErrCanceled.
func (r *Reader) Cancel() { r.wait.cancel() }

// Close cancels, waits for Read to return, and releases what the Reader holds.
// It does not close the file.
func (r *Reader) Close() error {
	r.Cancel()
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	return r.wait.close()
}
