//go:build unix

package tui_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/terminal/termtest"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// pressed are the keys whose actions have run.
type pressed struct {
	mu      sync.Mutex
	keys    string
	awaited string
	come    chan struct{} // closed when they have
}

func (r *pressed) press(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys += key
	r.look()
}

func (r *pressed) look() {
	if r.come != nil && r.keys == r.awaited {
		close(r.come)
		r.come = nil
	}
}

// await waits until these keys have been pressed.
func (r *pressed) await(t *testing.T, keys string) {
	t.Helper()
	come := make(chan struct{})
	r.mu.Lock()
	r.awaited, r.come = keys, come
	r.look()
	r.mu.Unlock()
	select {
	case <-come:
	case <-time.After(termtest.Patience):
		t.Fatalf("%q was pressed, want %q", r.all(), keys)
	}
}

func (r *pressed) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// actions are those of every letter of what a terminal answers, and a shell and a box.
func (r *pressed) actions() (out []deck.Action) {
	for _, key := range "rgbfcyx" {
		out = append(out, deck.Action{Key: string(key), Name: "does " + string(key), Whole: true, Do: func() tea.Cmd {
			r.press(string(key))
			return nil
		}})
	}
	return append(out,
		deck.Action{Key: "s", Name: "shell", Do: func() tea.Cmd {
			return func() tea.Msg { // what it takes to find out where it goes
				time.Sleep(20 * time.Millisecond)
				return deck.Line{Words: []string{"shell"}, What: "shell on web-1", How: deck.OnScreen}
			}
		}},
		deck.Action{Key: "p", Name: "patch", Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: []string{"patch", "scan"}, What: "Scan web-1", Level: deck.Disruptive})
		}})
}

// slowly writes byte by byte, longer apart than an ESC is waited for.
func (s *stage) slowly(text string) {
	for _, b := range []byte(text) {
		time.Sleep(80 * time.Millisecond)
		s.Type(string([]byte{b}))
	}
}

// goesOn has the terminal go on answering, with what comes before all else, until it is told
// to stop: that long what comes last is awaited, however slow the machine is.
func (s *stage) goesOn() (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stopping:
				return
			case <-time.After(100 * time.Millisecond):
				_, _ = s.Keys.WriteString(firstAnswer)
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(stopping)
		<-stopped
	})
	s.t.Cleanup(stop)
	return stop
}

// interrupted presses ctrl+c until it is over, as people do.
func (s *stage) interrupted() {
	for late := time.After(termtest.Patience); ; {
		select {
		case <-s.ended:
			return
		case <-late:
			return
		case <-time.After(1200 * time.Millisecond):
			s.Type("\x03")
		}
	}
}

const (
	firstAnswer = "\x1b[?2026;2$y"
	answers     = firstAnswer + white + isWhat
)

// What the terminal was asked and says late, byte by byte, is no keys, wherever the keys go.
func TestALateAnswerIsNoKeys(t *testing.T) {
	for name, way := range map[string]struct{ keys, see string }{
		"in a list":        {"", "web-1"},
		"in the filter":    {"/", "web-1"},
		"in the palette":   {":", "Go to"},
		"in the keys":      {"?", "Keys of"},
		"in a box":         {"p", "Scan web-1?"},
		"in a text":        {":zz", "zz"},
		"behind an escape": {":\x1b", "Go to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r pressed
			s := onStage(t, func(s *stage, o *tui.Options) {
				o.AskBackground = true
				o.Run = lent{s}
				s.page.actions = r.actions()
			})
			s.See(asksBackground)
			stop := s.goesOn()
			s.See("web-1")
			s.Type(way.keys)
			s.See(way.see)
			time.Sleep(time.Second) // longer than it takes where nothing is slow
			stop()
			s.slowly(answers)
			s.interrupted()
			s.back()
			if s.err != nil {
				t.Error(s.err)
			}
			if got := r.all(); got != "" {
				t.Errorf("the answer has pressed %q", got)
			}
			if strings.Contains(s.Written(), "rgb:") || strings.Contains(s.Written(), "ffff") {
				t.Errorf("the answer was written somewhere:\n%q", s.Written())
			}
		})
	}
}

// Nor does it come to who has the terminal next.
func TestALateAnswerIsForNobodyElse(t *testing.T) {
	for name, key := range map[string]string{"a shell": "s", "who started it": "q"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r pressed
			s := onStage(t, func(s *stage, o *tui.Options) {
				o.AskBackground = true
				o.Run = lent{s}
				s.page.actions = r.actions()
			})
			s.See(asksBackground)
			stop := s.goesOn()
			s.See("web-1")
			s.Type(key)
			time.Sleep(1200 * time.Millisecond)
			stop()
			s.slowly(answers)
			if key == "s" {
				s.See("in the shell")
				s.Type("hello\r")
				s.See("read hello") // and nothing before it
				s.See("ended: exit 3")
				s.Type("q")
			}
			s.back()
			if strings.Contains(s.Written(), "rgb:") || strings.Contains(s.Written(), "ffff") {
				t.Errorf("the answer was taken for keys:\n%q", s.Written())
			}
		})
	}
}

// While the terminal has something to say the dashboard keeps it; then, and when nothing is
// awaited, it is left at once.
func TestItIsNotLeftBeforeTheAnswer(t *testing.T) {
	s := onStage(t, func(_ *stage, o *tui.Options) { o.AskBackground = true })
	s.See(asksBackground)
	stop := s.goesOn()
	s.See("web-1")
	s.Type("q")
	s.See("leaving, as soon as the terminal has answered")
	select {
	case <-s.ended:
		t.Error("it is left, and the answer becomes keys of whoever is next")
	case <-time.After(time.Second):
	}
	stop()
	s.Type(answers)
	s.back()

	s = onStage(t, nil)
	s.See("web-1")
	<-s.answered
	s.Type("q")
	s.back()
	if strings.Contains(s.Written(), "leaving") {
		t.Error("something is awaited that has come")
	}
}

// Who does not want to wait for the answer, which would be for ever, presses ctrl+c.
func TestLeavingDoesNotHaveToWait(t *testing.T) {
	s := onStage(t, func(s *stage, _ *tui.Options) { s.silent = true })
	s.See(asksWhat)
	stop := s.goesOn()
	s.See("web-1")
	s.Type("q")
	s.See("leaving, as soon as the terminal has answered")
	s.Type("\x03")
	select {
	case <-s.ended:
	case <-time.After(termtest.Patience):
		t.Error("it waits on")
	}
	stop()
	s.back()
}

// What is typed behind the key that opens a shell is the shell's, all of it and in order.
func TestKeysBehindAShellAreTheShells(t *testing.T) {
	var r pressed
	s := onStage(t, func(s *stage, o *tui.Options) {
		o.Run = lent{s}
		s.page.actions = r.actions()
	})
	s.See("web-1")
	s.Type("srgb now")
	s.See("in the shell")
	s.Type("\n")
	s.See("read rgb now")
	s.See("ended: exit 3")
	s.Type("q")
	s.back()
	if got := r.all(); got != "" {
		t.Errorf("the dashboard has taken %q", got)
	}
}

// leftover is a shell that ends while somebody types, with how many there have been.
type leftover struct {
	s     *stage
	shell int
}

func (l *leftover) Run(_ context.Context, _ []string, _ grid.Place, _ io.Reader, out, _ io.Writer) int {
	_, _ = io.WriteString(out, "in the shell\r\n")
	l.s.Type("rgb\n")
	l.shell++
	return l.shell
}

// What was typed into a shell that has ended does nothing in the dashboard.
func TestKeysOfAShellAreNotTheDashboards(t *testing.T) {
	var r pressed
	s := onStage(t, func(s *stage, o *tui.Options) {
		o.Run = &leftover{s: s}
		s.page.actions = r.actions()
	})
	s.See("web-1")
	s.Type("s")
	s.See("ended: exit 1")
	s.Type("x")
	s.Type("q")
	s.back()
	if got := r.all(); got != "x" {
		t.Errorf("the dashboard has taken %q, want x", got)
	}
}

// What is typed behind the key that leaves is for whoever is next.
func TestKeysBehindTheEndAreNotTaken(t *testing.T) {
	s := onStage(t, nil)
	s.See("web-1")
	<-s.answered
	s.Type("qls\r")
	<-s.ended
	state, err := term.MakeRaw(int(s.TTY.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	s.Type("!")
	var got []byte
	for one := make([]byte, 1); len(got) == 0 || got[len(got)-1] != '!'; got = append(got, one...) {
		if _, err := s.TTY.Read(one); err != nil {
			t.Fatal(err)
		}
	}
	if string(got) != "ls\r!" {
		t.Errorf("the next gets %q", got)
	}
	if err := term.Restore(int(s.TTY.Fd()), state); err != nil {
		t.Fatal(err)
	}
	s.back()
}

// What is typed while one dashboard goes and another comes is for the other.
func TestKeysWaitForTheNextDashboard(t *testing.T) {
	var first, second pressed
	var next tui.Options
	s := onStage(t, func(s *stage, o *tui.Options) {
		o.Contexts = []string{"stage"}
		s.page.actions = first.actions()
		page := newPage(o.Deck, "fleet")
		page.actions = second.actions()
		next = tui.Options{Deck: o.Deck, Desk: o.Desk, Pages: []deck.Page{page}}
		s.show = func(ctx context.Context, trm *terminal.Terminal, o tui.Options) (tui.Outcome, error) {
			taken, err := tui.Take(trm)
			if err != nil {
				return tui.Outcome{}, err
			}
			defer taken.Close()
			if out, err := taken.Show(ctx, o); err != nil || out.Context != "stage" {
				return out, err
			}
			s.Type("gb")
			time.Sleep(300 * time.Millisecond) // what it takes to log in
			return taken.Show(ctx, next)
		}
	})
	s.See("web-1")
	s.Type(":context stage\rr\x1b[200~x\x1b[201~c")
	second.await(t, "rcgb")
	s.Type("q")
	s.back()
	if first.all() != "" || second.all() != "rcgb" {
		t.Errorf("the first has taken %q, the second %q", first.all(), second.all())
	}
	if strings.Contains(s.Written(), "gb\x1b") {
		t.Error("what was typed in between was echoed")
	}
}

// A paste is text, in whatever pieces it comes, and one that stays open can be left.
func TestAPasteIsNoKeys(t *testing.T) {
	for name, way := range map[string]struct{ keys, see string }{"into a list": {"", "web-1"}, "into a box": {"p", "Scan web-1?"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r pressed
			s := onStage(t, func(s *stage, o *tui.Options) {
				o.Run = lent{s}
				s.page.actions = r.actions()
			})
			s.See("web-1")
			s.Type(way.keys)
			s.See(way.see)
			s.slowly("\x1b[200~y\rq\x1b[20\x1b[201~")
			s.Type("\x1b[200~y\rq" + strings.Repeat("yq", 40<<10) + "\x1b[201~")
			s.Type("\x1b[200~y\rq") // and no end
			s.interrupted()
			s.back()
			if r.all() != "" || strings.Contains(s.Written(), "in the shell") {
				t.Errorf("pasted text has pressed %q", r.all())
			}
		})
	}
}

// A shell costs nothing once it has ended.
func TestAShellLeavesNoDescriptor(t *testing.T) {
	open := func() (list []string) {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		for _, fd := range fds {
			if to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil && strings.HasPrefix(to, "anon_inode:[eventpoll]") {
				list = append(list, fd.Name()+" "+to)
			}
		}
		return list
	}
	s := onStage(t, func(s *stage, o *tui.Options) {
		o.Run = &leftover{s: s}
		s.page.actions = new(pressed).actions()
	})
	s.See("web-1")
	before := open()
	for shell := range 5 {
		s.Type("s")
		s.See(fmt.Sprintf("ended: exit %d", shell+1))
	}
	if after := open(); len(after) > len(before) {
		t.Errorf("%v are open, and were %v", after, before)
	}
	s.Type("q")
	s.back()
}

// An ESC alone is a key, and so is what is typed behind it.
func TestTheKeyEscape(t *testing.T) {
	var r pressed
	s := onStage(t, func(s *stage, _ *tui.Options) { s.page.actions = r.actions() })
	s.See("web-1")
	<-s.answered
	escape := func() {
		t.Helper()
		s.Type(":")
		s.Until("the palette", func(screen string) bool { return strings.Contains(screen, "Go to") })
		s.Type("\x1b")
		s.Until("its end", func(screen string) bool { return !strings.Contains(screen, "Go to") })
	}
	escape()
	bracket := func(behind string) {
		t.Helper()
		s.Type(behind + "[")
		s.Until("what a [ does", func(screen string) bool { return strings.Contains(screen, "nothing further that way") })
	}
	bracket("r")
	s.Type("g")
	r.await(t, "rg")
	escape()
	bracket("")      // which might have been the rest of a sequence
	s.Type("b\x1bx") // Alt
	s.Type("q")
	s.back()
	if got := r.all(); got != "rgb" {
		t.Errorf("%q was pressed, want rgb", got)
	}
}
