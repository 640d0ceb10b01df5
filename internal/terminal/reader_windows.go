package terminal

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// waiter reads a console through its input events, so that it can wait for
// them and for cancel at once, and so that Ctrl-Z is a key: Go's own reader of
// consoles takes it for the end of the file, even in raw mode.
type waiter struct {
	console windows.Handle // 0: not a console
	event   windows.Handle // set by cancel
	cancel  func()

	readEvents *windows.LazyProc
	keys       keyDecoder
	pending    []byte // decoded, not yet returned
}

func newWaiter(f *os.File) (*waiter, error) {
	event, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return nil, err
	}
	w := &waiter{event: event}
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) == nil {
		w.console = h
		w.readEvents = windows.NewLazySystemDLL("kernel32.dll").NewProc("ReadConsoleInputW")
	}
	w.cancel = sync.OnceFunc(func() {
		_ = windows.SetEvent(event) // fails only for a handle that is not an event
		if w.console == 0 {
			// Best effort: there may be no read to cancel.
			_ = windows.CancelIoEx(h, nil)
		}
	})
	return w, nil
}

func (w *waiter) close() error { return windows.CloseHandle(w.event) }

func (w *waiter) canceled() bool {
	e, err := windows.WaitForSingleObject(w.event, 0)
	return err == nil && e == windows.WAIT_OBJECT_0
}

// read is called by one goroutine at a time.
func (w *waiter) read(f *os.File, p []byte) (int, error) {
	defer runtime.KeepAlive(f)
	if w.console == 0 {
		return w.plain(f, p)
	}
	if _, err := w.ready(f, -1); err != nil {
		return 0, err
	}
	if len(w.pending) == 0 {
		return w.plain(f, p) // the console edits the line and echoes it
	}
	n := copy(p, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// ready waits until a read would not wait, for at most d; below 0: as long as it takes.
// Of a pipe, and of a console that edits its line, that is not known: it says yes.
func (w *waiter) ready(_ *os.File, d time.Duration) (bool, error) {
	end := time.Now().Add(d)
	for w.console != 0 && len(w.pending) == 0 {
		most := uint32(windows.INFINITE)
		if d >= 0 {
			most = uint32(max(time.Until(end), 0) / time.Millisecond)
		}
		e, err := windows.WaitForMultipleObjects([]windows.Handle{w.event, w.console}, false, most)
		switch {
		case e == uint32(windows.WAIT_TIMEOUT):
			return false, nil
		case err != nil:
			return false, os.NewSyscallError("WaitForMultipleObjects", err)
		case e == windows.WAIT_OBJECT_0:
			return false, ErrCanceled
		}
		var mode uint32
		if err := windows.GetConsoleMode(w.console, &mode); err != nil {
			return false, io.EOF // the console is gone
		}
		if mode&windows.ENABLE_LINE_INPUT != 0 {
			return true, nil
		}
		if err := w.take(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// plain reads as Go does, for pipes, files and line-edited consoles.
func (w *waiter) plain(f *os.File, p []byte) (int, error) {
	if w.canceled() {
		return 0, ErrCanceled
	}
	n, err := f.Read(p)
	if n == 0 && errors.Is(err, windows.ERROR_OPERATION_ABORTED) && w.canceled() {
		return 0, ErrCanceled
	}
	return n, err
}

// inputRecord is INPUT_RECORD with its KEY_EVENT_RECORD, 20 bytes
// (learn.microsoft.com/windows/console/input-record-str).
type inputRecord struct {
	kind     uint16
	_        uint16
	down     int32
	repeat   uint16
	key      uint16
	scan     uint16
	char     uint16
	controls uint32
}

// take reads the events that are there, at least one, and decodes the keys.
func (w *waiter) take() error {
	const (
		anyAlt  = 0x0001 | 0x0002 // RIGHT_ALT_PRESSED, LEFT_ALT_PRESSED
		anyCtrl = 0x0004 | 0x0008 // RIGHT_CTRL_PRESSED, LEFT_CTRL_PRESSED
	)
	var records [64]inputRecord
	var n uint32
	ok, _, err := w.readEvents.Call(uintptr(w.console), uintptr(unsafe.Pointer(&records[0])), uintptr(len(records)), uintptr(unsafe.Pointer(&n)))
	if ok == 0 {
		return os.NewSyscallError("ReadConsoleInput", err)
	}
	w.pending = w.pending[:0]
	for _, rec := range records[:n] {
		if rec.kind != windows.KEY_EVENT {
			continue
		}
		w.pending = w.keys.decode(w.pending, keyEvent{
			down: rec.down != 0, repeat: rec.repeat, key: rec.key, char: rec.char,
			control: rec.controls&anyCtrl != 0 && rec.controls&anyAlt == 0,
		})
	}
	return nil
}
