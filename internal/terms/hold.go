package terms

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// IsWord reports whether the term is a bare word: see In and Letters.
func (t *Term) IsWord() bool { return t.Key == "" }

// Kind is how the values of its key compare.
func (t *Term) Kind() Kind { return t.kind }

// Like reports whether the term is a regular expression, which is about texts,
// whatever the kind of its key is.
func (t *Term) Like() bool { return t.op == matches }

// Holds says whether the term holds for a value as it is written. What is not
// known, "", equals nothing and is neither more nor less.
func (t *Term) Holds(text string) bool {
	switch t.op {
	case equal:
		return t.among(text)
	case different:
		return !t.among(text)
	case matches:
		if t.plain.ok {
			return t.plain.match(text)
		}
		return t.like.MatchString(text)
	}
	if t.kind == Number {
		n, known := LeadingNumber(text)
		return known && t.holds(cmp.Compare(n, t.number))
	}
	c, known := compareTo(text, t.want)
	return known && t.holds(c)
}

// HoldsNumber is Holds for a number; not known, it equals nothing.
func (t *Term) HoldsNumber(n float64, known bool) bool {
	switch t.op {
	case equal, different:
		same := known && slices.ContainsFunc(t.exact, func(v exact) bool { return v.ok && v.number == n })
		return same == (t.op == equal)
	}
	return known && t.holds(cmp.Compare(n, t.number))
}

// HoldsTime is Holds for a moment, by its age at now; zero is not known.
func (t *Term) HoldsTime(at, now time.Time) bool {
	return !at.IsZero() && t.holds(cmp.Compare(now.Sub(at), t.age))
}

// holds reports whether a comparison that came out as c is what the term says.
func (t *Term) holds(c int) bool {
	switch t.op {
	case less:
		return c < 0
	case atMost:
		return c <= 0
	case more:
		return c > 0
	default:
		return c >= 0
	}
}

func (t *Term) among(text string) bool {
	for i, v := range t.values {
		if strings.EqualFold(text, v) || t.exact != nil && t.same(text, t.exact[i]) {
			return true
		}
	}
	return false
}

// same reports whether a text that is written differently is the same value: 3.2 and
// 3.2.0.
func (t *Term) same(text string, want exact) bool {
	if !want.ok {
		return false
	}
	if t.kind == Version {
		c, known := compareTo(text, want.version)
		return known && c == 0
	}
	n, known := LeadingNumber(text)
	return known && n == want.number
}

// ParseVersion reads the numbers of 3.2.1630.0. What follows the first part that is
// no number is ignored, unless it is the first.
func ParseVersion(s string) ([]uint64, bool) {
	var v []uint64
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			break
		}
		v = append(v, n)
	}
	return v, len(v) > 0
}

// CompareVersions compares two versions number by number; missing ones are zero. One
// that is none is the least.
func CompareVersions(a, b string) int {
	for first := true; a != "" || b != ""; first = false {
		var x, y uint64
		var okA, okB bool
		x, a, okA = nextNumber(a)
		y, b, okB = nextNumber(b)
		if first && okA != okB {
			if okA {
				return 1
			}
			return -1
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// compareTo compares a version as it is written with one that was read; known is
// false when it is none.
func compareTo(text string, want []uint64) (c int, known bool) {
	n, rest, ok := nextNumber(text)
	if !ok {
		return 0, false
	}
	for i := 0; i < len(want) || ok; i++ {
		var y uint64
		if i < len(want) {
			y = want[i]
		}
		if c := cmp.Compare(n, y); c != 0 {
			return c, true
		}
		n, rest, ok = nextNumber(rest)
	}
	return 0, true
}

// nextNumber takes the number up to the next dot; what is none ends the version.
func nextNumber(s string) (n uint64, rest string, ok bool) {
	part, rest, _ := strings.Cut(s, ".")
	for i := range len(part) {
		d := part[i] - '0'
		if d > 9 || n > (1<<64-1-uint64(d))/10 {
			return 0, "", false
		}
		n = n*10 + uint64(d)
	}
	if part == "" {
		return 0, "", false
	}
	return n, rest, true
}

// LeadingNumber reads the number that a cell begins with: "1,204", "96 %". Commas
// between digits count for nothing.
func LeadingNumber(s string) (n float64, ok bool) {
	i, minus := 0, false
	if strings.HasPrefix(s, "-") {
		i, minus = 1, true
	}
	scale := 0.0 // of the next digit behind the point; 0: before it
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && scale == 0:
			n, ok = n*10+float64(c-'0'), true
		case c >= '0' && c <= '9':
			n += float64(c-'0') * scale
			scale /= 10
		case c == ',' && ok && scale == 0:
		case c == '.' && ok && scale == 0:
			scale = 0.1
		default:
			i = len(s)
		}
	}
	if minus {
		n = -n
	}
	return n, ok
}

// plain is a regular expression that is a plain text, perhaps held to an end; most
// are, and need none of the machinery.
type plain struct {
	text       string
	start, end bool
	ok         bool
}

func plainOf(value string) (plain, error) {
	if _, err := regexp.Compile("(?i)" + value); err != nil {
		return plain{}, err
	}
	var p plain
	p.text, p.start = strings.CutPrefix(value, "^")
	p.text, p.end = strings.CutSuffix(p.text, "$")
	p.ok = p.text != "" && ascii(p.text) && regexp.QuoteMeta(p.text) == p.text
	p.text = strings.ToLower(p.text)
	return p, nil
}

func (p *plain) match(text string) bool {
	at := len(text) - len(p.text)
	switch {
	case at < 0, p.start && p.end && at != 0:
		return false
	case p.start:
		return indexFold(text[:len(p.text)], p.text) == 0
	case p.end:
		return indexFold(text[at:], p.text) == 0
	}
	return indexFold(text, p.text) >= 0
}
