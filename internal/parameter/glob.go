package parameter

import (
	"path"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// IsPattern reports whether text is a pattern of names rather than one of them: no name
// can hold what patterns are made of.
func IsPattern(text string) bool { return strings.ContainsAny(text, "*?[") }

// Pattern is a pattern of names with wildcards: * is any text within one part of the
// hierarchy, ? a character, [a-f] one of several, and ** any number of parts. A pattern
// without a slash is held against the last part of names, wherever they are.
type Pattern struct {
	text  string
	parts []string
}

// ParsePattern reads a pattern.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{text: text, parts: strings.Split(text, "/")}
	if first := p.parts[0]; len(p.parts) > 1 && first != "" && first != "**" {
		return p, fault.Usagef("the pattern %s has parts, and no slash before the first: no name is like this", quoted(text)).WithHint("write /%s", text)
	}
	for _, part := range p.parts {
		if _, err := path.Match(part, ""); err != nil {
			return p, fault.Usagef("the pattern %q: a [ is not closed, or nothing is in it", text)
		}
	}
	return p, nil
}

// Match reports whether a name is meant.
func (p Pattern) Match(name string) bool {
	if len(p.parts) == 1 {
		return matchPart(p.parts[0], name[strings.LastIndex(name, "/")+1:])
	}
	return matchParts(p.parts, strings.Split(name, "/"))
}

func matchPart(pattern, part string) bool {
	ok, err := path.Match(pattern, part)
	return err == nil && ok
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 && pattern[0] != "**" {
		if len(name) == 0 || !matchPart(pattern[0], name[0]) {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	if len(pattern) == 0 {
		return len(name) == 0
	}
	for skip := range len(name) + 1 {
		if matchParts(pattern[1:], name[skip:]) {
			return true
		}
	}
	return false
}

// folder is the path that holds all that can match; "" when that is not known.
func (p Pattern) folder() string {
	n := 0
	for n < len(p.parts)-1 && !IsPattern(p.parts[n]) {
		n++
	}
	return strings.Join(p.parts[:n], "/")
}

// literal is a text that all names that match contain; "" when there is none.
func (p Pattern) literal() (longest string) {
	last := p.parts[len(p.parts)-1]
	if strings.ContainsAny(last, `[\`) {
		return ""
	}
	for _, text := range strings.FieldsFunc(last, func(r rune) bool { return r == '*' || r == '?' }) {
		if len(text) > len(longest) {
			longest = text
		}
	}
	return longest
}
