package picker

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a match is worth. A whole word beats the beginning of one, that what lies
// within one, and that letters that are only in the same order.
const (
	worthExact    = 1000
	worthPrefix   = 800
	worthBoundary = 700
	worthWithin   = 600
	worthLetters  = 300

	bonusBoundary = 20 // for a letter at the beginning of a part of a name
	bonusNext     = 10 // for a letter that follows the one before
	minusGap      = 2  // for each letter between two
	minusField    = 50 // for each field behind the first
)

// field is a text that the filter looks at, in lower case.
type field struct {
	text string
	// loose fields also match by letters in the same order; addresses and tags
	// would match nearly everything then.
	loose bool
}

// score is how well a row fits all terms, which are in lower case. ok is false
// when one fits nowhere.
func score(terms []string, fields []field) (total int, ok bool) {
	for _, t := range terms {
		best := -1
		for i, f := range fields {
			if s := scoreOne(t, f); s >= 0 {
				best = max(best, s-i*minusField)
			}
		}
		if best < 0 {
			return 0, false
		}
		total += best
	}
	return total, true
}

// scoreOne is how well a term fits a text; -1: not at all. What is left of the
// text counts a little, so that of two texts the shorter is nearer.
func scoreOne(term string, f field) int {
	at := strings.Index(f.text, term)
	rest := min(len(f.text)-len(term), minusField/2)
	switch {
	case at < 0 && f.loose:
		return scoreLetters(term, f.text)
	case at < 0:
		return -1
	case len(term) == len(f.text):
		return worthExact
	case at == 0:
		return worthPrefix - rest
	case boundary(f.text, at):
		return worthBoundary - rest
	}
	// A later occurrence may begin a part of the name: "b" in "web-b1".
	for from := at + 1; ; {
		next := strings.Index(f.text[from:], term)
		if next < 0 {
			return worthWithin - rest
		}
		if boundary(f.text, from+next) {
			return worthBoundary - rest
		}
		from += next + 1
	}
}

// scoreLetters finds the letters of term in text, in their order: "wprd" fits
// "web-prod". The last possible start is taken, which leaves the smallest gaps.
func scoreLetters(term, text string) int {
	end, ok := lastOf(term, text)
	if !ok {
		return -1
	}
	s, gap := worthLetters, 0
	rest := term
	for rest != "" && end > 0 { // backwards from the end, each letter as late as possible
		want, size := utf8.DecodeLastRuneInString(rest)
		have, width := utf8.DecodeLastRuneInString(text[:end])
		end -= width
		if have != want {
			gap++
			continue
		}
		if gap == 0 {
			s += bonusNext
		}
		s -= gap * minusGap
		gap = 0
		if boundary(text, end) {
			s += bonusBoundary
		}
		rest = rest[:len(rest)-size]
	}
	return max(s, 0)
}

// lastOf is the end of the first run of text that has the letters of term.
func lastOf(term, text string) (end int, ok bool) {
	for _, want := range term {
		at := strings.IndexRune(text[end:], want)
		if at < 0 {
			return 0, false
		}
		_, width := utf8.DecodeRuneInString(text[end+at:]) // a broken byte is one, and found as U+FFFD
		end += at + width
	}
	return end, true
}

// boundary reports whether a part of a name begins at byte i.
func boundary(text string, i int) bool {
	if i == 0 {
		return true
	}
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	return !unicode.IsLetter(before) && !unicode.IsDigit(before)
}
