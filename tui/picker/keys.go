package picker

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// key is what a person pressed.
type key int

const (
	keyNone key = iota // nothing that means something here
	keyText            // a character, or pasted text
	keyEnter
	keyEscape
	keyInterrupt // Ctrl-C, Ctrl-D
	keyUp
	keyDown
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
	keyMark // Tab
	keyBackspace
	keyDeleteWord
	keyDeleteAll
)

// press is one key with its text.
type press struct {
	key  key
	text string
}

// controls are the control characters that mean something, as in shells and fzf.
var controls = map[byte]key{
	'\r': keyEnter, '\n': keyEnter, 0x03: keyInterrupt, 0x04: keyInterrupt, '\t': keyMark,
	0x7f: keyBackspace, 0x08: keyBackspace, 0x15: keyDeleteAll, 0x17: keyDeleteWord,
	0x0b: keyUp, 0x10: keyUp, 0x0e: keyDown, 0x02: keyPageUp, 0x06: keyPageDown, 0x01: keyHome, 0x05: keyEnd,
}

// finals are the last bytes of the sequences ESC [ X and ESC O X, tildes the
// numbers of ESC [ N ~ (xterm's control sequences; rxvt's and the Linux console's
// Home and End are 1, 7 and 4, 8).
var (
	finals = map[byte]key{'A': keyUp, 'B': keyDown, 'H': keyHome, 'F': keyEnd, 'M': keyEnter}
	tildes = map[string]key{
		"5": keyPageUp, "6": keyPageDown, "1": keyHome, "7": keyHome, "4": keyEnd, "8": keyEnd,
	}
)

// longestPaste is what is taken of pasted text, in bytes; a name is shorter.
const longestPaste = 1 << 10

// read is what a whole piece of what came from the terminal means here.
func read(p terminal.Piece) press {
	switch b := p.Data; {
	case p.Kind == terminal.KindPaste: // line breaks in it choose nothing
		return press{keyText, printable(b[:min(len(b), longestPaste)])}
	case p.Kind != terminal.KindKey:
		return press{}
	case len(b) == 1 && b[0] == 0x1b:
		return press{key: keyEscape}
	case b[0] == 0x1b:
		return press{key: sequence(bytes.TrimLeft(b, "\x1b"))}
	case len(b) == 1 && (b[0] < 0x20 || b[0] == 0x7f):
		return press{key: controls[b[0]]}
	default:
		r, _ := utf8.DecodeRune(b)
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return press{}
		}
		return press{keyText, string(r)}
	}
}

// sequence is the key of a sequence, from behind its ESC, of which one with Alt has two. With Alt a key means nothing but
// for Alt-Backspace.
func sequence(b []byte) key {
	last := b[len(b)-1]
	switch {
	case len(b) == 1 && last == 0x7f:
		return keyDeleteWord
	case len(b) == 1 || b[0] != '[' && b[0] != 'O':
		return keyNone
	case last == '~':
		number, _, _ := bytes.Cut(b[1:len(b)-1], []byte{';'}) // where modifiers begin
		return tildes[string(number)]
	}
	return finals[last]
}

// printable is text without what cannot be part of a filter; line breaks and tabs
// become spaces.
func printable(b []byte) string {
	var out []rune
	for _, r := range string(b) {
		switch {
		case unicode.IsSpace(r):
			out = append(out, ' ')
		case unicode.IsPrint(r) && r != utf8.RuneError:
			out = append(out, r)
		}
	}
	return string(out)
}
