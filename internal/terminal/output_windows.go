package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// prepareOutput turns on escape sequences for a console, and turns off the
// carriage return it adds to each line feed, as terminals elsewhere do in raw
// mode. Source: learn.microsoft.com/windows/console/setconsolemode.
func prepareOutput(f *os.File) (undo func() error, err error) {
	none := func() error { return nil }
	if f == nil {
		return none, nil
	}
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return none, nil // a pipe or a file
	}
	undo = func() error { return windows.SetConsoleMode(h, mode) }
	const vt = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	if windows.SetConsoleMode(h, mode|vt|windows.DISABLE_NEWLINE_AUTO_RETURN) == nil {
		return undo, nil
	}
	// The first consoles with escape sequences do not know the second flag.
	if err := windows.SetConsoleMode(h, mode|vt); err != nil {
		return none, err
	}
	return undo, nil
}
