package tui_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

func reboot(level deck.Level) deck.Line {
	return deck.Line{
		Words: []string{"run", "web-1", "--", "sudo reboot", "now"}, At: tuitest.Place, What: "reboot 3 nodes",
		Facts: []deck.Fact{{Name: "Nodes", Value: "web-1, web-2 and db-1"}}, Level: level, Type: "web-1", How: deck.Quietly,
	}
}

const rebootRuns = "run web-1 --yes -- sudo reboot now"

func TestEveryLevelIsAskedForAsStrictlyAsItDeserves(t *testing.T) {
	tests := []struct {
		name      string
		level     deck.Level
		protected bool
		no        []string // keys that are no yes
		yes       []string
	}{
		{"reading", deck.Read, false, nil, nil},
		{"reading where it is protected", deck.Read, true, nil, nil},
		{"a change", deck.Change, false, []string{"j", "x", "space"}, []string{"enter"}},
		{"a disruption", deck.Disruptive, false, []string{"enter", "x"}, []string{"y"}},
		{"a change where it is protected", deck.Change, true, []string{"enter"}, []string{"y"}},
		{"a destruction", deck.Destructive, false, []string{"y", "enter", "backspace", "enter"}, []string{"w", "e", "b", "-", "1", "enter"}},
		{"a disruption where it is protected", deck.Disruptive, true, []string{"y", "enter", "backspace"}, []string{"w", "e", "b", "-", "1", "enter"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.Deck.Where.Protected = tt.protected
			w.Send(reboot(tt.level))
			w.Press(tt.no...)
			if tt.level > deck.Read && len(w.Lines) > 0 {
				t.Fatalf("ran %q too early:\n%s", w.Lines, w.Frame())
			}
			w.Press(tt.yes...)
			want := rebootRuns
			if tt.level == deck.Read {
				want = "run web-1 -- sudo reboot now"
			}
			if !slices.Equal(w.Lines, []string{want}) {
				t.Errorf("ran %q, want %q:\n%s", w.Lines, want, w.Frame())
			}
		})
	}
}

func TestTheBoxSaysEverythingAndCopiesTheLine(t *testing.T) {
	w := newWorld(t)
	w.Deck.Flags = func(at grid.Place) []string { return []string{"--region", at.Region} }
	w.Send(reboot(deck.Disruptive))
	w.Has("reboot 3 nodes?", "prod-admin @ 123456789012", "eu-west-1", "web-1, web-2 and db-1",
		`ssmdeck run web-1 --yes --region eu-west-1 -- "sudo reboot" now`, "y does it", "c copy the line")
	w.Press("c")
	if want := `ssmdeck run web-1 --yes --region eu-west-1 -- "sudo reboot" now`; w.Clipboard != want {
		t.Errorf("copied %q, want %q", w.Clipboard, want)
	}
	w.Has("the line is on the clipboard")
	w.Golden("confirm")
	w.Press("esc")
	w.Lacks("reboot 3 nodes?")
	if len(w.Lines) > 0 {
		t.Errorf("ran %q", w.Lines)
	}
}

func TestTheBoxShowsWhatWouldHappen(t *testing.T) {
	w := newWorld(t)
	w.Answer = func(words []string, _ io.Reader, out, _ io.Writer) int {
		if slices.Contains(words, "--dry-run") {
			_, _ = io.WriteString(out, strings.Repeat("would reboot \x1b[31mweb\x1b[m\u202e\n", 30))
		}
		return 0
	}
	l := reboot(deck.Destructive)
	l.Preview = []string{"run", "web-1", "--dry-run"}
	w.Send(l)
	w.Has("What would happen", `would reboot web\u202e`, "1-9 of 30", "This cannot be undone", "Type web-1:")
	if !slices.Equal(w.Lines, []string{"run web-1 --dry-run"}) {
		t.Errorf("ran %q", w.Lines)
	}
	w.Press("pgdown", "pgdown", "pgdown", "pgdown", "pgdown", "pgdown", "pgdown")
	w.Has("22-30 of 30")
	w.Size(40, 10)
	w.Has("Type web-1:")
	w.Press("esc", "@")
	w.Lacks("dry-run") // looking is not doing
}

// However many rows there are, the box says what runs: its beginning and its end.
func TestTheBoxOfManyRowsStillSaysWhatRuns(t *testing.T) {
	w := newWorld(t)
	l := deck.Line{Words: []string{"run"}, At: tuitest.Place, What: "run on 300 nodes", Level: deck.Change}
	for i := range 300 {
		id := fmt.Sprintf("i-%017d", i)
		l.Words = append(l.Words, "-t", id)
		l.Facts = append(l.Facts, deck.Fact{Name: "web\x1b[2J-" + strings.Repeat("long", 30), Value: id})
	}
	l.Words = append(l.Words, "--", "sudo reboot now")
	w.Send(l)
	for _, size := range [][2]int{{140, 40}, {80, 24}} {
		w.Size(size[0], size[1])
		w.Has("Where", `web\x1b[2J-`, "more lines", "ssmdeck run -t i-00000000000000000", `"sudo reboot now"`, "Enter does it")
	}
	w.Size(40, 10)
	w.Has("run on 300 nodes?", "Enter does it")
}

// A script of several lines is one word, on the screen as on the clipboard.
func TestALineOfSeveralLinesIsCopiedAsItRuns(t *testing.T) {
	w := newWorld(t)
	w.Size(140, 40)
	w.Send(deck.Line{Words: []string{"run", "-t", "i-1", "--", "set -e\necho \x1b[31m"}, At: tuitest.Place, What: "run", Level: deck.Change})
	want := `ssmdeck run -t i-1 --yes -- $'set -e\necho \033[31m'`
	w.Has(want)
	if w.Press("c"); w.Clipboard != want {
		t.Errorf("copied %q", w.Clipboard)
	}
	w.Press("enter")
	if !slices.Equal(w.Lines, []string{"run -t i-1 --yes -- set -e\necho \x1b[31m"}) {
		t.Errorf("ran %q", w.Lines)
	}
}

// A box that comes while somebody types into something else takes no key that was
// meant for that.
func TestABoxUnderTheFingersOfWhoTypesIsNoYes(t *testing.T) {
	for _, open := range []string{":", "/", "?"} {
		w := newWorld(t)
		w.Press(open)
		w.Type("flee")
		w.Send(reboot(deck.Change))
		w.Press("enter")
		w.Has("reboot 3 nodes?", "this has just come up")
		if len(w.Lines) > 0 {
			t.Fatalf("%s: ran %q", open, w.Lines)
		}
		w.Press("enter")
		if !slices.Equal(w.Lines, []string{rebootRuns}) {
			t.Errorf("%s: ran %q", open, w.Lines)
		}
	}
}

// Of the boxes of several places each is read: a key pressed twice says yes to one.
func TestAKeyPressedTwiceIsOneYes(t *testing.T) {
	w := newWorld(t)
	there := reboot(deck.Disruptive)
	there.At.Region = "us-east-1"
	w.fleet.actions = []deck.Action{{Key: "r", Name: "run", Do: func() tea.Cmd {
		return tea.Batch(deck.Ask(reboot(deck.Disruptive)), deck.Ask(there))
	}}}
	w.Press("r", "y", "y")
	if len(w.Lines) != 1 {
		t.Errorf("ran %q", w.Lines)
	}
	w.Has("this has just come up")
	w.Press("y")
	if len(w.Lines) != 2 {
		t.Errorf("ran %q", w.Lines)
	}
}

// A name that nobody can type is typed as it is seen, and one of spaces alone does not
// make Enter a yes.
func TestAnyNameCanBeTyped(t *testing.T) {
	for name, typed := range map[string]string{"db\x1b[31m-1": `db\x1b[31m-1`, "\u202egpj ": `\u202egpj`, "  ": "prod-admin"} {
		w := newWorld(t)
		l := reboot(deck.Destructive)
		l.Type = name
		w.Send(l)
		w.Press("enter")
		w.Type(" ")
		w.Press("enter")
		if len(w.Lines) > 0 {
			t.Fatalf("%q: ran %q", name, w.Lines)
		}
		w.Type(typed)
		w.Press("enter")
		if len(w.Lines) != 1 {
			t.Errorf("%q: %q is no yes:\n%s", name, typed, w.Frame())
		}
	}
}

// The flags of a place stand where they are read: what follows the node is ssh's.
func TestFlagsAreNeverHandedToSSH(t *testing.T) {
	d := &deck.Deck{Flags: func(grid.Place) []string { return []string{"--region", "eu-west-1"} }}
	if got := d.OneLiner([]string{"ssh", "i-1"}, tuitest.Place); got != "ssmdeck ssh --region eu-west-1 i-1" {
		t.Error(got)
	}
}

// The preview is about the same nodes as the line, also where they are read from
// standard input.
func TestThePreviewReadsTheInputOfTheLine(t *testing.T) {
	w := newWorld(t)
	w.Answer = func(_ []string, in io.Reader, out, _ io.Writer) int {
		data, _ := io.ReadAll(in)
		_, _ = out.Write(append([]byte("about "), data...))
		return 0
	}
	l := reboot(deck.Change)
	l.Words, l.Preview, l.Input = []string{"patch", "install", "-"}, []string{"patch", "install", "-", "--dry-run"}, []byte("i-1\n")
	w.Send(l)
	w.Has("about i-1")
}

func TestAPreviewThatFailsIsSaid(t *testing.T) {
	w := newWorld(t)
	w.Answer = func(_ []string, _ io.Reader, _, errs io.Writer) int {
		_, _ = io.WriteString(errs, "ssmdeck: error: access denied\n")
		return 4
	}
	l := reboot(deck.Change)
	l.Preview = []string{"run", "--dry-run"}
	w.Send(l)
	w.Has("It cannot be told what would happen", "access denied")
}

func TestOutputComesIntoAPane(t *testing.T) {
	w := newWorld(t)
	w.Answer = func(_ []string, in io.Reader, out, errs io.Writer) int {
		said, _ := io.ReadAll(in)
		_, _ = io.WriteString(out, "one\ttwo "+string(said)+"\n50%\r100%\n")
		_, _ = io.WriteString(errs, "a warning\n")
		return 3
	}
	w.Send(deck.Line{Words: []string{"patch", "scan", "web-1"}, What: "scan web-1", Input: []byte("secret"), How: deck.InPane})
	w.Has("scan web-1", "$ ssmdeck patch scan web-1", "one     two secret", "100%", "a warning", "failed  exit 3")
	w.Lacks("50%")
	w.Golden("pane")
	path := filepath.Join(t.TempDir(), "out.txt")
	w.Press("w", "ctrl+u")
	w.Paste(path)
	w.Press("enter")
	w.Has("written to")
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), "one\ttwo secret") {
		t.Errorf("wrote %q, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want only its owner's", info, err)
	}
	w.Press("w", "ctrl+u")
	w.Paste(path)
	w.Press("enter")
	w.Has("it is there already", "choose another name")
	w.Press("c")
	if w.Clipboard != "ssmdeck patch scan web-1" {
		t.Errorf("copied %q", w.Clipboard)
	}
	w.Press("esc", "@")
	w.Has("Command log", "exit 3", "ssmdeck patch scan web-1")
	w.Lacks("secret")
	w.Press("enter")
	w.Has("a warning")
}

// What was read begins with its first line; what was done ends with its last.
func TestWhatWasReadIsShownFromItsStart(t *testing.T) {
	for level, want := range map[deck.Level]string{deck.Read: "line 0", deck.Change: "line 99"} {
		w := newWorld(t)
		w.Answer = func(_ []string, _ io.Reader, out, _ io.Writer) int {
			for i := range 100 {
				_, _ = fmt.Fprintf(out, "line %d\n", i)
			}
			return 0
		}
		w.Send(deck.Line{Words: []string{"node", "get"}, What: "look", Level: level, How: deck.InPane})
		if level != deck.Read {
			w.Press("enter")
		}
		w.Has(want, "done")
	}
}

// held runs until it is stopped.
type held struct {
	press func(keys ...string)
	keys  []string
}

func (h held) Run(ctx context.Context, _ []string, _ grid.Place, _ io.Reader, out, _ io.Writer) int {
	_, _ = io.WriteString(out, "working\n")
	h.press(h.keys...) // while it runs
	<-ctx.Done()
	return 130
}

func TestALineCanBeStopped(t *testing.T) {
	h := &held{keys: []string{"X"}}
	w := newWorld(t, func(o *tui.Options) { o.Run = h })
	h.press = w.Press
	w.Send(deck.Line{Words: []string{"run", "follow"}, What: "follow", How: deck.InPane})
	w.Has("stopped", "working")
}

func TestALineGoesOnWhenItsPaneIsLeft(t *testing.T) {
	h := &held{}
	w := newWorld(t, func(o *tui.Options) { o.Run = h })
	h.press = func(...string) {
		w.Press("esc")
		w.Has("it goes on behind", "1 running")
		w.Press("q")
		w.Has("Leave? 1 thing started here would end")
		w.Press("esc", "@", "enter", "X")
	}
	w.Send(deck.Line{Words: []string{"run", "follow"}, What: "follow", How: deck.InPane})
	w.Has("stopped")
}

func TestAQuietLineSaysHowItEnded(t *testing.T) {
	w := newWorld(t)
	code := 0
	w.Answer = func(_ []string, _ io.Reader, _, errs io.Writer) int {
		if code != 0 {
			_, _ = io.WriteString(errs, "warning\nssmdeck: error: stop web-1: access denied\nssmdeck: hint: ask your administrator\n")
		}
		return code
	}
	l := deck.Line{Words: []string{"session", "terminate", "a"}, What: "terminate a", How: deck.Quietly, Refresh: []string{"fleet"}}
	told := deck.Result{}
	l.Done = func(r deck.Result) tea.Msg { told = r; return deck.Refresh{} }
	w.Send(l)
	w.Has("terminate a: done at once")
	code = 4
	w.Send(l)
	w.Has("✗ terminate a: exit 4: stop web-1: access denied: ask your administrator")
	if told.Code != 4 || !strings.Contains(string(told.Err), "access denied") {
		t.Errorf("the page was told %+v", told)
	}
}

func TestALineOnTheScreenSaysHowItEnded(t *testing.T) {
	w := newWorld(t)
	w.Answer = func(_ []string, _ io.Reader, _, errs io.Writer) int {
		_, _ = io.WriteString(errs, "connecting\r\x1b[K\rssmdeck: error: web-1 is not connected\nssmdeck: hint: run `ssmdeck doctor web-1`\n")
		return 5
	}
	w.Send(deck.Line{Words: []string{"shell", "web-1"}, What: "shell on web-1", How: deck.OnScreen})
	w.Has("shell on web-1 ended: exit 5", "web-1 is not connected")
	w.Lacks("connecting", "\\r") // it was overwritten
	w.Press("@")
	w.Has("exit 5")
	w.Press("enter")
	w.Has("nothing of it was kept")
}

func TestOutputIsBounded(t *testing.T) {
	w := newWorld(t)
	w.Answer = func(_ []string, _ io.Reader, out, _ io.Writer) int {
		line := strings.Repeat("x", 1023) + "\n"
		for range 3 << 10 {
			_, _ = io.WriteString(out, line)
		}
		return 0
	}
	told := deck.Result{}
	w.Send(deck.Line{Words: []string{"x"}, What: "x", Done: func(r deck.Result) tea.Msg { told = r; return nil }})
	w.Has("cut here: 1.0 MiB of 3.0 MiB are kept")
	w.Press("w")
	w.Has("only the beginning of the output is kept")
	w.Press("esc")
	if len(told.Out) != 1<<20 {
		t.Errorf("%d bytes are kept", len(told.Out))
	}
}

// What was typed ahead of a box, or is held down while it comes, agrees to nothing;
// whoever has read it does.
func TestTypeAheadAgreesToNothing(t *testing.T) {
	for level, yes := range map[deck.Level]string{deck.Change: "enter", deck.Disruptive: "y"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(o *tui.Options) { o.Glance = 0 })
			w.Send(deck.Line{Words: []string{"patch", "scan", "i-1"}, At: tuitest.Place, What: "scan", Level: level, How: deck.Quietly})
			for range 20 { // a key that is held down
				w.Press(yes)
				time.Sleep(30 * time.Millisecond)
			}
			w.Has("scan?", "this has just come up")
			if len(w.Lines) != 0 {
				t.Fatalf("%q ran", w.Lines)
			}
			time.Sleep(time.Second)
			w.Press(yes)
			if len(w.Lines) != 1 {
				t.Errorf("%q ran after it was read", w.Lines)
			}
		})
	}
}

// What is typed while a line is about to have the terminal, or has it, is meant for the
// line: it must not do something here once that has ended, which may be hours later.
func TestWhatIsTypedWhileALineHasTheTerminalDoesNothingHere(t *testing.T) {
	w := newWorld(t)
	shell := deck.Line{Words: []string{"shell", "web-1"}, What: "shell on web-1", How: deck.OnScreen}
	before := ""
	w.Answer = func([]string, io.Reader, io.Writer, io.Writer) int {
		before = w.Frame()
		w.Press("?", ":", "2", "ctrl+c")
		w.Paste("q")
		w.Click(3, 1)
		w.Send(shell) // by a key that was pressed twice, or on another row
		if w.Frame() != before {
			t.Errorf("a shell was about to open, and what was typed did\n%s", w.Frame())
		}
		return 0
	}
	w.Send(shell)
	if len(w.Lines) != 1 {
		t.Fatalf("ran %q, want one shell", w.Lines)
	}
	w.Has("shell on web-1 ended: exit 0")
	w.Press("?")
	if w.Frame() == before {
		t.Error("no key does anything any more")
	}
}

func TestALineThatIsAskedForTwiceAsksOnce(t *testing.T) {
	w := newWorld(t)
	other := reboot(deck.Change)
	other.At.Region = "us-east-1"
	w.Send(other)
	w.Send(reboot(deck.Change))
	w.Send(reboot(deck.Change)) // by a key that was pressed twice
	w.Press("enter")
	w.Has("reboot 3 nodes?", "us-east-1") // another place is another question
	w.Press("esc")
	w.Lacks("reboot 3 nodes?")
	if len(w.Lines) != 1 {
		t.Errorf("ran %q, want one line", w.Lines)
	}
	w.Send(reboot(deck.Change))
	w.Has("reboot 3 nodes?") // what has been answered is asked for again
}

func TestNothingIsDoneToARowWithoutAnID(t *testing.T) {
	w := newWorld(t)
	w.Send(deck.Line{Words: []string{"session", "terminate", ""}, At: tuitest.Place, What: "end the session of ann", Level: deck.Change})
	w.Press("enter")
	if len(w.Lines) > 0 {
		t.Errorf("ran %q", w.Lines)
	}
	w.Send(deck.Line{Words: []string{"session", "terminate", ""}, At: tuitest.Place, What: "end the session of ann", Level: deck.Change})
	w.Has("the service gives no id")
}
