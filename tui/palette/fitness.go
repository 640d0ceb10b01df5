package palette

import (
	"strings"
	"unicode"
)

// The least of what fits as a whole text, and of what does not fit by its letters alone.
const (
	wholly = 400
	partly = 100
	behind = 20 // by how much less a thing of the fleet fits than a view of that name
)

// Fitness is how well a typed text fits a name; -1: not at all. The beginning of the
// name is best, then that of a word in it, then anywhere, then letters in their order.
func Fitness(typed, name string) int { return fitness(strings.ToLower(strings.TrimSpace(typed)), name) }

// fitness is Fitness of a text in lower case, without spaces around it.
func fitness(typed, name string) int {
	name = strings.ToLower(name)
	if worth := within(typed, name); worth >= 0 {
		return worth
	}
	return letters(typed, name)
}

// within is how well a text fits that is in a name as it is; -1: it is not. Both are in
// lower case.
func within(typed, name string) int {
	switch at := strings.Index(name, typed); {
	case typed == "":
		return 0
	case typed == name:
		return wholly
	case at == 0:
		return 300 - min(len(name)-len(typed), 50)
	case at > 0 && !letter(name[at-1]):
		return 200 - min(at, 50)
	case at > 0:
		return partly + 50 - min(at, 50)
	}
	return -1
}

// letters is how well a text fits by its letters in their order.
func letters(typed, name string) int {
	rest := name
	for _, r := range typed {
		if unicode.IsSpace(r) {
			continue
		}
		at := strings.IndexRune(rest, r)
		if at < 0 {
			return -1
		}
		rest = rest[at+len(string(r)):]
	}
	return 50 - min(len(name)-len(typed), 49)
}

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 0x80 }
