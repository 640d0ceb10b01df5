package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// ownEntries are what the palette offers of the dashboard itself.
func (m *Model) ownEntries() []entry {
	out := []entry{
		{key: "ctrl+r", name: "refresh", detail: "read everything on this view anew", do: func() tea.Cmd { return m.refresh() }},
		{key: pauseKey, name: map[bool]string{true: "resume", false: "pause"}[m.o.Desk.Held], detail: "whether anything is loaded by itself", do: m.hold},
		{key: "@", name: "command log", detail: "what has been run here, and what runs", do: func() tea.Cmd { m.openLog(); return nil }},
		{key: "?", name: "help", detail: "all keys of this view", do: func() tea.Cmd { m.openHelp(); return nil }},
		{name: onOff("mouse", !m.mouseOff), detail: "without it the terminal selects text as usual", do: m.toggleMouse},
		{name: onOff("motion", !m.o.Deck.Still), detail: "spinners, and flashes of what has changed", do: func() tea.Cmd {
			m.o.Deck.Still = !m.o.Deck.Still
			m.restyled()
			return nil
		}},
	}
	out = append(out, m.themeEntries()...)
	for _, c := range m.o.Contexts {
		e := entry{name: "context " + c, detail: "go on with this context of the configuration", do: func() tea.Cmd { return m.quitFor(c) }}
		if c == m.o.Deck.Where.Context {
			e.off = "it is this one"
		}
		out = append(out, e)
	}
	if len(m.o.Contexts) == 0 {
		out = append(out, entry{name: "context", detail: "go on with another context of the configuration", off: deck.NoContexts})
	}
	return append(out, entry{key: "q", name: "quit", detail: "leave the dashboard", do: m.quit})
}

// onOff names the entry that turns something off or on.
func onOff(what string, on bool) string {
	if on {
		return what + " off"
	}
	return what + " on"
}

func (m *Model) themeEntries() []entry {
	s := m.o.Deck.Styles
	var out []entry
	names := m.o.Themes
	if len(names) == 0 {
		names = append([]string{string(theme.Auto)}, theme.Variants()...)
	}
	for _, name := range names {
		e := entry{name: "theme " + name, detail: "how the dashboard looks", do: func() tea.Cmd { return m.setTheme(name) }}
		switch {
		case name == string(theme.Auto):
			e.detail = "dark or light, as the background of the terminal"
		case theme.LegalName(name):
			e.detail = "a theme of your own, read anew from its file"
		}
		if name == m.look.name && !theme.LegalName(name) {
			e.off = "it is this one"
		}
		out = append(out, e)
	}
	return append(out,
		entry{name: onOff("colour", s.Color), detail: "the colours of the theme", do: func() tea.Cmd {
			return m.restyle(!s.Color, s.ASCII)
		}},
		entry{name: onOff("ascii", s.ASCII), detail: "signs that any font has", do: func() tea.Cmd {
			return m.restyle(s.Color, !s.ASCII)
		}})
}

func (m *Model) toggleMouse() tea.Cmd {
	m.mouseOff = !m.mouseOff
	m.keep.noMouse, m.keep.touched = m.mouseOff, true
	m.say = deck.Say{Text: map[bool]string{true: "the mouse belongs to the terminal now", false: "clicks and the wheel work here again"}[m.mouseOff]}
	return nil
}
