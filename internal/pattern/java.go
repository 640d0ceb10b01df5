package pattern

import (
	"regexp"
	"strings"
)

// javaOnly are constructs that Java's regular expressions know and Go's do not.
var javaOnly = []struct {
	find   func() *regexp.Regexp
	name   string
	escape bool // it begins with a backslash, so it counts in classes too
}{
	{find: Lazy(`\(\?(=|!)`), name: "lookahead"},
	{find: Lazy(`\(\?<(=|!)`), name: "lookbehind"},
	{find: Lazy(`\(\?>`), name: "an atomic group"},
	{find: Lazy(`[*+?}]\+`), name: "a possessive quantifier"},
	{find: Lazy(`\\([1-9]|k<)`), name: "a back-reference", escape: true},
	{find: Lazy(`\\([hHRGZXe]|u[0-9a-fA-F]{4})`), name: "an escape of Java's", escape: true},
	{find: Lazy(`\\[pP]\{(Is|In|java|Alpha|Digit|Alnum|Upper|Lower|Punct|Graph|Print|Blank|Cntrl|XDigit|Space|ASCII)`), name: "a character class of Java's", escape: true},
}

// JavaOnly names the first construct of an expression that Java knows and Go does not;
// empty when there is none.
func JavaOnly(src string) string {
	operators, escapes := withoutEscapes(src), strings.ReplaceAll(src, `\\`, "  ")
	for _, c := range javaOnly {
		where := operators
		if c.escape {
			where = escapes
		}
		if c.find().MatchString(where) {
			return c.name
		}
	}
	return ""
}

// withoutEscapes blanks escaped characters and the contents of classes, where
// nothing is an operator.
func withoutEscapes(src string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '\\' && i+1 < len(src):
			n := 2
			if rest := src[i+1:]; strings.HasPrefix(rest, "p{") || strings.HasPrefix(rest, "P{") {
				n += max(strings.IndexByte(rest, '}'), 0) // the name of a class
			}
			b.WriteString(strings.Repeat(" ", n))
			i += n - 1
			continue
		case class && c == ']':
			class = false
		case class:
			c = ' '
		case c == '[':
			class = true
			if rest := src[i+1:]; strings.HasPrefix(rest, "]") || strings.HasPrefix(rest, "^]") {
				b.WriteByte('[')
				skip := strings.IndexByte(rest, ']') + 1
				b.WriteString(strings.Repeat(" ", skip))
				i += skip
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// NestedClass finds [ or && within a character class: set operations in Java,
// characters or the name of a class ([:alpha:]) in Go.
func NestedClass(src string) (string, bool) {
	class := false
	for i := 0; i < len(src); i++ {
		switch rest := src[i:]; {
		case src[i] == '\\':
			i++
		case !class && src[i] == '[':
			class = true
			if strings.HasPrefix(rest[1:], "^") {
				i++
			}
			if strings.HasPrefix(src[i+1:], "]") {
				i++
			}
		case class && src[i] == ']':
			class = false
		case class && src[i] == '[':
			return "[", true
		case class && strings.HasPrefix(rest, "&&"):
			return "&&", true
		}
	}
	return "", false
}
