// Package terminal is the edge to the user's terminal: raw mode, window size,
// a standard input whose reads can be cancelled, and the sequences that bring a
// terminal back to its senses.
//
// Guarantees: raw mode is always left again by whoever holds a Guard, on
// return, panic, cancelled context or signal; a cancelled read takes no byte
// from whoever reads next; nothing is ever asked of the terminal; no goroutine
// outlives what started it, but the one that stops the process when it is told to
// (see Guard.OnStop). The package decides nothing about colour (see
// theme) and starts nothing by being imported.
package terminal

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/term"
)

// ErrNotTerminal is returned for an input that is not a terminal.
var ErrNotTerminal = errors.New("not a terminal")

// ErrNoSuspend is returned by Suspend where nobody could continue the process.
var ErrNoSuspend = errors.New("there is no shell to come back from")

// IsTerminal reports whether f is a terminal (on Windows, a console).
func IsTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// Terminal is the pair of files through which a person is reached. Its methods
// may be called from several goroutines.
type Terminal struct {
	in, out *os.File
}

// Open returns the terminal at in and out, usually os.Stdin and os.Stdout. The
// files stay the caller's. It returns ErrNotTerminal when in is not a terminal;
// out may be a pipe (`ssmdeck shell web-1 | tee log`).
func Open(in, out *os.File) (*Terminal, error) {
	if !IsTerminal(in) {
		return nil, ErrNotTerminal
	}
	return &Terminal{in: in, out: out}, nil
}

// Files are the input and the output, for programs that are to have the terminal.
func (t *Terminal) Files() (in, out *os.File) { return t.in, t.out }

// Keep remembers the mode of the input; back brings it back, as often as it is
// called, whatever others have made of it.
func (t *Terminal) Keep() (back func() error, err error) {
	fd := int(t.in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	return func() error { return term.Restore(fd, state) }, nil
}

// Raw switches the terminal to raw mode: no echo, no line editing, control
// characters as bytes; on Windows also escape sequences both ways. restore
// brings back exactly the mode found. It may be called several times and from
// any goroutine: the first call restores, all return its error. Prefer a Guard.
func (t *Terminal) Raw() (restore func() error, err error) {
	r, err := t.raw()
	if err != nil {
		return nil, err
	}
	return sync.OnceValue(func() error { return r.restore("") }), nil
}

// rawMode is how to leave raw mode.
type rawMode struct {
	t       *Terminal
	in      *term.State
	undoOut func() error
}

func (t *Terminal) raw() (*rawMode, error) {
	undo, err := prepareOutput(t.out)
	if err != nil {
		return nil, err
	}
	in, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return nil, errors.Join(err, undo())
	}
	return &rawMode{t: t, in: in, undoOut: undo}, nil
}

// restore leaves raw mode. The input comes first, because writing reset can
// block on a stopped terminal; the output comes last, because on Windows reset
// is printed as text once escape sequences are off.
func (r *rawMode) restore(reset string) error {
	err := term.Restore(int(r.t.in.Fd()), r.in)
	if reset != "" && IsTerminal(r.t.out) {
		_, werr := r.t.out.WriteString(reset)
		err = errors.Join(err, werr)
	}
	return errors.Join(err, r.undoOut())
}

// Size is the size of a window in character cells.
type Size struct {
	Cols, Rows int
}

// Size returns the present size of the window, of the output when that is a
// terminal, else of the input. Some terminals (serial lines, a pty nobody has
// sized) say 0 for both.
func (t *Terminal) Size() (cols, rows int, err error) {
	if IsTerminal(t.out) {
		return term.GetSize(int(t.out.Fd()))
	}
	return term.GetSize(int(t.in.Fd()))
}

// Window is Size for whoever draws: a terminal that does not know its size is taken for
// one of 80 by 24.
func (t *Terminal) Window() Size {
	cols, rows, err := t.Size()
	if err != nil || cols <= 0 || rows <= 0 {
		return Size{Cols: 80, Rows: 24}
	}
	return Size{Cols: cols, Rows: rows}
}

// EnableEscapes makes the console of f understand escape sequences, which only
// Windows needs to be told; elsewhere, and for pipes, it does nothing. undo
// brings back the mode found.
func EnableEscapes(f *os.File) (undo func() error, err error) { return prepareOutput(f) }
