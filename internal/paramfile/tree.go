package paramfile

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// node is a value of JSON or YAML with its line.
type node struct {
	line    int
	kind    kind
	text    string // of a scalar: as it is written, without quotes
	members []member
	items   []*node
}

type kind int

const (
	nothing kind = iota
	scalar
	list
	object
)

type member struct {
	key   string
	line  int
	value *node
}

// deepest is how far objects may be nested: names have 15 levels (API reference).
const deepest = 32

func (n *node) get(key string) *node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// fields of a detailed parameter, as this package writes them. The AWS CLI's words for
// them differ in case only, once underscores are gone.
const (
	fieldName    = "name"
	fieldValue   = "value"
	fieldType    = "type"
	fieldTier    = "tier"
	fieldKey     = "keyid"
	fieldAbout   = "description"
	fieldPattern = "allowedpattern"
	fieldData    = "datatype"
	fieldRules   = "policies"
	fieldTags    = "tags"
	fieldSecret  = "sensitive" // of Terraform's outputs
)

var (
	fields = []string{
		fieldName, fieldValue, fieldType, fieldTier, fieldKey, fieldAbout, fieldPattern, fieldData, fieldRules, fieldTags, fieldSecret,
	}
	// ofOneVersion are fields that a parameter has and nobody can give it.
	ofOneVersion = []string{
		"version", "selector", "labels", "modified", "modifiedby", "arn", "lastmodifieddate", "lastmodifieduser", "sourceresult",
	}
)

func field(key string) string { return strings.ToLower(strings.ReplaceAll(key, "_", "")) }

// tree reads parameters from what a file of JSON or YAML has.
func (d *decoder) tree(root *node) {
	if root == nil || root.kind == nothing {
		return
	}
	switch {
	case root.kind == object && len(root.members) == 1 && root.members[0].key == "Parameters" && root.members[0].value.kind == list && !d.Plain:
		d.listed(root.members[0].value) // as the AWS CLI prints them
	case root.kind == object:
		d.level("", root, 0)
	case root.kind == list && !d.Plain:
		d.listed(root)
	default:
		d.fail(root.line, "this must be an object of names and values")
	}
}

func (d *decoder) listed(l *node) {
	for _, n := range l.items {
		if n.kind != object {
			d.fail(n.line, "this must be an object with name and value")
			continue
		}
		name := ""
		for _, m := range n.members {
			if field(m.key) == fieldName && m.value.kind == scalar {
				name = m.value.text
			}
		}
		if name == "" {
			d.fail(n.line, "this parameter has no name")
			continue
		}
		d.detailed(n.line, name, n)
	}
}

// level reads the names of one level, and those below it.
func (d *decoder) level(above string, n *node, depth int) {
	if depth > deepest {
		d.fail(n.line, "nested too deeply")
		return
	}
	seen := map[string]int{}
	for _, m := range n.members {
		if first, ok := seen[m.key]; ok {
			d.fail(m.line, "key %q is there twice: it is on line %d already", m.key, first)
			continue
		}
		seen[m.key] = m.line
		name, v := above+d.Names.rename(m.key), m.value
		switch {
		case m.key == "":
			d.fail(m.line, "a key is empty")
		case v.kind == nothing:
			d.fail(m.line, "%s has no value; Parameter Store keeps no empty values", name)
		case v.kind == object && !d.Plain && isDetailed(v):
			d.detailed(m.line, above+m.key, v)
		case v.kind == object && len(v.members) == 0:
			d.fail(m.line, "%s has no value; Parameter Store keeps no empty values", name)
		case v.kind == object:
			d.level(strings.TrimSuffix(name, "/")+"/", v, depth+1)
		default:
			var p parameter.Parameter
			if d.value(name, v, &p) {
				d.add(m.line, name, p)
			}
		}
	}
}

// isDetailed reports whether an object is a parameter, and no level of a path. One that
// has a value is one: what else is in it must be right then.
func isDetailed(n *node) bool {
	return slices.ContainsFunc(n.members, func(m member) bool {
		return (m.key == "value" || m.key == "Value") && m.value.kind != object
	})
}

// value reads a scalar, or a list of them, which is a StringList.
func (d *decoder) value(name string, v *node, p *parameter.Parameter) bool {
	switch v.kind {
	case scalar:
		p.Value = v.text
		return true
	case list:
		words := make([]string, 0, len(v.items))
		for _, item := range v.items {
			switch {
			case item.kind != scalar || item.text == "":
				d.fail(item.line, "an element of %s must be a text that is not empty", name)
				return false
			case strings.Contains(item.text, ","):
				d.fail(item.line, "an element of %s has a comma, which separates the elements of a StringList", name)
				return false
			}
			words = append(words, item.text)
		}
		p.Type, p.Value = parameter.StringList, strings.Join(words, ",")
		return true
	default:
		d.fail(v.line, "the value of %s must be a text", name)
		return false
	}
}

func (d *decoder) detailed(line int, name string, n *node) {
	var p parameter.Parameter
	good, secret, kind := true, false, ""
	bad := func(line int, format string, args ...any) {
		d.fail(line, format, args...)
		good = false
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		f, v := field(m.key), m.value
		if seen[f] {
			bad(m.line, "key %q is twice in %s", m.key, name)
			continue
		}
		seen[f] = true
		if v.kind == nothing && f != fieldValue || slices.Contains(ofOneVersion, f) {
			continue
		}
		text := map[string]*string{
			fieldType: &kind, fieldTier: &p.Tier, fieldKey: &p.KeyID, fieldAbout: &p.Description, fieldPattern: &p.AllowedPattern, fieldData: &p.DataType,
		}[f]
		switch {
		case f == fieldName:
		case f == fieldValue && v.kind == nothing:
			bad(m.line, "%s has no value; Parameter Store keeps no empty values", name)
		case f == fieldValue:
			good = d.value(name, v, &p) && good
		case f == fieldSecret && v.kind == scalar && (v.text == "true" || v.text == "false"):
			secret = v.text == "true"
		case f == fieldType && v.kind == list && len(v.items) > 0 && v.items[0].kind == scalar: // Terraform's ["list","string"]
			kind = v.items[0].text
		case text != nil && v.kind == scalar:
			*text = v.text
		case f == fieldRules:
			good = d.policies(name, v, &p) && good
		case f == fieldTags && v.kind == object:
			good = d.tags(name, v, &p) && good
		case slices.Contains(fields, f):
			bad(m.line, "%s of %s has the wrong shape", m.key, name)
		default:
			near := ""
			if word := fault.Nearest(f, fields); word != "" {
				near = " (did you mean " + word + "?)"
			}
			bad(m.line, "unknown key %q in %s%s", m.key, name, near)
		}
	}
	switch {
	case kind == parameter.String || kind == parameter.StringList || kind == parameter.SecureString:
		p.Type = kind
	case kind == "":
	case seen[fieldSecret] && (kind == "string" || kind == "number" || kind == "bool"):
		p.Type = parameter.String
	case seen[fieldSecret] && (kind == "list" || kind == "set" || kind == "tuple"):
		p.Type = parameter.StringList
	default:
		bad(line, "the type of %s must be String, StringList or SecureString", name)
	}
	if secret {
		p.Type = parameter.SecureString
	}
	if !seen[fieldValue] {
		bad(line, "%s has no value", name)
	}
	if good {
		d.add(line, name, p)
	}
}

func (d *decoder) tags(name string, v *node, p *parameter.Parameter) bool {
	p.Tags = make(map[string]string, len(v.members))
	for _, t := range v.members {
		_, twice := p.Tags[t.key]
		switch {
		case twice:
			d.fail(t.line, "tag %q of %s is there twice", t.key, name)
			return false
		case t.value.kind == scalar:
			p.Tags[t.key] = t.value.text
		case t.value.kind == nothing:
			p.Tags[t.key] = ""
		default:
			d.fail(t.line, "tag %q of %s must be a text", t.key, name)
			return false
		}
	}
	return true
}

// policies reads a list of policies: each the text of its JSON, that as an object, or
// an object with type and text as lists print it.
func (d *decoder) policies(name string, v *node, p *parameter.Parameter) bool {
	if v.kind != list {
		d.fail(v.line, "policies of %s must be a list", name)
		return false
	}
	for _, n := range v.items {
		text := n.text
		if n.kind == object {
			if t := first(n.get("text"), n.get("PolicyText")); t != nil && t.kind == scalar {
				text = t.text
			} else {
				text = n.json()
			}
		} else if n.kind != scalar {
			d.fail(n.line, "a policy of %s must be a JSON object", name)
			return false
		}
		rule, err := policyOf(text)
		if err != nil {
			d.fail(n.line, "a policy of %s is %s", name, err)
			return false
		}
		p.Policies = append(p.Policies, rule)
	}
	return true
}

func first(nodes ...*node) *node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}

func policyOf(text string) (parameter.Policy, error) {
	var head struct{ Type string }
	if json.Unmarshal([]byte(text), &head) != nil {
		return parameter.Policy{}, errors.New("no JSON object")
	}
	return parameter.Policy{Type: head.Type, Text: text}, nil
}

// json is an object of texts as JSON.
func (n *node) json() string { return printed(n.writeJSON) }

func (n *node) writeJSON(b printer) {
	switch n.kind {
	case object:
		b.str("{")
		for i, m := range n.members {
			if i > 0 {
				b.str(",")
			}
			writeJSONString(b, m.key)
			b.str(":")
			m.value.writeJSON(b)
		}
		b.str("}")
	case list:
		b.str("[")
		for i, v := range n.items {
			if i > 0 {
				b.str(",")
			}
			v.writeJSON(b)
		}
		b.str("]")
	case scalar:
		writeJSONString(b, n.text)
	default:
		b.str("null")
	}
}
