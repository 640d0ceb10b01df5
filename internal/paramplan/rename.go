package paramplan

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// Renames are rules that make names of another environment of names: the first that
// fits a name is taken.
type Renames []rename

type rename struct {
	old, new string
	expr     *regexp.Regexp // of s/EXPR/NEW/
}

// ParseRename reads a rule. OLD=NEW is for one name, or with a slash at the end of both
// for all below a path; s/EXPR/NEW/ replaces what the regular expression finds, with
// any character in the place of the slashes. Names are those below the path of the
// environment.
func ParseRename(text string) (Renames, error) {
	bad := func(format string, args ...any) (Renames, error) {
		return nil, fault.Usagef(format, args...).WithHint("a rule is OLD=NEW, old-path/=new-path/ or 's/EXPR/NEW/'")
	}
	if parts := strings.Split(text, text[min(1, len(text)):min(2, len(text))]); strings.HasPrefix(text, "s") && len(parts) == 4 && parts[0] == "s" && notInNames(text[1]) {
		if parts[1] == "" || parts[3] != "" && parts[3] != "g" {
			return bad("the rule %q has not the form s/EXPR/NEW/", text)
		}
		expr, err := regexp.Compile(parts[1])
		if err != nil {
			return bad("the rule %q: %v", text, err)
		}
		return Renames{{expr: expr, new: parts[2]}}, nil
	}
	before, after, ok := strings.Cut(text, "=")
	before, after = strings.TrimPrefix(before, "/"), strings.TrimPrefix(after, "/")
	switch {
	case !ok || before == "" || after == "":
		return bad("%q is no rule for names", text)
	case strings.HasSuffix(before, "/") != strings.HasSuffix(after, "/"):
		return bad("the rule %q has a path on one side and a name on the other", text)
	}
	return Renames{{old: before, new: after}}, nil
}

// Apply is the name that the rules make of a name.
func (r Renames) Apply(name string) string {
	for _, one := range r {
		switch {
		case one.expr != nil:
			if one.expr.MatchString(name) {
				return one.expr.ReplaceAllString(name, one.new)
			}
		case one.old == name:
			return one.new
		case strings.HasSuffix(one.old, "/") && strings.HasPrefix(name, one.old):
			return one.new + strings.TrimPrefix(name, one.old)
		}
	}
	return name
}

// Mentions returns the first of words that stands in a value as a word of its own: with
// no letter or digit right before or after it.
func Mentions(value string, words []string) string {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for _, w := range words {
		for from := 0; w != ""; {
			i := strings.Index(value[from:], w)
			if i < 0 {
				break
			}
			begin, end := from+i, from+i+len(w)
			before, _ := utf8.DecodeLastRuneInString(value[:begin])
			after, _ := utf8.DecodeRuneInString(value[end:])
			if !inWord(before) && !inWord(after) {
				return w
			}
			from = end
		}
	}
	return ""
}

// notInNames reports whether a character can be put around the parts of s/EXPR/NEW/.
func notInNames(c byte) bool {
	return c == '/' || c > ' ' && c < 0x7f && !strings.ContainsRune("=-_.", rune(c)) && !unicode.IsLetter(rune(c)) && !unicode.IsDigit(rune(c))
}

// Glob makes a test for names of words as --only takes them: a name or a path with all
// below it, or a pattern as parameter.ParsePattern reads it; one with slashes and none
// in front is held against the end of names.
func Glob(words []string) (func(name string) bool, error) {
	patterns := make([]parameter.Pattern, len(words))
	for i, w := range words {
		if strings.Contains(w, "/") && !strings.HasPrefix(w, "/") {
			w = "**/" + w
		}
		var err error
		if patterns[i], err = parameter.ParsePattern(w); err != nil {
			return nil, err
		}
	}
	return func(name string) bool {
		for i, p := range patterns {
			if p.Match(name) || strings.HasPrefix(words[i], "/") && Below(words[i], name) {
				return true
			}
		}
		return false
	}, nil
}
