//go:build unix

package dash_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/terminal/termtest"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// show is the dashboard as it is wired, on a terminal.
type show struct {
	*termtest.Terminal
	t      *testing.T
	before *term.State
	breaks atomic.Bool // the next message breaks it
	trace  string
	err    error
	ended  chan struct{}
}

// showDash shows a view until it has rows.
func showDash(t *testing.T, srv *simulator.Server, view string, change func(*show, *tui.Options)) *show {
	t.Helper()
	f := &flow{t: t, srv: srv}
	opts, closeDesk, err := dash.Wire(t.Context(), f.env(flowOptions{}), commands.Run, dash.Options{View: view, Calls: 1000, Parse: commands.Parse})
	if err != nil {
		t.Fatal(err)
	}
	s := &show{Terminal: termtest.Open(t, 140, 40), t: t, trace: filepath.Join(t.TempDir(), "trace"), ended: make(chan struct{})}
	if s.before, err = term.GetState(int(s.TTY.Fd())); err != nil {
		t.Fatal(err)
	}
	opts.AskBackground, opts.Glance = false, 1
	opts.CrashFile = func() (io.WriteCloser, string, error) {
		file, err := os.Create(s.trace)
		return file, s.trace, err
	}
	take := opts.Take
	opts.Take = func(msg tea.Msg) (tea.Cmd, bool) {
		if s.breaks.Load() {
			panic("a message")
		}
		return take(msg)
	}
	change(s, &opts)
	trm, err := terminal.Open(s.TTY, s.TTY)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := tui.Take(trm)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer close(s.ended)
		_, s.err = taken.Show(ctx, opts)
		closeDesk()
		taken.Close()
	}()
	t.Cleanup(func() {
		stop()
		<-s.ended
	})
	return s
}

// broke waits for the end, and checks what is left of it.
func (s *show) broke(what, where string) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.t.Fatalf("it did not end:\n%s", s.Screen())
	}
	if s.err == nil || !strings.Contains(s.err.Error(), "the dashboard broke: "+what) {
		s.t.Fatalf("it ended with %v, want %s", s.err, what)
	}
	after, err := term.GetState(int(s.TTY.Fd()))
	if err != nil || !reflect.DeepEqual(s.before, after) {
		s.t.Errorf("the terminal's settings changed:\n%+v\n%+v, %v", s.before, after, err)
	}
	s.Type("~end\r")
	s.See("~end") // the terminal echoes again, and all before it was read
	written := s.Written()
	for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?1004h": "\x1b[?1004l", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1002h": "\x1b[?1002l"} {
		if strings.LastIndex(written, on) > strings.LastIndex(written, off) {
			s.t.Errorf("%q was not undone", on)
		}
	}
	if strings.Contains(written, "goroutine ") {
		s.t.Error("the trace was written on the terminal")
	}
	if trace, err := os.ReadFile(s.trace); err != nil || !strings.Contains(string(trace), where) {
		s.t.Errorf("the trace does not say %s: %v\n%s", where, err, trace)
	}
}

// breaking is a page that breaks when it is told to.
type breaking struct {
	deck.Page
	view bool
}

func (b *breaking) View() string {
	v := b.Page.View()
	if b.view {
		panic("View")
	}
	return v
}

func (b *breaking) Update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok && k.String() == "f4" {
		panic("Update")
	}
	return b.Page.Update(msg)
}

func (b *breaking) Actions() []deck.Action {
	do := func(key string, f func() tea.Cmd) deck.Action {
		return deck.Action{Key: key, Name: key, Help: key, Whole: true, Do: f}
	}
	return append(b.Page.Actions(),
		do("f5", func() tea.Cmd { b.view = true; return nil }),
		do("f6", func() tea.Cmd { panic("an action") }),
		do("f7", func() tea.Cmd { return func() tea.Msg { panic("a command") } }),
		do("f8", func() tea.Cmd { return deck.Ask(deck.Line{Words: []string{"ls"}, What: "a line"}) }))
}

// broken panics in each line.
type broken struct{}

func (broken) Run(context.Context, []string, grid.Place, io.Reader, io.Writer, io.Writer) int {
	panic("a line")
}

// blank takes the scopes away that sources read with: what they call breaks for real.
func blank(d *feed.Desk) {
	cells := slices.Clone(d.Cells)
	for i := range cells {
		cells[i].Scope = nil
	}
	d.Cells = cells
}

func demoServer(t *testing.T) *simulator.Server {
	t.Helper()
	srv, err := simulator.Start(context.Background(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// Whatever breaks on whichever page, the terminal is given back.
func TestAPanicOnAnyPage(t *testing.T) {
	srv := demoServer(t)
	breaks := []struct {
		name, key string
		what      string // of the error
		where     string // in the trace
		rows      bool   // what is under the cursor is needed
	}{
		{"Update", "\x1bOS", "Update", "(*breaking).Update", false},
		{"View", "\x1b[15~", "View", "(*breaking).View", false},
		{"an action", "\x1b[17~", "an action", "(*breaking).Actions", false},
		{"a command", "\x1b[18~", "a command", "(*breaking).Actions", false},
		{"a line", "\x1b[19~", "a line", "dash_test.broken.Run", false},
		{"a source", "\x12", "runtime error: invalid memory address", "awsapi.(*Scope)", false},
		{"a detail", "j", "runtime error: invalid memory address", "awsapi.(*Scope)", true},
	}
	for view, rows := range map[string]string{ // what is seen once they are there; empty: no detail is loaded for them
		"overview": "", "fleet": "web-1", "patch": "whole fleet", "commands": "", "sessions": "", "parameters": "myapp", "automation": "", "windows": "",
	} {
		for _, b := range breaks {
			if b.rows && rows == "" {
				continue
			}
			t.Run(view+", "+b.name, func(t *testing.T) {
				s := showDash(t, srv, view, func(_ *show, o *tui.Options) {
					desk, take := o.Desk, o.Take
					o.Run = broken{}
					for i := range o.Pages {
						o.Pages[i] = &breaking{Page: o.Pages[i]}
					}
					o.Take = func(msg tea.Msg) (tea.Cmd, bool) {
						switch k, _ := msg.(tea.KeyPressMsg); k.String() {
						case "ctrl+r":
							blank(desk)
						case "j":
							dash.LoseScopes()
						}
						return take(msg)
					}
				})
				s.See("⟳")
				s.See(rows)
				if view == "parameters" && b.rows { // folders have nothing to read
					s.Type("Tg") // the list, from its beginning
					s.See("/myapp/prod/")
				}
				s.Type(b.key)
				s.broke(b.what, b.where)
			})
		}
	}
}

// A trace has nothing of what was on the screen or in a form.
func TestATraceHasNoSecrets(t *testing.T) {
	const typed = "typed-into-a-form"
	srv := demoServer(t)
	for name, tt := range map[string]struct {
		secret string
		put    func(s *show) // on the screen, or in the form
	}{
		"on the screen": {secretOfDemo, func(s *show) {
			s.Type("/db-password type=SecureString\r")
			s.See("(hidden) v shows it")
			s.Type("v")
			s.See(secretOfDemo)
		}},
		"in a form": {typed, func(s *show) {
			s.Type("n")
			s.See("New parameter")
			s.Type("\x15/flow/token\t\x15SecureString\r\r\r\r\r")
			s.See("Value of /flow/token")
			s.Type(typed)
			s.See("•••")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := showDash(t, srv, "parameters", func(*show, *tui.Options) {})
			s.See("myapp/")
			tt.put(s)
			s.breaks.Store(true)
			s.Type("x")
			s.broke("a message", "panic_unix_test.go")
			trace, _ := os.ReadFile(s.trace)
			_, after, _ := strings.Cut(s.Written(), "\x1b[?1049l")
			for place, text := range map[string]string{"the trace": string(trace), "the error": fmt.Sprintf("%+v", s.err), "the terminal": after} {
				if strings.Contains(text, tt.secret) {
					t.Errorf("%s has the secret:\n%s", place, text)
				}
			}
		})
	}
}
