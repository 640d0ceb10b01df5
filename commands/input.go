package commands

import (
	"io"
	"os"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// maxInput bounds a file with input of the API in bytes: the service takes far
// less.
const maxInput = 16 << 20

// readInput returns what reads the files that values of one command line name.
// Standard input can be read once.
func (e *Env) readInput() untyped.Reader {
	stdin := false
	return func(path string) ([]byte, error) {
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				return nil, fault.Usagef("%s: %w", path, plainPathError(err))
			}
			defer f.Close()
			return readBounded(path, f)
		}
		if stdin {
			return nil, fault.Usagef("standard input is read already for another value")
		}
		stdin = true
		return readBounded("standard input", e.In)
	}
}

func readBounded(what string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	switch {
	case err != nil:
		return nil, fault.Usagef("%s: %w", what, plainPathError(err))
	case len(data) > maxInput:
		return nil, fault.Usagef("%s has more than %d bytes", what, maxInput)
	}
	return data, nil
}
