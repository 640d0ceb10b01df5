package palette

import (
	"strings"
	"unicode"
)

// The least of what fits as a whole text, and of what does not fit by its letters alone.
const (
	wholly = 400
	partly = 100
)

// Fitness is how well a typed text fits a name; -1: not at all. The beginning of the
// name is best, then that of a word in it, then anywhere, then letters in their order.
func Fitness(typed, name string) int { return fitness(strings.ToLower(strings.TrimSpace(typed)), name) }

// fitness is Fitness of a text in lower case, without spaces around it.
func fitness(typed, name string) int {
	name = strings.ToLower(name)
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

// Best keeps the best of many things, with what is typed in lower case: it is asked for
// each of 10,000 nodes on each key.
type Best[T any] struct {
	Typed string // in lower case, without spaces around it
	Most  int
	kept  []ranked[T]
}

type ranked[T any] struct {
	value T
	worth int
}

// Add looks at a thing by all that it may be called. make is called for what is kept.
func (b *Best[T]) Add(make func() T, names ...string) {
	worth := -1
	for _, n := range names {
		if n != "" {
			worth = max(worth, fitness(b.Typed, n))
		}
	}
	if worth < 0 || len(b.kept) == b.Most && worth <= b.kept[len(b.kept)-1].worth {
		return
	}
	at := len(b.kept)
	for at > 0 && b.kept[at-1].worth < worth {
		at--
	}
	if len(b.kept) == b.Most {
		b.kept = b.kept[:b.Most-1]
	}
	b.kept = append(b.kept, ranked[T]{})
	copy(b.kept[at+1:], b.kept[at:])
	b.kept[at] = ranked[T]{make(), worth}
}

// All are those that were kept, best first, with how well they fit. What fits by its
// letters alone is left out where anything fits better.
func (b *Best[T]) All() func(yield func(T, int) bool) {
	return func(yield func(T, int) bool) {
		for _, r := range b.kept {
			if r.worth < partly && b.kept[0].worth >= partly || !yield(r.value, r.worth) {
				return
			}
		}
	}
}
