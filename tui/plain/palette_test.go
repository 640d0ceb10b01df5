package plain

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// books finds documents, which are read for it.
type books struct{ source *feed.Source[string] }

func (b books) Find(typed string, _ func(grid.Place) bool, _ bool) (a palette.Answer) {
	name, ok := strings.CutPrefix(typed, "run ")
	if !ok {
		return a
	}
	a.Wants = []feed.Want{{Feed: b.source, Every: time.Hour}}
	for _, r := range b.source.Rows() {
		if strings.Contains(r.Value, name) {
			a.Entries = append(a.Entries, palette.Entry{Name: r.Value, Detail: "document  run it on nodes", Worth: palette.Fitness(name, r.Value), Do: func() tea.Cmd {
				return deck.Ask(deck.Open{Page: "windows", Then: "run " + r.Value})
			}})
		}
	}
	return a
}

func TestPalette(t *testing.T) {
	d := newDesk(t, "web-1", "web-2")
	d.fleet.source = feed.NewSource("fleet", func(context.Context, grid.Cell, func([]string)) ([]string, error) {
		return []string{"web-1", "web-2"}, nil
	})
	d.o.Desk.Open([]grid.Cell{{Place: here}}, nil)
	d.o.Find = books{feed.NewSource("documents", func(context.Context, grid.Cell, func([]string)) ([]string, error) {
		return []string{"restart", "restart-all"}, nil
	})}
	d.fleet.do["look"] = deck.Ask(deck.Say{Text: "it looks well"})
	got := d.play(
		": fleet web-2", ": fleet web-1 @eu-west-1", ": fleet @us-east-1", // rows, those of the only place, no place
		"1", "", ": look", // an action by its whole name
		": loo", "1", // by a part of it: there is a choice
		": run start", "2", ": run restart", // read first; the whole name needs no choice
		": win", "x", "9", "", ": nosuchthing", ": help", ": quit")
	for _, want := range []string{
		"> : fleet web-2\n\nFleet. ", "Filter: web-2", "Filter: web-1", "@us-east-1. Not now: no place of this dashboard; it has prod-admin, eu-west-1.",
		"it looks well", "> : loo\n1. look, do look with the node\nNumber, or Enter for none: 1\nit looks well",
		"Reading documents.\n1. restart, document, run it on nodes\n2. restart-all, document, run it on nodes\n", "told: run restart-all", "> : run restart\n\nWindows. ", "told: run restart\n",
		"1. windows, the view Windows", `"x" is none of the numbers from 1 to`, `Nothing fits "nosuchthing". Type : alone for what there is.`, "NUMBER    what is known",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	if strings.Count(got, "Reading documents.") != 1 {
		t.Errorf("they are read again:\n%s", got)
	}
}

// Another context goes on with the lines that have been read ahead.
func TestContexts(t *testing.T) {
	d := newDesk(t, "web-1")
	d.o.Contexts, d.o.Deck.Where.Context = []string{"prod", "stage"}, "prod"
	var out bytes.Buffer
	ahead := bufio.NewReader(strings.NewReader(": context prod\n: context stage\nh\n"))
	d.o.Ahead = ahead
	got, err := Show(t.Context(), strings.NewReader(""), &out, &out, d.o)
	if err != nil || got.Context != "stage" {
		t.Fatalf("it goes on in %q: %v", got.Context, err)
	}
	if !strings.Contains(out.String(), "context prod. Not now: it is this one.") {
		t.Errorf("the context that it is may be chosen:\n%s", &out)
	}
	if rest, _ := ahead.ReadString('\n'); rest != "h\n" {
		t.Errorf("the line after it is lost: %q", rest)
	}
	d.o.Contexts, d.o.Ahead = nil, nil
	if got := d.play(": context stage"); !strings.Contains(got, `Nothing fits "context stage"`) {
		t.Errorf("a context is offered where there is none:\n%s", got)
	}
	if got := d.play(": context"); !strings.Contains(got, "context. Not now: the configuration has no contexts") {
		t.Errorf("it is not said that there are no contexts:\n%s", got)
	}
}

// A read-only dashboard does not do by name what it does not do by number.
func TestPaletteReadOnly(t *testing.T) {
	d := newDesk(t, "web-1")
	d.o.Deck.ReadOnly = true
	d.fleet.do["run"], d.fleet.writes["run"] = deck.Ask(deck.Line{Words: []string{"run"}, Level: deck.Change}), true
	if got := d.play("1", "", ": run"); !strings.Contains(got, "run. Not now: this dashboard is read-only.") || len(d.lines) > 0 {
		t.Errorf("%s", got)
	}
}

// Keys of the page work by their names, and what was run is told.
func TestKeysAndLog(t *testing.T) {
	d := newDesk(t, "web-1")
	d.o.Operations = func() []feed.Operation { return []feed.Operation{{Name: "ListCommands", Calls: 12, Throttled: 1}} }
	d.answer = func(_ io.Reader, _, _ io.Writer) int { return 6 }
	d.fleet.do["run"] = deck.Ask(deck.Line{Words: []string{"run", "web-1"}, Level: deck.Read})
	got := d.play("@", "1", "run", "1", "k", "k space", "@")
	for _, want := range []string{
		"Nothing has been run from here.", "no key is named", "1 marked", "14:02:31 failed with exit code 6: ssmdeck run web-1", "ListCommands: 12 calls, 1 throttled, 0 failed",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
}
