package config

import (
	"fmt"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// didYouMean returns ` (did you mean "x"?)` for the candidate nearest to word,
// or "" when none is near.
func didYouMean(word string, candidates []string) string {
	best := fault.Nearest(word, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
