package theme

import (
	"image/color"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Look is how a text looks. The zero Look is that of the terminal.
type Look struct {
	fg, bg                   color.Color // nil: the terminal's own
	bold, underline, reverse bool
}

// Colours are the names of the sixteen colours that the terminal's own theme decides,
// in the order of their numbers.
var colours = [...]string{
	"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
	"bright-black", "bright-red", "bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan", "bright-white",
}

// The words of a look beside its colours.
const (
	wordDefault   = "default" // the terminal's own colour
	wordOn        = "on"      // a background follows
	wordBold      = "bold"
	wordUnderline = "underline"
	wordReverse   = "reverse"
)

// parseLook reads words such as "#ffcc00 on black bold": a colour, a background after
// on, and bold, underline, reverse, in any order. A colour is one of the sixteen names,
// a number from 0 to 255, #rrggbb, or default. Anything else is a Usage error.
func parseLook(text string) (Look, error) {
	var l Look
	var fg, bg bool
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return Look{}, fault.Usagef("there is no colour")
	}
	for i := 0; i < len(words); i++ {
		switch w := words[i]; w {
		case wordBold:
			l.bold = true
		case wordUnderline:
			l.underline = true
		case wordReverse:
			l.reverse = true
		case wordOn:
			if i++; i == len(words) {
				return Look{}, fault.Usagef("a colour must follow on")
			}
			if bg {
				return Look{}, fault.Usagef("%q has two backgrounds", text)
			}
			c, err := parseColour(words[i])
			if err != nil {
				return Look{}, err
			}
			l.bg, bg = c, true
		default:
			c, err := parseColour(w)
			if err != nil {
				return Look{}, err
			}
			if fg {
				return Look{}, fault.Usagef("%q has two colours: the background stands after on", text)
			}
			l.fg, fg = c, true
		}
	}
	return l, nil
}

// parseColour reads one colour; nil is the terminal's own.
func parseColour(w string) (color.Color, error) {
	if w == wordDefault {
		return nil, nil
	}
	for i, name := range colours {
		if w == name {
			return lipgloss.Color(strconv.Itoa(i)), nil
		}
	}
	if n, err := strconv.ParseUint(w, 10, 64); err == nil {
		if n > 255 {
			return nil, fault.Usagef("the colour %s is not between 0 and 255", w)
		}
		return lipgloss.Color(strconv.FormatUint(n, 10)), nil
	}
	if hex, ok := strings.CutPrefix(w, "#"); ok {
		if _, err := strconv.ParseUint(hex, 16, 32); err != nil || len(hex) != 6 {
			return nil, fault.Usagef("the colour %q is not #rrggbb", w)
		}
		return lipgloss.Color(w), nil
	}
	legal := append(colours[:], wordDefault, wordOn, wordBold, wordUnderline, wordReverse)
	if near := fault.Nearest(w, legal); near != "" {
		return nil, fault.Usagef("%q is no colour (did you mean %q?)", w, near)
	}
	return nil, fault.Usagef("%q is no colour: use one of the sixteen names, a number from 0 to 255 or #rrggbb", w)
}

// sixteen reports whether a terminal with sixteen colours can show it as it is.
func (l Look) sixteen() bool {
	for _, c := range []color.Color{l.fg, l.bg} {
		if c != nil && colorprofile.ANSI.Convert(c) != c {
			return false
		}
	}
	return true
}

// style is the look with the nearest colours that the terminal has.
func (l Look) style(p colorprofile.Profile) lipgloss.Style {
	s := lipgloss.NewStyle()
	if l.fg != nil {
		s = s.Foreground(p.Convert(l.fg))
	}
	if l.bg != nil {
		s = s.Background(p.Convert(l.bg))
	}
	if l.bold {
		s = s.Bold(true)
	}
	if l.underline {
		s = s.Underline(true)
	}
	if l.reverse {
		s = s.Reverse(true)
	}
	return s
}
