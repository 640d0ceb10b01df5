// Package pattern has regular expressions that cost nothing until they are used:
// one run of a command needs a few of all that the program has.
package pattern

import (
	"regexp"
	"sync"
)

// Lazy returns what compiles expr at its first call, and panics then if it is not
// an expression: a test at the import table compiles every one.
func Lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
