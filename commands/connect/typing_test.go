package connect

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/commands/escapekeys"
)

// stuck is a session that takes nothing until it is released.
type stuck struct {
	mu   sync.Mutex
	got  strings.Builder
	free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(p)
}

func TestTypingReachesTheSessionInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{free: make(chan struct{})}
		close(s.free)
		r, w := io.Pipe()
		typing := &typist{esc: escapekeys.Filter{Char: '~'}, session: s, keys: r, act: func(a escapekeys.Action) { t.Errorf("action %d", a) }}
		typing.start(func() {})
		for _, keys := range []string{"ls", "\r", "~~", "x\x03\r", "~a"} {
			_, _ = io.WriteString(w, keys)
		}
		_ = w.Close()
		if typing.wait() {
			t.Error("reported as left")
		}
		if got, want := s.got.String(), "ls\r~x\x03\r~a"; got != want {
			t.Errorf("the session got %q, want %q", got, want)
		} else if n := typing.typed(); n != int64(len(want)) {
			t.Errorf("%d bytes counted, want %d", n, len(want))
		}
	})
}

func TestLeavingADeadSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{free: make(chan struct{})}
		r, w := io.Pipe()
		left := make(chan struct{})
		typing := &typist{esc: escapekeys.Filter{Char: '~'}, session: s, keys: r, act: func(a escapekeys.Action) {
			if a != escapekeys.Leave {
				t.Errorf("action %d", a)
			}
			close(left)
			close(s.free) // leaving ends the session, and with it the write that hangs
		}}
		typing.start(func() {})
		_, _ = io.WriteString(w, "typed into the void\r")
		synctest.Wait()
		_, _ = io.WriteString(w, "more\r")
		_, _ = io.WriteString(w, "~")
		_, _ = io.WriteString(w, ".")
		select {
		case <-left:
		default:
			synctest.Wait()
		}
		<-left
		if !typing.wait() {
			t.Error("not reported as left")
		}
		_ = w.CloseWithError(errors.New("done"))
	})
}
