// Package theme holds every style and glyph ssmdeck draws with, in one struct,
// so that the commands and the dashboard look alike and a page never invents a
// colour of its own.
//
// Guarantees: the package reads no environment, never asks the terminal
// anything (a background-colour request costs seconds on a terminal that does
// not answer) and has no mutable state; all functions are pure. Colours are the
// sixteen of the user's own palette. The plain variant, and every variant made
// without colour, never produces an escape byte. What a colour says is always
// said by a glyph and a word as well.
package theme

import (
	"hash/fnv"
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Variant names a set of styles.
type Variant string

// The variants. Dark and Light differ in the few colours that are hard to read
// on the other background.
const (
	Plain Variant = "plain"
	Dark  Variant = "dark"
	Light Variant = "light"
)

// Variants returns the legal names, in the order help shows them.
func Variants() []string { return []string{string(Dark), string(Light), string(Plain)} }

// ParseVariant reads a variant's name; "" is Dark. Anything else is a Usage
// error that lists the names.
func ParseVariant(s string) (Variant, error) {
	switch v := Variant(strings.ToLower(s)); v {
	case "":
		return Dark, nil
	case Plain, Dark, Light:
		return v, nil
	}
	return "", fault.Usagef("unknown theme %q: use %s", s, strings.Join(Variants(), ", "))
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

// New returns the styles of a variant. useColor says whether escape sequences
// may be used (see UseColor), ascii chooses the ASCII glyphs (see UseASCII). An
// unknown variant is Dark.
func New(v Variant, useColor, ascii bool) *Styles {
	if v != Plain && v != Light {
		v = Dark
	}
	s := &Styles{Variant: v, Color: useColor && v != Plain, ASCII: ascii, Glyphs: utf8Glyphs()}
	if ascii {
		s.Glyphs = asciiGlyphs()
	}
	if s.Color {
		s.paintAll()
	} else {
		s.sources = []lipgloss.Style{{}}
	}
	for l := range s.paint {
		s.paint[l] = reduce(s.Level(Level(l)))
	}
	return s
}

// paintAll fills in the styles. Only attributes and the sixteen palette colours
// are used, so that the user's terminal theme decides how they look; yellow and
// cyan are unreadable on most light backgrounds.
func (s *Styles) paintAll() {
	plain := lipgloss.NewStyle()
	fg := func(c color.Color) lipgloss.Style { return plain.Foreground(c) }

	grey, accent := fg(lipgloss.BrightBlack), fg(lipgloss.Cyan)
	warn := fg(lipgloss.Yellow)
	s.sources = []lipgloss.Style{
		fg(lipgloss.Cyan), fg(lipgloss.Green), fg(lipgloss.Yellow), fg(lipgloss.Blue),
		fg(lipgloss.Magenta), fg(lipgloss.BrightCyan), fg(lipgloss.BrightGreen), fg(lipgloss.BrightMagenta),
	}
	if s.Variant == Light {
		warn, accent = fg(lipgloss.Magenta), fg(lipgloss.Blue)
		s.sources = []lipgloss.Style{accent, fg(lipgloss.Green), fg(lipgloss.Magenta), fg(lipgloss.Red), fg(lipgloss.Cyan)}
	}
	s.Title, s.Header, s.Strong = plain.Bold(true), plain.Bold(true), plain.Bold(true)
	s.Key, s.Dim = grey, grey
	s.Accent = accent

	s.Good, s.Busy, s.Warn = fg(lipgloss.Green), accent, warn
	s.Bad = fg(lipgloss.Red).Bold(true)
	s.Idle, s.Unknown = grey, plain

	s.Selected = plain.Reverse(true)
	s.Match = accent.Bold(true)
	s.Changed = plain.Bold(true)
	s.Border = grey
	s.Protected = fg(lipgloss.BrightWhite).Background(lipgloss.Red).Bold(true)
	s.Bar = accent
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
