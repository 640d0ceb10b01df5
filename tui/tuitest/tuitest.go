// Package tuitest drives the dashboard in tests: keys in, frames out, without a
// terminal, a clock or a network.
package tuitest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// Now is the time in tests.
var Now = time.Date(2026, 11, 27, 14, 2, 31, 0, time.UTC)

// Place is where things are in tests.
var Place = grid.Place{Account: "123456789012", Region: "eu-west-1"}

// Sizes are the screens that frames are kept of.
var Sizes = []struct{ Width, Height int }{{40, 10}, {80, 24}, {140, 40}}

// Screen is a dashboard under test.
type Screen struct {
	t     testing.TB
	model *tui.Model
	Deck  *deck.Deck
	Desk  *feed.Desk
	// Lines are the command lines that ran, joined by spaces.
	Lines []string
	// Answer makes the outcome of a line; nil: code 0 and nothing printed.
	Answer func(words []string, in io.Reader, out, err io.Writer) int
	// Clipboard is what was copied last.
	Clipboard string
	quit      bool
}

// New makes a dashboard over one place out of what pages returns. Nothing is loaded
// but what the test puts into its sources.
func New(t testing.TB, pages func(d *deck.Deck, desk *feed.Desk) []deck.Page, change ...func(*tui.Options)) *Screen {
	t.Helper()
	s := &Screen{t: t}
	s.Deck = &deck.Deck{
		Styles: theme.New(theme.Dark, false, false), Now: Now, Location: time.UTC, Still: true,
		Where: deck.Where{Account: "123456789012", Alias: "prod-admin", Region: "eu-west-1", Scopes: 1},
	}
	s.Desk = feed.NewDesk(nil, func() time.Time { return s.Deck.Now })
	s.Desk.Eager = true
	t.Cleanup(s.Desk.Close)
	o := tui.Options{Deck: s.Deck, Desk: s.Desk, Pages: pages(s.Deck, s.Desk), Run: runner{s}, Glance: 1}
	for _, c := range change {
		c(&o)
	}
	s.model = tui.New(o)
	s.do(s.model.Init())
	s.Size(80, 24)
	return s
}

type runner struct{ s *Screen }

func (r runner) Run(_ context.Context, words []string, _ grid.Place, in io.Reader, out, err io.Writer) int {
	r.s.Lines = append(r.s.Lines, strings.Join(words, " "))
	if r.s.Answer == nil {
		return 0
	}
	return r.s.Answer(words, in, out, err)
}

// Size changes the size of the screen.
func (s *Screen) Size(width, height int) {
	s.Send(tea.WindowSizeMsg{Width: width, Height: height})
}

// Send gives the dashboard a message, and what commands bring after it. Commands
// run here, one after another: one that waits for something fails the test.
func (s *Screen) Send(msg tea.Msg) {
	s.t.Helper()
	_, cmd := s.model.Update(msg)
	s.do(cmd)
	if c := s.model.Broken(); c != nil {
		s.t.Fatalf("a panic behind the dashboard: %v\n%s", c.Value, c.Stack)
	}
}

// Wait lets time pass: the clock moves on, and ticks once.
func (s *Screen) Wait(d time.Duration) {
	s.t.Helper()
	s.Send(tui.Second{At: s.Deck.Now.Add(d)})
}

// Paste pastes a text.
func (s *Screen) Paste(text string) {
	s.t.Helper()
	s.Send(tea.PasteMsg{Content: text})
}

// Click clicks into a cell of the screen.
func (s *Screen) Click(x, y int) {
	s.t.Helper()
	s.Send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
}

func (s *Screen) do(cmd tea.Cmd) {
	s.t.Helper()
	if cmd == nil {
		return
	}
	got := make(chan tea.Msg, 1)
	go func() { got <- cmd() }()
	select {
	case msg := <-got:
		switch msg := msg.(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				s.do(c)
			}
		case tea.QuitMsg:
			s.quit = true
		default:
			if v := reflect.ValueOf(msg); v.Kind() == reflect.String && v.Type().Name() == "setClipboardMsg" {
				s.Clipboard = v.String()
			}
			s.Send(msg)
		}
	case <-time.After(time.Minute): // some load whole fleets
		s.t.Fatal("a command did not return within a minute")
	}
}

// Changed tells the pages that a feed has changed.
func (s *Screen) Changed(name string) {
	s.t.Helper()
	s.Send(feed.Changed{Feed: name})
}

// Press presses keys by their names: "j", "enter", "ctrl+r", "shift+down".
func (s *Screen) Press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.Send(Key(k))
	}
}

// Type types a text.
func (s *Screen) Type(text string) {
	s.t.Helper()
	for _, r := range text {
		s.Send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// Key is the message of a key by its name.
func Key(name string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	for {
		if rest, ok := strings.CutPrefix(name, "ctrl+"); ok && rest != "" {
			k.Mod, name = k.Mod|tea.ModCtrl, rest
		} else if rest, ok := strings.CutPrefix(name, "shift+"); ok && rest != "" {
			k.Mod, name = k.Mod|tea.ModShift, rest
		} else if rest, ok := strings.CutPrefix(name, "alt+"); ok && rest != "" {
			k.Mod, name = k.Mod|tea.ModAlt, rest
		} else {
			break
		}
	}
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "backspace": tea.KeyBackspace,
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "delete": tea.KeyDelete, "f1": tea.KeyF1,
	}
	if code, ok := named[name]; ok {
		k.Code = code
		if name == "space" && k.Mod == 0 {
			k.Text = " "
		}
		return k
	}
	r := []rune(name)[0]
	k.Code = r
	if k.Mod == 0 {
		k.Text = name
	}
	return k
}

// Frame is the screen as text without escape sequences.
func (s *Screen) Frame() string { return ansi.Strip(s.model.Frame()) }

// Raw is the screen as it is written to the terminal.
func (s *Screen) Raw() string { return s.model.Frame() }

// Quit reports whether the dashboard was left.
func (s *Screen) Quit() bool { return s.quit }

// Has fails the test unless the screen shows all texts.
func (s *Screen) Has(texts ...string) {
	s.t.Helper()
	frame := s.Frame()
	for _, text := range texts {
		if !strings.Contains(frame, text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, frame)
		}
	}
}

// Lacks fails the test if the screen shows one of the texts.
func (s *Screen) Lacks(texts ...string) {
	s.t.Helper()
	frame := s.Frame()
	for _, text := range texts {
		if strings.Contains(frame, text) {
			s.t.Errorf("the screen shows %q:\n%s", text, frame)
		}
	}
}

// Golden holds the screen against the frames kept under testdata/NAME, at all Sizes,
// without colour, in the sixteen colours of dark and light, and in ASCII; with
// -update it writes them.
func (s *Screen) Golden(name string) {
	s.t.Helper()
	before := s.Deck.Styles
	for _, size := range Sizes {
		s.Size(size.Width, size.Height)
		at := fmt.Sprintf("%s-%dx%d", name, size.Width, size.Height)
		s.styles(theme.New(theme.Dark, false, false))
		s.golden(at+".txt", s.model.Frame(), size.Width, size.Height)
		s.styles(theme.New(theme.Dark, true, false))
		s.golden(at+".ansi", s.model.Frame(), size.Width, size.Height)
		if size.Width == 80 {
			s.styles(theme.New(theme.Light, true, false))
			s.golden(at+".light.ansi", s.model.Frame(), size.Width, size.Height)
			s.styles(theme.New(theme.Plain, false, true))
			s.golden(at+".ascii.txt", s.model.Frame(), size.Width, size.Height)
		}
	}
	s.styles(before)
	s.Size(80, 24)
}

func (s *Screen) styles(st *theme.Styles) {
	s.Deck.Styles = st
	s.Send(tui.Redraw{})
}

func (s *Screen) golden(name, frame string, width, height int) {
	s.t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) > height {
		s.t.Errorf("%s: %d lines on a screen of %d", name, len(lines), height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > width {
			s.t.Errorf("%s: line %d is %d cells wide: %q", name, i+1, w, l)
		}
		if strings.HasSuffix(name, ".txt") && l != ansi.Strip(l) {
			s.t.Errorf("%s: line %d has an escape sequence without colour: %q", name, i+1, l)
		}
		if strings.Contains(name, ".ascii.") {
			for _, r := range l {
				if r > 126 && !strings.ContainsRune(foreign, r) {
					s.t.Errorf("%s: line %d has %q in ASCII mode: %s", name, i+1, r, l)
					break
				}
			}
		}
		lines[i] = strings.TrimRight(l, " ")
	}
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatalf("%v: write it with go test -update", err)
	}
	if got != string(want) {
		s.t.Errorf("%s is not what it was.\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

// foreign are letters in names of test data, which are data and not ours to spell.
const foreign = "äöüßéñ東京日本サーバー"
