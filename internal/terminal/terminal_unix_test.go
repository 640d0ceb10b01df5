//go:build unix

package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

func TestOpenWantsATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := Open(r, w); !errors.Is(err, ErrNotTerminal) {
		t.Errorf("got %v, want ErrNotTerminal", err)
	}
	if IsTerminal(r) || IsTerminal(nil) {
		t.Error("a pipe, or nothing, passes for a terminal")
	}
	_, tty := openPTY(t)
	if !IsTerminal(tty) {
		t.Error("a terminal does not pass for one")
	}
}

func TestRawAndBackIsTheSameMode(t *testing.T) {
	master, tty := openPTY(t)
	before := mode(t, tty)
	restore, err := open(t, tty).Raw()
	if err != nil {
		t.Fatal(err)
	}
	wantRaw(t, tty, before)

	// Control characters arrive as bytes, unechoed and unedited.
	all := []byte{0x00, 0x03, 0x04, 0x0d, 0x0a, 0x11, 0x13, 0x1a, 0x1c, 0x7f, 0xff}
	if _, err := master.Write(all); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(all))
	if _, err := io.ReadFull(tty, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("got % x, %v, want % x", got, err, all)
	}

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := restore(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantMode(t, tty, before)
}

func TestRestoreIsDoneOnce(t *testing.T) {
	_, tty := openPTY(t)
	term := open(t, tty)
	first, err := term.Raw()
	if err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	cooked := mode(t, tty)
	second, err := term.Raw()
	if err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Fatal(err)
	}
	wantRaw(t, tty, cooked) // the old restore must not end the new raw mode
	if err := second(); err != nil {
		t.Fatal(err)
	}
}

func TestSize(t *testing.T) {
	master, tty := openPTY(t)
	if err := pty.Setsize(master, &pty.Winsize{Cols: 101, Rows: 33}); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for name, out := range map[string]*os.File{"of the output": tty, "of the input when the output is a pipe": w} {
		term, err := Open(tty, out)
		if err != nil {
			t.Fatal(err)
		}
		cols, rows, err := term.Size()
		if cols != 101 || rows != 33 || err != nil {
			t.Errorf("%s: got %d×%d, %v, want 101×33", name, cols, rows, err)
		}
	}
}

func TestGuardRestores(t *testing.T) {
	tests := []struct {
		name  string
		end   func(t *testing.T, g *Guard)
		reset bool
	}{
		{"on close", func(t *testing.T, g *Guard) {
			if err := errors.Join(g.Close(), g.Close()); err != nil {
				t.Error(err)
			}
		}, false},
		{"on close of a lost session", func(t *testing.T, g *Guard) { g.Lost(); g.Close() }, true},
		{"on a panic", func(t *testing.T, g *Guard) {
			defer func() { recover() }()
			defer g.Close()
			panic("x")
		}, false},
		{"on a panic in another goroutine", func(t *testing.T, g *Guard) {
			done := make(chan any)
			go func() {
				defer func() { done <- recover() }()
				defer g.RestoreOnPanic()
				panic("x")
			}()
			if got := <-done; got != "x" {
				t.Errorf("the panic went on as %v, want x", got)
			}
		}, true},
		{"on a cancelled context", func(t *testing.T, g *Guard) {
			ctx, cancel := context.WithCancel(t.Context())
			stop := g.RestoreOnDone(ctx)
			cancel()
			stop()
		}, true},
		{"on SIGTERM", signalled(unix.SIGTERM), true},
		{"on SIGHUP", signalled(unix.SIGHUP), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			master, tty := openPTY(t)
			cooked := mode(t, tty)
			g := open(t, tty).Guard()
			if err := errors.Join(g.Raw(), g.Raw()); err != nil {
				t.Fatal(err)
			}
			wantRaw(t, tty, cooked)
			tt.end(t, g)
			wantMode(t, tty, cooked)
			if err := g.Raw(); err == nil {
				if tt.name != "on a panic in another goroutine" || g.Close() != nil {
					t.Error("raw mode came back after the end")
				}
			}
			// What the terminal received ends at the mark we now send.
			if _, err := tty.WriteString("#"); err != nil {
				t.Fatal(err)
			}
			want := "#"
			if tt.reset {
				want = ResetSequence + "#"
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(master, got); err != nil || string(got) != want {
				t.Errorf("terminal received %q, %v, want %q", got, err, want)
			}
		})
	}
}

func signalled(sig unix.Signal) func(*testing.T, *Guard) {
	return func(t *testing.T, g *Guard) {
		stop := g.RestoreOnSignal()
		if err := unix.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		for {
			g.mu.Lock()
			closed := g.closed
			g.mu.Unlock()
			if closed {
				break
			}
			runtime.Gosched()
		}
		stop()
		stop()
		noGoroutineLeft(t, "RestoreOnSignal.func")
	}
}

func TestGuardThatWatchesLeavesNothing(t *testing.T) {
	_, tty := openPTY(t)
	cooked := mode(t, tty)
	g := open(t, tty).Guard()
	stopSignals, stopDone := g.RestoreOnSignal(), g.RestoreOnDone(t.Context())
	if err := g.Raw(); err != nil {
		t.Fatal(err)
	}
	stopDone()
	stopSignals()
	noGoroutineLeft(t, "RestoreOnSignal.func")
	wantRaw(t, tty, cooked)
	if err := g.Cooked(); err != nil {
		t.Fatal(err)
	}
	wantMode(t, tty, cooked)
	if err := g.Raw(); err != nil {
		t.Fatal(err)
	}
	wantRaw(t, tty, cooked)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	wantMode(t, tty, cooked)
}

// TestChildStaysRaw is not a test but the child of the next one.
func TestChildStaysRaw(t *testing.T) {
	if os.Getenv("SSMDECK_TEST_CHILD") == "" {
		t.Skip("only as a child")
	}
	g := open(t, os.Stdin).Guard()
	defer g.RestoreOnSignal()()
	if err := g.Raw(); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("raw\n")
	select {}
}

func TestSIGQUITRestoresAndStillQuits(t *testing.T) {
	_, tty := openPTY(t)
	cooked := mode(t, tty)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChildStaysRaw$")
	cmd.Env = append(os.Environ(), "SSMDECK_TEST_CHILD=1")
	cmd.Stdin = tty
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("raw\n"))); err != nil {
		t.Fatal(err)
	}
	wantRaw(t, tty, cooked)
	if err := cmd.Process.Signal(unix.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child ended well, want it killed")
	}
	wantMode(t, tty, cooked)
}

// Whoever draws is told to look: at once if the size is another than the one it began
// with, and at each change.
func TestFollow(t *testing.T) {
	_, tty := openPTY(t)
	trm := open(t, tty)
	for _, from := range []Size{{100, 30}, trm.Window()} {
		ctx, cancel := context.WithCancel(t.Context())
		told, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			trm.Follow(ctx, from, func() { told <- struct{}{} })
		}()
		if from != trm.Window() {
			recv(t, told, "the present size")
		}
		for got := false; !got; { // until it listens
			if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
				t.Fatal(err)
			}
			select {
			case <-told:
				got = true
			case <-time.After(10 * time.Millisecond):
			}
		}
		cancel()
		for over := false; !over; {
			select {
			case <-told: // of a signal more
			case <-ended:
				over = true
			}
		}
	}
}

func TestResizes(t *testing.T) {
	master, tty := openPTY(t)
	resize := func(cols, rows uint16) {
		t.Helper()
		if err := pty.Setsize(master, &pty.Winsize{Cols: cols, Rows: rows}); err != nil {
			t.Fatal(err)
		}
		if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
			t.Fatal(err)
		}
	}
	if err := pty.Setsize(master, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sizes := open(t, tty).Resizes(ctx)
	for _, want := range []Size{{100, 30}, {40, 10}} {
		resize(uint16(want.Cols), uint16(want.Rows))
		if got, _ := recv(t, sizes, "new size"); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	// As while the process stands still: a change without a signal, and back again.
	if err := pty.Setsize(master, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	resize(40, 10)
	if got, _ := recv(t, sizes, "the size of before"); got != (Size{40, 10}) {
		t.Errorf("got %v, want that of before", got)
	}
	cancel()
	if _, ok := recv(t, sizes, "end of sizes"); ok {
		t.Error("a size was sent after the end")
	}
	noGoroutineLeft(t, "Resizes.func")
}
