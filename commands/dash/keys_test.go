package dash_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// meaning is what a letter is for, on whatever view: its name there has one of the words.
var meaning = map[string][]string{
	"s": {"shell"}, "f": {"forward"}, "r": {"run"}, "p": {"scan"}, "P": {"install"}, "y": {"YAML"}, "e": {"edit"}, "x": {"export"},
	"o": {"console"}, "c": {"copy"}, "d": {"doctor", "describe", "explain", "diff"}, "t": {"terminate"}, "X": {"cancel", "stop"},
	"R": {"rerun", "restart", "again"}, "w": {"write"}, "L": {"log"}, "v": {"reveal", "hide", "patches", "nodes", "groups"}, "a": {"approve"}, "D": {"deny"}, "n": {"new"},
	"F": {"start"}, "C": {"columns"}, "U": {"update"}, "enter": nil, "tab": {"pane"},
}

// apart are letters that views use for what only they have.
var apart = []string{"E", "b"}

// listKeys are taken by every list: an action with one of them would never be reached
// by who moves.
var listKeys = []string{
	"j", "k", "g", "G", "up", "down", "home", "end", "pgup", "pgdown", "ctrl+d", "ctrl+u", "ctrl+f", "ctrl+b", "space", "*", "<", ">", "I",
}

// allActions are the actions of all pages, when their data have come.
func allActions(t *testing.T) map[string][]deck.Action {
	all := map[string][]deck.Action{}
	for _, p := range allLoaded(t).pages {
		all[p.ID()] = p.Actions()
	}
	return all
}

// A key does one thing on a view, none that belongs to the root or to lists, and a
// letter does the same sort of thing on every view.
func TestKeysMeanTheSameEverywhere(t *testing.T) {
	all := allActions(t)
	others := map[string]map[string]string{} // letters without a meaning of their own: key, view, name
	for _, view := range slices.Sorted(maps.Keys(all)) {
		seen := map[string]string{}
		for _, a := range all[view] {
			switch {
			case a.Name == "" || a.Help == "":
				t.Errorf("%s: the action %q of %q has no name or no help", view, a.Name, a.Key)
			case a.Key == "":
				continue
			case tui.Reserved(a.Key):
				t.Errorf("%s: %s (%s) is a key of the root", view, a.Key, a.Name)
			case slices.Contains(listKeys, a.Key):
				t.Errorf("%s: %s (%s) is a key of lists", view, a.Key, a.Name)
			case seen[a.Key] != "":
				t.Errorf("%s: %s is %s and %s", view, a.Key, seen[a.Key], a.Name)
			}
			seen[a.Key] = a.Name
			if words, ok := meaning[a.Key]; ok {
				fits := words == nil
				for _, w := range words {
					fits = fits || strings.Contains(strings.ToLower(a.Name), strings.ToLower(w))
				}
				if !fits {
					t.Errorf("%s: %s is %q, and elsewhere %s", view, a.Key, a.Name, strings.Join(words, " or "))
				}
				continue
			}
			if others[a.Key] == nil {
				others[a.Key] = map[string]string{}
			}
			others[a.Key][view] = a.Name
		}
	}
	for key, views := range others {
		if slices.Contains(apart, key) {
			continue
		}
		names := slices.Compact(slices.Sorted(maps.Values(views)))
		if len(names) > 1 {
			t.Errorf("%s means %q", key, views)
		}
	}
}

// What changes something says so, so that it is off where nothing may be changed.
func TestReadOnlyTurnsOffWhatWrites(t *testing.T) {
	all := allActions(t)
	writes := 0
	for _, list := range all {
		for _, a := range list {
			if a.Writes {
				writes++
			}
		}
	}
	if writes < 10 {
		t.Errorf("%d actions of all views change something; that cannot be all", writes)
	}
}
