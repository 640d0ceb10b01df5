package theme

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// legalName is what a theme of one's own may be called: it is the name of a file, too.
var legalName = pattern.Lazy(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// LegalName reports whether a file of a theme can have the name: lower-case letters,
// digits, hyphens and underscores, and no name that is taken.
func LegalName(name string) bool {
	return legalName().MatchString(name) && name != string(Auto) && !slices.Contains(Variants(), name)
}

// keyBase is the key of a file that is no role.
const keyBase = "base"

// Parse reads the YAML of a theme of one's own: under base one of the built-in themes,
// dark when there is none, and roles with their looks as parseLook reads them; Sources
// has a list. Faults are told all at once, each with path and line, in a Usage error;
// the theme is then what it is based on, as far as that is known. It is never nil.
func Parse(name, path string, data []byte) (*Theme, error) {
	p := &parser{File: strictyaml.File{Path: path}, base: Dark, own: layer{}}
	root, err := p.Load(data)
	if err == nil && root != nil {
		p.Mapping(root, "the theme", append([]string{keyBase}, roleNames()...), p.entry)
		err = p.Err()
	}
	t := &Theme{Name: Variant(name), layers: BuiltIn(p.base).layers}
	if err != nil {
		return t, &fault.Error{Kind: fault.Usage, Err: err, Hint: "docs/themes.md has the roles and their colours"}
	}
	if len(p.own) > 0 {
		t.layers = append(slices.Clone(t.layers), p.own)
	}
	return t, nil
}

type parser struct {
	strictyaml.File
	base Variant
	own  layer
}

func (p *parser) entry(key string, v *yaml.Node) {
	switch {
	case strictyaml.IsNull(v):
		// Everybody writes one without quotes once: the rest of the line is a comment then.
		p.Fail(v, "%s has no value: a colour that begins with # stands in quotes", key)
	case key == Sources && v.Kind == yaml.SequenceNode:
		for _, e := range v.Content {
			p.add(key, e)
		}
	case v.Kind != yaml.ScalarNode:
		p.Fail(v, "%s must be a single value", key)
	case key == keyBase:
		p.chooseBase(v)
	default:
		p.add(key, v)
	}
}

func (p *parser) chooseBase(v *yaml.Node) {
	if slices.Contains(Variants(), v.Value) {
		p.base = Variant(v.Value)
		return
	}
	todo := "use " + strings.Join(Variants(), ", ")
	if near := fault.Nearest(v.Value, Variants()); near != "" {
		todo = "did you mean " + near + "?"
	}
	p.Fail(v, "base: %q is none of the built-in themes; %s", v.Value, todo)
}

func (p *parser) add(role string, v *yaml.Node) {
	if v.Kind != yaml.ScalarNode {
		p.Fail(v, "an element of %s must be a single value", role)
		return
	}
	list, err := parseLooks(role, v.Value)
	if err != nil {
		p.Fail(v, "%s: %v", role, err)
		return
	}
	p.own[role] = append(p.own[role], list...)
}

// parseLooks reads the look of a role; of Sources several, with commas between them.
func parseLooks(role, text string) (list []Look, err error) {
	texts := []string{text}
	if role == Sources {
		texts = strings.Split(text, ",")
	}
	for _, t := range texts {
		l, err := parseLook(t)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}
