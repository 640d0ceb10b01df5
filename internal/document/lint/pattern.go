package lint

import (
	"regexp"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// javaOnly are constructs that Java's regular expressions know and Go's do not.
var javaOnly = []struct {
	find   func() *regexp.Regexp
	name   string
	escape bool // it begins with a backslash, so it counts in classes too
}{
	{find: pattern.Lazy(`\(\?(=|!)`), name: "lookahead"},
	{find: pattern.Lazy(`\(\?<(=|!)`), name: "lookbehind"},
	{find: pattern.Lazy(`\(\?>`), name: "an atomic group"},
	{find: pattern.Lazy(`[*+?}]\+`), name: "a possessive quantifier"},
	{find: pattern.Lazy(`\\([1-9]|k<)`), name: "a back-reference", escape: true},
	{find: pattern.Lazy(`\\([hHRGZXe]|u[0-9a-fA-F]{4})`), name: "an escape of Java's", escape: true},
	{find: pattern.Lazy(`\\[pP]\{(Is|In|java|Alpha|Digit|Alnum|Upper|Lower|Punct|Graph|Print|Blank|Cntrl|XDigit|Space|ASCII)`), name: "a character class of Java's", escape: true},
}

// pattern checks an allowedPattern, which the service reads as Java and the agent
// as Go, and returns it as an expression for a whole value; nil when Go cannot
// evaluate it.
func (l *linter) pattern(n *node, path string) *regexp.Regexp {
	src := n.text
	operators, escapes := withoutEscapes(src), strings.ReplaceAll(src, `\\`, "  ")
	for _, c := range javaOnly {
		where := operators
		if c.escape {
			where = escapes
		}
		if c.find().MatchString(where) {
			l.add(n, path, ruleDialect, Warning, "write it without, with classes and alternatives",
				"the pattern has %s: the service (Java) knows it, the agent (Go) refuses the document", c.name)
			return nil
		}
	}
	if strings.Contains(src, "(?P<") {
		l.add(n, path, ruleDialect, Warning, "write (?<name>…) or (…)", "the pattern has (?P<…>: the agent (Go) knows it, the service (Java) does not")
	}
	if class, ok := nestedClass(src); ok {
		l.add(n, path, ruleDialect, Warning, "write one class without [ and && inside",
			"the pattern has %s inside a class, which Java and Go read differently", class)
		return nil
	}
	re, err := regexp.Compile("^(?:" + src + ")$")
	if err != nil {
		_, err = regexp.Compile(src)
		if err == nil { // only our wrapping broke it
			return nil
		}
		l.add(n, path, rulePattern, Error, "", "allowedPattern is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	return re
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

// nestedClass finds [ or && within a character class: set operations in Java,
// characters or the name of a class ([:alpha:]) in Go.
func nestedClass(src string) (string, bool) {
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
