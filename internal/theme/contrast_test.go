package theme

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// The usual terminals: what their sixteen colours are, and what is behind the text.
type terminalColours struct {
	name       string
	light      bool
	background string
	palette    [16]string
}

var usualTerminals = []terminalColours{
	{"xterm", false, "#000000", xtermPalette},
	{"xterm", true, "#ffffff", xtermPalette},
	{"macOS", false, "#000000", macPalette},
	{"macOS", true, "#ffffff", macPalette},
	{"VS Code", false, "#1e1e1e", [16]string{
		"#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
		"#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#e5e5e5",
	}},
	{"VS Code", true, "#ffffff", [16]string{
		"#000000", "#cd3131", "#00bc00", "#949800", "#0451a5", "#bc05bc", "#0598bc", "#555555",
		"#666666", "#cd3131", "#14ce14", "#b5ba00", "#0451a5", "#bc05bc", "#0598bc", "#a5a5a5",
	}},
}

var (
	xtermPalette = [16]string{
		"#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
		"#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
	}
	macPalette = [16]string{
		"#000000", "#990000", "#00a600", "#999900", "#0000b2", "#b200b2", "#00a6b2", "#bfbfbf",
		"#666666", "#e50000", "#00d900", "#e5e500", "#0000ff", "#e500e5", "#00e5e5", "#e5e5e5",
	}
)

// Backgrounds that people have: black, VS Code, Ubuntu, One Dark, Dracula, Solarized,
// Nord; white, Solarized, GitHub, Catppuccin.
var (
	darkBackgrounds  = []string{"#000000", "#1e1e1e", "#300a24", "#282c34", "#282a36", "#002b36", "#2e3440"}
	lightBackgrounds = []string{"#ffffff", "#fdf6e3", "#f6f8fa", "#eff1f5"}
)

func isLight(v Variant) bool { return v == Light || v == Dawn || v == ContrastLight }

// luminance is that of WCAG 2: 0 is black, 1 is white.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	part := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

// contrast is the ratio of WCAG 2: 1 is invisible, 21 is black on white.
func contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{{"#ffffff", "#000000", 21}, {"#777777", "#ffffff", 4.48}, {"#123456", "#123456", 1}} {
		if got := contrast(lipgloss.Color(tt.a), lipgloss.Color(tt.b)); math.Abs(got-tt.want) > 0.01 {
			t.Errorf("%s on %s: got %.2f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}

// drawn is what the eye gets of a style: text and what is behind it. ok is false when
// both are the terminal's own.
func drawn(st lipgloss.Style, background color.Color, palette *[16]string) (fg, bg color.Color, ok bool) {
	shown := func(c color.Color) color.Color {
		if _, none := c.(lipgloss.NoColor); c == nil || none {
			return nil
		}
		if basic, is := c.(ansi.BasicColor); is && palette != nil {
			return lipgloss.Color(palette[basic])
		}
		return c
	}
	fg, bg = shown(st.GetForeground()), shown(st.GetBackground())
	if fg == nil && bg == nil {
		return nil, nil, false
	}
	if bg == nil {
		bg = background
	}
	if fg == nil { // the terminal's own, which is black or white, or nearly
		fg = lipgloss.Color(map[bool]string{true: "#bfbfbf", false: "#404040"}[luminance(background) < 0.5])
	}
	return fg, bg, true // reversed or not, the ratio is the same
}

// styled calls f with every role of s and each of its sources.
func styled(s *Styles, f func(role string, st lipgloss.Style)) {
	for _, r := range Roles() {
		f(r.Name, *r.style(s))
	}
	for i, st := range s.sources {
		f(fmt.Sprintf("%s[%d]", Sources, i), st)
	}
}

// Everything can be read on the backgrounds that a theme is for, with as many colours
// as its terminal has.
func TestContrastOfTrueColour(t *testing.T) {
	least := map[Variant]float64{Dusk: 4.5, Dawn: 4.5, Contrast: 7, ContrastLight: 7}
	for v, want := range least {
		backgrounds := darkBackgrounds
		if isLight(v) {
			backgrounds = lightBackgrounds
		}
		for _, p := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
			styled(BuiltIn(v).Styles(p, false), func(role string, st lipgloss.Style) {
				for _, b := range backgrounds {
					if fg, bg, ok := drawn(st, lipgloss.Color(b), nil); ok {
						if got := contrast(fg, bg); got < want {
							t.Errorf("%s, %s: %s on %s has a contrast of %.2f, want %.1f", v, p, role, b, got, want)
						}
					}
				}
			})
		}
	}
}

// What the colours of the terminal decide is readable where they are the usual ones.
func TestContrastOfSixteenColours(t *testing.T) {
	least := map[Variant]float64{Dark: 2, Light: 2, Dusk: 2, Dawn: 2, Contrast: 3, ContrastLight: 3}
	for v, want := range least {
		for _, term := range usualTerminals {
			if term.light != isLight(v) {
				continue
			}
			styled(BuiltIn(v).Styles(colorprofile.ANSI, false), func(role string, st lipgloss.Style) {
				if fg, bg, ok := drawn(st, lipgloss.Color(term.background), &term.palette); ok {
					if got := contrast(fg, bg); got < want {
						t.Errorf("%s, %s on %s: %s has a contrast of %.2f, want %.1f", v, term.name, term.background, role, got, want)
					}
				}
			})
		}
	}
}

// Who does not tell red from green tells them by how light they are.
func TestLevelsDifferInLightness(t *testing.T) {
	for _, v := range []Variant{Dusk, Dawn, Contrast, ContrastLight} {
		for _, p := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
			s := BuiltIn(v).Styles(p, false)
			for _, pair := range [][2]Level{{Good, Warn}, {Warn, Bad}, {Good, Bad}} {
				a, b := s.Level(pair[0]).GetForeground(), s.Level(pair[1]).GetForeground()
				if got := contrast(a, b); got < 1.15 {
					t.Errorf("%s, %s: levels %d and %d differ by %.2f, want 1.15", v, p, pair[0], pair[1], got)
				}
			}
		}
	}
}

// The row under the cursor stands out from the rows around it.
func TestSelectedStandsOut(t *testing.T) {
	for _, v := range []Variant{Dusk, Dawn, Contrast, ContrastLight} {
		backgrounds := darkBackgrounds
		if isLight(v) {
			backgrounds = lightBackgrounds
		}
		for _, p := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
			st := BuiltIn(v).Styles(p, false).Selected
			for _, b := range backgrounds {
				if got := contrast(st.GetBackground(), lipgloss.Color(b)); got < 1.4 {
					t.Errorf("%s, %s: the selected row differs from %s by %.2f, want 1.4", v, p, b, got)
				}
			}
		}
	}
	for _, v := range []Variant{Dark, Light} {
		if !New(v, true, false).Selected.GetReverse() {
			t.Errorf("%s: the selected row is not the reverse of the others", v)
		}
	}
}

func TestEveryBuiltInThemeIsComplete(t *testing.T) {
	if n := len(Variants()); n < 5 {
		t.Errorf("%d built-in themes, want 5 at least", n)
	}
	for _, v := range Variants() {
		s := New(Variant(v), true, false)
		if got := string(s.Variant); got != v {
			t.Errorf("the theme %s calls itself %s", v, got)
		}
		if s.Color == (v == string(Plain)) {
			t.Errorf("%s: Color is %v", v, s.Color)
		}
		if !s.Color {
			continue
		}
		for _, r := range roleNames() {
			if !slices.ContainsFunc(BuiltIn(Variant(v)).layers, func(l layer) bool { return len(l[r]) > 0 }) {
				t.Errorf("%s says nothing of %s", v, r)
			}
		}
	}
}
