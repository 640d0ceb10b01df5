package document

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Document reads what running needs to know of a document from a file of the
// user's. Its parameters come in the order they are written in.
func (s Source) Document(name string) (Document, error) {
	root, err := s.root()
	if err != nil {
		return Document{}, err
	}
	doc := Document{Name: name, Type: s.Type(), SchemaVersion: s.schema()}
	declared := child(root, "parameters")
	if declared == nil {
		return doc, nil
	}
	for i := 0; i+1 < len(declared.Content); i += 2 {
		var p struct {
			Type        string `yaml:"type"`
			Description string `yaml:"description"`
			Default     any    `yaml:"default"`
		}
		key := declared.Content[i]
		if err := declared.Content[i+1].Decode(&p); err != nil {
			return Document{}, fault.Usagef("%s: line %d: parameter %s is not declared as a mapping", s.Path, key.Line, key.Value)
		}
		param := Parameter{Name: key.Value, Type: Type(p.Type), Description: p.Description, Required: p.Default == nil}
		if p.Default != nil {
			param.Default = textOf(p.Default)
		}
		doc.Parameters = append(doc.Parameters, param)
	}
	addConstraints(&doc, s.Text)
	return doc, nil
}

// textOf writes a default as DescribeDocument does: lists and maps as JSON.
func textOf(v any) string {
	switch v.(type) {
	case []any, map[string]any, map[any]any:
		if j, err := json.Marshal(plain(v)); err == nil {
			return string(j)
		}
	}
	return text(v)
}

// root is the document's mapping as it is written, JSON or YAML.
func (s Source) root() (*yaml.Node, error) {
	if s.Format == FormatText {
		return nil, fault.Usagef("%s is plain text, which has no parameters", s.Path)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(s.Text), &doc); err != nil {
		return nil, fault.New(fault.Usage, "read "+s.Path, "%w", yamlError(err))
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fault.Usagef("%s is not a document: it holds no mapping", s.Path)
	}
	return doc.Content[0], nil
}

// child is the value of a key, nil when there is none or it is no mapping.
func child(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key && m.Content[i+1].Kind == yaml.MappingNode {
			return m.Content[i+1]
		}
	}
	return nil
}

// reference is what stands for a value in a document. What is between the braces
// may also name the output of a step (step.Output), a variable of the service
// (global:DATE) or a parameter of Parameter Store (ssm:name).
var reference = pattern.Lazy(`\{\{\s*([^{}]*?)\s*\}\}`)

// Fill puts the values of parameters, and the defaults of those that are not
// given, where the document names them, as agents do: a text that is nothing but
// one reference becomes the value, with its type; within a longer text lists and
// maps stand as JSON. Values are not looked through again.
//
// The answer is the document in YAML without the declaration of its parameters,
// and the references that only the service or the agent can fill in.
func (s Source) Fill(doc Document, given map[string][]string) (filled string, open []string, err error) {
	root, err := s.root()
	if err != nil {
		return "", nil, err
	}
	f := filler{values: map[string]any{}}
	declared := child(root, "parameters")
	for _, p := range doc.Parameters {
		if values, ok := given[p.Name]; ok {
			f.values[p.Name] = p.typed(values)
			continue
		}
		if v, ok := defaultOf(declared, p.Name); ok {
			f.values[p.Name] = v
		}
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Value == "parameters" {
			continue
		}
		if key.Value != "description" {
			if err := f.node(value); err != nil {
				return "", nil, fault.New(fault.Failed, "render "+s.Path, "%w", err)
			}
		}
		kept = append(kept, key, value)
	}
	root.Content = kept
	if s.Format == FormatJSON {
		restyle(root)
	}
	out, err := yaml.Dump(root, layout...)
	if err != nil {
		return "", nil, fault.New(fault.Failed, "render "+s.Path, "%w", err)
	}
	return string(out), f.open, nil
}

// layout is how YAML is written here: long lines are not folded.
var layout = []yaml.Option{yaml.WithIndent(2), yaml.WithLineWidth(-1)}

// defaultOf is the default of a parameter as it is declared.
func defaultOf(declared *yaml.Node, name string) (any, bool) {
	if declared == nil {
		return nil, false
	}
	for i := 0; i+1 < len(declared.Content); i += 2 {
		if declared.Content[i].Value != name {
			continue
		}
		var p map[string]any
		if declared.Content[i+1].Decode(&p) != nil {
			return nil, false
		}
		v, ok := p["default"]
		return v, ok
	}
	return nil, false
}

// typed turns the values of a parameter into what stands for them.
func (p Parameter) typed(values []string) any {
	decode := func(s string) any {
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return s
		}
		return v
	}
	switch p.Type {
	case StringList:
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		return list
	case MapList:
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = decode(v)
		}
		return list
	case Integer, Boolean, StringMap:
		return decode(strings.Join(values, ""))
	case String:
	}
	return strings.Join(values, "")
}

type filler struct {
	values map[string]any
	open   []string
}

// node fills in one value and all below it. Keys stay.
func (f *filler) node(n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			if err := f.node(n.Content[i]); err != nil {
				return err
			}
		}
	case yaml.ScalarNode:
		return f.scalar(n)
	default:
		for _, c := range n.Content {
			if err := f.node(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filler) scalar(n *yaml.Node) error {
	if m := reference().FindStringSubmatch(n.Value); m != nil && m[0] == n.Value {
		if v, ok := f.values[m[1]]; ok {
			return f.whole(n, v)
		}
	}
	text := reference().ReplaceAllStringFunc(n.Value, func(ref string) string {
		name := reference().FindStringSubmatch(ref)[1]
		v, ok := f.values[name]
		if !ok {
			if !slices.Contains(f.open, name) {
				f.open = append(f.open, name)
			}
			return ref
		}
		return textOf(v)
	})
	if text == n.Value {
		return nil
	}
	// The old style may not fit the new text: the writer chooses.
	n.Tag, n.Style, n.Value = "!!str", styleOf(text), text
	return nil
}

// styleOf is how a text is written: lines as lines, and what readers of YAML 1.1
// take for a switch in quotes. 0 leaves it to the writer.
func styleOf(text string) yaml.Style {
	if strings.Contains(text, "\n") {
		return yaml.LiteralStyle
	}
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off":
		return yaml.DoubleQuotedStyle
	}
	return 0
}

// whole puts a value in the place of a node.
func (f *filler) whole(n *yaml.Node, v any) error {
	var value yaml.Node
	if err := value.Encode(v); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	if value.Kind == yaml.DocumentNode && len(value.Content) == 1 {
		value = *value.Content[0]
	}
	restyle(&value)
	value.HeadComment, value.LineComment, value.FootComment = n.HeadComment, n.LineComment, n.FootComment
	*n = value
	return nil
}

// restyle lays out what was JSON as people write YAML.
func restyle(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.Style = styleOf(n.Value)
	}
	for _, c := range n.Content {
		restyle(c)
	}
}
