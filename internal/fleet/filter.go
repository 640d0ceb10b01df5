package fleet

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
	age    time.Duration // of a moment
}

// sort is how the values of a field compare.
type sort int

const (
	text    sort = iota // no order
	version             // number by number
	number
	moment // by age: launched>30d are those launched more than 30 days ago
)

// field is something a filter can ask about. get returns false where the node
// has no such thing: a hybrid node has no VPC.
type field struct {
	key  string
	get  func(Node) string
	sort sort
	part Part
	at   func(Node) time.Time // of moment
}

// fields are the keys of a filter, beside tag:KEY.
var fields = [...]field{
	{key: "id", get: func(n Node) string { return n.ID }},
	{key: "name", get: func(n Node) string { return n.Name }},
	{key: "computer", get: func(n Node) string { return n.ComputerName }},
	{key: "ping", get: func(n Node) string { return n.Ping }},
	{key: "last_ping", sort: moment, at: func(n Node) time.Time { return n.LastPing }},
	{key: "platform", get: func(n Node) string { return n.Platform }},
	{key: "os", get: func(n Node) string { return n.PlatformName }},
	{key: "os_version", get: func(n Node) string { return n.PlatformVersion }, sort: version},
	{key: "agent", get: func(n Node) string { return n.AgentVersion }, sort: version},
	{key: "ip", get: func(n Node) string { return n.IP }},
	{key: "type", get: func(n Node) string { return n.ResourceType }},
	{key: "instance_type", get: func(n Node) string { return n.InstanceType }},
	{key: "role", get: func(n Node) string { return n.IAMRole }},
	{key: "activation", get: func(n Node) string { return n.ActivationID }},
	{key: "registered", sort: moment, at: func(n Node) time.Time { return n.Registered }},
	{key: "association", get: func(n Node) string { return n.AssociationStatus }},

	{key: "state", get: func(n Node) string { return n.State }, part: PartEC2},
	{key: "az", get: func(n Node) string { return n.AZ }, part: PartEC2},
	{key: "vpc", get: func(n Node) string { return n.VPC }, part: PartEC2},
	{key: "subnet", get: func(n Node) string { return n.Subnet }, part: PartEC2},
	{key: "image", get: func(n Node) string { return n.Image }, part: PartEC2},
	{key: "launched", sort: moment, at: func(n Node) time.Time { return n.Launched }, part: PartEC2},

	{key: "missing", get: patched(func(p *PatchState) int { return p.Missing }), sort: number, part: PartPatch},
	{key: "failed", get: patched(func(p *PatchState) int { return p.Failed }), sort: number, part: PartPatch},
	{key: "pending_reboot", get: patched(func(p *PatchState) int { return p.PendingReboot }), sort: number, part: PartPatch},
	{key: "critical", get: patched(func(p *PatchState) int { return p.Critical }), sort: number, part: PartPatch},
	{key: "security", get: patched(func(p *PatchState) int { return p.Security }), sort: number, part: PartPatch},
	{key: "baseline", get: func(n Node) string {
		if n.Patch == nil {
			return ""
		}
		return n.Patch.Baseline
	}, part: PartPatch},
	{key: "patch_group", get: func(n Node) string {
		if n.Patch == nil {
			return ""
		}
		return n.Patch.Group
	}, part: PartPatch},
	{key: "patched", sort: moment, at: func(n Node) time.Time {
		if n.Patch == nil {
			return time.Time{}
		}
		return n.Patch.Ended
	}, part: PartPatch},
}

// patched is a count of a node's patch state, "" for one that was never scanned.
func patched(count func(*PatchState) int) func(Node) string {
	return func(n Node) string {
		if n.Patch == nil {
			return ""
		}
		return strconv.Itoa(count(n.Patch))
	}
}

// tagField is the field of tag:KEY.
func tagField(key string) field {
	return field{key: "tag:" + key, get: func(n Node) string { return n.Tags[key] }, part: PartEC2 | PartTags}
}

// Parts are the parts that f asks about.
func (f Filter) Parts() Part {
	var p Part
	for _, t := range f.terms {
		p |= t.field.part
	}
	return p
}

// possible is the error for a filter that asks about what could not be read.
func (f Filter) possible(gaps []Gap) error {
	for _, g := range gaps {
		for _, t := range f.terms {
			if t.field.part&g.Part == 0 {
				continue
			}
			e := fault.New(fault.KindOf(g.Err), "filter by "+t.field.key, "it is unknown of %s: %w", count(g.Nodes, "node"), g.Err)
			return e.WithHint("%s", cmp.Or(fault.HintOf(g.Err), "leave the term out"))
		}
	}
	return nil
}

// answerable is the error for a filter that asks about what the calls that were
// possible do not tell. nodes were listed.
func (s *Service) answerable(f Filter, nodes []Node) error {
	if !slices.ContainsFunc(nodes, Node.Instance) {
		return nil
	}
	for _, t := range f.terms {
		lost := s.noProperties.Load()
		switch t.field.key {
		case "name", "instance_type":
			lost = s.noNames.Load()
		case "role":
		default:
			continue
		}
		if lost {
			return fault.New(fault.Auth, "filter by "+t.field.key, "it is unknown of instances, because ssm:DescribeInstanceProperties cannot be used here").
				WithHint("leave the term out, or ask for an IAM policy that allows ssm:DescribeInstanceProperties")
		}
	}
	return nil
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
// four comparisons are for versions, numbers and ages. Its errors are Usage
// faults.
func ParseFilter(s string) (Filter, error) {
	words, err := SplitWords(s)
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
	}
	if err := t.ordered(value); err != nil {
		return term{}, err
	}
	return t, nil
}

// ordered checks what the term compares.
func (t *term) ordered(value string) error {
	comparison := strings.ContainsAny(t.op, "<>")
	switch {
	case t.field.sort == moment:
		if !comparison {
			return fault.Usagef("%s is a time: %s has no meaning for it", t.field.key, t.op).
				WithHint("compare its age, like %s>30d or %s<2h", t.field.key, t.field.key)
		}
		var ok bool
		if t.age, ok = parseAge(value); !ok {
			return fault.Usagef("%q in the filter is not an age", value).WithHint("write a number with a unit, like 30s, 5m, 2h or 30d")
		}
	case !comparison:
	case t.field.sort == text:
		return fault.Usagef("%s is not a version: %s has no meaning for it", t.field.key, t.op).WithHint("use =, != or ~")
	case t.field.sort == number:
		if _, err := strconv.ParseUint(value, 10, 32); err != nil {
			return fault.Usagef("%q in the filter is not a number", value).WithHint("write one like %s>0", t.field.key)
		}
	default:
		if _, ok := parseVersion(value); !ok {
			return fault.Usagef("%q in the filter is not a version", value).WithHint("write numbers with dots, like agent<3.3.40")
		}
	}
	return nil
}

// parseAge reads a duration of Go, or one in days.
func parseAge(s string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0
}

func fieldOf(key string) (field, error) {
	for _, f := range fields {
		if f.key == key {
			return f, nil
		}
	}
	if tag, ok := strings.CutPrefix(key, "tag:"); ok && tag != "" {
		return tagField(tag), nil
	}
	if key == "tag" || key == "tag:" {
		return field{}, fault.Usagef("the filter term has no tag key").WithHint("write tag:env=prod")
	}
	e := fault.Usagef("there is no filter key %q", key)
	if near := fault.Closest(key, FilterKeys(), 1); len(near) > 0 {
		return field{}, e.WithHint("did you mean %s", near[0])
	}
	return field{}, e.WithHint("use one of: %s", strings.Join(FilterKeys(), ", "))
}

func (t term) match(n Node) bool {
	if t.field.sort == moment {
		at := t.field.at(n)
		// An unknown time is neither older nor newer.
		return !at.IsZero() && t.holds(cmp.Compare(time.Since(at), t.age))
	}
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
	return ok && t.holds(compareVersions(have, want)) // nor is an unknown version
}

// holds reports whether a comparison that came out as c is what the term says.
func (t term) holds(c int) bool {
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
	if t.field.sort == version {
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

// QuoteWord writes a text so that SplitWords reads it as one word.
func QuoteWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }

// SplitWords cuts s at spaces outside of '…' and "…".
func SplitWords(s string) ([]string, error) {
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
