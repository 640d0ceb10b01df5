// Package terms is the grammar in which lists are narrowed, on the command line and
// in the dashboard alike:
//
//	platform=linux agent<3.3 !name~^db web | ping=lost
//
// Terms stand between spaces and must all hold; a | stands between alternatives of
// such terms. A term is KEY, one of = != ~ < <= > >=, and VALUE, or, where that is
// allowed, a bare word; a ! in front turns it round. Commas give = and !=
// alternatives, quotes keep spaces together, ~ is a regular expression (RE2, case
// ignored), and the four comparisons are for versions, numbers and ages.
//
// The package knows the grammar and how values compare, not what is asked about:
// who has rows gives a Grammar with the keys, and answers for each Term. Matching
// allocates nothing. Everything is pure; an Expr may be shared by goroutines.
package terms

import (
	"iter"
	"regexp"
	"slices"
	"time"
)

// Kind is how the values of a key compare.
type Kind int

// The kinds.
const (
	Text    Kind = iota // no order
	Version             // number by number
	Number
	Moment // by age: launched>30d are those launched more than 30 days ago
)

// Key is something that a term can ask about.
type Key struct {
	Name string
	Kind Kind
}

// Grammar says what can be asked.
type Grammar struct {
	Keys []Key
	// Open takes a key that is not among Keys, such as tag:env; false leaves it
	// unknown. Nil: there are no others.
	Open func(name string) (k Key, ok bool, err error)
	// Words allows bare words.
	Words bool
	// Form is the hint of an error: "write terms like platform=linux".
	Form string
}

// Expr is a filter that has been read. Its zero value holds for everything.
type Expr struct{ groups [][]Term }

// Term is one condition.
type Term struct {
	Key string // as it was written; empty: a bare word
	At  int    // the number of the key in Grammar.Keys; -1: an open one, or none
	Not bool   // turned round; Match sees to it

	op     op
	kind   Kind
	word   string   // a bare word, in lower case
	values []string // of = and !=, in lower case
	exact  []exact  // the same, read as what the key is; nil: a text
	want   []uint64 // of a version
	number float64
	age    time.Duration
	like   *regexp.Regexp
	plain  plain // in place of like, when it is a plain text
}

// exact is a value of =, read as a version or a number; not ok, it is neither.
type exact struct {
	version []uint64
	number  float64
	ok      bool
}

// op is an operator.
type op string

const (
	equal     op = "="
	different op = "!="
	matches   op = "~"
	less      op = "<"
	atMost    op = "<="
	more      op = ">"
	atLeast   op = ">="
)

func (o op) orders() bool { return o == less || o == atMost || o == more || o == atLeast }

// Empty reports whether e holds for everything.
func (e Expr) Empty() bool { return len(e.groups) == 0 }

// Match reports whether e holds, when holds says it of a term, without its !.
func (e Expr) Match(holds func(t *Term) bool) bool {
	for _, g := range e.groups {
		all := true
		for i := range g {
			if all = holds(&g[i]) != g[i].Not; !all {
				break
			}
		}
		if all {
			return true
		}
	}
	return len(e.groups) == 0
}

// All are the terms, of all alternatives.
func (e Expr) All() iter.Seq[*Term] {
	return func(yield func(*Term) bool) {
		for _, g := range e.groups {
			for i := range g {
				if !yield(&g[i]) {
					return
				}
			}
		}
	}
}

// Narrows reports whether what e holds for is for certain among what before holds
// for: terms were added to it, or its last word has grown.
func (e Expr) Narrows(before Expr) bool {
	if len(before.groups) == 0 {
		return true
	}
	if len(e.groups) != 1 || len(before.groups) != 1 || len(e.groups[0]) < len(before.groups[0]) {
		return false
	}
	for i := range before.groups[0] {
		old, t := &before.groups[0][i], &e.groups[0][i]
		same := t.Key == old.Key && t.At == old.At && t.op == old.op && t.Not == old.Not
		switch {
		case !same:
			return false
		case t.IsWord():
			if t.word != old.word && (t.Not || len(t.word) < len(old.word) || t.word[:len(old.word)] != old.word) {
				return false
			}
		case !slices.Equal(t.values, old.values):
			return false
		}
	}
	return true
}
