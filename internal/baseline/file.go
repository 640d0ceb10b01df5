package baseline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

func nearest(word string, words []string) string { return fault.Nearest(word, words) }

// Read reads a baseline from a file, which is YAML or JSON:
//
//	name: prod-linux
//	os: AMAZON_LINUX_2023
//	rules:
//	  - classification: [Security]
//	    severity: [Critical, Important]
//	    after_days: 7
//	    level: HIGH
//	approve: [openssl*]
//	reject: [kernel*]
//	reject_action: BLOCK
//
// Unknown keys, wrong shapes, and what Check finds are told at once, each with its
// line. The error is a Usage fault.
func Read(path string, data []byte, anyValue bool) (Baseline, error) {
	f := reader{File: strictyaml.File{Path: path}, at: map[string]*yaml.Node{}}
	root, err := f.Load(data)
	if err != nil {
		return Baseline{}, fault.Usagef("%w", err)
	}
	if root == nil {
		return Baseline{}, fault.Usagef("%s has no content", path)
	}
	b := f.baseline(root)
	for _, p := range b.Check(anyValue) {
		text := Problem{Field: p.Field, Text: p.Text, Hint: p.Hint}.String()
		f.Fail(f.node(p.Field, root), "%s", text)
	}
	if err := f.Err(); err != nil {
		return b, fault.Usagef("the baseline cannot be sent:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return b, nil
}

// reader reads one file and remembers where each field is.
type reader struct {
	strictyaml.File
	at map[string]*yaml.Node
}

// node is where a field is, else the nearest that holds it.
func (f *reader) node(field string, root *yaml.Node) *yaml.Node {
	for field != "" {
		if n := f.at[field]; n != nil {
			return n
		}
		i := strings.LastIndex(field, ": ")
		if i < 0 {
			break
		}
		field = field[:i]
	}
	return root
}

var baselineKeys = []string{
	"name", "os", "description", "global_filters", "rules", "approve", "approve_level", "approve_non_security",
	"reject", "reject_action", "security_updates", "sources",
}

func (f *reader) baseline(root *yaml.Node) (b Baseline) {
	f.Mapping(root, "the file", baselineKeys, func(key string, v *yaml.Node) {
		f.at[key] = v
		switch key {
		case "name":
			b.Name = f.text(v, key)
		case "os":
			if b.OS = f.text(v, key); b.OS != "" {
				if os, err := ParseOS(b.OS); err == nil {
					b.OS = os
				}
			}
		case "description":
			b.Description = f.text(v, key)
		case "global_filters":
			f.Mapping(v, key, nil, func(name string, n *yaml.Node) { b.GlobalFilters = f.filter(b.GlobalFilters, key, name, n, nil) })
		case "rules":
			for i, n := range f.items(v, key) {
				b.Rules = append(b.Rules, f.rule(fmt.Sprintf("rule %d", i+1), n))
			}
		case "approve":
			b.Approve = f.texts(v, key)
		case "approve_level":
			b.ApproveLevel = strings.ToUpper(f.text(v, key))
		case "approve_non_security":
			b.ApproveNonSecurity = f.flag(v, key)
		case "reject":
			b.Reject = f.texts(v, key)
		case "reject_action":
			b.RejectAction = strings.ToUpper(f.text(v, key))
		case "security_updates":
			b.SecurityUpdates = strings.ToUpper(f.text(v, key))
		case "sources":
			for i, n := range f.items(v, key) {
				b.Sources = append(b.Sources, f.source(fmt.Sprintf("source %d", i+1), n))
			}
		}
	})
	return b
}

func (f *reader) rule(where string, n *yaml.Node) (r Rule) {
	f.at[where] = n
	f.Mapping(n, where, nil, func(key string, v *yaml.Node) {
		f.at[where+": "+key] = v
		switch key {
		case "after_days":
			f.at[where+": after"] = v
			days, err := parseDays(f.text(v, key))
			if err != nil {
				f.Fail(v, "%s: %s: %v", where, key, err)
			}
			r.After = Days(days)
		case "until":
			r.Until = f.text(v, key)
		case "level":
			r.Level = strings.ToUpper(f.text(v, key))
		case "non_security":
			r.NonSecurity = f.flag(v, key)
		default:
			r.Filters = f.filter(r.Filters, where, key, v, []string{"after_days", "until", "level", "non_security"})
		}
	})
	return r
}

// filter adds a filter. others are the keys that could stand there beside filters.
func (f *reader) filter(list []Filter, where, name string, n *yaml.Node, others []string) []Filter {
	key, ok := allKeys()[name]
	f.at[where+": "+name] = n
	if !ok {
		words := slices.Clone(others)
		for k := range allKeys() {
			words = append(words, k)
		}
		slices.Sort(words)
		near := ""
		if word := nearest(name, words); word != "" {
			near = fmt.Sprintf(" (did you mean %q?)", word)
		}
		f.Fail(n, "unknown key %q in %s%s", name, where, near)
		return list
	}
	return append(list, Filter{Key: key, Values: f.texts(n, name)})
}

func (f *reader) source(where string, n *yaml.Node) (s Source) {
	f.at[where] = n
	f.Mapping(n, where, []string{"name", "products", "configuration"}, func(key string, v *yaml.Node) {
		f.at[where+": "+key] = v
		switch key {
		case "name":
			s.Name = f.text(v, key)
		case "products":
			s.Products = f.texts(v, key)
		case "configuration":
			s.Configuration = f.text(v, key)
		}
	})
	return s
}

func (f *reader) text(n *yaml.Node, where string) string {
	switch {
	case strictyaml.IsNull(n):
		return ""
	case n.Kind != yaml.ScalarNode:
		f.Fail(n, "%s must be one value", where)
		return ""
	}
	return n.Value
}

func (f *reader) flag(n *yaml.Node, where string) bool {
	switch strings.ToLower(f.text(n, where)) {
	case "true":
		return true
	case "false", "":
		return false
	}
	f.Fail(n, "%s is true or false", where)
	return false
}

func (f *reader) items(n *yaml.Node, where string) []*yaml.Node {
	switch {
	case strictyaml.IsNull(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		f.Fail(n, "%s must be a list", where)
		return nil
	}
	return n.Content
}

// texts reads a list, or one value for a list of one.
func (f *reader) texts(n *yaml.Node, where string) (out []string) {
	if n.Kind == yaml.ScalarNode {
		if s := f.text(n, where); s != "" {
			return []string{s}
		}
		return nil
	}
	for _, item := range f.items(n, where) {
		out = append(out, f.text(item, where))
	}
	return out
}

// MarshalJSON writes the fields of a file in their order, and behind them what the
// service has added.
func (b Baseline) MarshalJSON() ([]byte, error) {
	type plain Baseline // without methods
	data, err := json.Marshal(plain(b))
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	if len(b.GlobalFilters) > 0 {
		all["global_filters"] = filtersJSON(b.GlobalFilters)
	}
	rules := b.Rules
	if rules == nil {
		rules = []Rule{}
	}
	if all["rules"], err = json.Marshal(rules); err != nil {
		return nil, err
	}
	order := append([]string{"id"}, baselineKeys...)
	order = append(order, "aws", "default", "groups", "created", "modified")
	var out bytes.Buffer
	for _, key := range order {
		if v, ok := all[key]; ok {
			member(&out, key, v)
		}
	}
	return closed(&out), nil
}

// MarshalJSON writes the filters as members, then the rest.
func (r Rule) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for _, f := range r.Filters {
		member(&out, strings.ToLower(f.Key), encoded(f.Values))
	}
	if r.After != nil {
		member(&out, "after_days", encoded(*r.After))
	}
	if r.Until != "" {
		member(&out, "until", encoded(r.Until))
	}
	if r.Level != "" && r.Level != Unspecified {
		member(&out, "level", encoded(r.Level))
	}
	if r.NonSecurity {
		member(&out, "non_security", encoded(true))
	}
	return closed(&out), nil
}

func filtersJSON(filters []Filter) []byte {
	var out bytes.Buffer
	for _, f := range filters {
		member(&out, strings.ToLower(f.Key), encoded(f.Values))
	}
	return closed(&out)
}

func member(out *bytes.Buffer, key string, value []byte) {
	sep := byte(',')
	if out.Len() == 0 {
		sep = '{'
	}
	out.WriteByte(sep)
	fmt.Fprintf(out, "%q:%s", key, value)
}

func closed(out *bytes.Buffer) []byte {
	if out.Len() == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes()
}

// encoded is the JSON of a value that always has one.
func encoded(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("baseline: " + err.Error()) // texts, numbers and truths: our bug
	}
	return data
}

// File returns the part of a baseline that is in files: without what the service
// has added, and without what it assumes anyway.
func (b Baseline) File() Baseline {
	f := Baseline{
		Name: b.Name, OS: b.OS, Description: b.Description, GlobalFilters: b.GlobalFilters, Rules: b.Rules, Approve: b.Approve, ApproveLevel: b.ApproveLevel,
		ApproveNonSecurity: b.ApproveNonSecurity, Reject: b.Reject, RejectAction: b.RejectAction, SecurityUpdates: b.SecurityUpdates, Sources: b.Sources,
	}
	if f.ApproveLevel == Unspecified {
		f.ApproveLevel = ""
	}
	if f.RejectAction == AllowAsDependency {
		f.RejectAction = ""
	}
	if f.SecurityUpdates == Statuses[0] {
		f.SecurityUpdates = ""
	}
	return f
}
