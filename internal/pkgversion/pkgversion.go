// Package pkgversion compares versions of packages as the systems that they are
// packages of do: rpm, Debian's, semantic versions, and the dotted numbers of
// Windows programs.
//
// A version that is asked about may leave parts out. What it leaves out is not
// compared: 3.0.2 is equal to 1:3.0.2-7.el9, and 3.0.2-7.el9 is, too.
package pkgversion

import (
	"cmp"
	"strings"
)

// Scheme is a way to compare versions.
type Scheme string

// The schemes.
const (
	RPM     Scheme = "rpm"     // epoch:version-release, rpm's rpmvercmp
	Deb     Scheme = "deb"     // epoch:upstream-revision, deb-version(7)
	Semver  Scheme = "semver"  // semver.org, 2.0.0
	Windows Scheme = "windows" // numbers with dots
)

// Schemes lists them.
func Schemes() []Scheme { return []Scheme{RPM, Deb, Semver, Windows} }

// Version is a version in its parts.
type Version struct {
	Epoch    string // "" when it has none
	Upstream string
	Release  string // rpm's release, Debian's revision
}

// String writes the version as the systems do.
func (v Version) String() string {
	s := v.Upstream
	if v.Epoch != "" {
		s = v.Epoch + ":" + s
	}
	if v.Release != "" {
		s += "-" + v.Release
	}
	return s
}

// Parse takes a version apart. It takes any text.
func Parse(s Scheme, text string) Version {
	v := Version{Upstream: strings.TrimSpace(text)}
	if s != RPM && s != Deb {
		return v
	}
	if epoch, rest, ok := strings.Cut(v.Upstream, ":"); ok && digits(epoch) {
		v.Epoch, v.Upstream = epoch, rest
	}
	if i := strings.LastIndexByte(v.Upstream, '-'); i >= 0 {
		v.Upstream, v.Release = v.Upstream[:i], v.Upstream[i+1:]
	}
	return v
}

// Compare returns -1, 0 or 1 as a version that a node has is lower than, equal to
// or higher than one that is asked about.
func Compare(s Scheme, have, want Version) int {
	segments := rpmCompare
	switch s {
	case Deb:
		segments = debCompare
	case Semver:
		return semverCompare(have.Upstream, want.Upstream)
	case Windows:
		return dottedCompare(have.Upstream, want.Upstream)
	}
	if want.Epoch != "" {
		if c := numberCompare(have.Epoch, want.Epoch); c != 0 {
			return c
		}
	}
	if c := segments(have.Upstream, want.Upstream); c != 0 || want.Release == "" {
		return c
	}
	return segments(have.Release, want.Release)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// numberCompare compares two runs of digits of any length; none at all is zero.
func numberCompare(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// take cuts the longest beginning of s whose bytes are all ok.
func take(s string, ok func(byte) bool) (head, rest string) {
	i := 0
	for i < len(s) && ok(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// rpmCompare is rpm's rpmvercmp: runs of digits and of letters in turn, whatever
// stands between them; a tilde is before the end, a caret behind it.
func rpmCompare(a, b string) int {
	separates := func(c byte) bool { return !isDigit(c) && !isLetter(c) && c != '~' && c != '^' }
	for a != "" || b != "" {
		_, a = take(a, separates)
		_, b = take(b, separates)
		if c, done := special(&a, &b, '~', -1); done {
			if c != 0 {
				return c
			}
			continue
		}
		if strings.HasPrefix(a, "^") || strings.HasPrefix(b, "^") {
			switch {
			case a == "":
				return -1
			case b == "":
				return 1
			case a[0] != '^':
				return 1
			case b[0] != '^':
				return -1
			}
			a, b = a[1:], b[1:]
			continue
		}
		if a == "" || b == "" {
			break
		}
		kind := isLetter
		if isDigit(a[0]) {
			kind = isDigit
		}
		var x, y string
		x, a = take(a, kind)
		y, b = take(b, kind)
		switch {
		case y == "" && isDigit(x[0]): // numbers are newer than letters
			return 1
		case y == "":
			return -1
		}
		c := strings.Compare(x, y)
		if isDigit(x[0]) {
			c = numberCompare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(min(len(a), 1), min(len(b), 1)) // what has more is newer
}

// special handles a mark that ranks a version with sign beside one without. done
// says that there was such a mark; with c 0 both had it, and it is cut off.
func special(a, b *string, mark byte, sign int) (c int, done bool) {
	x, y := *a != "" && (*a)[0] == mark, *b != "" && (*b)[0] == mark
	switch {
	case x && y:
		*a, *b = (*a)[1:], (*b)[1:]
		return 0, true
	case x:
		return sign, true
	case y:
		return -sign, true
	}
	return 0, false
}

// debCompare is dpkg's: what is no digit, letters before all else and a tilde
// before even the end; then a number; and so on.
func debCompare(a, b string) int {
	rank := func(s string, i int) int {
		switch {
		case i >= len(s) || isDigit(s[i]):
			return 0
		case s[i] == '~':
			return -1
		case isLetter(s[i]):
			return int(s[i])
		}
		return int(s[i]) + 256
	}
	for a != "" || b != "" {
		i := 0
		for ; i < len(a) && !isDigit(a[i]) || i < len(b) && !isDigit(b[i]); i++ {
			if c := cmp.Compare(rank(a, i), rank(b, i)); c != 0 {
				return c
			}
		}
		a, b = a[min(i, len(a)):], b[min(i, len(b)):]
		var x, y string
		x, a = take(a, isDigit)
		y, b = take(b, isDigit)
		if c := numberCompare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// semverCompare goes by the rules of precedence of semver.org. Versions of more or
// fewer than three numbers are taken, too, and a leading v; what comes after + does
// not count.
func semverCompare(a, b string) int {
	core := func(s string) (numbers, pre string) {
		s, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V"), "+")
		numbers, pre, _ = strings.Cut(s, "-")
		return numbers, pre
	}
	na, pa := core(a)
	nb, pb := core(b)
	if c := dottedCompare(na, nb); c != 0 {
		return c
	}
	if pa == "" || pb == "" { // a release is higher than what came before it
		return cmp.Compare(min(len(pb), 1), min(len(pa), 1))
	}
	x, y := strings.Split(pa, "."), strings.Split(pb, ".")
	for i := range min(len(x), len(y)) {
		var c int
		switch dx, dy := digits(x[i]), digits(y[i]); {
		case dx && dy:
			c = numberCompare(x[i], y[i])
		case dx != dy:
			c = 1
			if dx {
				c = -1
			}
		default:
			c = strings.Compare(x[i], y[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// dottedCompare compares number by number, missing ones being zero. What is no
// number is compared as rpm does.
func dottedCompare(a, b string) int {
	x, y := strings.FieldsFunc(a, isDot), strings.FieldsFunc(b, isDot)
	for i := range max(len(x), len(y)) {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		c := rpmCompare(p, q)
		if digits(p) && digits(q) {
			c = numberCompare(p, q)
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func isDot(r rune) bool { return r == '.' || r == ',' || r == ' ' || r == '_' }
