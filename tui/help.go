package tui

import (
	"slices"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// openHelp opens the list of all keys of the view. What is typed finds them, Enter
// does what the key does.
func (m *Model) openHelp() {
	about := m.about()
	d := &menu{m: m, head: "Keys of " + m.current().Title(), prompt: "?"}
	for _, a := range slices.Concat(m.actionEntries(about), m.customEntries(about)) {
		if a.key != "" || a.off != "" || a.do != nil {
			a.name, a.detail = cap1(a.detail, a.name), ""
			d.entries = append(d.entries, a)
		}
	}
	for _, h := range rootKeys {
		if h.key == "?" {
			continue
		}
		d.entries = append(d.entries, entry{key: h.key, name: h.name, do: func() tea.Cmd { return m.press(h.key) }})
	}
	for i, p := range m.o.Pages {
		d.entries = append(d.entries, entry{key: tabDigit(i), name: "view " + p.Title(), do: func() tea.Cmd { return m.press(tabDigit(i)) }})
	}
	own := m.current().Actions()
	for _, h := range listKeys {
		if slices.ContainsFunc(own, func(a deck.Action) bool { return a.Key == h.key }) {
			continue // the view says better what it does
		}
		first, _, _ := strings.Cut(h.key, " ")
		d.entries = append(d.entries, entry{key: h.key, name: h.name, do: func() tea.Cmd { return m.press(first) }})
	}
	d.fit()
	m.push(d)
}

// cap1 is what an action does, in one line, with its name in front where that says more.
func cap1(help, name string) string {
	if help == "" {
		return name
	}
	if strings.Contains(strings.ToLower(help), strings.ToLower(name)) {
		return help
	}
	return name + ": " + help
}

// moving are the letters and signs of lists and texts that no action has.
const moving = "jkhlgGnN*<>I"

// unused says of a letter or sign that nothing is done with it here: a key that does
// nothing is otherwise taken for one that has done something.
func (m *Model) unused(name string) {
	if utf8.RuneCountInString(name) == 1 && !strings.Contains(moving, name) {
		m.say = deck.Say{Text: name + " does nothing here; ? has all keys"}
	}
}

// listKeys are the keys of lists, which pages leave to them.
var listKeys = []hint{
	{"j down", "the next row"},
	{"k up", "the row before"},
	{"g home", "the first row"},
	{"G end", "the last row"},
	{"ctrl+d", "half a screen down"},
	{"ctrl+u", "half a screen up"},
	{"tab", "the next pane, or the next list"},
	{"space", "mark the row; shift+down and shift+up mark as they go"},
	{"*", "mark all rows that fit the filter"},
	{"<", "order by the column to the left"},
	{">", "order by the column to the right"},
	{"I", "turn the order round"},
}
