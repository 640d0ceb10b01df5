package tui_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// found finds what it says.
type found func(typed string) palette.Answer

func (f found) Find(typed string, _ func(grid.Place) bool, _ bool) palette.Answer { return f(typed) }

func TestPalette(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) {
		o.Contexts = []string{"prod", "stage"}
		o.Find = found(func(typed string) (a palette.Answer) {
			if strings.HasPrefix("db-master", typed) {
				a.Entries = []palette.Entry{{Name: "db-master", Detail: "node  eu-west-1", Worth: 280, Do: func() tea.Cmd {
					return deck.Ask(deck.Open{Page: "fleet", Filter: "db-1"})
				}}}
			}
			return a
		})
	})
	w.fleet.actions = actions()
	w.Press(":")
	w.Has("Go to", "the view Patch", "shell", "forward", "(the node is not online)")
	w.Golden("palette")
	w.Type("pat")
	w.Press("enter")
	w.Has("3▸Patch")

	w.Press(":")
	w.Type("fleet lost")
	w.Has("the rows of Fleet that fit")
	w.Press("enter")
	w.Has("2▸Fleet", "filter: lost")

	w.Press("esc", ":")
	w.Type("zzz")
	w.Has("nothing fits")
	w.Press("esc", ":")
	w.Type("db-m")
	w.Has("node  eu-west-1")
	w.Press("enter")
	w.Has("filter: db-1")

	w.Press("esc", ":")
	w.Type("forward")
	w.Press("enter")
	w.Has("forward: the node is not online")
	w.Press("esc")

	w.Press(":", "up")
	w.Has(": db-m") // the line before
	w.Press("up")
	w.Has(": fleet lost")
	w.Press("esc", ":")
	w.Type("quit")
	w.Press("enter")
	if !w.Quit() {
		t.Error("quit does not leave")
	}
}

func TestPaletteChangesHowItLooks(t *testing.T) {
	w := newWorld(t)
	choose := func(text string) {
		w.Press(":")
		w.Type(text)
		w.Press("enter")
	}
	choose("ascii on")
	w.Has("> + online", "---")
	choose("ascii off")
	w.Has("▸ ● online")
	choose("theme light")
	if s := w.Deck.Styles; s.Variant != "light" || !s.Color {
		t.Errorf("the theme is %s, colour %v", s.Variant, s.Color)
	}
	choose("colour off")
	if w.Deck.Styles.Color {
		t.Error("there is colour still")
	}
	choose("motion on")
	if w.Deck.Still {
		t.Error("there is no motion")
	}
	choose("mouse off")
	w.Has("the mouse belongs to the terminal now")
}

func TestContextsEndTheDashboard(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) { o.Contexts = []string{"prod", "stage"} })
	w.Press(":")
	w.Type("context stage")
	w.Press("enter")
	if !w.Quit() {
		t.Error("another context did not end this dashboard")
	}
}

// Who looks for another context where there is none is told so.
func TestNoContexts(t *testing.T) {
	w := newWorld(t)
	w.Press(":")
	w.Type("context")
	w.Has("context  (the configuration has no contexts")
	w.Press("enter")
	if w.Quit() {
		t.Error("no context ends the dashboard")
	}
}

func TestHelpFindsAndRunsKeys(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	w.Press("?")
	w.Has("Keys of Fleet", "open a shell on the node", "filter the rows")
	w.Golden("help")
	w.Type("open a shell")
	w.Press("enter")
	if len(w.Lines) != 1 || w.Lines[0] != "shell web-1" {
		t.Errorf("ran %q", w.Lines)
	}
	w.Press("?")
	w.Type("back")
	w.Press("enter")
	w.Has("nothing further that way")
	w.Press("?")
	w.Type("no such thing")
	w.Has("nothing fits")
}

func form(done func(map[string]string)) deck.Form {
	regions := []string{"eu-west-1", "eu-west-2", "us-east-1"}
	return deck.Form{
		Title: "Run a command",
		Fields: []deck.Field{
			{Name: "doc", Label: "Document", Help: "the name of a document", Check: func(v string) error {
				if v == "" {
					return errors.New("a document is needed")
				}
				return nil
			}},
			{Name: "region", Label: "Region", Value: "", Only: true, Choices: func(typed string) []string {
				var fit []string
				for _, r := range regions {
					if strings.Contains(r, typed) {
						fit = append(fit, r)
					}
				}
				return fit
			}},
			{Name: "token", Label: "Token", Secret: true},
			{Name: "script", Label: "Script", Many: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			done(v)
			return deck.Ask(deck.Say{Text: "done with it"})
		},
	}
}

func TestForm(t *testing.T) {
	w := newWorld(t)
	var got map[string]string
	w.Send(form(func(v map[string]string) { got = v }))
	w.Has("Run a command", "the name of a document")
	w.Press("enter")
	w.Has("✗ a document is needed")
	w.Type("AWS-RunShellScript")
	w.Lacks("a document is needed")
	w.Press("enter")
	w.Has("eu-west-2", "us-east-1")
	w.Type("west")
	w.Lacks("us-east-1")
	w.Golden("form")
	w.Press("enter")
	w.Has("choose one of those listed")
	w.Press("down", "down", "enter")
	w.Type("hush")
	w.Has("••••")
	w.Lacks("hush")
	w.Press("enter")
	w.Type("uptime")
	w.Press("enter")
	w.Paste("date\ndf")
	w.Press("up", "home")
	w.Type("# ")
	w.Press("ctrl+s")
	w.Has("done with it")
	want := map[string]string{"doc": "AWS-RunShellScript", "region": "eu-west-2", "token": "hush", "script": "uptime\n# date\ndf"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFormGoesToWhatIsWrongAndCanBeLeft(t *testing.T) {
	w := newWorld(t)
	called := false
	w.Send(form(func(map[string]string) { called = true }))
	w.Press("tab", "tab", "tab", "ctrl+s")
	w.Has("▸ Document", "a document is needed")
	w.Press("shift+tab")
	w.Has("▸ Script")
	w.Press("esc")
	w.Lacks("Run a command")
	if called {
		t.Error("a form that was left was submitted")
	}
	w.Send(deck.Form{Title: "Nothing"})
	w.Press("enter")
	w.Lacks("Nothing")
}

func TestChoose(t *testing.T) {
	w := newWorld(t)
	got := -1
	w.Send(deck.Choose{
		Title:   "Which database",
		Entries: []deck.Entry{{Name: "orders", Detail: "postgres"}, {Name: "pay", Detail: "mysql"}, {Name: "old", Off: "it is stopped"}},
		Done:    func(i int) tea.Cmd { got = i; return nil },
	})
	w.Has("Which database", "postgres", "(it is stopped)")
	w.Type("old")
	w.Press("enter")
	w.Has("old: it is stopped")
	w.Press("ctrl+u")
	w.Type("pay")
	w.Press("enter")
	if got != 1 {
		t.Errorf("chose %d", got)
	}
}

func TestShow(t *testing.T) {
	w := newWorld(t)
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "line %d\x07\n", i)
	}
	w.Send(deck.Show{Title: "web-1 as YAML", Text: text.String()})
	w.Has("web-1 as YAML", `line 0\x07`, "of 200")
	w.Press("/")
	w.Type("line 15")
	w.Press("enter")
	w.Has("line 15", "/line 15: 1 of 11")
	w.Press("n")
	w.Has("line 150")
	w.Press("N")
	w.Has(`line 15\x07`)
	w.Press("G")
	w.Has("line 199")
	w.Press("g", "pgdown")
	w.Lacks(`line 0\x07`)
	w.Press("c")
	if w.Clipboard != text.String() {
		t.Error("the copy is not the text")
	}
	w.Press("q")
	w.Lacks("as YAML")
}

func TestColumns(t *testing.T) {
	w := newWorld(t)
	w.Send(deck.Columns{List: w.fleet.list})
	w.Has("Columns", "[x] STATE", "[x] ID")
	w.Press("down", "down", "space")
	w.Has("[ ] ID")
	w.Press("up", "K", "esc")
	w.Lacks("i-0a1")
	if frame := w.Frame(); strings.Index(frame, "NAME") > strings.Index(frame, "STATE") {
		t.Errorf("NAME was not moved to the left:\n%s", frame)
	}
}

func TestBrowseShowsTheAddressWithoutABrowser(t *testing.T) {
	w := newWorld(t)
	w.Send(deck.Browse{URL: "https://console.aws.amazon.com/systems-manager"})
	w.Has("https://console.aws.amazon.com/systems-manager")
}

func TestCopySaysWhat(t *testing.T) {
	w := newWorld(t)
	w.Send(deck.Copy{Text: "i-0a1", What: "the id"})
	w.Has("the id is on the clipboard")
	if w.Clipboard != "i-0a1" {
		t.Errorf("copied %q", w.Clipboard)
	}
}

// What is wrong with the values together keeps the form open, with what was typed.
func TestAFormThatIsWrongAsAWholeStaysOpen(t *testing.T) {
	w := newWorld(t)
	var got map[string]string
	w.Send(deck.Form{
		Title: "Run", Fields: []deck.Field{{Name: "command", Label: "Command"}, {Name: "document", Label: "Document"}},
		Check: func(v map[string]string) error {
			if v["command"] != "" && v["document"] != "" {
				return errors.New("give one of them")
			}
			return nil
		},
		Done: func(v map[string]string) tea.Cmd { got = v; return nil },
	})
	w.Type("uptime")
	w.Press("tab")
	w.Type("D")
	w.Press("ctrl+s")
	w.Has("give one of them", "uptime", "Run")
	if got != nil {
		t.Fatalf("done with %v", got)
	}
	w.Press("backspace", "ctrl+s")
	w.Lacks("give one of them")
	if got["command"] != "uptime" || got["document"] != "" {
		t.Errorf("done with %v", got)
	}
}

// A paste is taken as a whole or not at all, and said when it is not.
func TestAPasteThatIsTooLongIsNotTaken(t *testing.T) {
	long := strings.Repeat("name=web-1 ", 100_000)
	for _, open := range []string{"/", ":"} {
		w := newWorld(t)
		w.Press(open)
		w.Paste(long)
		w.Has("1.0 MiB were pasted, and at most 4.0 KiB can be: nothing was taken")
		w.Paste("web-1")
		w.Has("web-1")
		w.Lacks("nothing was taken")
	}
	w := newWorld(t)
	got := ""
	w.Send(deck.Form{Title: "Run", Fields: []deck.Field{{Name: "script", Label: "Script", Many: true}}, Done: func(v map[string]string) tea.Cmd {
		got = v["script"]
		return nil
	}})
	w.Paste(long)
	w.Has("nothing was taken")
	script := strings.Repeat("echo hello\n", 5000)
	w.Paste(script)
	w.Press("ctrl+s")
	if got != script {
		t.Errorf("of %d bytes %d came", len(script), len(got))
	}
}
