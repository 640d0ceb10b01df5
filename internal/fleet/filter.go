package fleet

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Filter narrows a list of nodes here, after the service has answered. Its zero
// value matches every node.
type Filter struct{ terms []term }

// Empty reports whether f matches every node.
func (f Filter) Empty() bool { return len(f.terms) == 0 }

// Match reports whether n satisfies all terms of f.
func (f Filter) Match(n Node) bool {
	for _, t := range f.terms {
		if !t.match(n) {
			return false
		}
	}
	return true
}

// term is one condition, such as agent<3.3.
type term struct {
	field  field
	op     string // = != ~ < <= > >=
	values []string
	re     *regexp.Regexp
}

// field is something a filter can ask about. A version compares number by
// number.
type field struct {
	key     string
	get     func(Node) string
	version bool
}

// fields are the keys of a filter. Tags are missing on purpose: a list does not
// know them.
var fields = [...]field{
	{"id", func(n Node) string { return n.ID }, false},
	{"name", func(n Node) string { return n.Name }, false},
	{"computer", func(n Node) string { return n.ComputerName }, false},
	{"ping", func(n Node) string { return n.Ping }, false},
	{"platform", func(n Node) string { return n.Platform }, false},
	{"os", func(n Node) string { return n.PlatformName }, false},
	{"os_version", func(n Node) string { return n.PlatformVersion }, true},
	{"agent", func(n Node) string { return n.AgentVersion }, true},
	{"ip", func(n Node) string { return n.IP }, false},
	{"type", func(n Node) string { return n.ResourceType }, false},
	{"instance_type", func(n Node) string { return n.InstanceType }, false},
	{"role", func(n Node) string { return n.IAMRole }, false},
	{"activation", func(n Node) string { return n.ActivationID }, false},
	{"association", func(n Node) string { return n.AssociationStatus }, false},
}

// FilterKeys returns the keys a filter understands, for help and completion.
func FilterKeys() []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

const filterForm = "write terms like platform=linux ping=online agent<3.3 name~^web"

// ParseFilter reads terms separated by spaces, all of which must hold: KEY,
// one of = != ~ < <= > >=, and VALUE. Commas give = and != alternatives, quotes
// keep spaces together, ~ is a regular expression (RE2, case ignored), and the
// four comparisons are for versions. Its errors are Usage faults.
func ParseFilter(s string) (Filter, error) {
	words, err := splitWords(s)
	if err != nil {
		return Filter{}, err
	}
	var f Filter
	for _, w := range words {
		t, err := parseTerm(w)
		if err != nil {
			return Filter{}, err
		}
		f.terms = append(f.terms, t)
	}
	return f, nil
}

// And returns the filter that holds when both do.
func (f Filter) And(g Filter) Filter {
	return Filter{terms: append(slices.Clone(f.terms), g.terms...)}
}

func parseTerm(w string) (term, error) {
	i := strings.IndexAny(w, "=!~<>")
	if i < 0 {
		return term{}, fault.Usagef("the filter term %q has no operator", w).WithHint(filterForm)
	}
	op := w[i : i+1]
	if len(w) > i+1 && w[i+1] == '=' && op != "=" && op != "~" {
		op += "="
	}
	key, value := w[:i], w[i+len(op):]
	switch {
	case op == "!":
		return term{}, fault.Usagef("the filter term %q has no operator", w).WithHint("write %s!=VALUE for not equal", key)
	case key == "" || value == "":
		return term{}, fault.Usagef("the filter term %q is incomplete", w).WithHint(filterForm)
	}
	fd, err := fieldOf(key)
	if err != nil {
		return term{}, err
	}
	t := term{field: fd, op: op, values: []string{value}}
	switch op {
	case "=", "!=":
		t.values = strings.Split(strings.ToLower(value), ",")
		if slices.Contains(t.values, "") {
			return term{}, fault.Usagef("the filter term %q has an empty value", w)
		}
	case "~":
		if t.re, err = regexp.Compile("(?i)" + value); err != nil {
			return term{}, fault.Usagef("the filter term %q is no regular expression: %v", w, err)
		}
	default:
		if !fd.version {
			return term{}, fault.Usagef("%s is not a version: %s has no meaning for it", key, op).WithHint("use =, != or ~")
		}
		if _, ok := parseVersion(value); !ok {
			return term{}, fault.Usagef("%q in the filter is not a version", value).WithHint("write numbers with dots, like agent<3.3.40")
		}
	}
	return t, nil
}

func fieldOf(key string) (field, error) {
	for _, f := range fields {
		if f.key == key {
			return f, nil
		}
	}
	if strings.HasPrefix(key, "tag:") || key == "tag" {
		return field{}, fault.Usagef("a filter cannot ask for tags").WithHint("use --tag KEY=VALUE")
	}
	e := fault.Usagef("there is no filter key %q", key)
	if near := fault.Closest(key, FilterKeys(), 1); len(near) > 0 {
		return field{}, e.WithHint("did you mean %s", near[0])
	}
	return field{}, e.WithHint("use one of: %s", strings.Join(FilterKeys(), ", "))
}

func (t term) match(n Node) bool {
	got := t.field.get(n)
	switch t.op {
	case "=":
		return slices.ContainsFunc(t.values, func(v string) bool { return t.equal(got, v) })
	case "!=":
		return !slices.ContainsFunc(t.values, func(v string) bool { return t.equal(got, v) })
	case "~":
		return t.re.MatchString(got)
	}
	have, ok := parseVersion(got)
	want, _ := parseVersion(t.values[0])
	if !ok {
		return false // an unknown version is neither older nor newer
	}
	c := compareVersions(have, want)
	switch t.op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	default:
		return c >= 0
	}
}

func (t term) equal(got, want string) bool {
	if t.field.version {
		a, okA := parseVersion(got)
		b, okB := parseVersion(want)
		if okA && okB {
			return compareVersions(a, b) == 0
		}
	}
	return strings.ToLower(got) == want
}

// parseVersion reads the numbers of 3.2.1630.0. What follows the first part
// that is no number is ignored, unless it is the first.
func parseVersion(s string) ([]uint64, bool) {
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

// compareVersions compares number by number; missing ones are zero.
func compareVersions(a, b []uint64) int {
	for i := range max(len(a), len(b)) {
		var x, y uint64
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// splitWords cuts s at spaces outside of '…' and "…".
func splitWords(s string) ([]string, error) {
	var words []string
	var b strings.Builder
	var quote rune
	inWord := false
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inWord {
				words = append(words, b.String())
				b.Reset()
				inWord = false
			}
		default:
			b.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fault.Usagef("a %c in the filter is not closed", quote).WithHint(filterForm)
	}
	if inWord {
		words = append(words, b.String())
	}
	return words, nil
}
