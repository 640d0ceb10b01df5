package cli

import (
	"io"
	"os"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// MaxInput bounds a file with input of the API in bytes: the service takes far
// less.
const MaxInput = 16 << 20

// ReadInput returns what reads the files that values of one command line name.
// Standard input can be read once.
func (e *Env) ReadInput() untyped.Reader {
	stdin := false
	return func(path string) ([]byte, error) {
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				return nil, fault.Usagef("%s: %w", path, PlainPathError(err))
			}
			defer f.Close()
			return ReadBounded(path, f)
		}
		if stdin {
			return nil, fault.Usagef("standard input is read already for another value")
		}
		stdin = true
		return ReadBounded("standard input", e.In)
	}
}

// ReadBounded reads r to its end, and refuses more than input may have. what names it in the
// error.
func ReadBounded(what string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxInput+1))
	switch {
	case err != nil:
		return nil, fault.Usagef("%s: %w", what, PlainPathError(err))
	case len(data) > MaxInput:
		return nil, fault.Usagef("%s has more than %d bytes", what, MaxInput)
	}
	return data, nil
}

// maxPrefsFile bounds a file of preferences in bytes: that of a document.
const maxPrefsFile = 64 << 10

// ReadFile reads a small file, or standard input for "-".
func (e *Env) ReadFile(path string) ([]byte, error) {
	in := e.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fault.New(fault.Usage, "read "+path, "%w", PlainPathError(err))
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPrefsFile+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Usage, "read "+path, "%w", PlainPathError(err))
	case len(data) > maxPrefsFile:
		return nil, fault.Usagef("%s is longer than the %d bytes a document may have", path, maxPrefsFile)
	}
	return data, nil
}

// PlainPathError leaves out what was attempted: the caller says it.
func PlainPathError(err error) error {
	if e, ok := err.(*os.PathError); ok { //nolint:errorlint // os returns it unwrapped
		return e.Err
	}
	return err
}

// Terminal returns the terminal a person sits at, nil when there is none on
// either side.
func (e *Env) Terminal() *terminal.Terminal {
	in, ok := e.In.(*os.File)
	if !ok {
		return nil
	}
	out, ok := e.Out.(*os.File)
	if !ok {
		return nil
	}
	t, err := terminal.Open(in, out)
	if err != nil {
		return nil
	}
	return t
}

// Input returns standard input such that a waiting read ends when it is
// released.
func (e *Env) Input() (in io.Reader, release func()) {
	f, ok := e.In.(*os.File)
	if !ok {
		if c, ok := e.In.(io.Closer); ok {
			return e.In, func() { _ = c.Close() }
		}
		return e.In, func() {}
	}
	r, err := terminal.CancelableReader(f)
	if err != nil {
		return f, func() {}
	}
	return r, func() { _ = r.Close() }
}
