package tui

import (
	"cmp"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// look is how the dashboard looks, and what is known of the terminal behind it.
type look struct {
	name string // of the theme, as it was chosen
	kept string // what the layout keeps; empty: nothing was chosen here

	light bool // the terminal says that its background is light
}

// openLook makes the styles of the theme that was chosen here before, or else elsewhere.
func (m *Model) openLook() {
	m.look.name, m.look.kept = cmp.Or(m.o.ChosenTheme, string(theme.Auto)), m.o.Layout.Theme
	if m.o.Theme == nil {
		return // Deck has the styles
	}
	s, kept := m.o.Deck.Styles, m.look.kept
	if m.o.ThemeTyped {
		kept = ""
	}
	for _, try := range []struct {
		name   string
		colour bool
	}{{kept, !m.o.NoColour}, {m.look.name, s.Color}} {
		if try.name == "" {
			continue
		}
		styles, err := m.makeStyles(try.name, try.colour, s.ASCII)
		if styles == nil {
			continue // the file of what was kept has gone, and may come back
		}
		m.look.name, m.o.Deck.Styles = try.name, styles
		if err != nil {
			m.say = deck.Say{Err: err}
		}
		return
	}
}

// askBackground asks the terminal for its background when that decides the theme. The
// first frame does not wait for it.
func (m *Model) askBackground() tea.Cmd {
	if !m.o.AskBackground || m.look.name != string(theme.Auto) || !m.o.Deck.Styles.Color {
		return nil
	}
	return tea.RequestBackgroundColor
}

// background takes what the terminal says. A theme that was chosen meanwhile stays.
func (m *Model) background(msg tea.BackgroundColorMsg) {
	m.look.light = msg.Color != nil && !msg.IsDark()
	if m.look.name == string(theme.Auto) {
		s := m.o.Deck.Styles
		_ = m.dress(m.look.name, s.Color, s.ASCII) // auto is a built-in theme
	}
}

// setTheme is a theme chosen here.
func (m *Model) setTheme(name string) tea.Cmd {
	m.look.kept, m.keep.touched = name, true
	if err := m.dress(name, !m.o.NoColour, m.o.Deck.Styles.ASCII); err != nil {
		m.say = deck.Say{Err: err}
	}
	if name == string(theme.Auto) {
		return m.askBackground()
	}
	return nil
}

// restyle keeps the theme and changes how it is shown.
func (m *Model) restyle(colour, ascii bool) tea.Cmd {
	name := m.look.name
	if colour && m.o.Deck.Styles.Variant == theme.Plain {
		name = string(theme.Auto) // plain has no colours to turn on
	}
	if err := m.dress(name, colour, ascii); err != nil {
		m.say = deck.Say{Err: err}
	}
	return nil
}

// dress makes a theme the styles of everything. The error is what is wrong with it; what
// can be shown of it is shown.
func (m *Model) dress(name string, colour, ascii bool) error {
	styles, err := m.makeStyles(name, colour, ascii)
	if styles != nil {
		m.look.name, m.o.Deck.Styles = name, styles
		m.restyled()
	}
	return err
}

func (m *Model) makeStyles(name string, colour, ascii bool) (*theme.Styles, error) {
	if name == string(theme.Auto) {
		name = string(theme.Dark)
		if m.look.light {
			name = string(theme.Light)
		}
	}
	if m.o.Theme == nil {
		return theme.New(theme.Variant(name), colour, ascii), nil
	}
	return m.o.Theme(name, colour, ascii)
}
