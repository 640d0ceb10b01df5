package paramplan

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// Encode writes parameters below a path as a file that Parse reads. The value of a
// SecureString is written only with secrets, else the file says that it stays as it is.
func Encode(root string, list []parameter.Parameter, secrets bool) ([]byte, error) {
	list = slices.SortedFunc(slices.Values(list), func(a, b parameter.Parameter) int { return strings.Compare(a.Name, b.Name) })
	parameters := mapping()
	for _, p := range list {
		name, below := strings.CutPrefix(parameter.Place(p.Name), strings.TrimSuffix(root, "/")+"/")
		if !below {
			return nil, fault.Usagef("%s is not below %s", p.Name, root)
		}
		put(parameters, name, encodeParameter(p, secrets))
	}
	file := mapping()
	put(file, "path", scalar(root))
	put(file, "parameters", parameters)
	data, err := yaml.Dump(file, yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fault.New(fault.Failed, "write parameters as YAML", "the YAML could not be made")
	}
	return data, nil
}

func encodeParameter(p parameter.Parameter, secrets bool) *yaml.Node {
	m := mapping()
	switch {
	case !p.Secure():
		put(m, "value", scalar(p.Value))
	case secrets:
		put(m, "secure", plainWord("true"))
		put(m, "value", scalar(p.Value))
	default:
		from := mapping()
		from.Style = yaml.FlowStyle
		put(from, "live", plainWord("true"))
		put(m, "secure", plainWord("true"))
		put(m, "value_from", from)
	}
	if p.Type == parameter.StringList {
		put(m, "type", plainWord(p.Type))
	}
	if p.Tier == parameter.Advanced {
		put(m, "tier", plainWord("advanced"))
	}
	text := func(key, v string) {
		if v != "" {
			put(m, key, scalar(v))
		}
	}
	if !parameter.OwnKey(p.KeyID) {
		text("key", p.KeyID)
	}
	if p.DataType != "text" {
		text("data_type", p.DataType)
	}
	text("description", p.Description)
	text("allowed_pattern", p.AllowedPattern)
	if len(p.Policies) > 0 {
		put(m, "policies", encodePolicies(p.Policies))
	}
	if len(p.Tags) > 0 {
		tags := mapping()
		for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
			put(tags, k, scalar(p.Tags[k]))
		}
		put(m, "tags", tags)
	}
	if len(m.Content) == 2 && m.Content[0].Value == "value" {
		return m.Content[1]
	}
	return m
}

// encodePolicies writes policies in the form of the service, as YAML where it can be
// read back.
func encodePolicies(list []parameter.Policy) *yaml.Node {
	seq := &yaml.Node{Kind: yaml.SequenceNode}
	for _, p := range list {
		var d policyDocument
		if json.Unmarshal([]byte(p.Text), &d) != nil {
			return scalar(policiesJSON(list))
		}
		attributes := mapping()
		attributes.Style = yaml.FlowStyle
		for _, k := range slices.Sorted(maps.Keys(d.Attributes)) {
			put(attributes, k, scalar(d.Attributes[k]))
		}
		m := mapping()
		put(m, "Type", plainWord(d.Type))
		put(m, "Version", scalar(cmp.Or(d.Version, "1.0")))
		put(m, "Attributes", attributes)
		seq.Content = append(seq.Content, m)
	}
	return seq
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func put(m *yaml.Node, key string, v *yaml.Node) { m.Content = append(m.Content, scalar(key), v) }

func plainWord(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

// scalar is a text so that it is read back as it is: one line as people write it, what
// has only line feeds as a block, and all else within double quotes, where everything
// has an escape.
func scalar(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	odd := func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f }
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	switch {
	case strings.ContainsFunc(s, odd):
		n.Style = yaml.DoubleQuotedStyle
	case !strings.Contains(s, "\n"):
	case slices.ContainsFunc(lines, func(l string) bool { return l == "" || strings.HasPrefix(l, " ") || strings.HasSuffix(l, " ") }):
		n.Style = yaml.DoubleQuotedStyle
	default:
		n.Style = yaml.LiteralStyle
	}
	return n
}
