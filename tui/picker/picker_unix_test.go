//go:build unix

package picker

import (
	"bufio"
	"context"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/terminal/termtest"
	"github.com/ssmdeck/ssmdeck/tui/window"
)

type result struct {
	ids []string
	err error
}

// run shows the picker on a terminal until it is left, or the test ends.
func run(ctx context.Context, t *testing.T, s *termtest.Terminal, o Options) <-chan result {
	o.Styles, o.Title = plain(false), "node"
	ctx, stop := context.WithCancel(ctx)
	done, ended := make(chan result, 1), make(chan struct{})
	go func() {
		defer close(ended)
		ids, err := Run(ctx, s.TTY, s.TTY, o)
		done <- result{ids, err}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return done
}

const mark = "#over"

// whole is all that was written, when nobody writes any more.
func whole(t *testing.T, s *termtest.Terminal) string {
	t.Helper()
	if _, err := io.WriteString(s.TTY, mark); err != nil {
		t.Fatal(err)
	}
	s.See(mark)
	return s.Written()
}

func TestNothingTypedBehindEnterIsTaken(t *testing.T) {
	for name, end := range map[string]string{"Enter": "web-2\r", "Ctrl-C": "\x03"} {
		t.Run(name, func(t *testing.T) {
			s := termtest.Open(t, 80, 24)
			before, err := term.GetState(int(s.TTY.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			done := run(t.Context(), t, s, Options{Items: shop()})
			s.See("5/5")
			s.Type(end + "for the next program\n")
			got := <-done
			switch {
			case name == "Enter" && (got.err != nil || !slices.Equal(got.ids, []string{"i-0a1b2c3d4e5f60718"})):
				t.Errorf("chosen %v, %v", got.ids, got.err)
			case name != "Enter" && !errors.Is(got.err, ErrLeft):
				t.Errorf("left: %v", got.err)
			}
			after, err := term.GetState(int(s.TTY.Fd()))
			if err != nil || !reflect.DeepEqual(before, after) {
				t.Errorf("the terminal is not as it was: %v", err)
			}
			line, err := bufio.NewReader(s.TTY).ReadString('\n')
			if err != nil || line != "for the next program\n" {
				t.Errorf("the next program reads %q, %v", line, err)
			}
			written := whole(t, s)
			for _, query := range []string{"\x1b[?2026$p", "\x1b[?2027$p", "\x1b[?u", "\x1b[c", "\x1b[6n", "\x1b]1"} {
				if strings.Contains(written, query) {
					t.Errorf("the terminal is asked %q", query)
				}
			}
			if strings.Contains(written, " q") {
				t.Error("the shape of the cursor is changed")
			}
			if strings.Count(written, "\x1b[?2004h") != strings.Count(written, "\x1b[?2004l") || strings.Contains(written, "\x1b[?1049h") {
				t.Errorf("a mode is left on, or the other screen was used: %q", written)
			}
		})
	}
}

func TestEscapeLeavesAndArrowsDoNot(t *testing.T) {
	s := termtest.Open(t, 80, 24)
	done := run(t.Context(), t, s, Options{Items: shop()})
	s.See("5/5")
	s.Type("\x1b[B\x1b[B")
	s.Type("\x1b")
	if got := <-done; !errors.Is(got.err, ErrLeft) {
		t.Errorf("got %v, %v", got.ids, got.err)
	}
}

// A paste chooses nothing, however long it is, and what a terminal answers types nothing.
func TestAPasteChoosesNothing(t *testing.T) {
	s := termtest.Open(t, 80, 24)
	done := run(t.Context(), t, s, Options{Items: shop()})
	s.See("5/5")
	s.Type(pasteStart + "web-2" + strings.Repeat(" \r", longestPaste) + pasteEnd)
	s.Type("\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c")
	s.Type("\x15tokio\x15web-2")
	s.See("1/5")
	select {
	case got := <-done:
		t.Fatalf("it has chosen %v, %v", got.ids, got.err)
	default:
	}
	s.Type(pasteStart + strings.Repeat("x\r", longestPaste)) // and no end
	s.Type("\x03")
	if got := <-done; !errors.Is(got.err, ErrLeft) {
		t.Errorf("got %v, %v", got.ids, got.err)
	}
}

func TestTheListIsRefreshedWhileItIsOpen(t *testing.T) {
	s := termtest.Open(t, 80, 24)
	more := make(chan struct{})
	done := run(t.Context(), t, s, Options{Items: shop()[:1], Load: func(ctx context.Context) ([]Item, error) {
		select {
		case <-more:
			return shop(), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	s.See("1/1, loading")
	close(more)
	s.See("5/5")
	s.Type("tokio")
	s.Type("\x15web-2\r")
	if got := <-done; got.err != nil || !slices.Equal(got.ids, []string{"i-0a1b2c3d4e5f60718"}) {
		t.Errorf("got %v, %v", got.ids, got.err)
	}
}

func TestWaysOutThatNobodyTyped(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		s := termtest.Open(t, 80, 24)
		ctx, cancel := context.WithCancel(t.Context())
		loading := make(chan struct{})
		done := run(ctx, t, s, Options{Items: shop(), Load: func(ctx context.Context) ([]Item, error) {
			<-ctx.Done() // must end with the picker
			close(loading)
			return nil, ctx.Err()
		}})
		s.See("5/5")
		cancel()
		if got := <-done; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %v, %v", got.ids, got.err)
		}
		select {
		case <-loading:
		default:
			t.Error("the loading outlives the picker")
		}
		written := whole(t, s)
		// From the filter line, where the cursor is, everything below goes, and what is
		// written next stands there.
		if screen := s.Screen(); strings.TrimSpace(screen) != mark || !strings.HasPrefix(screen, mark) {
			t.Errorf("what was drawn is left on the screen:\n%s", screen)
		}
		if !strings.Contains(written, "type to filter") || strings.Contains(written, "\x1b[?1049l") {
			t.Errorf("it was not drawn, or the other screen was left, which was never used: %q", written)
		}
	})
	t.Run("nothing to choose from", func(t *testing.T) {
		s := termtest.Open(t, 80, 24)
		denied := errors.New("denied")
		if got := <-run(t.Context(), t, s, Options{Load: func(context.Context) ([]Item, error) { return nil, denied }}); !errors.Is(got.err, denied) {
			t.Errorf("got %v, %v", got.ids, got.err)
		}
		if got := <-run(t.Context(), t, s, Options{Load: func(context.Context) ([]Item, error) { return nil, nil }}); got.err != nil || got.ids != nil {
			t.Errorf("an empty list: %v, %v", got.ids, got.err)
		}
	})
}

// Whoever goes on at once, as after a SIGSTOP, sees the list again: what drew it before
// must have stopped by then, or it takes the clock of what draws it now with it.
func TestTheListIsDrawnAgainHoweverShortThePause(t *testing.T) {
	s := termtest.Open(t, 80, 24)
	trm, err := terminal.Open(s.TTY, s.TTY)
	if err != nil {
		t.Fatal(err)
	}
	p := tea.NewProgram(newModel(Options{Items: shop(), Styles: plain(false), Title: "node"}),
		append(window.Options(trm, trm.Window()), tea.WithInput(nil), tea.WithOutput(canvas(s.TTY)), tea.WithoutSignalHandler())...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = p.Run()
	}()
	s.See("5/5")
	if began := time.Now(); !stillDrawing() {
		t.Error("it does not draw")
	} else if terminal.AwaitStill(); time.Since(began) < 500*time.Millisecond {
		t.Error("the goroutine that draws is not known any more by its name")
	}
	for cols := 70; cols > 30; cols -= 10 { // the window has another size each time
		stood := make(chan bool, 1)
		p.Send(stopped{func() error {
			stood <- stillDrawing()
			return s.Resize(cols, 24)
		}})
		if <-stood {
			t.Fatal("it still draws while somebody else has the terminal")
		}
		s.See("node> " + strings.Repeat(" ", cols-len("node> 5/5")-1) + "5/5")
	}
	if err := s.Resize(70, 24); err != nil {
		t.Fatal(err)
	}
	p.Send(tea.WindowSizeMsg{Width: 30, Height: 24}) // said of an earlier size, and late
	s.See("node> " + strings.Repeat(" ", 70-len("node> 5/5")-1) + "5/5")
	p.Quit()
	<-ended
}

// stillDrawing reports whether Bubble Tea's goroutine that draws is there.
func stillDrawing() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "startRenderer.func1(")
}
