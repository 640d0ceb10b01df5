package deck

import (
	"strings"
	"testing"
)

// A row without an id makes a line with an empty word: nothing may be done with that.
func TestLinesAboutNothingAreNameless(t *testing.T) {
	for text, want := range map[string]bool{
		"session terminate ":               true,
		"session terminate s-1  s-2":       true,
		"run -t  -- uptime":                true,
		"run -t i-1 -- printf ":            false,
		"param set /a --description ":      false,
		"param set  --description text":    true,
		"session terminate ann-0123 --yes": false,
	} {
		if got := (Line{Words: strings.Split(text, " ")}).Nameless(); got != want {
			t.Errorf("%q is nameless: %v", text, got)
		}
	}
}
