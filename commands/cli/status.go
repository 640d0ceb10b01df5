package cli

import (
	"context"
	"errors"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// ownFailure is the exit code for a failure of ours where the code is otherwise
// the remote command's, as ssh does it.
const ownFailure = 255

// ClampStatus makes a remote status one that a process can have: Windows ones
// may be larger or negative.
func ClampStatus(code int) int {
	if code > 0 && code <= 255 {
		return code
	}
	if low := code & 0xff; low != 0 {
		return low
	}
	return 1 // not success
}

// Own marks a failure of ours in a command whose exit code is the remote one's.
func Own(err error) error { return Coded(err, ownFailure) }

// Coded is err with an exit code of its own.
func Coded(err error, code int) error { return &CodedError{err, code} }

// CodedError is an error with an exit code other than that of its kind.
type CodedError struct {
	Err  error
	Code int
}

func (e *CodedError) Error() string { return e.Err.Error() }

func (e *CodedError) Unwrap() error { return e.Err }

// Report prints err, once, and returns its exit code.
func (e *Env) Report(ctx context.Context, err error) int {
	var exit *fault.Exit
	switch {
	case err == nil, render.IsBrokenPipe(err): // `| head -1` got what it wanted
		return 0
	case errors.As(err, &exit): // what there was to say has been said
		return exit.Code
	case errors.Is(err, context.Canceled) && ctx.Err() != nil && fault.HintOf(err) == "":
		// The user asked to stop and knows it.
		return fault.Interrupted.ExitCode()
	}
	render.Error(e.Err, e.ErrStyles(), err, e.WantsJSONErrors(), e.Debugging())
	return ExitCode(err)
}

// ExitCode is an error's own exit code, or that of its kind.
func ExitCode(err error) int {
	var own *CodedError
	if errors.As(err, &own) {
		return own.Code
	}
	return fault.ExitCode(err)
}
