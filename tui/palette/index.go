package palette

import (
	"iter"
	"slices"
	"strings"
)

// Index finds things by what they are called. All names lie in one text, in lower case,
// so that a key that is looked for among 10,000 nodes reads little memory, and only
// those that fit are looked at one by one.
type Index struct {
	text  string // each name ends with a newline
	begin []int  // of the names of each thing, and the end
}

// NewIndex makes the index of n things.
func NewIndex(n int, names func(i int) []string) *Index {
	var b strings.Builder
	x := &Index{begin: make([]int, 0, n+1)}
	for i := range n {
		x.begin = append(x.begin, b.Len())
		for _, name := range names(i) {
			if name != "" {
				b.WriteString(strings.ToLower(strings.ReplaceAll(name, "\n", " ")))
				b.WriteByte('\n')
			}
		}
	}
	x.begin = append(x.begin, b.Len())
	x.text = b.String()
	return x
}

// Best are the numbers of the things that fit a text best, at most so many, with how
// well they fit. What fits by its letters alone counts only where nothing fits better.
// Nil for in takes all things.
func (x *Index) Best(typed string, most int, in func(i int) bool) iter.Seq2[int, int] {
	typed = strings.ToLower(strings.TrimSpace(typed))
	best := &best{most: most}
	for i := range x.holding(typed) {
		if in == nil || in(i) {
			best.add(i, x.fitness(i, typed, within))
		}
	}
	if len(best.kept) == 0 {
		for i := range len(x.begin) - 1 {
			if in == nil || in(i) {
				best.add(i, x.fitness(i, typed, letters))
			}
		}
	}
	return func(yield func(int, int) bool) {
		for _, r := range best.kept {
			if !yield(r.thing, r.worth) {
				return
			}
		}
	}
}

// holding are the things that have a text in a name.
func (x *Index) holding(typed string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for from, i := 0, 0; from < len(x.text); from = x.begin[i+1] {
			at := strings.Index(x.text[from:], typed)
			if at < 0 {
				return
			}
			for x.begin[i+1] <= from+at {
				i++
			}
			if !yield(i) {
				return
			}
		}
	}
}

// fitness is how well the best name of a thing fits.
func (x *Index) fitness(i int, typed string, of func(typed, name string) int) int {
	worth := -1
	for rest := x.text[x.begin[i]:x.begin[i+1]]; rest != ""; {
		at := strings.IndexByte(rest, '\n')
		worth = max(worth, of(typed, rest[:at]))
		rest = rest[at+1:]
	}
	return worth
}

// best are the things that fit best, in order.
type best struct {
	most int
	kept []ranked
}

type ranked struct{ thing, worth int }

func (b *best) add(thing, worth int) {
	if worth < 0 || len(b.kept) == b.most && worth <= b.kept[len(b.kept)-1].worth {
		return
	}
	at := len(b.kept)
	for at > 0 && b.kept[at-1].worth < worth {
		at--
	}
	if len(b.kept) == b.most {
		b.kept = b.kept[:b.most-1]
	}
	b.kept = slices.Insert(b.kept, at, ranked{thing, worth})
}
