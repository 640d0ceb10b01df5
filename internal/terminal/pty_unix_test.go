//go:build unix

package terminal

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// openPTY returns both ends of a new terminal.
func openPTY(t *testing.T) (master, tty *os.File) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { master.Close(); tty.Close() })
	return master, tty
}

func open(t *testing.T, tty *os.File) *Terminal {
	t.Helper()
	term, err := Open(tty, tty)
	if err != nil {
		t.Fatal(err)
	}
	return term
}

// mode is the complete state of the terminal's line discipline.
func mode(t *testing.T, tty *os.File) *term.State {
	t.Helper()
	s, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantMode(t *testing.T, tty *os.File, want *term.State) {
	t.Helper()
	if got := mode(t, tty); !reflect.DeepEqual(got, want) {
		t.Errorf("terminal mode is %+v, want %+v", got, want)
	}
}

func wantRaw(t *testing.T, tty *os.File, cooked *term.State) {
	t.Helper()
	if reflect.DeepEqual(mode(t, tty), cooked) {
		t.Error("terminal is not in raw mode")
	}
}

// noGoroutineLeft waits for the goroutines of this package to end.
func noGoroutineLeft(t *testing.T, function string) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, function) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a goroutine of %s is left:\n%s", function, stacks)
		}
	}
}

func recv[T any](t *testing.T, c <-chan T, what string) (T, bool) {
	t.Helper()
	select {
	case v, ok := <-c:
		return v, ok
	case <-time.After(time.Minute):
		t.Fatalf("no %s within a minute", what)
		panic("unreachable")
	}
}
