package connect

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/internal/vt"
)

// smallScreen is a screen of 40 by 10 that writes to w.
func smallScreen(w io.Writer) *screen {
	return &screen{out: w, size: func() (int, int) { return 40, 10 }, styles: theme.New(theme.Plain, false, true)}
}

const remoteOutput = "plain\r\n\x1b[1;31mcolour\x1b[m ä€😀\r\n\x1b]0;a title\x07\x1b]2;another\x1b\\\x1b(B\x1b7\x1b[5;5Hx\x1b8\x1bPq#0;\x1b\\end"

// TestTheStatusLineNeverCutsASequence feeds output in pieces of any size with a
// status line drawn between any two of them.
func TestTheStatusLineNeverCutsASequence(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for try := range 200 {
		var b bytes.Buffer
		s := smallScreen(&b)
		var drawn []string
		for rest := remoteOutput; rest != ""; {
			n := 1
			if try > 0 {
				n = 1 + rng.IntN(len(rest))
			}
			if _, err := s.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			before := b.Len()
			s.status(fmt.Sprintf("no connection for %d s", len(drawn)))
			drawn = append(drawn, b.String()[before:])
			// What the terminal has seen so far is whole.
			var scan vt.Scanner
			for _, c := range b.Bytes() {
				scan.Step(c)
			}
			if !scan.Ground() {
				t.Fatalf("within a sequence after %q", b.String())
			}
		}
		s.end()
		got := b.String()
		for _, d := range drawn {
			if d == "" {
				t.Fatal("no status line was drawn")
			}
			got = strings.Replace(got, d, "", 1)
		}
		got = strings.ReplaceAll(got, "\x1b7\x1b[10;1H\x1b[0m\x1b[2K\x1b8", "")
		if got != remoteOutput {
			t.Fatalf("without what is ours it is\n%q, want\n%q", got, remoteOutput)
		}
	}
}

func TestTheStatusLineMakesRoomForItself(t *testing.T) {
	var b bytes.Buffer
	s := smallScreen(&b)
	s.status("no connection")
	want := "\n\x1b[A\x1b7\x1b[10;1H\x1b(B\x0f\x1b[0;7mno connection" + strings.Repeat(" ", 26) + "\x1b[0m\x1b8"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	s.status("no connection")
	if b.Len() > 0 {
		t.Errorf("the same was drawn again: %q", b.String())
	}
	s.status(strings.Repeat("long ", 20))
	if got := b.String(); strings.Contains(got, "\n") || !strings.Contains(got, "long lon~\x1b[0m") {
		t.Errorf("a longer one: %q", got)
	}
	b.Reset()
	s.status("")
	s.status("")
	if b.String() != "\x1b7\x1b[10;1H\x1b[0m\x1b[2K\x1b8" {
		t.Errorf("taken away: %q", b.String())
	}
}

// A window of another size has moved the line; the row it was in holds something
// of the far end now.
func TestTheStatusLineInAWindowOfAnotherSize(t *testing.T) {
	const below = "\n\x1b[A\x1b7\x1b[B\r\x1b[0m\x1b[J\x1b8"
	for _, size := range [][2]int{{40, 6}, {40, 20}, {30, 10}} {
		var b bytes.Buffer
		s := smallScreen(&b)
		s.status("no connection")
		s.size = func() (int, int) { return size[0], size[1] }
		b.Reset()
		s.status("no connection")
		if got := b.String(); !strings.HasPrefix(got, below) || !strings.Contains(got, fmt.Sprintf("\x1b[%d;1H", size[1])) {
			t.Errorf("%v: %q", size, got)
		}
		s.size = func() (int, int) { return 40, 10 }
		b.Reset()
		_, _ = io.WriteString(s, "x")
		if got, want := b.String(), below+"x"; got != want {
			t.Errorf("%v: %q, want %q", size, got, want)
		}
	}
}

func TestAFullScreenProgramIsDrawnOverAndDrawsAnew(t *testing.T) {
	var b bytes.Buffer
	s := smallScreen(&b)
	_, _ = io.WriteString(s, "\x1b[?1049h\x1b[?1000h")
	b.Reset()
	s.status("no connection")
	if strings.Contains(b.String(), "\n") {
		t.Errorf("the screen was moved: %q", b.String())
	}
	if s.uncover() {
		t.Error("to be drawn anew while the line is there")
	}
	s.status("")
	if !s.uncover() || s.uncover() {
		t.Error("not to be drawn anew exactly once")
	}
	s.lines("help")
	if got := b.String(); !strings.Contains(got, "\x1b[1;1H\x1b[2Khelp\x1b[2;1H\x1b[2Kthe next key") || strings.Contains(got, "\n") {
		t.Errorf("lines: %q", got)
	}
	if s.uncover() {
		t.Error("to be drawn anew before a key was typed")
	}
	if !s.key() || s.key() || !s.uncover() {
		t.Error("not to be drawn anew after a key")
	}
	b.Reset()
	full := s.away(func() { b.WriteString("AWAY") })
	if want := "\x1b[?1000l\x1b[?1049lAWAY\x1b[?1049h\x1b[?1000h"; !full || b.String() != want {
		t.Errorf("away: %q, want %q", b.String(), want)
	}
}

func TestLinesOverAProgramInASmallWindow(t *testing.T) {
	var b bytes.Buffer
	s := smallScreen(&b)
	s.size = func() (int, int) { return 20, 2 }
	_, _ = io.WriteString(s, "\x1b[?1049h")
	b.Reset()
	s.lines("short", "longer than the window is", "no room")
	if got, want := b.String(), "\x1b7\x1b(B\x0f\x1b[0m\x1b[1;1H\x1b[2Kshort\x1b[2;1H\x1b[2Klonger than the win~\x1b8"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestModesAreSeenInBrokenSequences(t *testing.T) {
	s := smallScreen(io.Discard)
	for _, tt := range []struct {
		seq  string
		full bool
	}{{"\x1b[3\x1b[?1049h", true}, {"\x1b]0;t\x1b[?1049l", false}, {"\x1b[2;9r", true}, {"\x1b[1;10r", false}} {
		if _, _ = io.WriteString(s, tt.seq); s.fullScreen() != tt.full {
			t.Errorf("%q: full screen %t", tt.seq, !tt.full)
		}
	}
}

func TestAnImageIsNotHeldBack(t *testing.T) {
	var b bytes.Buffer
	s := smallScreen(&b)
	image := "\x1bPq" + strings.Repeat("x", 3*holdBack)
	_, _ = io.WriteString(s, image)
	if b.String() != image {
		t.Errorf("%d bytes came, want %d", b.Len(), len(image))
	}
	s.status("no connection")
	s.lines("help")
	if b.String() != image {
		t.Errorf("drawn into the image: %q", b.String()[len(image):])
	}
	_, _ = io.WriteString(s, "\x1b\\")
	if s.status("no connection"); !strings.Contains(b.String(), "\x1b\\\n") {
		t.Error("not drawn after it")
	}
}

func TestADumbTerminalGetsLines(t *testing.T) {
	var b bytes.Buffer
	s := smallScreen(&b)
	s.plain = true
	if s.canStatus() {
		t.Error("it would get a status line")
	}
	s.lines("one", "two")
	if want := "\r\none\r\ntwo\r\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// stuckTerminal takes nothing until it is released.
type stuckTerminal struct{ taken, release chan struct{} }

func (s stuckTerminal) Write(p []byte) (int, error) {
	close(s.taken)
	<-s.release
	return len(p), nil
}

func TestAKeyDoesNotWaitForAStuckTerminal(t *testing.T) {
	stuck := stuckTerminal{make(chan struct{}), make(chan struct{})}
	s := smallScreen(stuck)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(s, "output")
	}()
	<-stuck.taken
	if s.key() { // hangs when it waits
		t.Error("there was nothing to uncover")
	}
	close(stuck.release)
	<-done
}

// A program is made to draw itself anew also when its size was about to be sent anyway.
func TestARedrawIsNotLostBehindASize(t *testing.T) {
	for _, asked := range [][2]bool{{false, true}, {true, false}} {
		c := &console{resize: make(chan bool, 1)}
		c.sendSize(asked[0])
		c.sendSize(asked[1])
		if redraw := <-c.resize; !redraw || len(c.resize) > 0 {
			t.Errorf("asked for %t: redraw %t, and %d more", asked, redraw, len(c.resize))
		}
	}
}
