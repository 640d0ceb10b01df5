package render

import (
	"unicode"
	"unicode/utf8"
)

// hidden reports whether r, not a C0 control, is never seen, or acts on its
// surroundings without being seen: C1 controls (some terminals obey U+009B like
// ESC [), separators, direction marks (CVE-2021-42574), zero-width spaces, fillers,
// tags, and the other marks of format. What letters and emoji need, where they need
// it, is decided by reader.
func hidden(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r <= 0x9f,
		r == 0x034f,                                        // joins nothing, breaks equality
		r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, // fillers of Hangul
		r == 0x17b4, r == 0x17b5, // vowels of Khmer that have no sign
		r == 0x2028, r == 0x2029,
		r == 0x2800, // a pattern of Braille without a dot
		r >= 0x180b && r <= 0x180f,
		r >= 0xfe00 && r <= 0xfe0d,
		r >= 0xfff0 && r <= 0xffff && r != 0xfffc && r != utf8.RuneError,
		r >= 0xe0000 && r <= 0xe0fff: // tags, and variants of ideographs
		return true
	case isJoiner(r):
		return false
	}
	return unicode.Is(unicode.Cf, r) || r >= 0x2060 && r <= 0x206f
}

const (
	zwnj = 0x200c
	zwj  = 0x200d
	// marksMost is how many marks a letter has at most: Hebrew needs five.
	marksMost = 6
)

func isJoiner(r rune) bool { return r == zwnj || r == zwj }

// isVariant reports whether r chooses between two looks of the character before it.
func isVariant(r rune) bool { return r == 0xfe0e || r == 0xfe0f }

// joinable are the scripts in which a joiner changes what a word is.
var joinable = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi,
	unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala,
	unicode.Tibetan, unicode.Myanmar, unicode.Khmer, unicode.Balinese, unicode.Javanese,
}

// pictured reports whether r may be an emoji.
func pictured(r rune) bool {
	return r == 0xa9 || r == 0xae || r == 0x203c || r == 0x2049 || r >= 0x2100 && r <= 0x2bff && r != 0x2800 ||
		r == 0x3030 || r == 0x303d || r == 0x3297 || r == 0x3299 || r >= 0x1f000 && r <= 0x1faff
}

// isTone is a colour of skin, which changes the emoji before it.
func isTone(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// reader goes through a text and knows what came before, since some characters can be
// seen in one place and not in another.
type reader struct {
	prev  rune // 0: nothing
	marks int  // how many the letter has
}

// unseen reports whether r, in front of rest, cannot be seen for what it is where it
// stands. A control character below U+0080 is none of its business.
func (t *reader) unseen(r rune, rest string) bool {
	if r < 0x80 {
		t.prev, t.marks = r, 0
		return false
	}
	if hidden(r) || t.lost(r, rest) {
		return true
	}
	t.prev = r
	return false
}

// lost reports whether r does not join, change or stand on what is before it.
func (t *reader) lost(r rune, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case isJoiner(r):
		emoji := r == zwj && (pictured(t.prev) || t.prev == 0xfe0f) && pictured(next) && !isTone(next)
		return !emoji && !(unicode.In(t.prev, joinable...) && unicode.In(next, joinable...) && unicode.IsLetter(next))
	case isVariant(r):
		return !pictured(t.prev)
	case isTone(r):
		return !pictured(t.prev) || isTone(t.prev)
	case unicode.In(r, unicode.M), r == 0x0e33, r == 0x0eb3: // the last two are letters that stand like marks
		t.marks++
		return t.prev == 0 || t.marks > marksMost
	}
	t.marks = 0
	return false
}

// wrote says that something else was put in place of a character, and how that ends.
func (t *reader) wrote(text string) {
	t.prev, t.marks = rune(text[len(text)-1]), 0
}
