package fleet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// mostNames is how many names one range may stand for.
const mostNames = 10_000

const rangeForm = "write web-[01-20], web-[1-5,8] or az-[a-c]; for a name with brackets name:NAME"

// parseRange reads a name with ranges in brackets and writes all names out. A
// range counts with as many digits as its first number when that begins with 0.
func parseRange(t Target, s string) (Target, error) {
	fail := func(format string, args ...any) (Target, error) {
		return t, fault.Usagef("%q is not a range of names: %s", s, fmt.Sprintf(format, args...)).WithHint("%s", rangeForm)
	}
	names := []string{""}
	for s := s; s != ""; {
		open := unescapedIndex(s, '[')
		if open < 0 {
			open = len(s)
		}
		literal := s[:open]
		if unescapedIndex(literal, ']') >= 0 {
			return fail("a ] has no [")
		}
		if strings.ContainsAny(literal, "*?") {
			return fail("it cannot have * or ? as well")
		}
		for i := range names {
			names[i] += unescape(literal)
		}
		if s = s[open:]; s == "" {
			break
		}
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return fail("a [ is not closed")
		}
		var members []string
		for part := range strings.SplitSeq(s[1:end], ",") {
			some, err := expand(strings.TrimSpace(part))
			if err != nil {
				return fail("%v", err)
			}
			members = append(members, some...)
			if len(members)*len(names) > mostNames {
				return fail("it stands for more than %d names", mostNames)
			}
		}
		next := make([]string, 0, len(names)*len(members))
		for _, name := range names {
			for _, m := range members {
				next = append(next, name+m)
			}
		}
		names, s = next, s[end+1:]
	}
	t.Kind, t.Value, t.Names = KindRange, s, names
	return t, nil
}

// unescapedIndex is the place of the first b in s that has no backslash before
// it, or -1.
func unescapedIndex(s string, b byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case b:
			return i
		}
	}
	return -1
}

// expand writes one part of a range out: 8, 1-5, 01-20 or a-c.
func expand(part string) ([]string, error) {
	from, to, ranged := strings.Cut(part, "-")
	switch {
	case part == "":
		return nil, fmt.Errorf("a part of it is empty")
	case !ranged && (isNumber(from) || isLetter(from)):
		return []string{from}, nil
	case isLetter(from) && isLetter(to) && from <= to:
		var out []string
		for c := from[0]; c <= to[0]; c++ {
			if isLetter(string(c)) {
				out = append(out, string(c))
			}
		}
		return out, nil
	case !isNumber(from) || !isNumber(to):
		return nil, fmt.Errorf("%q is neither a number nor from one to another", part)
	}
	a, errA := strconv.ParseUint(from, 10, 32)
	b, errB := strconv.ParseUint(to, 10, 32)
	width := 0
	if strings.HasPrefix(from, "0") && len(from) > 1 {
		width = len(from)
	}
	switch {
	case errA != nil || errB != nil:
		return nil, fmt.Errorf("%q is too large", part)
	case a > b:
		return nil, fmt.Errorf("%q runs backwards", part)
	case width > 0 && len(to) < width, strings.HasPrefix(to, "0") && len(to) != len(from):
		return nil, fmt.Errorf("the numbers of %q have different widths", part)
	case b-a >= mostNames:
		return nil, fmt.Errorf("it stands for more than %d names", mostNames)
	}
	out := make([]string, 0, b-a+1)
	for n := a; n <= b; n++ {
		out = append(out, fmt.Sprintf("%0*d", width, n))
	}
	return out, nil
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isLetter(s string) bool {
	return len(s) == 1 && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}
