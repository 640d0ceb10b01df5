package tui_test

import (
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// onCurrent is an action about the row under the cursor, as pages have them: it takes
// for granted that there is one.
func (w *world) onCurrent(key, name string) deck.Action {
	return deck.Action{Key: key, Name: name, Do: func() tea.Cmd {
		row, _ := w.fleet.list.Current()
		return deck.Ask(deck.Line{Words: []string{name, w.fleet.rows[row].id}, At: tuitest.Place, What: name})
	}}
}

// The row vanishes in the moment in which the key is pressed: nothing is done to the
// one that took its place, unless the key is pressed again.
func TestAKeyIsNotAboutARowThatNobodyHasSeenYet(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = []deck.Action{w.onCurrent("s", "shell")}
	w.Press("j")
	w.fleet.set(w.Screen, slices.Concat(machines[:1], machines[2:])...) // without the one under the cursor
	w.Press("s")
	w.Has("shell: the row it was about is gone")
	if len(w.Lines) > 0 {
		t.Fatalf("ran %q", w.Lines)
	}
	w.Press("s")
	if !slices.Equal(w.Lines, []string{"shell i-0a3"}) {
		t.Errorf("ran %q", w.Lines)
	}
}

// What is marked goes away: what is under the cursor was not meant.
func TestAKeyIsNotAboutTheCursorWhenTheMarksAreGone(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = []deck.Action{w.onCurrent("t", "terminate")}
	w.Press("j", "space", "k", "k")
	w.fleet.set(w.Screen, slices.Concat(machines[:1], machines[2:])...)
	w.Press("t")
	w.Has("terminate: the row it was about is gone")
	if len(w.Lines) > 0 {
		t.Errorf("ran %q", w.Lines)
	}
}

// Rows that come, go and change places elsewhere are in nobody's way.
func TestAKeyIsAboutItsRowWhateverElseMoves(t *testing.T) {
	w := newWorld(t)
	w.fleet.actions = []deck.Action{w.onCurrent("s", "shell")}
	w.Press("j")
	w.fleet.set(w.Screen, machines[3], machines[1], machine{"i-0b1", "new-1", "online"})
	w.Press("s")
	if !slices.Equal(w.Lines, []string{"shell i-0a2"}) {
		t.Errorf("ran %q", w.Lines)
	}
}

func TestAMenuIsAboutTheRowForWhichItWasOpened(t *testing.T) {
	for _, menu := range []string{":", "?"} {
		w := newWorld(t)
		w.fleet.actions = []deck.Action{w.onCurrent("s", "shell")}
		w.Press("j", menu)
		w.Type("shel")
		w.fleet.set(w.Screen, slices.Concat(machines[:1], machines[2:])...)
		w.Type("l")
		w.Press("enter")
		w.Has("shell: the row it was about is gone")
		if len(w.Lines) > 0 {
			t.Errorf("%s ran %q", menu, w.Lines)
		}
	}
}

// An action that can be done no more when it is chosen from a menu is not done.
func TestAMenuDoesWhatCanBeDoneNow(t *testing.T) {
	w := newWorld(t)
	stop := w.onCurrent("X", "stop")
	w.fleet.actions = []deck.Action{stop}
	w.Press("?")
	w.Type("stop")
	stop.Off = "it has ended"
	w.fleet.actions = []deck.Action{stop}
	w.Press("enter")
	w.Has("stop: it has ended")
	w.fleet.actions = nil
	w.Press("?", "esc")
	w.fleet.actions = []deck.Action{w.onCurrent("X", "stop")}
	w.Press("?")
	w.Type("stop")
	w.fleet.actions = nil
	w.Press("enter")
	w.Has("stop: it cannot be done any more")
	if len(w.Lines) > 0 {
		t.Errorf("ran %q", w.Lines)
	}
}
