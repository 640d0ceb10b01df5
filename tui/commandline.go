package tui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// behind puts words at the end of a command line, in front of the "--" from which on
// words are the remote command's.
func behind(words []string, more ...string) []string {
	at := slices.Index(words, "--")
	if at < 0 {
		at = len(words)
	}
	return slices.Concat(words[:at], more, words[at:])
}

// running are the words of a line as they run: what changes something has been
// agreed to by then, so that the command need not ask again.
func running(l deck.Line) []string {
	if l.Level < deck.Change || slices.Contains(l.Words, "--yes") || slices.Contains(l.Words, "-y") {
		return l.Words
	}
	return behind(l.Words, "--yes")
}

// oneLiner is the line as a shell takes it, from anywhere.
func (m *Model) oneLiner(words []string, at grid.Place) string {
	if m.o.Deck.Flags != nil {
		words = behind(words, m.o.Deck.Flags(at)...)
	}
	out := []string{"ssmdeck"}
	for _, w := range words {
		out = append(out, render.ShellWord(render.Visible(w)))
	}
	return strings.Join(out, " ")
}

// placeName says where a line runs.
func (m *Model) placeName(at grid.Place) string {
	w := m.o.Deck.Where
	account, region := cmp.Or(at.Account, w.Account), cmp.Or(at.Region, w.Region)
	name := ""
	if account == w.Account {
		name = cmp.Or(w.Context, w.Alias)
	} else {
		name = at.Profile
	}
	if name != "" && account != "" {
		account = name + " @ " + account
	} else {
		account = cmp.Or(account, name)
	}
	return render.Visible(strings.TrimSpace(account + "  " + region))
}

// strictness is how a line is asked for: one level more in a protected account.
func (m *Model) strictness(l deck.Line) deck.Level {
	if l.Level > deck.Read && l.Level < deck.Destructive && m.o.Deck.Where.Protected {
		return l.Level + 1
	}
	return l.Level
}

// mustType is what has to be typed for a destructive line.
func (m *Model) mustType(l deck.Line) string {
	w := m.o.Deck.Where
	return cmp.Or(l.Type, w.Context, w.Alias, w.Account, "yes")
}
