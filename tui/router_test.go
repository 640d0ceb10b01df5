package tui_test

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

func TestAKeyDoesItsAction(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	w.Press("s")
	if want := []string{"shell web-1"}; !slices.Equal(w.Lines, want) {
		t.Errorf("ran %q, want %q", w.Lines, want)
	}
	w.Press("f")
	w.Has("forward: the node is not online")
	w.Press("j")
	w.Lacks("forward:") // a message lasts until the next key
}

func TestReadOnlyRefusesBeforeAnythingIsAsked(t *testing.T) {
	w := newWorld(t)
	w.Deck.ReadOnly = true
	did := false
	w.fleet.actions = []deck.Action{
		{Key: "r", Name: "run", Writes: true, Do: func() tea.Cmd { did = true; return nil }},
		{Key: "t", Name: "terminate", Do: func() tea.Cmd {
			return deck.Ask(deck.Line{Words: []string{"session", "terminate", "x"}, What: "terminate the session", Level: deck.Disruptive})
		}},
	}
	w.Press("r")
	w.Has("run would change something, and this dashboard is read-only")
	w.Press("t")
	w.Has("terminate the session would change something")
	if did || len(w.Lines) > 0 {
		t.Errorf("it was done: %v %q", did, w.Lines)
	}
}

func TestKeysThatNobodyTakesGoToThePage(t *testing.T) {
	w := newWorld(t)
	w.Press("j", "enter")
	w.Has("Fleet › web-2")
	w.Press("esc")
	w.Lacks("Fleet › web-2")
}

func TestViewsAreWalked(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct{ key, title string }{
		{"3", "3▸Patch"},
		{"1", "1▸Overview"},
		{"-", "3▸Patch"},
		{"-", "1▸Overview"},
		{"[", "3▸Patch"},
		{"[", "1▸Overview"},
		{"[", "3▸Patch"},
		{"[", "2▸Fleet"},
		{"]", "3▸Patch"},
		{"esc", "2▸Fleet"}, // a page that has nothing to close is left
	} {
		w.Press(step.key)
		if !strings.Contains(w.Frame(), step.title) {
			t.Fatalf("after %s not %s:\n%s", step.key, step.title, w.Frame())
		}
	}
	w.Press("esc", "[")
	w.Has("nothing further that way")
}

func TestOpenBringsAFilterAndTheWayBackTakesItAway(t *testing.T) {
	w := newWorld(t)
	got := ""
	w.Send(deck.Open{Page: "fleet", Filter: "lost", Then: note{&got}})
	w.Has("1 of 4", "filter: lost", "web-2")
	w.Lacks("web-1")
	w.Press("[")
	w.Has("web-1", "/ filter  ")
	w.Press("]")
	w.Has("filter: lost")
	w.Send(deck.Open{Page: "fleet", Clear: true})
	w.Has("web-1")
	w.Send(deck.Open{Page: "nowhere"})
	w.Has("there is no view nowhere")
	if len(w.fleet.heard) == 0 {
		t.Error("the page was not told what comes then")
	}
}

type note struct{ into *string }

func TestTheFilterLine(t *testing.T) {
	w := newWorld(t)
	w.Press("/")
	w.Type("web")
	w.Has("/web", "2 of 4")
	w.Press("down", "enter")
	w.Has("filter: web", "▸ ✗ lost    web-2")
	w.Press("/", "ctrl+u")
	w.Type("db")
	w.Has("db-1", "1 of 4")
	w.Press("esc") // the text
	w.Has("4 of 4")
	w.Press("esc") // the line
	w.Has("? keys")
	w.Press("/")
	w.Paste("web-2\n")
	w.Press("home", "right", "delete", "end", "ctrl+w")
	w.Has("4 of 4")
	w.Press("ctrl+c")
	w.Lacks("press ctrl+c again")
}

func TestAWrongFilterLeavesTheLastGoodOne(t *testing.T) {
	w := newWorld(t)
	w.Press("/")
	w.Type("web ping=")
	frame := w.Frame()
	if !strings.Contains(frame, "✗") || strings.Contains(frame, "db-1") {
		t.Errorf("the fault is not said, or the filter has gone:\n%s", frame)
	}
	w.Press("enter")
	w.Lacks("db-1")
}

func TestTheDeskKnowsWhatTheViewWants(t *testing.T) {
	w := newWorld(t)
	w.Press("3")
	w.pages[2].set(w.Screen, machines...)
	w.Has("web-1")
	w.Send(deck.Refresh{Feeds: []string{"patch"}})
	w.Press("ctrl+r")
	if n := w.pages[1].sized; n == 0 {
		t.Error("the page was never sized")
	}
}

func TestLeaving(t *testing.T) {
	w := newWorld(t)
	w.Press("ctrl+c")
	w.Has("press ctrl+c again to leave")
	w.Press("j", "ctrl+c")
	if w.Quit() {
		t.Error("left after one ctrl+c and another key")
	}
	w.Press("ctrl+c")
	if !w.Quit() {
		t.Error("not left after two ctrl+c")
	}
	w = newWorld(t)
	w.Press("q")
	if !w.Quit() {
		t.Error("q does not leave")
	}
}

func TestLeavingAsksWhenSomethingWouldEnd(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) { o.Busy = func() []string { return []string{"forward orders-db"} } })
	w.Press("q")
	w.Has("Leave? 1 thing started here would end", "forward orders-db")
	w.Press("enter") // stay
	if w.Quit() {
		t.Fatal("left by staying")
	}
	w.Press("q", "down", "enter")
	if !w.Quit() {
		t.Error("not left")
	}
}

func TestMouse(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = actions()
	w.Click(2, 5) // the second row
	w.Has("▸ ✗ lost    web-2")
	w.Click(22, 1)
	w.Has("3▸Patch")
	w.Click(14, 1)
	w.Has("2▸Fleet")
	w.Send(tea.MouseWheelMsg{X: 2, Y: 6, Button: tea.MouseWheelDown})
	w.Has("▸ ● online  東京-batch")
	line := strings.Split(w.Frame(), "\n")[23]
	w.Click(cells(line[:strings.Index(line, "s shell")]), 23)
	if !slices.Contains(w.Lines, "shell web-1") {
		t.Errorf("the key on the last line was not pressed: %q", w.Lines)
	}
	w.Press("?")
	w.Has("Keys of Fleet")
	w.Send(tea.MouseWheelMsg{X: 40, Y: 10, Button: tea.MouseWheelDown})
	w.Click(0, 0) // nowhere
	w.Has("Keys of Fleet")
}

// A page hears of data also while another one is shown.
func TestHiddenPagesHearOfData(t *testing.T) {
	w := newWorld(t)
	w.pages[3].set(w.Screen, machines[0])
	w.Press("4")
	w.Has("web-1")
}

func TestCrashesEndTheDashboard(t *testing.T) {
	s := tuitest.New(t, func(d *deck.Deck, _ *feed.Desk) []deck.Page { return []deck.Page{newPage(d, "fleet")} })
	m := tui.New(tui.Options{Deck: s.Deck, Desk: s.Desk, Pages: []deck.Page{newPage(s.Deck, "fleet")}})
	_, cmd := m.Update(feed.Crashed{Value: "boom", Stack: []byte("trace")})
	if m.Broken() == nil || cmd == nil {
		t.Fatal("a panic behind the dashboard does not end it")
	}
	if _, ok := cmd().(tea.QuitMsg); !ok {
		t.Error("it does not leave")
	}
}

// Esc takes away that a key can do nothing, and not the view with it.
func TestEscapeTakesAwayWhatIsRefused(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = []deck.Action{{Key: "f", Name: "forward", Off: "the node is not online"}}
	w.Press("3", "2", "f")
	w.Has("forward: ", "2▸Fleet")
	w.Press("esc")
	w.Has("2▸Fleet", "? keys")
	w.Lacks("forward: ")
	w.Press("esc")
	w.Has("3▸Patch")
}
