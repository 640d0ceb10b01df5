package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// rootKeys are the keys that mean the same on all pages, whatever else the page does:
// no action may have one of them.
var rootKeys = []hint{
	{"/", "filter the rows"},
	{":", "go to a view, a node, an action"},
	{"?", "all keys of this view"},
	{"@", "what has been run"},
	{"-", "the view before"},
	{"[", "back"},
	{"]", "forward again"},
	{"esc", "one step back"},
	{"ctrl+r", "read anew"},
	{pauseKey, "pause: nothing is loaded by itself until it is pressed again"},
	{"q", "leave"},
	{"ctrl+c", "leave, when pressed twice"},
	{"ctrl+z", "suspend"},
}

// Reserved reports whether a key is the root's.
func Reserved(key string) bool {
	for _, h := range rootKeys {
		if h.key == key {
			return true
		}
	}
	return len(key) == 1 && key[0] >= '0' && key[0] <= '9'
}

// KeyOf is what a key of the root or of lists does; empty: it is none.
func KeyOf(key string) string {
	for _, h := range slices.Concat(rootKeys, listKeys) {
		if slices.Contains(strings.Fields(h.key), key) {
			return h.name
		}
	}
	switch {
	case key == "f1":
		return "all keys of this view"
	case Reserved(key):
		return "the view of that number"
	}
	return ""
}

// key takes a key to where it belongs.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	m.stale = true
	refused := m.refused
	m.say, m.refused = deck.Say{}, false
	name := k.String()
	if name == "ctrl+c" && m.filter == nil {
		return m.interrupt()
	}
	m.leaving = false
	switch {
	case name == "ctrl+z":
		return m.suspend()
	case len(m.dialogs) > 0:
		return m.handOver(m.top().key(k))
	case m.filter != nil:
		return m.filterKey(k)
	case name == "esc" && refused: // it is the refusal that is to go, not the view
		return nil
	}
	if m.lost() && name == "/" { // there are no rows
		return nil
	}
	if cmd, ok := m.rootKey(name); ok {
		return cmd
	}
	if m.lost() { // nor anything to be done to them
		return nil
	}
	for _, a := range m.actions() {
		if a.Key == name && name != "" {
			if why := m.slipped(); why != "" && !a.Whole {
				m.say = deck.Say{Text: a.Name + ": " + why}
				return nil
			}
			return m.act(a)
		}
	}
	m.unused(name)
	return m.current().Update(k)
}

// press does what a key does, for what else leads to it: a click, the help.
func (m *Model) press(key string) tea.Cmd { return m.key(deck.KeyNamed(key)) }

func (m *Model) rootKey(name string) (tea.Cmd, bool) {
	switch name {
	case "/":
		m.openFilter()
	case ":":
		m.openPalette()
	case "?", "f1":
		m.openHelp()
	case "@":
		m.openLog()
	case "-":
		return m.lastView(), true
	case "[":
		return m.back(), true
	case "]":
		return m.forward(), true
	case "esc":
		return m.escape(), true
	case "ctrl+r":
		return m.refresh(), true
	case pauseKey:
		return m.hold(), true
	case "q":
		return m.quit(), true
	default:
		return m.tabKey(name)
	}
	return nil, true
}

// tabKey shows the view of a number.
func (m *Model) tabKey(name string) (tea.Cmd, bool) {
	if len(name) != 1 || name[0] < '0' || name[0] > '9' {
		return nil, false
	}
	at := (int(name[0]-'0') + 9) % 10
	if at >= len(m.o.Pages) {
		m.unused(name)
		return nil, true
	}
	return m.open(deck.Open{Page: m.o.Pages[at].ID()}), true
}

// escape goes one step back: in the page, else in the history.
func (m *Model) escape() tea.Cmd {
	if m.current().Back() || len(m.history.past) == 0 {
		return nil
	}
	return m.back()
}

// act does an action, unless it cannot be done now.
func (m *Model) act(a deck.Action) tea.Cmd {
	m.stale = true
	switch {
	case a.Writes && m.o.Deck.ReadOnly:
		m.say, m.refused = deck.Say{Err: deck.Refused(a.Name)}, true
		return nil
	case a.Off != "":
		m.refused = true
		m.say = deck.Say{Text: a.Name + ": " + a.Off}
		return nil
	case a.Do == nil:
		return nil
	}
	return m.handOver(a.Do())
}
