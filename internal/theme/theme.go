// Package theme holds every style and glyph ssmdeck draws with, in one struct,
// so that the commands and the dashboard look alike and a page never invents a
// colour of its own.
//
// Guarantees: the package reads no environment, never asks the terminal
// anything (a background-colour request costs seconds on a terminal that does
// not answer) and has no mutable state; all functions are pure. The colours of the
// usual themes are the sixteen of the user's own palette; others are for those who
// choose them. The plain theme, and every theme on a terminal without colour, never
// produces an escape byte. What a colour says is always said by a glyph and a word as
// well.
package theme

import (
	"hash/fnv"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Variant is the name of a theme: of a built-in one, or of one's own.
type Variant string

// The built-in themes. Auto stands for Dark, and for Light in the dashboard when the
// terminal says that its background is light.
const (
	Auto          Variant = "auto"
	Dark          Variant = "dark"
	Light         Variant = "light"
	Dusk          Variant = "dusk" // true colour, dark background
	Dawn          Variant = "dawn" // true colour, light background
	Contrast      Variant = "contrast"
	ContrastLight Variant = "contrast-light"
	Plain         Variant = "plain"
)

// Variants returns the names of the built-in themes, in the order help shows them.
func Variants() []string {
	names := make([]string, 0, len(builtIn))
	for _, b := range builtIn {
		names = append(names, string(b.name))
	}
	return names
}

// ParseVariant reads the name of a built-in theme or of one of own; "" is Dark.
// Anything else is a Usage error that lists the names.
func ParseVariant(s string, own ...string) (Variant, error) {
	name := strings.ToLower(s)
	switch {
	case name == "":
		return Dark, nil
	case name == string(Auto), slices.Contains(Variants(), name), slices.Contains(own, name):
		return Variant(name), nil
	}
	names := slices.Concat([]string{string(Auto)}, Variants(), own)
	return "", fault.Usagef("unknown theme %q: use %s", s, strings.Join(names, ", "))
}

// Theme says how each role looks. It is never changed once it is made.
type Theme struct {
	Name   Variant
	layers []layer // what a later one says counts; none: there is no colour
}

// layer are the looks of some roles: one each, and some of Sources.
type layer map[string][]Look

// BuiltIn returns a theme that comes with ssmdeck; an unknown one, and Auto, is Dark.
func BuiltIn(v Variant) *Theme {
	if t, ok := built()[v]; ok {
		return t
	}
	return built()[Dark]
}

// look is what the topmost layer says of a role that the terminal can show. With
// sixteen colours a look of others is passed over: its nearest of the sixteen may be
// the background itself.
func (t *Theme) look(role string, p colorprofile.Profile) []Look {
	for _, l := range slices.Backward(t.layers) {
		list := l[role]
		if len(list) > 0 && (p > colorprofile.ANSI || !slices.ContainsFunc(list, func(l Look) bool { return !l.sixteen() })) {
			return list
		}
	}
	return []Look{{}}
}

// Level is what a state means to the reader, whatever its name is.
type Level int

// The levels, each with its glyph and colour.
const (
	Unknown Level = iota // not known, or does not matter
	Good                 // done, online, compliant
	Busy                 // under way
	Warn                 // works, but look at it
	Bad                  // failed, lost, non-compliant
	Idle                 // not started, stopped on purpose

	levels = iota
)

// Styles is every style and glyph. It is built once and shared; it may be read
// from several goroutines. A method never returns an escape byte unless Color
// is true.
type Styles struct {
	Variant Variant
	Color   bool // whether any style produces escape sequences
	ASCII   bool // whether the glyphs are the ASCII ones
	Glyphs  Glyphs

	// Text by role.
	Title  lipgloss.Style // name of a page or section
	Header lipgloss.Style // column headers
	Key    lipgloss.Style // label of a detail line, key of a key help
	Dim    lipgloss.Style // what matters less: hints, units, ages
	Accent lipgloss.Style // what the eye should find: ids, the current item
	Strong lipgloss.Style // emphasis inside text

	// Text by meaning, one per Level.
	Good, Busy, Warn, Bad, Idle, Unknown lipgloss.Style

	// Parts of screens.
	Selected  lipgloss.Style // row under the cursor
	Match     lipgloss.Style // what a filter matched
	Changed   lipgloss.Style // a value that has just changed
	Border    lipgloss.Style // lines around panes
	Protected lipgloss.Style // header of a protected account
	Bar       lipgloss.Style // filled part of a progress bar

	sources []lipgloss.Style // see Source
	paint   [levels]paint    // see Status
}

// paint is a style reduced to what it writes before and after a text. It costs
// a small part of Render, which matters in a table of 10,000 rows.
type paint struct{ on, off string }

// New returns the styles of a built-in theme with all its colours. useColor says
// whether escape sequences may be used (see UseColor), ascii chooses the ASCII glyphs
// (see UseASCII). An unknown theme is Dark.
func New(v Variant, useColor, ascii bool) *Styles {
	p := colorprofile.ASCII
	if useColor {
		p = colorprofile.TrueColor
	}
	return BuiltIn(v).Styles(p, ascii)
}

// Styles returns the styles of the theme with the colours that the terminal has (see
// Depth); ascii chooses the ASCII glyphs (see UseASCII).
func (t *Theme) Styles(p colorprofile.Profile, ascii bool) *Styles {
	s := &Styles{Variant: t.Name, Color: p >= colorprofile.ANSI && len(t.layers) > 0, ASCII: ascii, Glyphs: utf8Glyphs()}
	if ascii {
		s.Glyphs = asciiGlyphs()
	}
	s.sources = []lipgloss.Style{{}}
	if s.Color {
		s.paintAll(t, p)
	}
	for l := range s.paint {
		s.paint[l] = reduce(s.Level(Level(l)))
	}
	return s
}

func (s *Styles) paintAll(t *Theme, p colorprofile.Profile) {
	for _, r := range Roles() {
		*r.style(s) = t.look(r.Name, p)[0].style(p)
	}
	s.sources = s.sources[:0]
	for _, l := range t.look(Sources, p) {
		s.sources = append(s.sources, l.style(p))
	}
}

// Level returns the style of a level.
func (s *Styles) Level(l Level) lipgloss.Style {
	switch l {
	case Good:
		return s.Good
	case Busy:
		return s.Busy
	case Warn:
		return s.Warn
	case Bad:
		return s.Bad
	case Idle:
		return s.Idle
	default:
		return s.Unknown
	}
}

// Status returns "● online": the glyph of the level and the word, coloured when
// colour is on. The word must be ours or have been made safe for a terminal.
func (s *Styles) Status(l Level, word string) string {
	if l < 0 || int(l) >= levels {
		l = Unknown
	}
	p := &s.paint[l]
	return p.on + s.Glyphs.Level(l) + " " + word + p.off
}

// Source returns a style for one of many sources of output (a node, a file).
// The same name has the same style in every run.
func (s *Styles) Source(name string) lipgloss.Style {
	h := fnv.New32a()
	h.Write([]byte(name))
	return s.sources[h.Sum32()%uint32(len(s.sources))]
}

func reduce(st lipgloss.Style) paint {
	on, off, _ := strings.Cut(st.Render("x"), "x")
	return paint{on, off}
}
