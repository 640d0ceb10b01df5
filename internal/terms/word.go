package terms

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// In reports whether the bare word occurs in a text, case ignored.
func (t *Term) In(text string) bool { return indexFold(text, t.word) >= 0 }

// InFolded is In of a text that was folded already: see Fold.
func (t *Term) InFolded(text string) bool { return strings.Contains(text, t.word) }

// indexFold is strings.Index for a word in lower case, with the case of the text
// ignored.
func indexFold(text, word string) int {
	if !ascii(word) {
		return indexRunes(text, word)
	}
	if word == "" {
		return 0
	}
	first, upper := word[0], word[0]
	if first >= 'a' && first <= 'z' {
		upper -= 'a' - 'A'
	}
	for i := 0; i+len(word) <= len(text); i++ {
		if c := text[i]; c != first && c != upper {
			continue
		}
		n := 1
		for n < len(word) && lower(text[i+n]) == word[n] {
			n++
		}
		if n == len(word) {
			return i
		}
	}
	return -1
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// indexRunes is indexFold for a word with letters beyond ASCII.
func indexRunes(text, word string) int {
	for i := range text {
		if hasPrefixFold(text[i:], word) {
			return i
		}
	}
	return -1
}

func hasPrefixFold(text, word string) bool {
	for word != "" {
		want, n := utf8.DecodeRuneInString(word)
		have, m := utf8.DecodeRuneInString(text)
		if m == 0 || unicode.ToLower(have) != want {
			return false
		}
		text, word = text[m:], word[n:]
	}
	return true
}

const (
	// near is how far apart two letters of a word may stand within a part of a name.
	near = 3
	// looked is how many letters of a name are looked at.
	looked = 64
)

// Letters reports whether the letters of the bare word stand in a name in their
// order, as in an abbreviation: the first begins a part of the name, and each of the
// others begins a part, too, or stands close behind the one before. "wprd" fits
// web-prod; "web" does not fit worker-subnet. A word that has grown fits no more
// names than before.
func (t *Term) Letters(name string) bool {
	if len(t.word) < 2 || !inOrder(t.word, name) {
		return false
	}
	at := uint64(0) // where the letter before may stand
	for i, want := range t.word {
		here, starts := places(name, want)
		if i == 0 {
			at = here & starts
		} else {
			reach := at<<1 | at<<2 | at<<near
			behind := ^uint64(0) << (bits.TrailingZeros64(at) + 1) // of the first place
			at = here & (reach | starts&behind)
		}
		if at == 0 {
			return false
		}
	}
	return true
}

// inOrder is what most names fail at, and quickly.
func inOrder(word, name string) bool {
	for _, r := range name {
		want, n := utf8.DecodeRuneInString(word)
		if unicode.ToLower(r) == want {
			if word = word[n:]; word == "" {
				return true
			}
		}
	}
	return word == ""
}

// places are the positions of a letter in a name, and those where a part of it
// begins, as bits.
func places(name string, want rune) (here, starts uint64) {
	before, i := ' ', 0
	for _, r := range name {
		if i == looked {
			break
		}
		if unicode.ToLower(r) == want {
			here |= 1 << i
		}
		if begins(before, r) {
			starts |= 1 << i
		}
		before = r
		i++
	}
	return here, starts
}

// begins reports whether a part of a name begins between two letters: behind what is
// neither a letter nor a digit, where digits follow letters, and behind the zeros in
// front of a number.
func begins(before, r rune) bool {
	solid := unicode.IsLetter(before) || unicode.IsDigit(before)
	return !solid || unicode.IsDigit(r) && (before == '0' || unicode.IsLetter(before))
}

// Fold makes a text such that a bare word in it is found with strings.Contains.
func Fold(text string) string { return strings.Map(unicode.ToLower, text) }
