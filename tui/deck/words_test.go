package deck_test

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

func TestWhatHasHappenedIsNeverInTheFuture(t *testing.T) {
	d := &deck.Deck{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for at, want := range map[time.Time]string{
		d.Now.Add(time.Minute): "just now", d.Now: "just now", d.Now.Add(-time.Hour): "1 h ago", {}: "",
	} {
		if got := d.Ago(at); got != want {
			t.Errorf("%s: %q, not %q", at, got, want)
		}
	}
}

func TestWhatIsCopiedIsWhatWasChosen(t *testing.T) {
	ask := deck.CopyOne("Copy", []deck.Copy{{Text: "i-0a", What: "the id"}, {Text: "a\x1b[2Jb", What: "the name"}})().(deck.Choose)
	if len(ask.Entries) != 2 || ask.Entries[1].Name != "the name" || ask.Entries[1].Detail != `a\x1b[2Jb` {
		t.Errorf("%+v", ask.Entries)
	}
	if got := ask.Done(1)(); got != (deck.Copy{Text: "a\x1b[2Jb", What: "the name"}) {
		t.Errorf("%+v", got)
	}
}

func TestNeeded(t *testing.T) {
	if deck.Needed(" \t") == nil || deck.Needed("x") != nil {
		t.Error("blanks are a value, or x is none")
	}
}

func TestTook(t *testing.T) {
	d := &deck.Deck{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, c := range []struct {
		from, to time.Time
		want     string
	}{
		{time.Time{}, d.Now, ""},
		{d.Now.Add(-3400 * time.Millisecond), time.Time{}, "3 s"},
		{d.Now.Add(time.Minute), time.Time{}, "0 s"},
		{d.Now.Add(-time.Hour), d.Now.Add(-time.Hour + 75*time.Second), "1 min 15 s"},
	} {
		if got := d.Took(c.from, c.to); got != c.want {
			t.Errorf("%s to %s: %q, not %q", c.from, c.to, got, c.want)
		}
	}
}
