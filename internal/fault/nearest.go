package fault

import (
	"slices"
	"strings"
)

// Nearest returns the candidate that word was probably meant to be, or "" when
// none is near: at most a third of its letters wrong, and at most three. Case
// does not count.
func Nearest(word string, candidates []string) string {
	w := []rune(strings.ToLower(word))
	best, least := "", min(3, max(1, len(w)/3))+1
	for _, c := range candidates {
		if d := distance(w, []rune(strings.ToLower(c))); d < least {
			best, least = c, d
		}
	}
	return best
}

// Closest returns up to n of the candidates that resemble word, best first:
// those within a third of its length in edits, and those that contain it. It is
// for lists of names, where several may have been meant. Case does not count.
func Closest(word string, candidates []string, n int) []string {
	type scored struct {
		word string
		d    int
	}
	var found []scored
	lower := strings.ToLower(word)
	w := []rune(lower)
	seen := map[string]bool{}
	for _, c := range candidates {
		if seen[c] || c == "" {
			continue
		}
		seen[c] = true
		lc := strings.ToLower(c)
		contains := len(w) > 2 && strings.Contains(lc, lower)
		limit := max(1, (len(w)+1)/3)
		if diff := len([]rune(lc)) - len(w); !contains && max(diff, -diff) > limit {
			continue // too different in length to be worth the count
		}
		if d := distance(w, []rune(lc)); d <= limit || contains {
			found = append(found, scored{c, d})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.d - b.d })
	var out []string
	for _, f := range found[:min(n, len(found))] {
		out = append(out, f.word)
	}
	return out
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours cost one each.
func distance(a, b []rune) int {
	const longest = 64 // longer words are not typing errors of ours
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
