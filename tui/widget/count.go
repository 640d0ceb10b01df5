package widget

import (
	"strconv"
	"strings"
)

// Grouped is a number with a comma between its thousands.
func Grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count is a number of things, called by their noun in the singular: "1 node",
// "1,204 patches".
func Count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		noun += "e"
	}
	return Grouped(n) + " " + noun + "s"
}
