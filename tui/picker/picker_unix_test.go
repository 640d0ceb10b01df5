//go:build unix

package picker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// screen is a terminal with somebody at it.
type screen struct {
	t        *testing.T
	keys     *os.File // what is typed goes in here
	tty      *os.File
	mu       sync.Mutex
	shown    bytes.Buffer
	changed  chan struct{}
	finished chan struct{}
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, keys: ptmx, tty: tty, changed: make(chan struct{}, 1), finished: make(chan struct{})}
	go func() {
		defer close(s.finished)
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.shown.Write(buf[:n])
			s.mu.Unlock()
			select {
			case s.changed <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		_ = ptmx.Close()
		<-s.finished
	})
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// see waits until text is on the screen.
func (s *screen) see(text string) {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for !strings.Contains(s.text(), text) {
		select {
		case <-s.changed:
		case <-deadline:
			s.t.Fatalf("%q does not appear in %q", text, s.text())
		}
	}
}

func (s *screen) typed(keys string) {
	s.t.Helper()
	if _, err := s.keys.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

type result struct {
	ids []string
	err error
}

func (s *screen) run(ctx context.Context, o Options) <-chan result {
	o.Styles, o.Title = plain(false), "node"
	done := make(chan result, 1)
	go func() {
		ids, err := Run(ctx, s.tty, s.tty, o)
		done <- result{ids, err}
	}()
	return done
}

func TestNothingTypedBehindEnterIsTaken(t *testing.T) {
	for name, end := range map[string]string{"Enter": "web-2\r", "Ctrl-C": "\x03"} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(t)
			before, err := term.GetState(int(s.tty.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			done := s.run(t.Context(), Options{Items: shop()})
			s.see("5/5")
			s.typed(end + "for the next program\n")
			got := <-done
			switch {
			case name == "Enter" && (got.err != nil || !slices.Equal(got.ids, []string{"i-0a1b2c3d4e5f60718"})):
				t.Errorf("chosen %v, %v", got.ids, got.err)
			case name != "Enter" && !errors.Is(got.err, ErrLeft):
				t.Errorf("left: %v", got.err)
			}
			after, err := term.GetState(int(s.tty.Fd()))
			if err != nil || !reflect.DeepEqual(before, after) {
				t.Errorf("the terminal is not as it was: %v", err)
			}
			line, err := bufio.NewReader(s.tty).ReadString('\n')
			if err != nil || line != "for the next program\n" {
				t.Errorf("the next program reads %q, %v", line, err)
			}
			s.see("\x1b[?2004l")
			for _, query := range []string{"\x1b[?2026$p", "\x1b[?2027$p", "\x1b[?u", "\x1b[c", "\x1b[6n", "\x1b]1"} {
				if strings.Contains(s.text(), query) {
					t.Errorf("the terminal is asked %q", query)
				}
			}
			if cursorShape().MatchString(s.text()) {
				t.Error("the shape of the cursor is changed")
			}
			if strings.Count(s.text(), "\x1b[?2004h") != strings.Count(s.text(), "\x1b[?2004l") || strings.Contains(s.text(), "\x1b[?1049h") {
				t.Errorf("a mode is left on, or the other screen was used: %q", s.text())
			}
		})
	}
}

func TestEscapeLeavesAndArrowsDoNot(t *testing.T) {
	s := newScreen(t)
	done := s.run(t.Context(), Options{Items: shop()})
	s.see("5/5")
	s.typed("\x1b[B\x1b[B")
	s.typed("\x1b")
	if got := <-done; !errors.Is(got.err, ErrLeft) {
		t.Errorf("got %v, %v", got.ids, got.err)
	}
}

// A paste chooses nothing, however long it is, and what a terminal answers types nothing.
func TestAPasteChoosesNothing(t *testing.T) {
	s := newScreen(t)
	done := s.run(t.Context(), Options{Items: shop()})
	s.see("5/5")
	s.typed(pasteStart + "web-2" + strings.Repeat(" \r", longestPaste) + pasteEnd)
	s.typed("\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c")
	s.typed("\x15tokio\x15web-2")
	s.see("1/5")
	select {
	case got := <-done:
		t.Fatalf("it has chosen %v, %v", got.ids, got.err)
	default:
	}
	s.typed(pasteStart + strings.Repeat("x\r", longestPaste)) // and no end
	s.typed("\x03")
	if got := <-done; !errors.Is(got.err, ErrLeft) {
		t.Errorf("got %v, %v", got.ids, got.err)
	}
}

func TestTheListIsRefreshedWhileItIsOpen(t *testing.T) {
	s := newScreen(t)
	more := make(chan struct{})
	done := s.run(t.Context(), Options{Items: shop()[:1], Load: func(ctx context.Context) ([]Item, error) {
		select {
		case <-more:
			return shop(), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	s.see("1/1, loading")
	close(more)
	s.see("5/5")
	s.typed("tokio")
	s.typed("\x15web-2\r")
	if got := <-done; got.err != nil || !slices.Equal(got.ids, []string{"i-0a1b2c3d4e5f60718"}) {
		t.Errorf("got %v, %v", got.ids, got.err)
	}
}

func TestWaysOutThatNobodyTyped(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		s := newScreen(t)
		ctx, cancel := context.WithCancel(t.Context())
		loading := make(chan struct{})
		done := s.run(ctx, Options{Items: shop(), Load: func(ctx context.Context) ([]Item, error) {
			<-ctx.Done() // must end with the picker
			close(loading)
			return nil, ctx.Err()
		}})
		s.see("5/5")
		cancel()
		if got := <-done; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %v, %v", got.ids, got.err)
		}
		select {
		case <-loading:
		default:
			t.Error("the loading outlives the picker")
		}
		s.see("\x1b[?2004l")
		// From the filter line, where the cursor is, everything below goes.
		_, end, drawn := strings.Cut(s.text(), "type to filter")
		if !drawn || strings.Contains(end, "\n") || !strings.Contains(end, "\x1b[J") || strings.Contains(end, "\x1b[?1049l") {
			t.Errorf("what was drawn is left on the screen: %q", end)
		}
	})
	t.Run("nothing to choose from", func(t *testing.T) {
		s := newScreen(t)
		denied := errors.New("denied")
		if got := <-s.run(t.Context(), Options{Load: func(context.Context) ([]Item, error) { return nil, denied }}); !errors.Is(got.err, denied) {
			t.Errorf("got %v, %v", got.ids, got.err)
		}
		if got := <-s.run(t.Context(), Options{Load: func(context.Context) ([]Item, error) { return nil, nil }}); got.err != nil || got.ids != nil {
			t.Errorf("an empty list: %v, %v", got.ids, got.err)
		}
	})
}

// Whoever goes on at once, as after a SIGSTOP, sees the list again: what drew it before
// must have stopped by then, or it takes the clock of what draws it now with it.
func TestTheListIsDrawnAgainHoweverShortThePause(t *testing.T) {
	s := newScreen(t)
	p := tea.NewProgram(newModel(Options{Items: shop(), Styles: plain(false), Title: "node"}), tea.WithInput(nil),
		tea.WithOutput(rawOutput{s.tty}), tea.WithoutSignalHandler())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = p.Run()
	}()
	s.see("5/5")
	if began := time.Now(); !stillDrawing() {
		t.Error("it does not draw")
	} else if terminal.AwaitStill(); time.Since(began) < 500*time.Millisecond {
		t.Error("the goroutine that draws is not known any more by its name")
	}
	for range 4 {
		stood := make(chan bool, 1)
		p.Send(stopped{func() error { stood <- stillDrawing(); return nil }})
		if <-stood {
			t.Fatal("it still draws while somebody else has the terminal")
		}
	}
	p.Quit()
	<-ended
}

// stillDrawing reports whether Bubble Tea's goroutine that draws is there.
func stillDrawing() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "startRenderer.func1(")
}
