package tui

import (
	"strings"
	"unicode"
)

// fitness is how well a typed text fits a name; -1: not at all. The beginning of the
// name is best, then that of a word in it, then anywhere, then letters in their order.
func fitness(typed, name string) int {
	typed, name = strings.ToLower(strings.TrimSpace(typed)), strings.ToLower(name)
	switch at := strings.Index(name, typed); {
	case typed == "":
		return 0
	case typed == name:
		return 400
	case at == 0:
		return 300 - min(len(name)-len(typed), 50)
	case at > 0 && !letter(name[at-1]):
		return 200 - min(at, 50)
	case at > 0:
		return 150 - min(at, 50)
	}
	rest := name
	for _, r := range typed {
		if unicode.IsSpace(r) {
			continue
		}
		at := strings.IndexRune(rest, r)
		if at < 0 {
			return -1
		}
		rest = rest[at+1:]
	}
	return 50 - min(len(name)-len(typed), 49)
}

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 0x80 }
