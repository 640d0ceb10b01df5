package commands

import (
	"errors"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// moreThanOne is the error of n things of which some failed: its own for a single one.
func moreThanOne(op string, faults []error, n int) error {
	switch {
	case len(faults) == 0:
		return nil
	case n == 1:
		return faults[0]
	}
	return fault.New(fault.RemoteFailed, op, "%d of %d failed:\n  %w", len(faults), n, &lines{errors.Join(faults...), joinLines(faults)})
}

// allFaults is one Usage error of several; its own for a single one.
func allFaults(op string, faults []error) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return faults[0]
	}
	n := 0
	for _, err := range faults {
		n += leaves(err)
	}
	return fault.New(fault.Usage, op, "%d faults:\n  %w", n, &lines{errors.Join(faults...), joinLines(faults)}).WithHint("%s", fault.HintOf(faults[0]))
}

// leaves counts the errors that are joined in one, as those of a file are.
func leaves(err error) int {
	switch e := err.(type) { //nolint:errorlint // it is the tree that is walked
	case interface{ Unwrap() []error }:
		n := 0
		for _, one := range e.Unwrap() {
			n += leaves(one)
		}
		return n
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return leaves(inner)
		}
	}
	return 1
}

// lines is several errors with a text of their own.
type lines struct {
	err  error
	text string
}

func (l *lines) Error() string { return l.text }
func (l *lines) Unwrap() error { return l.err }

func joinLines(errs []error) string {
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n  ")
}
