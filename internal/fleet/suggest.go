package fleet

import (
	"slices"
	"strings"
)

// closest returns up to n of words that resemble word, best first: those within
// a third of its length in edits, and those that contain it.
func closest(word string, words []string, n int) []string {
	type scored struct {
		word string
		d    int
	}
	var found []scored
	lower := strings.ToLower(word)
	seen := map[string]bool{}
	for _, w := range words {
		if seen[w] || w == "" {
			continue
		}
		seen[w] = true
		lw := strings.ToLower(w)
		contains := len(word) > 2 && strings.Contains(lw, lower)
		limit := max(1, (len(word)+1)/3) // two from five letters on: a swapped pair counts two
		if !contains && abs(len(lw)-len(lower)) > limit {
			continue // too different in length to be worth the count
		}
		if d := distance(lower, lw); d <= limit || contains {
			found = append(found, scored{w, d})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.d - b.d })
	var out []string
	for _, f := range found[:min(n, len(found))] {
		out = append(out, f.word)
	}
	return out
}

func abs(n int) int { return max(n, -n) }

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
