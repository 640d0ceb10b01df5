package picker

import (
	"bytes"
	"unicode"
	"unicode/utf8"
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

const (
	pasteStart = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
	// longestSequence bounds what is kept of a sequence that does not end.
	longestSequence = 64
	// longestString bounds what a terminal says of itself.
	longestString = 1 << 10
	// longestPaste is what is taken of pasted text; a name is shorter.
	longestPaste = 1 << 10
)

// decode reads the first key of b. n is how many bytes it has; 0 means that b is
// the beginning of something longer. A lone ESC is that too: whoever waits in vain
// for more calls it keyEscape.
func decode(b []byte) (p press, n int) {
	switch {
	case len(b) == 0:
		return press{}, 0
	case b[0] == 0x1b:
		return decodeEscape(b)
	case b[0] < 0x20 || b[0] == 0x7f:
		return press{key: controls[b[0]]}, 1
	case !utf8.FullRune(b):
		return press{}, 0
	}
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return press{}, size
	}
	return press{keyText, string(r)}, size
}

func decodeEscape(b []byte) (press, int) {
	if len(b) == 1 {
		return press{}, 0
	}
	if bytes.IndexByte([]byte("]P_^X"), b[1]) >= 0 {
		return decodeString(b)
	}
	if b[1] != '[' && b[1] != 'O' {
		return decodeAlt(b)
	}
	i := 2
	for ; i < len(b) && (b[i] < 0x40 || b[i] > 0x7e); i++ {
		if b[i] < 0x20 || b[i] > 0x7e || i >= longestSequence {
			return press{}, i // broken off
		}
	}
	if i == len(b) {
		return press{}, 0
	}
	switch n := i + 1; {
	case string(b[:n]) == pasteStart:
		return decodePaste(b, n)
	case b[i] == '~':
		return press{key: tildes[number(b[2:i])]}, n
	default:
		return press{key: finals[b[i]]}, n
	}
}

// decodeString reads what a terminal says of itself, up to its end: nothing here has asked,
// but somebody may have before. What it says has no control characters, so that one of them
// is a key again.
func decodeString(b []byte) (press, int) {
	for i := 2; i < len(b); i++ {
		switch {
		case b[i] == 0x07:
			return press{}, i + 1
		case b[i] == 0x1b && i+1 == len(b):
			return press{}, 0
		case b[i] == 0x1b && b[i+1] == '\\':
			return press{}, i + 2
		case b[i] < 0x20 || i >= longestString:
			return press{}, i
		}
	}
	return press{}, 0
}

// decodeAlt reads a key with Alt, which means nothing but for Alt-Backspace. Two
// ESC are the key Esc.
func decodeAlt(b []byte) (press, int) {
	switch {
	case b[1] == 0x1b:
		return press{key: keyEscape}, 1
	case b[1] == 0x7f:
		return press{key: keyDeleteWord}, 2
	case !utf8.FullRune(b[1:]):
		return press{}, 0
	}
	_, size := utf8.DecodeRune(b[1:])
	return press{}, 1 + size
}

// number is what stands before the first semicolon, where modifiers begin.
func number(b []byte) string {
	for i, c := range b {
		if c == ';' {
			return string(b[:i])
		}
	}
	return string(b)
}

// decodePaste reads pasted text as one key: line breaks in it choose nothing.
func decodePaste(b []byte, from int) (press, int) {
	text := b[from:]
	for i := range text {
		if text[i] == 0x1b && len(text)-i >= len(pasteEnd) && string(text[i:i+len(pasteEnd)]) == pasteEnd {
			return press{keyText, printable(text[:i])}, from + i + len(pasteEnd)
		}
	}
	if len(text) > longestPaste { // the rest is thrown away by the keyboard
		return press{keyText, printable(text)}, len(b)
	}
	return press{}, 0
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
