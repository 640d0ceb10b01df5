// Package textdiff compares texts line by line and writes the difference as
// unified diffs do, so that people, patch and pagers can read it. It is pure.
package textdiff

import (
	"fmt"
	"strings"
)

// Context is how many equal lines stand around a change, as in diff -u.
const Context = 3

// effort bounds the search for the shortest difference, in changed lines. Texts
// that differ in more are compared coarsely: what lies between their equal ends
// counts as replaced.
const effort = 2000

// Kind says what a line of a difference is. Its value is the first character of
// the line in unified form.
type Kind byte

// The kinds.
const (
	Equal  Kind = ' '
	Delete Kind = '-'
	Insert Kind = '+'
)

// Line is one line of a difference: of both texts, of the old one, or of the new.
type Line struct {
	Kind Kind
	Text string // without its line break
}

// Lines cuts a text into lines. A last line without a line break is one that ends
// in a marker, so that it differs from the same line with one.
func Lines(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		return lines[:last]
	}
	lines[len(lines)-1] += noBreak
	return lines
}

const noBreak = "\n\\ No newline at end of file"

// Compare returns the lines of a and b in order, the deleted before the inserted
// where both stand at one place.
func Compare(a, b []string) []Line {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	lines := make([]Line, 0, max(len(a), len(b)))
	lines = add(lines, Equal, a[:head])
	lines = append(lines, middle(a[head:len(a)-tail], b[head:len(b)-tail])...)
	return add(lines, Equal, a[len(a)-tail:])
}

func add(lines []Line, k Kind, texts []string) []Line {
	for _, t := range texts {
		lines = append(lines, Line{k, t})
	}
	return lines
}

// middle finds a shortest difference as E. W. Myers describes it in "An O(ND)
// Difference Algorithm and Its Variations" (1986).
func middle(a, b []string) []Line {
	limit := min(len(a)+len(b), effort)
	// reach[k] is how far into a one gets on diagonal k (= x-y) with d changes;
	// rounds keeps it for each d, for the way back.
	reach := make([]int, 2*limit+3)
	at := func(k int) int { return k + limit + 1 }
	var rounds [][]int
	for d := 0; d <= limit; d++ {
		for k := -d; k <= d; k += 2 {
			x := 0
			switch {
			case d == 0:
			case k == -d || k != d && reach[at(k-1)] < reach[at(k+1)]:
				x = reach[at(k+1)]
			default:
				x = reach[at(k-1)] + 1
			}
			for x < len(a) && x-k < len(b) && x-k >= 0 && a[x] == b[x-k] {
				x++
			}
			reach[at(k)] = x
			if x >= len(a) && x-k >= len(b) {
				return way(a, b, rounds, d)
			}
		}
		rounds = append(rounds, append([]int(nil), reach[at(-d):at(d)+1]...))
	}
	return add(add(nil, Delete, a), Insert, b)
}

// way walks back from the ends of both texts. rounds[d] holds the reach on the
// diagonals -d to d.
func way(a, b []string, rounds [][]int, d int) []Line {
	x, y := len(a), len(b)
	var back []Line
	for ; d > 0; d-- {
		before := rounds[d-1]
		at := func(k int) int { return before[k+d-1] }
		k := x - y
		down := k == -d || k != d && at(k-1) < at(k+1)
		from := k - 1
		if down {
			from = k + 1
		}
		startX := at(from) // where round d began on diagonal k: one step off from
		if !down {
			startX++
		}
		for x > startX {
			x, y = x-1, y-1
			back = append(back, Line{Equal, a[x]})
		}
		if down {
			y--
			back = append(back, Line{Insert, b[y]})
		} else {
			x--
			back = append(back, Line{Delete, a[x]})
		}
	}
	for x > 0 {
		x--
		back = append(back, Line{Equal, a[x]})
	}
	lines := make([]Line, 0, len(back))
	for i := len(back) - 1; i >= 0; i-- {
		lines = append(lines, back[i])
	}
	return grouped(lines)
}

// grouped puts the deleted lines of each change before the inserted ones.
func grouped(lines []Line) []Line {
	out := make([]Line, 0, len(lines))
	var inserted []Line
	for _, l := range lines {
		switch l.Kind {
		case Insert:
			inserted = append(inserted, l)
			continue
		case Equal:
			out = append(out, inserted...)
			inserted = inserted[:0]
		case Delete:
		}
		out = append(out, l)
	}
	return append(out, inserted...)
}

// Unified compares two texts and returns their difference in unified form, one
// element a line without line breaks: two headers with the names, then hunks.
// Equal texts have none.
func Unified(nameA, nameB, a, b string) []string {
	lines := Compare(Lines(a), Lines(b))
	var out []string
	for _, h := range hunks(lines) {
		if out == nil {
			out = []string{"--- " + nameA, "+++ " + nameB}
		}
		out = append(out, h.header(lines))
		for _, l := range lines[h.from:h.to] {
			text, marker, cut := strings.Cut(l.Text, "\n")
			out = append(out, string(rune(l.Kind))+text)
			if cut {
				out = append(out, marker)
			}
		}
	}
	return out
}

// hunk is a part of a difference: lines[from:to], with changes in it.
type hunk struct{ from, to int }

func hunks(lines []Line) []hunk {
	var all []hunk
	for i, l := range lines {
		if l.Kind == Equal {
			continue
		}
		from, to := max(i-Context, 0), min(i+1+Context, len(lines))
		if n := len(all); n > 0 && from <= all[n-1].to {
			all[n-1].to = to
			continue
		}
		all = append(all, hunk{from, to})
	}
	return all
}

func (h hunk) header(lines []Line) string {
	count := func(lines []Line, not Kind) (n int) {
		for _, l := range lines {
			if l.Kind != not {
				n++
			}
		}
		return n
	}
	place := func(not Kind) string {
		start, n := count(lines[:h.from], not)+1, count(lines[h.from:h.to], not)
		if n == 0 {
			start-- // diff counts an empty range from the line before it
		}
		if n == 1 {
			return fmt.Sprint(start)
		}
		return fmt.Sprintf("%d,%d", start, n)
	}
	return fmt.Sprintf("@@ -%s +%s @@", place(Insert), place(Delete))
}
