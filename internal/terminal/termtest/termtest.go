// Package termtest is a terminal for tests, with somebody at it: what they type goes in,
// and what they see is what a terminal makes of the bytes, not the bytes. A program that
// draws writes only what has changed: of "1/5" behind "0/5" it is the 1.
package termtest

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Patience is how long See waits. It is long: on a busy machine it takes its time.
const Patience = 30 * time.Second

// Terminal is a pseudo-terminal and its screen.
type Terminal struct {
	Keys *os.File // the person's side
	TTY  *os.File // the program's side

	t    testing.TB
	news chan struct{}

	mu      sync.Mutex
	written bytes.Buffer
	from    int // what Forget has forgotten
	screen  *vt.Emulator
	answer  func([]byte)
}

// Open makes a terminal that lasts as long as the test. What is cleaned up later than it was
// opened still has it. Where there are no pseudo-terminals the test is skipped.
func Open(t testing.TB, cols, rows int) *Terminal {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	s := &Terminal{Keys: keys, TTY: tty, t: t, news: make(chan struct{}, 1), screen: vt.NewEmulator(cols, rows)}
	var group sync.WaitGroup
	t.Cleanup(func() {
		_ = tty.Close()
		_ = keys.Close()
		if pipe, ok := s.screen.InputPipe().(io.Closer); ok {
			_ = pipe.Close()
		}
		group.Wait()
	})
	if err := pty.Setsize(keys, size(cols, rows)); err != nil {
		t.Fatal(err)
	}
	group.Go(s.read)
	group.Go(func() { _, _ = io.Copy(io.Discard, s.screen) }) // what the emulator would answer
	return s
}

func size(cols, rows int) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}
}

func (s *Terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := s.Keys.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.written.Write(buf[:n])
			_, _ = s.screen.Write(buf[:n]) // fails only when it is closed
			answer := s.answer
			s.mu.Unlock()
			if answer != nil {
				answer(buf[:n])
			}
		}
		select {
		case s.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// Resize gives it another size, of which the program is told by a signal, if at all.
func (s *Terminal) Resize(cols, rows int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.screen.Resize(cols, rows)
	return pty.Setsize(s.Keys, size(cols, rows))
}

// Answer has somebody told of all that is written: a terminal answers what it is asked, and
// this one says nothing by itself.
func (s *Terminal) Answer(told func(written []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = told
}

// Type types.
func (s *Terminal) Type(keys string) {
	s.t.Helper()
	if _, err := s.Keys.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// Written is all that was ever written to it.
func (s *Terminal) Written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

// Screen is what is to be seen now.
func (s *Terminal) Screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.String()
}

// Forget has See look only at what is written from now on.
func (s *Terminal) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from = s.written.Len()
}

// See waits until text has been on the screen, or was written otherwise, as sequences are.
// Behind a Forget it must be written in one piece.
func (s *Terminal) See(text string) {
	s.t.Helper()
	if !s.Sees(text, Patience) {
		s.t.Fatalf("%q was not shown; the screen is\n%s\nand this was written:\n%q", text, s.Screen(), s.Written())
	}
}

// Sees is See without insisting.
func (s *Terminal) Sees(text string, limit time.Duration) bool {
	return s.wait(limit, func() bool { return s.shows(text) })
}

// Until waits until the screen is as wanted.
func (s *Terminal) Until(what string, wanted func(screen string) bool) {
	s.t.Helper()
	if !s.wait(Patience, func() bool { return wanted(s.Screen()) }) {
		s.t.Fatalf("waited in vain for %s; the screen is\n%s", what, s.Screen())
	}
}

// Find waits until the screen matches an expression, and returns what its groups are then.
func (s *Terminal) Find(pattern string) (groups []string) {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	s.Until(pattern, func(screen string) bool {
		groups = re.FindStringSubmatch(screen)
		return groups != nil
	})
	return groups[1:]
}

// wait waits until something is so, of which what is written decides.
func (s *Terminal) wait(limit time.Duration, so func() bool) bool {
	late := time.After(limit)
	for !so() {
		select {
		case <-s.news:
		case <-late:
			return so()
		}
	}
	return true
}

func (s *Terminal) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.written.Bytes()[s.from:], []byte(text)) ||
		s.from == 0 && strings.Contains(s.screen.String(), text)
}
