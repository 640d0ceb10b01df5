package tui_test

import (
	"context"
	"io"
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// own are a user's own actions, on the page fleet alone.
type own []deck.Action

func (o own) Actions(p deck.Page) []deck.Action {
	if p.ID() != "fleet" {
		return nil
	}
	return o
}

// ran are the programs that ran.
type ran struct{ words [][]string }

func (r *ran) Run(_ context.Context, l deck.Line, _ io.Reader, _, _ io.Writer) int {
	r.words = append(r.words, l.Words)
	return 3
}

func line(l deck.Line) func() tea.Cmd { return func() tea.Cmd { return deck.Ask(l) } }

func TestOwnActionsHaveTheirKeysAndStandInTheMenus(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) {
		o.Own = own{
			{Key: "alt+n", Name: "restart it", Help: "your command: ssmdeck run", Writes: true, Do: line(deck.Line{Words: []string{"run", "x"}, How: deck.Quietly})},
			{Key: "alt+o", Name: "lost ones", Help: "your view: windows", Whole: true, Do: func() tea.Cmd { return deck.Ask(deck.Open{Page: "windows", Filter: "lost"}) }},
			{Key: "s", Name: "not this", Help: "your command", Do: line(deck.Line{Words: []string{"never"}})},
			{Name: "plain", Help: "your own one", Own: true, Do: line(deck.Line{Words: []string{"own"}, How: deck.Quietly})},
			{Key: "alt+z", Name: "off", Help: "your command", Off: "nothing is chosen", Do: line(deck.Line{Words: []string{"never"}})},
		}
	})
	w.fleet.actions = append(actions(), deck.Action{Key: "", Name: "plain", Help: "of the page", Do: line(deck.Line{Words: []string{"page"}, How: deck.Quietly})})
	w.Press("alt+n", "s", "alt+z")
	w.Has("off: nothing is chosen")
	if want := []string{"run x", "shell web-1"}; !slices.Equal(w.Lines, want) {
		t.Errorf("ran %q, not %q: a key of the page is the page's", w.Lines, want)
	}
	w.Press("?")
	w.Type("your command")
	w.Has("alt+n", "restart it: your command: ssmdeck run")
	w.Press("esc", ":")
	w.Type("restart")
	w.Has("alt+n", "restart it", "your command: ssmdeck run")
	w.Press("enter")
	if len(w.Lines) != 3 || w.Lines[2] != "run x" {
		t.Errorf("the palette ran %q", w.Lines)
	}
	w.Press(":")
	w.Type("your own one")
	w.Press("enter") // and not what the page calls the same
	if len(w.Lines) != 4 || w.Lines[3] != "own" {
		t.Errorf("the palette ran %q", w.Lines)
	}
	w.Deck.ReadOnly = true
	w.Press("alt+n")
	w.Has("restart it would change something")
	w.Press("alt+o")
	w.Has("8▸Windows", "filter: lost")
	w.Press("alt+n") // it is the fleet's
	if len(w.Lines) != 4 {
		t.Errorf("ran %q", w.Lines)
	}
}

func TestAnotherProgramIsShownAsItRuns(t *testing.T) {
	programs := &ran{}
	l := deck.Line{Words: []string{"notify", "a b", "$(x)"}, Program: true, What: "notify", At: tuitest.Place, Level: deck.Change}
	w := newWorld(t, func(o *tui.Options) {
		o.Programs, o.Own = programs, own{{Key: "alt+n", Name: "notify", Help: "your command", Writes: true, Do: line(l)}}
	})
	w.Press("alt+n")
	w.Has("notify?", `notify "a b" '$(x)'`, "Enter does it")
	w.Lacks("ssmdeck notify", "--yes")
	w.Press("c")
	if want := `notify "a b" '$(x)'`; w.Clipboard != want {
		t.Errorf("copied %s, not %s", w.Clipboard, want)
	}
	if len(programs.words) > 0 {
		t.Fatal("it ran before anybody agreed")
	}
	w.Press("enter")
	w.Has("notify ended: exit 3")
	if len(programs.words) != 1 || !slices.Equal(programs.words[0], l.Words) || len(w.Lines) > 0 {
		t.Errorf("ran %q and %q", programs.words, w.Lines)
	}
	w.Press("@")
	w.Has("Command log", `notify "a b" '$(x)'`, "exit 3")
}
