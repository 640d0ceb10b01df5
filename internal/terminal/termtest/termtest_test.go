package termtest_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/terminal/termtest"
)

// What is changed in place is seen as it is then, and not as what was written.
func TestWhatIsSeenIsTheScreen(t *testing.T) {
	s := termtest.Open(t, 20, 3)
	write := func(text string) {
		t.Helper()
		if _, err := io.WriteString(s.TTY, text); err != nil {
			t.Fatal(err)
		}
	}
	write("found 0/5\x1b[3D1")
	s.See("found 1/5")
	if !strings.Contains(s.Written(), "found 0/5") || strings.Contains(s.Screen(), "0/5") {
		t.Errorf("written %q, seen %q", s.Written(), s.Screen())
	}
	if found := s.Find(`found (\d)/(\d)`); found[0] != "1" || found[1] != "5" {
		t.Errorf("found %q", found)
	}
	write("\r\x1b[K")
	s.Until("an empty line", func(screen string) bool { return !strings.Contains(screen, "1/5") })
	s.Forget()
	if s.Sees("found 1/5", 0) {
		t.Error("what was forgotten is seen")
	}
	write("\x1b[c more")
	s.See("\x1b[c")
	s.See("more")
	if s.Sees("less", 10*time.Millisecond) {
		t.Error("what was never written is seen")
	}
}

// Who answers is told of everything once.
func TestTheTerminalAnswers(t *testing.T) {
	s := termtest.Open(t, 20, 3)
	s.Answer(func(written []byte) {
		if strings.Contains(string(written), "?") {
			s.Type("yes\n")
		}
	})
	if _, err := io.WriteString(s.TTY, "well?"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	if n, err := s.TTY.Read(buf); err != nil || string(buf[:n]) != "yes\n" {
		t.Errorf("answered %q, %v", buf[:n], err)
	}
	if err := s.Resize(30, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s.TTY, strings.Repeat("x", 25)); err != nil {
		t.Fatal(err)
	}
	s.See(strings.Repeat("x", 24) + "x")
}
