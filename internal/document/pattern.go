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
