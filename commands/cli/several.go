package cli

import (
	"errors"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// MoreThanOne is the error of n things of which some failed: its own for a single one.
func MoreThanOne(op string, faults []error, n int) error {
	switch {
	case len(faults) == 0:
		return nil
	case n == 1:
		return faults[0]
	}
	return fault.New(fault.RemoteFailed, op, "%d of %d failed:\n  %w", len(faults), n, &Lines{errors.Join(faults...), JoinLines(faults)})
}

// AllFaults is one Usage error of several; its own for a single one.
func AllFaults(op string, faults []error) error {
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
	return fault.New(fault.Usage, op, "%d faults:\n  %w", n, &Lines{errors.Join(faults...), JoinLines(faults)}).WithHint("%s", fault.HintOf(faults[0]))
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

// Lines is several errors with a text of their own.
type Lines struct {
	Err  error
	Text string
}

func (l *Lines) Error() string { return l.Text }
func (l *Lines) Unwrap() error { return l.Err }

// JoinLines puts each error on a line of its own, the second and later ones indented.
func JoinLines(errs []error) string {
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n  ")
}
