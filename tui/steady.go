package tui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// steady puts the first picture in place of pictures made of several characters, such
// as a person with a colour of skin and a profession. Terminals do not agree on how
// many cells those take, Bubble Tea counts them in two ways, and whatever is right of
// one would stand elsewhere than it is thought to, or stay behind when the line changes.
func steady(line string) string {
	if !strings.ContainsFunc(line, changesPicture) {
		return line
	}
	var b strings.Builder
	for state := byte(0); line != ""; {
		seq, width, n, next := ansi.DecodeSequence(line, state, nil)
		if width > 0 && ansi.StringWidthWc(seq) != width && strings.ContainsFunc(seq, changesPicture) {
			first, size := utf8.DecodeRuneInString(seq)
			b.WriteString(string(first) + strings.Repeat(" ", max(width-ansi.StringWidth(seq[:size]), 0)))
		} else {
			b.WriteString(seq)
		}
		state, line = next, line[n:]
	}
	return b.String()
}

// changesPicture reports whether r joins pictures, or changes how the one before it looks.
func changesPicture(r rune) bool {
	return r == 0x200d || r == 0xfe0f || r == 0xfe0e || r >= 0x1f3fb && r <= 0x1f3ff
}
