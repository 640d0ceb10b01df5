// Package fault gives every failure of ssmdeck a Kind, and every Kind an exit
// code that scripts may rely on.
//
// Services and edges return *Error; commands turn one into text and an exit
// code, once. The package imports nothing of ours and prints nothing.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. The zero Kind is Failed.
type Kind int

// The kinds, each with its own exit code (see ExitCode).
const (
	Failed       Kind = iota // anything else
	Usage                    // a bad flag, argument or value; nothing was changed
	NotFound                 // no such thing, or several that fit
	Auth                     // credentials missing, expired or insufficient
	Offline                  // the node's agent is not connected
	RemoteFailed             // ran, and failed on at least one node
	Refused                  // stopped by a guard: unconfirmed, read-only
	Pending                  // still running when the wait ended
	Interrupted              // the user asked to stop
	Throttled                // the service asked to slow down, to the end
	Conflict                 // it exists already, is in use, was changed meanwhile, or is so already
	Limit                    // a limit or quota is reached
	Service                  // the service failed by itself
)

var kinds = [...]struct {
	name string
	code int
}{
	Failed:       {"failed", 1},
	Usage:        {"usage", 2},
	NotFound:     {"not_found", 3},
	Auth:         {"auth", 4},
	Offline:      {"offline", 5},
	RemoteFailed: {"remote_failed", 6},
	Refused:      {"refused", 7},
	Pending:      {"pending", 8},
	Interrupted:  {"interrupted", 130},
	Throttled:    {"throttled", 1},
	Conflict:     {"conflict", 1},
	Limit:        {"limit", 1},
	Service:      {"service", 1},
}

// String returns the kind's name as it appears in JSON errors.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kinds) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kinds[k].name
}

// ExitCode returns the process exit code of the kind.
func (k Kind) ExitCode() int {
	if k < 0 || int(k) >= len(kinds) {
		return 1
	}
	return kinds[k].code
}

// Error is a failure with its Kind and, where one is known, a Hint.
type Error struct {
	Kind Kind
	// Op is what was attempted, and on what: "start session on i-0abc".
	Op string
	// Hint is one imperative sentence without a full stop that names a command
	// where possible.
	Hint string
	// Code and RequestID are the service's own, when it was the service that
	// failed. They are shown with --debug and in JSON.
	Code, RequestID string
	Err             error
}

// Error returns "op: cause". Either part may be missing.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Op
	case e.Op == "":
		return e.Err.Error()
	default:
		return e.Op + ": " + e.Err.Error()
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an Error whose cause is the formatted text; %w works.
func New(kind Kind, op, format string, args ...any) *Error {
	return &Error{Kind: kind, Op: op, Err: fmt.Errorf(format, args...)}
}

// Usagef returns a Usage error without an Op: its text is the whole message.
func Usagef(format string, args ...any) *Error {
	return &Error{Kind: Usage, Err: fmt.Errorf(format, args...)}
}

// WithHint sets the hint and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// KindOf returns the kind of the outermost *Error in err's chain. A cancelled
// context is Interrupted, anything unknown is Failed.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return Interrupted
	default:
		return Failed
	}
}

// HintOf returns the first hint in err's chain, or "".
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// Explain is what an error says, with its hint: "access denied: log in again".
func Explain(err error) string {
	text := err.Error()
	if hint := HintOf(err); hint != "" {
		text += ": " + hint
	}
	return text
}

// Exit is an exit status that is not ours: that of a remote command or of a
// child process. It carries no message; what there was to say has been said.
type Exit struct{ Code int }

func (e *Exit) Error() string { return fmt.Sprintf("exit status %d", e.Code) }

// ExitCode returns the process exit code for err: 0 for nil, the status inside
// an *Exit, else that of its kind.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	var exit *Exit
	if errors.As(err, &exit) {
		return exit.Code
	}
	return KindOf(err).ExitCode()
}
