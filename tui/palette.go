package tui

import (
	"slices"

	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/palette"
)

// typedKept is how many lines of the palette are remembered.
const typedKept = 50

// search is the palette while it is open: what is read for it alone.
type search struct {
	menu  *menu
	wants []feed.Want
}

// openPalette opens the list of everything there is to go to and to do.
func (m *Model) openPalette() {
	d := &menu{m: m, head: "Go to", prompt: ":"}
	m.search = search{menu: d}
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
	p := m.palette()
	d.list = func(typed string) []entry {
		a := p.Answer(typed)
		m.search.wants = a.Wants
		out := make([]entry, len(a.Entries))
		for i, e := range a.Entries {
			out[i] = entry{key: e.Key, name: e.Name, detail: e.Detail, off: e.Off, do: e.Do}
		}
		return out
	}
	d.chosen = func(typed string, _ entry) { m.remember(typed) }
	d.fit()
	m.push(d)
}

// palette is what the palette looks through, as long as the page is about the same.
func (m *Model) palette() *palette.Palette {
	about := m.about()
	p := &palette.Palette{Deck: m.o.Deck, Desk: m.o.Desk, Pages: m.o.Pages, Page: m.page, Find: m.o.Find}
	if m.lost() {
		p.Find = nil // there is nothing to be found
	}
	for _, e := range slices.Concat(m.actionEntries(about), m.customEntries(about), m.ownEntries()) {
		p.Others = append(p.Others, palette.Entry{Key: e.key, Name: e.name, Detail: e.detail, Off: e.off, Do: e.do})
	}
	return p
}

// searching are the feeds that are read because of what is typed into the palette.
func (m *Model) searching() []feed.Want {
	if m.search.menu == nil || !slices.Contains(m.dialogs, dialog(m.search.menu)) {
		m.search = search{}
	}
	return m.search.wants
}

// found looks again once what was read for the palette has come.
func (m *Model) found(name string) {
	if slices.ContainsFunc(m.searching(), func(w feed.Want) bool { return w.Feed.Name() == name }) {
		m.search.menu.again()
	}
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

// actionEntries are what can be done on the page shown, as long as it is about that.
func (m *Model) actionEntries(about string) []entry {
	var out []entry
	if m.lost() {
		return nil
	}
	for _, a := range m.current().Actions() {
		out = append(out, m.actionEntry(a, about))
	}
	return out
}

// tabDigit is the key of a view.
func tabDigit(i int) string { return palette.TabDigit(i) }
