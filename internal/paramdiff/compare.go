// Package paramdiff compares the parameters of two paths, Regions, accounts or files by
// their names and what they hold.
package paramdiff

import (
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// What Compare says of a name.
const (
	Added   = "added"   // only the second side has it
	Removed = "removed" // only the first side has it
	Changed = "changed"
	Same    = "same"
	Unknown = "unknown" // a SecureString whose value was not read
)

// Changes are all of them, in the order in which people should see them.
var Changes = []string{Added, Removed, Changed, Unknown, Same}

// Difference is how two sides differ on one name. The JSON names are part of the output
// contract.
type Difference struct {
	Name   string               `json:"name"` // relative to the path of each side
	Change string               `json:"change"`
	Fields []string             `json:"fields,omitempty"` // what differs: type, value, tier, ...
	From   *parameter.Parameter `json:"from,omitempty"`
	To     *parameter.Parameter `json:"to,omitempty"`
	Diff   string               `json:"diff,omitempty"` // of values, where they are shown
}

// Type is that of the parameter, "A > B" where the sides differ.
func (d Difference) Type() string {
	switch {
	case d.From == nil:
		return d.To.Type
	case d.To == nil || d.From.Type == d.To.Type || d.To.Type == "":
		return d.From.Type
	case d.From.Type == "":
		return d.To.Type
	}
	return d.From.Type + " > " + d.To.Type
}

// Side is one side of a comparison: parameters by their relative names.
type Side struct {
	Parameters map[string]parameter.Parameter
	// File says that fields which are empty are not said, and not compared.
	File bool
}

// Compare compares two sides, sorted by name; with metadata also what is around the
// values, tags among it.
func Compare(a, b Side, metadata bool) []Difference {
	names := slices.Sorted(maps.Keys(a.Parameters))
	for name := range b.Parameters {
		if _, both := a.Parameters[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out := make([]Difference, 0, len(names))
	for _, name := range names {
		d := Difference{Name: name}
		p, inA := a.Parameters[name]
		q, inB := b.Parameters[name]
		if inA {
			d.From = &p
		}
		if inB {
			d.To = &q
		}
		switch {
		case !inA:
			d.Change = Added
		case !inB:
			d.Change = Removed
		default:
			d.Change, d.Fields = compareTwo(p, q, a.File, b.File, metadata)
		}
		out = append(out, d)
	}
	return out
}

func compareTwo(p, q parameter.Parameter, fileA, fileB, metadata bool) (change string, fields []string) {
	said := func(x, y string) bool { return (x != "" || !fileA) && (y != "" || !fileB) }
	add := func(field, x, y string) {
		if x != y && said(x, y) {
			fields = append(fields, field)
		}
	}
	add("type", p.Type, q.Type)
	unread := p.Secure() && p.Value == "" || q.Secure() && q.Value == ""
	if !unread {
		add("value", p.Value, q.Value)
	}
	if metadata {
		add("tier", p.Tier, q.Tier)
		add("key_id", p.KeyID, q.KeyID)
		add("data_type", p.DataType, q.DataType)
		add("description", p.Description, q.Description)
		add("allowed_pattern", p.AllowedPattern, q.AllowedPattern)
		add("policies", policyKey(p), policyKey(q))
		if (len(p.Tags) > 0 || !fileA) && (len(q.Tags) > 0 || !fileB) && !maps.Equal(p.Tags, q.Tags) {
			fields = append(fields, "tags")
		}
	}
	switch {
	case len(fields) > 0:
		return Changed, fields
	case unread:
		return Unknown, nil
	}
	return Same, nil
}

// policyKey is the same for the same policies in any order.
func policyKey(p parameter.Parameter) string {
	texts := make([]string, len(p.Policies))
	for i, rule := range p.Policies {
		texts[i] = rule.Text
		if t, err := rule.Parse(); err == nil {
			texts[i] = t.Text()
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}
