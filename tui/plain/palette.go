package plain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// palettePatience is how long what must be read for an answer is waited for.
const palettePatience = 30 * time.Second

// palette goes to what a text names, or does it. What is named in full is done at
// once; else there is a choice by number.
func (s *screen) palette(typed string) error {
	var act *deck.Action // that was chosen
	about := s.about()
	p := &palette.Palette{Deck: s.o.Deck, Desk: s.o.Desk, Pages: s.o.Pages, Page: s.page, Find: s.o.Find, Others: s.others(&act)}
	if _, ok := s.nowhere(); ok {
		p.Find = nil // there is nothing to be found
	}
	entries, err := s.answers(p, typed)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		s.say("Nothing fits %q. Type : alone for what there is.", typed)
		return nil
	}
	at := 0
	if !palette.Clear(entries) {
		if at, err = s.pick(entries); err != nil || at < 0 {
			return err
		}
	}
	e := entries[at]
	if e.Off != "" {
		s.say("%s. Not now: %s.", e.Name, strings.TrimSuffix(e.Off, "."))
		return nil
	}
	s.start(e.Do(), true)
	switch {
	case act == nil:
		return s.settle(detailPatience)
	case s.about() != about:
		s.say("Nothing is done: what it was about is gone.")
		return nil
	}
	return s.do(s.fresh(*act), 0)
}

// answers are what fits a text, once what must be read for it has come.
func (s *screen) answers(p *palette.Palette, typed string) ([]palette.Entry, error) {
	a := p.Answer(typed)
	if len(a.Wants) == 0 {
		return a.Entries, nil
	}
	if slices.ContainsFunc(a.Wants, unread) {
		for _, w := range a.Wants {
			s.say("Reading %s.", w.Feed.Name())
		}
		s.start(s.o.Desk.Want(slices.Concat(s.current().Wants(), a.Wants)), false)
		ok, err := s.wait(func() bool { return !slices.ContainsFunc(a.Wants, unread) }, palettePatience)
		s.want()
		if err != nil {
			return nil, err
		}
		if !ok {
			s.say("Not everything has answered.")
		}
	}
	return p.Answer(typed).Entries, nil
}

// unread reports whether a place has neither answered nor failed yet.
func unread(w feed.Want) bool {
	st := w.Feed.State()
	return st.Places == 0 || st.Whole == 0 && len(st.Failures) == 0 || st.Loading > 0 && st.Whole < st.Places
}

// others are what can be done on this page, and what belongs to the dashboard. act
// becomes the action that is chosen.
func (s *screen) others(act **deck.Action) (out []palette.Entry) {
	actions := s.actions()
	if _, ok := s.nowhere(); ok {
		actions = nil
	}
	for _, a := range actions {
		out = append(out, palette.Entry{Key: a.Key, Name: a.Name, Detail: a.Help, Off: s.off(a), Do: func() tea.Cmd {
			*act = &a
			return nil
		}})
	}
	out = append(out,
		palette.Entry{Name: "refresh", Detail: "read everything on this view anew", Do: func() tea.Cmd { return deck.Ask(deck.Refresh{}) }},
		palette.Entry{Name: "help", Detail: "what can be typed", Do: func() tea.Cmd { s.help(); return nil }})
	for _, c := range s.o.Contexts {
		e := palette.Entry{Name: "context " + c, Detail: "go on with this context of the configuration", Do: func() tea.Cmd {
			s.outcome.Context, s.left = c, true
			return nil
		}}
		if c == s.o.Deck.Where.Context {
			e.Off = "it is this one"
		}
		out = append(out, e)
	}
	if len(s.o.Contexts) == 0 {
		out = append(out, palette.Entry{Name: "context", Detail: "go on with another context of the configuration", Off: deck.NoContexts})
	}
	return append(out, palette.Entry{Name: "quit", Detail: "leave the dashboard", Do: func() tea.Cmd { s.left = true; return nil }})
}

// pick asks for one of several entries; -1: none.
func (s *screen) pick(entries []palette.Entry) (int, error) {
	for i, e := range entries {
		s.say("%d. %s", i+1, sentence(e.Name, e.Detail, e.Off))
	}
	for {
		line, err := s.ask("Number, or Enter for none: ")
		if line = strings.TrimSpace(line); err != nil || line == "" {
			return -1, err
		}
		if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(entries) {
			return n - 1, nil
		}
		s.say("%q is none of the numbers from 1 to %d.", line, len(entries))
	}
}

// sentence is something to choose from, read aloud.
func sentence(name, detail, off string) string {
	if detail != "" {
		name += ", " + strings.ReplaceAll(detail, "  ", ", ")
	}
	if off != "" {
		name += ". Not now: " + off
	}
	return name
}
