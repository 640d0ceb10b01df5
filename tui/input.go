package tui

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// input is a line of text that is being edited. Its zero value is an empty one.
type input struct {
	runes  []rune
	at     int // the cursor is in front of runes[at]
	secret bool
	many   bool // line breaks may stand in it
}

func newInput(text string) input {
	r := []rune(text)
	return input{runes: r, at: len(r)}
}

func (in *input) text() string { return string(in.runes) }

func (in *input) set(text string) {
	in.runes = []rune(text)
	in.at = len(in.runes)
}

// key takes a key; false: it is none of those that edit.
func (in *input) key(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "left", "ctrl+b":
		in.at = max(in.at-1, 0)
	case "right", "ctrl+f":
		in.at = min(in.at+1, len(in.runes))
	case "home", "ctrl+a":
		in.at = in.lineStart()
	case "end", "ctrl+e":
		in.at = in.lineEnd()
	case "alt+left", "ctrl+left":
		in.at = in.wordBefore()
	case "alt+right", "ctrl+right":
		in.at = in.wordAfter()
	case "backspace", "ctrl+h":
		in.cut(max(in.at-1, 0), in.at)
	case "delete":
		in.cut(in.at, min(in.at+1, len(in.runes)))
	case "ctrl+w", "alt+backspace":
		in.cut(in.wordBefore(), in.at)
	case "ctrl+u":
		in.cut(in.lineStart(), in.at)
	case "ctrl+k":
		in.cut(in.at, in.lineEnd())
	default:
		if k.Text == "" {
			return false
		}
		in.insert(k.Text)
	}
	return true
}

// insert puts a text in at the cursor, as a paste does: of several lines one is made
// where only one may be.
func (in *input) insert(text string) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if !in.many {
		text = strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", " ")
	}
	r := []rune(strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, text))
	in.runes = append(in.runes[:in.at:in.at], append(r, in.runes[in.at:]...)...)
	in.at += len(r)
}

func (in *input) cut(from, to int) {
	in.runes = append(in.runes[:from:from], in.runes[to:]...)
	in.at = from
}

func (in *input) lineStart() int {
	at := in.at
	for at > 0 && in.runes[at-1] != '\n' {
		at--
	}
	return at
}

func (in *input) lineEnd() int {
	at := in.at
	for at < len(in.runes) && in.runes[at] != '\n' {
		at++
	}
	return at
}

func (in *input) wordBefore() int {
	at := in.at
	for at > 0 && unicode.IsSpace(in.runes[at-1]) {
		at--
	}
	for at > 0 && !unicode.IsSpace(in.runes[at-1]) {
		at--
	}
	return at
}

func (in *input) wordAfter() int {
	at := in.at
	for at < len(in.runes) && !unicode.IsSpace(in.runes[at]) {
		at++
	}
	for at < len(in.runes) && unicode.IsSpace(in.runes[at]) {
		at++
	}
	return at
}

// hide puts a sign in place of every letter from one on; below 0: of none.
func (in *input) hide(from int, sign string) {
	if from < 0 {
		return
	}
	for i := from; i < len(in.runes); i++ {
		in.runes[i] = []rune(sign)[0]
	}
}

// view is what fits into a width, and the column of the cursor in it. Of a text that
// is too long the part around the cursor is seen. hidden stands for each letter of a
// secret.
func (in *input) view(width int, hidden string) (text string, cursor int) {
	before, after := string(in.runes[:in.at]), string(in.runes[in.at:])
	if in.secret {
		before, after = strings.Repeat(hidden, in.at), strings.Repeat(hidden, len(in.runes)-in.at)
	}
	before, after = render.Visible(before), render.Visible(after)
	w := ansi.StringWidth(before)
	if room := max(width-1, 0); w > room {
		before = ansi.TruncateLeft(before, w-room, "")
		w = ansi.StringWidth(before)
	}
	return ansi.Truncate(before+after, max(width, 0), ""), w
}
