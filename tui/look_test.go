package tui_test

import (
	"errors"
	"image/color"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
)

func says(background color.Color) tea.BackgroundColorMsg {
	return tea.BackgroundColorMsg{Color: background}
}

// asking is a dashboard that lets the terminal decide.
func asking(t *testing.T, change ...func(*tui.Options)) *world {
	t.Helper()
	return newWorld(t, append([]func(*tui.Options){func(o *tui.Options) {
		o.AskBackground = true
		o.Deck.Styles = theme.New(theme.Dark, true, false)
	}}, change...)...)
}

// choosePalette takes an entry of the palette.
func (w *world) choosePalette(text string) {
	w.Press(":")
	w.Type(text)
	w.Press("enter")
}

func (w *world) looksLike(want theme.Variant) {
	w.t.Helper()
	if got := w.Deck.Styles.Variant; got != want {
		w.t.Errorf("the theme is %s, want %s", got, want)
	}
}

func TestTheTerminalDecidesWhereNobodyHasChosen(t *testing.T) {
	w := asking(t)
	w.looksLike(theme.Dark)
	w.Send(says(color.White))
	w.looksLike(theme.Light)
	if w.Raw() == "" || !w.Deck.Styles.Color {
		t.Error("nothing is drawn in colour")
	}
	w.Send(says(color.Black))
	w.looksLike(theme.Dark)
	w.Send(says(nil)) // an answer that is none
	w.looksLike(theme.Dark)
}

func TestAChosenThemeStays(t *testing.T) {
	for name, w := range map[string]*world{
		"by the settings":     asking(t, func(o *tui.Options) { o.ChosenTheme = "dark" }),
		"here before":         asking(t, func(o *tui.Options) { o.Layout.Theme = "dark"; o.Theme = builtIn }),
		"here, meanwhile":     asking(t),
		"after colour off":    asking(t),
		"instead of the kept": asking(t, func(o *tui.Options) { o.Layout.Theme = "gone"; o.ChosenTheme = "dark"; o.Theme = builtIn }),
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			switch name {
			case "here, meanwhile":
				w.choosePalette("theme dark")
			case "after colour off":
				w.choosePalette("colour off")
				w.Send(says(color.White))
				if w.Deck.Styles.Color {
					t.Error("there is colour again")
				}
				return
			}
			w.Send(says(color.White))
			w.looksLike(theme.Dark)
			w.choosePalette("theme auto")
			w.looksLike(theme.Light)
		})
	}
}

func builtIn(name string, colour, ascii bool) (*theme.Styles, error) {
	v, err := theme.ParseVariant(name)
	if err != nil {
		return nil, err
	}
	return theme.New(v, colour, ascii), nil
}

// A theme with a fault is what can be shown of it, and the fault is said.
func TestABrokenThemeIsSaid(t *testing.T) {
	broken := func(o *tui.Options) {
		o.Themes = []string{"auto", "dark", "mine"}
		o.Theme = func(name string, colour, ascii bool) (*theme.Styles, error) {
			if name == "mine" {
				return theme.BuiltIn(theme.Light).Styles(theme.Depth(colour, nil), ascii), errors.New("mine.yaml:3: bad")
			}
			return builtIn(name, colour, ascii)
		}
	}
	w := asking(t, broken)
	w.choosePalette("theme mine")
	w.looksLike(theme.Light)
	w.Has("mine.yaml:3: bad")
	w.Press("esc", ":")
	w.Type("theme mine")
	w.Has("a theme of your own, read anew from its file")

	w = asking(t, broken, func(o *tui.Options) { o.ChosenTheme = "mine" })
	w.Has("mine.yaml:3: bad")
}

// What is chosen here is kept, auto too; what the terminal said is not.
func TestTheChosenThemeIsKept(t *testing.T) {
	var kept tui.Layout
	w := asking(t, func(o *tui.Options) { o.SaveLayout = func(l tui.Layout) error { kept = l; return nil } })
	rest := func() {
		w.Wait(2 * time.Second)
		w.Wait(2 * time.Second)
	}
	w.Send(says(color.White))
	w.Press("j")
	rest()
	if kept.Theme != "" {
		t.Errorf("%q is kept, and nobody has chosen it", kept.Theme)
	}
	for _, name := range []string{"dusk", "auto"} {
		w.choosePalette("theme " + name)
		rest()
		if kept.Theme != name {
			t.Errorf("%q is kept, want %s", kept.Theme, name)
		}
	}
}

// A theme typed for one time does not take the place of the one that is kept.
func TestATypedThemeIsForThisTime(t *testing.T) {
	var kept tui.Layout
	w := asking(t, func(o *tui.Options) {
		o.Theme, o.ChosenTheme, o.ThemeTyped, o.Layout.Theme = builtIn, "contrast", true, "dusk"
		o.SaveLayout = func(l tui.Layout) error { kept = l; return nil }
	})
	w.looksLike(theme.Contrast)
	w.Press("j")
	w.Press(">")
	w.Wait(2 * time.Second)
	w.Wait(2 * time.Second)
	if kept.Theme != "dusk" {
		t.Errorf("%q is kept, want dusk", kept.Theme)
	}
}
