package tui

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// typedKept is how many lines of the palette are remembered, foundMost how many
// things of the fleet it offers.
const (
	typedKept = 50
	foundMost = 20
)

// openPalette opens the list of everything there is to go to and to do.
func (m *Model) openPalette() {
	d := &menu{m: m, head: "Go to", prompt: ":"}
	at := len(m.typed)
	d.above = func() bool { // the lines typed before
		if at == 0 {
			return false
		}
		at--
		d.in.set(m.typed[at])
		d.fit()
		return true
	}
	about := m.about()
	d.list = func(typed string) []entry { return m.paletteEntries(typed, about) }
	d.chosen = func(typed string, _ entry) { m.remember(typed) }
	d.fit()
	m.push(d)
}

// remember keeps a line of the palette for the next time.
func (m *Model) remember(typed string) {
	if typed == "" {
		return
	}
	m.typed = slices.DeleteFunc(slices.Clone(m.typed), func(t string) bool { return t == typed })
	if m.typed = append(m.typed, typed); len(m.typed) > typedKept {
		m.typed = m.typed[len(m.typed)-typedKept:]
	}
}

// paletteEntries are what fits a text: a view with a filter, views, actions, and what
// the fleet has, best first.
func (m *Model) paletteEntries(typed, about string) []entry {
	typed = strings.TrimSpace(typed)
	word, rest, several := strings.Cut(typed, " ")
	var out []entry
	if several {
		out = append(out, m.filterEntries(word, strings.TrimSpace(rest))...)
	}
	type ranked struct {
		entry
		worth int
	}
	var list []ranked
	for _, e := range slices.Concat(m.viewEntries(), m.actionEntries(about), m.customEntries(about), m.ownEntries()) {
		worth := max(fitness(typed, e.name), fitness(typed, e.detail)-250)
		if typed != "" && e.key == typed {
			worth = 500
		}
		if worth >= 0 {
			list = append(list, ranked{e, worth})
		}
	}
	if m.o.Find != nil && typed != "" {
		for _, f := range m.o.Find(typed, foundMost) {
			list = append(list, ranked{entry{
				name: f.Name, detail: strings.TrimSpace(f.Kind + "  " + f.Detail),
				do: func() tea.Cmd { return m.open(f.Open) },
			}, max(fitness(typed, f.Name)-20, 0)})
		}
	}
	if typed != "" {
		slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(b.worth, a.worth) })
	}
	for _, r := range list {
		out = append(out, r.entry)
	}
	return out
}

// filterEntries are for "fleet ping=lost": a view and the rows that fit.
func (m *Model) filterEntries(word, filter string) []entry {
	var out []entry
	for _, p := range m.o.Pages {
		if filter != "" && (strings.HasPrefix(p.ID(), strings.ToLower(word)) || strings.EqualFold(p.Title(), word)) {
			out = append(out, entry{
				name: p.ID() + " " + filter, detail: "the rows of " + p.Title() + " that fit",
				do: func() tea.Cmd { return m.open(deck.Open{Page: p.ID(), Filter: filter}) },
			})
		}
	}
	return out
}

func (m *Model) viewEntries() []entry {
	var out []entry
	for i, p := range m.o.Pages {
		out = append(out, entry{
			key: tabDigit(i), name: p.ID(), detail: "the view " + p.Title(),
			do: func() tea.Cmd { return m.open(deck.Open{Page: p.ID()}) },
		})
	}
	return out
}

// tabDigit is the key of a view.
func tabDigit(i int) string { return string(rune('0' + (i+1)%10)) }

// actionEntries are what can be done on the page shown, as long as it is about that.
func (m *Model) actionEntries(about string) []entry {
	var out []entry
	for _, a := range m.current().Actions() {
		out = append(out, m.actionEntry(a, about))
	}
	return out
}
