package document

import (
	"regexp"
	"strings"
)

// matches reports whether v may satisfy a document's allowedPattern. The
// service evaluates it as a Java regular expression, so a pattern that Go
// cannot compile, or reads differently, counts as satisfied: the service
// decides.
//
// The match is not anchored here. Documents anchor with ^ and $ themselves;
// where one does not, being lenient costs a call and being strict would refuse
// what the service takes.
func matches(pattern, v string) bool {
	if pattern == "" || strings.Contains(pattern, "&&") { // class intersection in Java, two characters in Go
		return true
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return true
	}
	// Java's $ also matches before a final line break.
	return re.MatchString(v) || re.MatchString(strings.TrimSuffix(v, "\n"))
}

// nearest returns the name a user most likely meant: the same but for case, or
// at most two edits away (one for short names).
func nearest(typed string, names []string) (string, bool) {
	best, bestDistance := "", 3
	if len(typed) < 4 {
		bestDistance = 2
	}
	for _, name := range names {
		if d := distance(strings.ToLower(typed), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best, best != ""
}

// distance is the Levenshtein distance in bytes; names are ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
