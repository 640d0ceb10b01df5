package inventory

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pkgversion"
	"github.com/ssmdeck/ssmdeck/internal/terms"
)

// Query is a question about the fleet: terms that must all hold for a node.
type Query struct {
	Terms []Term
	// Nodes are the terms about nodes themselves.
	Nodes fleet.Filter
}

// Term is a condition on the inventory of a node: that one of its entries of a
// type matches, or that none does.
type Term struct {
	Not       bool
	Type      string
	attribute string // that name is held against
	name      string // with * and ?
	measure   string // attribute that bounds are about; "" without
	version   bool   // measure is a version
	bounds    []bound
	text      string
}

// bound is what the measure of an entry must be. All bounds of a term are about the
// same entry.
type bound struct {
	op     string // = != < <= > >=
	values []string
}

// String returns the term as it was written.
func (t Term) String() string { return t.text }

// words are the short ways to write types.
var words = []struct {
	prefix, kind, attribute, measure string
	version                          bool
}{
	{"app:", Application, "Name", "Version", true},
	{"component:", component, "Name", "Version", true},
	{"file:", file, "Name", "ProductVersion", true},
	{"service:", service, "Name", "Status", false},
	{"role:", role, "Name", "InstalledState", false},
	{"update:", update, "HotFixId", "", false},
}

// Words lists the prefixes of terms, for completion.
func Words() []string {
	var list []string
	for _, w := range words {
		list = append(list, w.prefix)
	}
	return append(list, "platform:", "tag:", "AWS:", "Custom:")
}

// Everything is the query for all that nodes reported of a type.
func Everything(kind string) Query {
	return Query{Terms: []Term{{Type: kind, text: kind}}}
}

const queryForm = "for instance 'app:openssl<3.0 platform:linux', 'service:nginx=Running', '!app:crowdstrike*', 'Custom:Rack.Row=7'"

// ParseQuery reads a query. Terms stand between spaces; names with spaces stand in
// quotes. It makes no call.
func ParseQuery(text string) (Query, error) {
	parts, err := terms.SplitWords(text)
	if err != nil {
		return Query{}, err
	}
	var q Query
	for _, word := range parts {
		t, about, err := parseTerm(word)
		switch {
		case err != nil:
			return Query{}, err
		case about:
			q.Terms = append(q.Terms, t)
			continue
		}
		f, err := nodeTerm(word)
		if err != nil {
			return Query{}, err
		}
		q.Nodes = q.Nodes.And(f)
	}
	if len(q.Terms) == 0 {
		return Query{}, fault.Usagef("the query %q asks about nothing that nodes report", text).WithHint("%s", queryForm)
	}
	return q, nil
}

// nodeTerm reads a term about nodes: those of --filter, and platform:linux.
func nodeTerm(word string) (fleet.Filter, error) {
	if key, value, ok := strings.Cut(word, ":"); ok && key == "platform" {
		word = "platform=" + value
	}
	f, err := fleet.ParseFilter(terms.QuoteWord(word))
	if err != nil && strings.Contains(word, ":") && !strings.HasPrefix(word, "tag:") {
		prefix, _, _ := strings.Cut(word, ":")
		return f, fault.Usagef("the term %q begins with %s:, which is nothing that can be asked about", word, prefix).
			WithHint("terms begin with %s, or are those of --filter", strings.Join(Words(), " "))
	}
	return f, err
}

// parseTerm reads a term about inventory. about is false for another one.
func parseTerm(word string) (t Term, about bool, err error) {
	t.text = word
	rest, not := strings.CutPrefix(word, "!")
	t.Not = not
	for _, w := range words {
		if body, ok := strings.CutPrefix(rest, w.prefix); ok {
			t.Type, t.attribute, t.measure, t.version = w.kind, w.attribute, w.measure, w.version
			return t, true, t.parse(body)
		}
	}
	if !strings.HasPrefix(rest, "AWS:") && !strings.HasPrefix(rest, "Custom:") {
		if not {
			return t, false, fault.Usagef("the term %q cannot be turned around with !", word).WithHint("write != for terms about nodes, or ! before app: and the like")
		}
		return t, false, nil
	}
	path, value, op := splitOperator(rest)
	kind, attribute, ok := strings.Cut(path, ".")
	switch {
	case !ok || attribute == "":
		return t, true, fault.Usagef("the term %q names no attribute", word).WithHint("write TYPE.ATTRIBUTE=VALUE; `ssmdeck inventory types %s` lists the attributes", kind)
	case op == "" || value == "":
		return t, true, fault.Usagef("the term %q compares with nothing", word).WithHint("write TYPE.ATTRIBUTE=VALUE, also with * or with < and >")
	}
	t.Type = kind
	if op == "=" && !strings.Contains(value, ",") {
		t.attribute, t.name = attribute, value
	} else {
		t.measure, t.version = attribute, strings.ContainsAny(op, "<>")
		if err := t.bind(op, value); err != nil {
			return t, true, err
		}
	}
	return t, true, CheckType(kind, false)
}

// parse reads what follows app: and the like: NAME, or NAME, operator and value.
func (t *Term) parse(body string) error {
	name, value, op := splitOperator(body)
	t.name = name
	switch {
	case name == "":
		return fault.Usagef("the term %q names nothing", t.text).WithHint("%s; * is any name", queryForm)
	case op == "":
		t.measure = ""
		return nil
	case t.measure == "":
		return fault.Usagef("the term %q compares: an update is there or is not", t.text).WithHint("write update:KB5034441")
	}
	return t.bind(op, value)
}

// bind adds the bound of an operator and what follows it, which may be another bound:
// >=2.0<2.17.1.
func (t *Term) bind(op, rest string) error {
	for op != "" {
		value, next, nextOp := splitOperator(rest)
		b := bound{op, strings.Split(value, ",")}
		switch {
		case slices.Contains(b.values, ""):
			return fault.Usagef("the term %q compares with nothing", t.text).WithHint("%s", queryForm)
		case !t.version && strings.ContainsAny(op, "<>"):
			return fault.Usagef("%s in the term %q has no order: %s has no meaning for it", t.measure, t.text, op).WithHint("use = or !=")
		case t.version && strings.ContainsAny(op, "<>") && (strings.ContainsAny(value, ",*") || !strings.ContainsAny(value, "0123456789")):
			return fault.Usagef("%q in the term %q is not a version", value, t.text).WithHint("write one like app:openssl<3.0.7")
		}
		t.bounds = append(t.bounds, b)
		rest, op = next, nextOp
	}
	return nil
}

// splitOperator cuts a term at its operator.
func splitOperator(s string) (left, right, op string) {
	i := strings.IndexAny(s, "=<>!")
	if i < 0 {
		return s, "", ""
	}
	op = s[i : i+1]
	if len(s) > i+1 && s[i+1] == '=' {
		op += "="
	}
	if op == "==" {
		return s[:i], s[i+2:], "="
	}
	if op == "!" { // part of the name
		return s, "", ""
	}
	return s[:i], s[i+len(op):], op
}

// matches reports whether an entry is one that the term is about, not looking at
// Not.
func (t Term) matches(e Entry, scheme pkgversion.Scheme) bool {
	if t.attribute != "" && !fleet.Glob(t.name, e[t.attribute]) {
		return false
	}
	if t.measure == "" {
		return true
	}
	have := e[t.measure]
	if t.version && t.measure == "Version" {
		have = e.Version()
	}
	if t.version && have == "" {
		return false // what is not known is neither lower nor higher
	}
	return !slices.ContainsFunc(t.bounds, func(b bound) bool {
		if t.version {
			return !b.holdsVersion(have, scheme)
		}
		return !b.holds(have)
	})
}

func (b bound) holds(have string) bool {
	is := slices.ContainsFunc(b.values, func(v string) bool { return strings.EqualFold(v, have) || fleet.Glob(v, have) })
	return is == (b.op == "=")
}

func (b bound) holdsVersion(have string, scheme pkgversion.Scheme) bool {
	v := pkgversion.Parse(scheme, have)
	switch b.op {
	case "=", "!=":
		is := slices.ContainsFunc(b.values, func(want string) bool {
			return fleet.Glob(want, v.Upstream) || fleet.Glob(want, have) || pkgversion.Compare(scheme, v, pkgversion.Parse(scheme, want)) == 0
		})
		return is == (b.op == "=")
	}
	c := pkgversion.Compare(scheme, v, pkgversion.Parse(scheme, b.values[0]))
	return c < 0 && b.op[0] == '<' || c > 0 && b.op[0] == '>' || c == 0 && len(b.op) == 2
}

// SchemeOf is how versions of a node's packages compare.
func SchemeOf(n fleet.Node, kind string) pkgversion.Scheme {
	name := strings.ToLower(n.PlatformName)
	switch {
	case kind == file || n.Platform == "windows":
		return pkgversion.Windows
	case kind != Application:
		return pkgversion.Semver
	case n.Platform == "macos":
		return pkgversion.Semver
	case strings.Contains(name, "ubuntu"), strings.Contains(name, "debian"), strings.Contains(name, "raspbian"), strings.Contains(name, "mint"):
		return pkgversion.Deb
	}
	return pkgversion.RPM
}
