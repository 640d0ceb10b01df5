package plain

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
)

// want tells the desk which feeds are shown.
func (s *screen) want() { s.start(s.o.Desk.Want(s.current().Wants()), false) }

// load loads what the page wants and is too old, and waits for it.
func (s *screen) load() error {
	s.tick()
	s.want()
	s.start(s.o.Desk.Tick(1), false)
	s.start(s.current().Update(deck.Tick{}), true)
	ok, err := s.wait(func() bool { return s.pending <= 0 && s.loaded() }, loadPatience)
	if err != nil {
		return err
	}
	if !ok {
		s.say("Not everything has answered. Type r to look again.")
	}
	return nil
}

// loaded reports whether nothing that the page wants is being loaded.
func (s *screen) loaded() bool {
	if s.o.Begin != nil && !s.o.Desk.Opened() {
		return false
	}
	for _, w := range s.current().Wants() {
		if w.Feed.State().Loading > 0 {
			return false
		}
	}
	return true
}

// state says how old the rows are and what could not be read.
func (s *screen) state() {
	notes := s.o.Desk.Notes()
	for _, n := range notes[min(s.notes, len(notes)):] {
		s.say("Note: %s", n)
	}
	s.notes = len(notes)
	for _, w := range s.current().Wants() {
		if line := feedLine(w.Feed.Name(), w.Feed.State()); line != "" {
			s.say("%s", line)
		}
	}
	s.failures()
	if oldest := feed.Oldest(s.current().Wants()); !oldest.IsZero() {
		s.say("Read %s.", render.Ago(s.o.Deck.Now, oldest))
	}
}

// failures says what could not be read where, and why: what failed alike in one
// sentence.
func (s *screen) failures() {
	type failure struct {
		place grid.Place
		text  string
	}
	names, hints := map[failure][]string{}, map[failure]string{}
	var order []failure
	for _, w := range s.current().Wants() {
		for _, f := range w.Feed.State().Failures {
			one := failure{f.Place, f.Err.Error()}
			if names[one] == nil {
				order = append(order, one)
			}
			names[one], hints[one] = append(names[one], w.Feed.Name()), fault.HintOf(f.Err)
		}
	}
	for _, f := range order {
		s.say("Error: %s of %s: %s", strings.Join(names[f], ", "), s.o.Deck.PlaceName(f.place), f.text)
		if hints[f] != "" {
			s.say("Hint: %s", hints[f])
		}
	}
}

// feedLine says what of a feed is not there.
func feedLine(name string, st feed.State) string {
	switch {
	case st.Places > 0 && st.Empty() && len(st.Failures) == 0:
		return fmt.Sprintf("The %s are not known yet.", name)
	case st.Places > 1 && st.Whole < st.Places:
		return fmt.Sprintf("The %s of %d of %d places are known.", name, st.Whole, st.Places)
	case st.Places == 1 && st.Whole == 0 && !st.Empty():
		return fmt.Sprintf("Not all %s are known.", name)
	}
	return ""
}

// where says whose machines these are.
func (s *screen) where() string {
	w := s.o.Deck.Where
	var parts []string
	if name := s.o.Deck.PlaceName(grid.Place{}); name != "" {
		parts = append(parts, name)
	}
	if w.Scopes > 1 {
		parts = append(parts, fmt.Sprintf("%d places", w.Scopes))
	}
	if w.Protected {
		parts = append(parts, "protected")
	}
	if s.o.Deck.ReadOnly {
		parts = append(parts, "read-only")
	}
	return strings.Join(parts, ", ")
}
