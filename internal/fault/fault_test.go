package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestExitCode(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nil is success", nil, 0},
		{"a plain error is a failure", errors.New("x"), 1},
		{"usage", Usagef("bad %s", "flag"), 2},
		{"not found", New(NotFound, "get node", "none"), 3},
		{"auth", New(Auth, "", "expired"), 4},
		{"offline", New(Offline, "", "lost"), 5},
		{"remote failed", New(RemoteFailed, "", "1 of 2"), 6},
		{"refused", New(Refused, "", "no"), 7},
		{"pending", New(Pending, "", "running"), 8},
		{"throttled is a failure", New(Throttled, "", "slow"), 1},
		{"a conflict is a failure", New(Conflict, "", "exists"), 1},
		{"a limit is a failure", New(Limit, "", "too many"), 1},
		{"a fault of the service is a failure", New(Service, "", "500"), 1},
		{"interrupted", New(Interrupted, "", "stop"), 130},
		{"a cancelled context is an interrupt", fmt.Errorf("wait: %w", context.Canceled), 130},
		{"wrapping keeps the kind", fmt.Errorf("outer: %w", New(Offline, "", "lost")), 5},
		{"the outermost kind wins", New(Usage, "", "%w", New(Offline, "", "lost")), 2},
		{"a remote status passes through", fmt.Errorf("exec: %w", &Exit{Code: 42}), 42},
		{"an unknown kind is a failure", &Error{Kind: 99}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ExitCode(tt.err); got != tt.want {
				t.Errorf("ExitCode(%v) = %d, want %d", tt.err, got, tt.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	tests := []struct {
		err  *Error
		want string
	}{
		{New(Offline, "start session on i-1", "agent is not connected"), "start session on i-1: agent is not connected"},
		{Usagef("unknown flag"), "unknown flag"},
		{&Error{Op: "run"}, "run"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestHintOf(t *testing.T) {
	inner := New(Auth, "call", "expired").WithHint("run `aws sso login --profile %s`", "x")
	outer := &Error{Kind: Failed, Op: "list", Err: fmt.Errorf("wrapped: %w", inner)}
	if got, want := HintOf(outer), "run `aws sso login --profile x`"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := HintOf(errors.New("x")); got != "" {
		t.Errorf("a plain error has hint %q, want none", got)
	}
}

func TestKindNames(t *testing.T) {
	seen := map[string]bool{}
	for k := Failed; int(k) < len(kinds); k++ {
		name := k.String()
		if name == "" || seen[name] {
			t.Errorf("kind %d: name %q is empty or taken", k, name)
		}
		seen[name] = true
	}
	if got, want := Kind(-1).String(), "kind(-1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExplain(t *testing.T) {
	denied := New(Auth, "list nodes", "access denied")
	if got := Explain(denied); got != denied.Error() {
		t.Errorf("%q without a hint", got)
	}
	if got := Explain(fmt.Errorf("eu-west-1: %w", denied.WithHint("log in again"))); got != "eu-west-1: "+denied.Error()+": log in again" {
		t.Errorf("%q", got)
	}
}
