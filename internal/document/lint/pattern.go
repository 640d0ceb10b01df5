package lint

import (
	"regexp"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// pattern checks an allowedPattern, which the service reads as Java and the agent
// as Go, and returns it as an expression for a whole value; nil when Go cannot
// evaluate it.
func (l *linter) pattern(n *node, path string) *regexp.Regexp {
	src := n.text
	if construct := pattern.JavaOnly(src); construct != "" {
		l.add(n, path, ruleDialect, Warning, "write it without, with classes and alternatives",
			"the pattern has %s: the service (Java) knows it, the agent (Go) refuses the document", construct)
		return nil
	}
	if strings.Contains(src, "(?P<") {
		l.add(n, path, ruleDialect, Warning, "write (?<name>…) or (…)", "the pattern has (?P<…>: the agent (Go) knows it, the service (Java) does not")
	}
	if class, ok := pattern.NestedClass(src); ok {
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
