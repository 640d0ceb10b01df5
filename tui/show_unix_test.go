//go:build unix

package tui_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/terminal/termtest"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// stage is a real terminal with a dashboard on it.
type stage struct {
	*termtest.Terminal
	t      *testing.T
	before *term.State
	page   *page
	trace  string // the file of the trace
	silent bool   // the terminal does not say what it is
	// answered is closed when it has said so: what is typed then comes behind that.
	answered chan struct{}
	show     func(context.Context, *terminal.Terminal, tui.Options) (tui.Outcome, error)
	stop     context.CancelFunc
	out      tui.Outcome
	err      error
	ended    chan struct{}
}

// show shows one dashboard on a terminal.
func show(ctx context.Context, t *terminal.Terminal, o tui.Options) (tui.Outcome, error) {
	taken, err := tui.Take(t)
	if err != nil {
		return tui.Outcome{}, err
	}
	defer taken.Close()
	return taken.Show(ctx, o)
}

func onStage(t *testing.T, change func(*stage, *tui.Options)) *stage {
	t.Helper()
	s := &stage{Terminal: termtest.Open(t, 80, 24), t: t, ended: make(chan struct{}), answered: make(chan struct{}), show: show, trace: filepath.Join(t.TempDir(), "trace")}
	var err error
	if s.before, err = term.GetState(int(s.TTY.Fd())); err != nil {
		t.Fatal(err)
	}
	d := &deck.Deck{Styles: theme.New(theme.Dark, true, false), Now: tuitest.Now, Location: time.UTC, Still: true, Where: deck.Where{Account: "123456789012"}}
	desk := feed.NewDesk(nil, nil)
	s.page = newPage(d, "fleet")
	s.page.source.Set(tuitest.Place, machines, tuitest.Now)
	s.page.Update(feed.Changed{Feed: "fleet"})
	o := tui.Options{Deck: d, Desk: desk, Pages: []deck.Page{s.page}, CrashFile: func() (io.WriteCloser, string, error) {
		f, err := os.Create(s.trace)
		return f, s.trace, err
	}}
	if change != nil {
		change(s, &o)
	}
	if !s.silent && !o.AskBackground { // else it answers in order, and the test says when
		var heard []byte // not answered yet: what is asked may come in pieces
		var once sync.Once
		s.Answer(func(written []byte) {
			heard = append(heard, written...)
			for i := bytes.Index(heard, []byte(asksWhat)); i >= 0; i = bytes.Index(heard, []byte(asksWhat)) {
				s.Type(isWhat)
				heard = heard[i+len(asksWhat):]
				once.Do(func() { close(s.answered) })
			}
		})
	}
	trm, err := terminal.Open(s.TTY, s.TTY)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() {
		defer close(s.ended)
		s.out, s.err = s.show(ctx, trm, o)
		desk.Close()
	}()
	t.Cleanup(func() {
		stop()
		<-s.ended
	})
	return s
}

// back waits for the end and checks that the terminal is as it was.
func (s *stage) back() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("it did not end:\n%q", s.Written())
	}
	after, err := term.GetState(int(s.TTY.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	if !reflect.DeepEqual(s.before, after) {
		s.t.Errorf("the terminal's settings changed:\n%+v\n%+v", s.before, after)
	}
	s.Type("~end\r")
	s.See("~end") // the terminal echoes again
	text := s.Written()
	for on, off := range map[string]string{
		"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?1004h": "\x1b[?1004l", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1002h": "\x1b[?1002l",
	} {
		if strings.LastIndex(text, on) > strings.LastIndex(text, off) {
			s.t.Errorf("%q was not undone:\n%q", on, text)
		}
	}
	if strings.Count(text, "\x1b[22;2t") != strings.Count(text, "\x1b[23;2t") {
		s.t.Errorf("the title of the window was not given back:\n%q", text)
	}
	if strings.Contains(text, " q") && strings.Contains(text, "\x1b[2 q") {
		s.t.Error("the shape of the cursor was changed")
	}
}

// The terminal comes back whatever ends the dashboard.
func TestNeverLosesTheTerminal(t *testing.T) {
	broken := func() tea.Msg { panic("boom") }
	tests := []struct {
		name string
		end  func(s *stage)
		want string // of the error; empty: none
	}{
		{"when it is left", func(s *stage) { s.Type("q") }, ""},
		{"after two ctrl+c", func(s *stage) { s.Type("\x03\x03") }, ""},
		{"when its context ends", func(s *stage) { s.stop() }, "context canceled"},
		{"after a panic in Update", func(s *stage) { s.Type("U") }, "the dashboard broke: Update"},
		{"after a panic in View", func(s *stage) { s.Type("V") }, "the dashboard broke: View"},
		{"after a panic in a command", func(s *stage) { s.Type("C") }, "the dashboard broke: boom"},
		{"after a panic in one of several commands", func(s *stage) { s.Type("B") }, "the dashboard broke: boom"},
		{"after a panic of what had it", func(s *stage) { s.Type("S") }, "the dashboard broke: shell"},
		{"after a panic behind it", func(s *stage) { s.Type("G") }, "the dashboard broke: boom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := onStage(t, func(s *stage, o *tui.Options) {
				desk := o.Desk
				o.Run = breaking{}
				s.page.actions = []deck.Action{
					{Key: "U", Name: "u", Do: func() tea.Cmd { panic("Update") }},
					{Key: "V", Name: "v", Do: func() tea.Cmd { s.page.breaks = true; return nil }},
					{Key: "C", Name: "c", Do: func() tea.Cmd { return broken }},
					{Key: "B", Name: "b", Do: func() tea.Cmd { return tea.Batch(func() tea.Msg { return nil }, broken) }},
					{Key: "S", Name: "s", Do: func() tea.Cmd { return deck.Ask(deck.Line{Words: []string{"shell"}, How: deck.OnScreen}) }},
					{Key: "G", Name: "g", Do: func() tea.Cmd { return desk.Go(func(context.Context) tea.Msg { return broken() }) }},
				}
			})
			s.See("web-1")
			tt.end(s)
			s.back()
			if tt.want == "" {
				if s.err != nil {
					t.Errorf("failed with %v", s.err)
				}
				return
			}
			if s.err == nil || !strings.Contains(s.err.Error(), tt.want) {
				t.Fatalf("failed with %v, want %s", s.err, tt.want)
			}
			if strings.Contains(tt.want, "broke") {
				trace, err := os.ReadFile(s.trace)
				if err != nil || !strings.Contains(string(trace), "show_unix_test.go") {
					t.Errorf("the trace is %q, %v", trace, err)
				}
				if strings.Contains(s.Written(), "goroutine ") {
					t.Error("the trace was written on the terminal")
				}
			}
		})
	}
}

// breaking panics in each line.
type breaking struct{}

func (breaking) Run(_ context.Context, words []string, _ grid.Place, _ io.Reader, _, _ io.Writer) int {
	panic(words[0])
}

// lent is a line that has the terminal, as a shell has.
type lent struct{ s *stage }

func (l lent) Run(_ context.Context, _ []string, _ grid.Place, in io.Reader, out, errs io.Writer) int {
	state, _ := term.GetState(int(l.s.TTY.Fd()))
	if !reflect.DeepEqual(state, l.s.before) {
		_, _ = io.WriteString(errs, "the terminal is not as it was\n")
		return 1
	}
	_, _ = io.WriteString(out, "in the shell\r\n")
	line := make([]byte, 64)
	n, _ := in.Read(line)
	_, _ = io.WriteString(out, "read "+string(line[:n]))
	_ = l.s.Resize(100, 30) // a resize that nobody tells the dashboard of
	return 3
}

// A line has the terminal as it was before the dashboard, and the dashboard has it
// again afterwards, in the size that it has then.
func TestALineHasTheTerminal(t *testing.T) {
	s := onStage(t, func(s *stage, o *tui.Options) {
		o.Run = lent{s}
		s.page.actions = []deck.Action{{Key: "s", Name: "shell", Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: []string{"shell"}, What: "shell on web-1", How: deck.OnScreen})
		}}}
	})
	s.See("web-1")
	s.Type("s")
	s.See("in the shell")
	s.Type("hello\r")
	s.See("read hello")
	s.See("shell on web-1 ended: exit 3")
	s.See(strings.Repeat("─", 100)) // the rule of the new size
	s.Forget()
	_ = s.Resize(80, 24) // the size of before, which was the last that anybody was told
	_ = unix.Kill(os.Getpid(), unix.SIGWINCH)
	s.See("web-1")
	s.Type("q")
	s.back()
	if s.err != nil {
		t.Error(s.err)
	}
}

func TestTheOutcomeHasTheLayout(t *testing.T) {
	s := onStage(t, func(_ *stage, o *tui.Options) { o.Contexts = []string{"stage"} })
	s.See("web-1")
	s.Type(":context stage\r")
	s.back()
	if s.err != nil || s.out.Context != "stage" || s.out.Layout.Page != "fleet" {
		t.Errorf("%+v, %v", s.out, s.err)
	}
}

// Who decides to stay does not go to the other context later.
func TestStayingForgetsTheOtherContext(t *testing.T) {
	s := onStage(t, func(_ *stage, o *tui.Options) {
		o.Contexts = []string{"stage"}
		o.Busy = func() []string { return []string{"forward orders-db"} }
	})
	s.See("web-1")
	s.Type(":context stage\r")
	s.See("would end")
	s.Type("\r") // stay
	s.Type("q")
	s.Type("leave\r")
	s.back()
	if s.err != nil || s.out.Context != "" {
		t.Errorf("%+v, %v", s.out, s.err)
	}
}

// Keys are answered while a load hangs, and leaving the view cancels it.
func TestNeverBlocks(t *testing.T) {
	began, cancelled := make(chan struct{}), make(chan struct{})
	s := onStage(t, func(s *stage, o *tui.Options) {
		o.Desk.Cells = []grid.Cell{{Place: tuitest.Place}}
		var once sync.Once
		slow := newPage(o.Deck, "patch")
		slow.source = feed.NewSource("patch", func(ctx context.Context, _ grid.Cell, _ func([]machine)) ([]machine, error) {
			once.Do(func() { close(began) })
			<-ctx.Done()
			close(cancelled)
			return nil, ctx.Err()
		})
		o.Pages = append(o.Pages, slow)
		s.page.source = feed.NewSource("fleet", func(context.Context, grid.Cell, func([]machine)) ([]machine, error) { return machines, nil })
	})
	s.See("web-1")
	s.Type("2")
	<-began
	s.See("loading")
	s.Type("?")
	s.See("Keys of Patch") // it answers
	s.Type("view Fleet\r")
	select {
	case <-cancelled:
	case <-time.After(20 * time.Second):
		t.Fatal("a load that nobody wants any more goes on")
	}
	s.Type("q")
	s.back()
}

const (
	asksWhat       = "\x1b[c"
	isWhat         = "\x1b[?62;22c"
	asksBackground = "\x1b]11;?\x07"
	white          = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
)

// What the terminal still has to say does not come to who has it next: a shell opened
// from inside, or the one the dashboard was started from.
func TestTheAnswerOfTheTerminalIsAwaited(t *testing.T) {
	for name, way := range map[string]struct{ key, before, after string }{
		"when a shell is opened": {"s", "in the shell", "shell on web-1 ended"},
		"when it is left":        {"q", "\x1b[?1049l", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := onStage(t, func(s *stage, o *tui.Options) {
				o.AskBackground = true
				o.Run = lent{s}
				s.page.actions = []deck.Action{{Key: "s", Name: "shell", Do: func() tea.Cmd {
					return deck.Ask(deck.Line{Words: []string{"shell"}, What: "shell on web-1", How: deck.OnScreen})
				}}}
			})
			s.See(asksBackground)
			s.Type(way.key)
			s.Type(white)
			s.See(way.before)
			if way.after != "" {
				s.Type("hello\r")
				s.See("read hello") // and nothing before it
				s.See(way.after)
				s.Type("q")
			}
			s.back()
			if strings.Contains(s.Written(), "rgb:") {
				t.Errorf("the answer was taken for keys:\n%q", s.Written())
			}
			if s.err != nil {
				t.Error(s.err)
			}
		})
	}
}

// A terminal that does not answer delays nothing for long, and the first frame not at all.
func TestNoAnswerOfTheTerminal(t *testing.T) {
	s := onStage(t, func(_ *stage, o *tui.Options) { o.AskBackground = true })
	s.See("web-1")
	s.Type("q")
	s.back()
	if s.err != nil {
		t.Error(s.err)
	}
}

func TestTheTerminalIsNotAskedForNothing(t *testing.T) {
	for name, change := range map[string]func(*tui.Options){
		"a theme is chosen":    func(o *tui.Options) { o.AskBackground, o.ChosenTheme = true, "dark" },
		"there are no colours": func(o *tui.Options) { o.AskBackground, o.Deck.Styles = true, theme.New(theme.Dark, false, false) },
	} {
		t.Run(name, func(t *testing.T) {
			s := onStage(t, func(_ *stage, o *tui.Options) { change(o) })
			s.See("web-1")
			s.Type("q")
			s.back()
			if strings.Contains(s.Written(), asksBackground) {
				t.Error("it was asked for its background")
			}
		})
	}
}
