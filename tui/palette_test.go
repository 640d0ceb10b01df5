package tui_test

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// What the palette needs is read when somebody looks for it, once, and shown as soon as
// it is there, with the cursor where it was.
func TestThePaletteReadsWhatItNeeds(t *testing.T) {
	reads := 0
	source := feed.NewSource("documents", func(context.Context, grid.Cell, func([]string)) ([]string, error) {
		reads++
		return []string{"a-shell", "b-shell"}, nil
	})
	type open struct{} // the places are known now
	w := newWorld(t, func(o *tui.Options) {
		o.Take = func(msg tea.Msg) (tea.Cmd, bool) {
			if _, ok := msg.(open); !ok {
				return nil, false
			}
			return o.Desk.Open([]grid.Cell{{Place: tuitest.Place}}, nil), true
		}
		o.Find = found(func(typed string) (a palette.Answer) {
			if !strings.HasPrefix(typed, "run ") {
				return a
			}
			a.Wants = []feed.Want{{Feed: source, Every: time.Hour}}
			for _, r := range source.Rows() {
				a.Entries = append(a.Entries, palette.Entry{Name: r.Value, Detail: "document", Worth: 200, Do: func() tea.Cmd {
					return deck.Ask(deck.Say{Text: "it would run " + r.Value})
				}})
			}
			if len(a.Entries) == 0 {
				a.Entries = []palette.Entry{{Name: "reading documents", Off: "wait"}}
			}
			return a
		})
	})
	for _, p := range w.pages {
		p.source = feed.NewSource(p.id, func(context.Context, grid.Cell, func([]machine)) ([]machine, error) { return machines, nil })
	}
	w.Press(":")
	w.Type("run s")
	w.Has("reading documents", "(wait)") // no place is open yet
	if reads > 0 {
		t.Fatal("they are read in no place")
	}
	w.Send(open{})
	w.Has("a-shell", "b-shell")
	w.Press("down", "enter")
	w.Has("it would run b-shell")
	w.Press(":")
	w.Type("run s")
	w.Press("esc")
	w.Wait(time.Minute)
	if reads != 1 {
		t.Errorf("documents were read %d times", reads)
	}
}
