package paramplan

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// Source reads the values that files keep elsewhere. A value is taken as it is.
type Source struct {
	File func(path string) ([]byte, error)
	Env  func(name string) (string, bool)
}

// Tree is what files say.
type Tree struct {
	Desired []Desired
	Paths   []string // that the files manage, sorted
	Files   int
	// OpenSecrets counts SecureStrings whose values stand in a file.
	OpenSecrets int
}

// Input is one file before it is read.
type Input struct {
	File string // as the user named it, or found in a folder
	// Path is the path that follows from where it is in a folder: app/prod.yaml is
	// /app/prod. Empty: the file must say it.
	Path string
	// Unclear are two paths of which nobody knows which one is meant when the file does
	// not say it.
	Unclear [2]string
	// Label is how the state knows the file; see Desired.File.
	Label string
	Data  []byte
}

// Parse reads files of parameters. Everything that is wrong with all of them is
// returned at once, each fault with its file and line, in a Usage error.
//
// Without secrets the values of SecureStrings are not looked for: neither variables nor
// files are needed then, and they are Unread.
func Parse(inputs []Input, env func(string) (string, bool), secrets bool) (Tree, error) {
	t := Tree{Files: len(inputs)}
	var lines []string
	at := map[string]string{} // of each name
	for _, in := range inputs {
		p := &fileParser{File: strictyaml.File{Path: in.File}, from: Source{File: Beside(in.File), Env: env}, path: in.Path, unclear: in.Unclear, label: in.Label, secrets: secrets, seen: at}
		root, err := p.Load(in.Data)
		if err == nil && root != nil {
			p.file(root)
			err = p.Err()
		}
		if err != nil {
			lines = append(lines, err.Error())
		}
		t.Desired = append(t.Desired, p.list...)
		t.OpenSecrets += p.open
		if p.path != "" {
			t.Paths = append(t.Paths, p.path)
		}
	}
	if len(lines) > 0 {
		return Tree{}, &fault.Error{Kind: fault.Usage, Err: fmt.Errorf("%s", strings.Join(lines, "\n")), Hint: "docs/parameters-plan.md says what a file can have in it; `ssmdeck param scaffold PATH` writes one"}
	}
	slices.Sort(t.Paths)
	t.Paths = slices.Compact(t.Paths)
	return t, nil
}

type fileParser struct {
	strictyaml.File
	from     Source
	path     string
	unclear  [2]string
	label    string
	secrets  bool
	defaults Desired
	seen     map[string]string
	list     []Desired
	open     int
}

func (p *fileParser) file(root *yaml.Node) {
	var list *yaml.Node
	p.Mapping(root, "the file", []string{"path", "defaults", "parameters"}, func(key string, v *yaml.Node) {
		switch key {
		case "path":
			p.path = strings.TrimSuffix(p.text(v, key), "/")
			if p.path == "" {
				p.path = "/"
			}
			if !strings.HasPrefix(p.path, "/") {
				p.Fail(v, "path %s must begin with /", p.path)
			}
		case "defaults":
			p.Mapping(v, "defaults", []string{"type", "secure", "tier", "key", "tags"}, func(key string, v *yaml.Node) { p.field(&p.defaults, key, v) })
		case "parameters":
			list = v
		}
	})
	if list == nil {
		p.Fail(root, "there is no `parameters:` in the file")
		return
	}
	if p.path == "" {
		text := "there is no `path:` in the file: below which its names are"
		if p.unclear[0] != "" {
			text += fmt.Sprintf("; it may be %s, or %s in the folder above with what was applied", p.unclear[0], p.unclear[1])
		}
		p.Fail(root, "%s", text)
		return
	}
	p.Mapping(list, "parameters", nil, p.parameter)
}

func (p *fileParser) text(n *yaml.Node, key string) string {
	if n.Kind != yaml.ScalarNode || strictyaml.IsNull(n) {
		p.Fail(n, "%s must be a single value", key)
		return ""
	}
	return n.Value
}

func (p *fileParser) truth(n *yaml.Node, key string) bool {
	v, err := strconv.ParseBool(p.text(n, key))
	if err != nil && n.Kind == yaml.ScalarNode {
		p.Fail(n, "%s must be true or false", key)
	}
	return v
}

var parameterKeys = []string{
	"value", "value_from", "type", "secure", "tier", "key", "data_type", "description", "allowed_pattern", "policies", "tags",
}

// parameter reads one parameter: a value, a list of values, or a mapping with more.
func (p *fileParser) parameter(key string, n *yaml.Node) {
	d := Desired{At: fmt.Sprintf("%s:%d", p.Path, n.Line), File: p.label}
	d.Type, d.Tier, d.KeyID = p.defaults.Type, p.defaults.Tier, p.defaults.KeyID
	for k, v := range p.defaults.Tags {
		d.tag(k, v)
	}
	d.Name = p.name(key, n)
	if first := p.seen[d.Name]; first != "" {
		p.Fail(n, "%s is in %s already", d.Name, first)
		return
	}
	p.seen[d.Name] = d.At
	stands := false     // its value is in the file
	var from *yaml.Node // value_from
	switch n.Kind {
	case yaml.MappingNode:
		p.Mapping(n, key, parameterKeys, func(field string, v *yaml.Node) {
			switch field {
			case "value":
				p.value(&d, v, key)
				stands = true
			case "value_from":
				from = v
			default:
				p.field(&d, field, v)
			}
		})
		switch {
		case from == nil:
		case stands:
			p.Fail(from, "%s has both a value and value_from", key)
		default:
			p.elsewhere(&d, from, key)
		}
		if !stands && from == nil {
			p.Fail(n, "%s has no value: say value, or value_from with env, file or live; a name below %s is written %s/NAME", key, key, key)
		}
	default:
		stands = true
		p.value(&d, n, key)
	}
	if d.Type == parameter.SecureString {
		if stands {
			p.open++
		}
		if !p.secrets {
			d.Value, d.Unread = nil, true
		}
	}
	if d.Type == "" {
		d.Type = parameter.String
	}
	if d.Type != parameter.SecureString {
		if d.KeyID != "" && d.KeyID != p.defaults.KeyID {
			p.Fail(n, "%s has a key, and only a SecureString is encrypted: add secure: true", key)
		}
		d.KeyID = ""
	}
	p.list = append(p.list, d)
}

func (d *Desired) tag(k, v string) {
	if d.Tags == nil {
		d.Tags = map[string]string{}
	}
	d.Tags[k] = v
}

// name is the whole name of a key: below the path of the file.
func (p *fileParser) name(key string, n *yaml.Node) string {
	name := path.Join(p.path, key)
	if strings.HasPrefix(key, "/") {
		if name = key; !Below(p.path, name) {
			p.Fail(n, "%s is not below the path of the file, %s", name, p.path)
		}
		return name
	}
	if strings.HasSuffix(key, "/") || strings.Contains(key, "//") || name != strings.TrimSuffix(p.path, "/")+"/"+key {
		p.Fail(n, "%q is no name of a parameter", key)
	}
	return name
}

// value takes a value that stands in the file: a scalar as it is written, or a list.
func (p *fileParser) value(d *Desired, n *yaml.Node, key string) {
	var v string
	switch {
	case n.Kind == yaml.SequenceNode:
		if d.Type == "" || d.Type == parameter.String {
			d.Type = parameter.StringList
		}
		var parts []string
		for _, e := range n.Content {
			part := p.text(e, "an element of "+key)
			if strings.Contains(part, ",") {
				p.Fail(e, "an element of %s has a comma in it, which separates the elements of a list and cannot be escaped", key)
			}
			parts = append(parts, part)
		}
		v = strings.Join(parts, ",")
	case n.Kind == yaml.AliasNode:
		p.Fail(n, "%s is a reference (*%s), which is not followed: write the value", key, n.Value)
		return
	case n.Kind != yaml.ScalarNode, strictyaml.IsNull(n):
		p.Fail(n, "%s has no value", key)
		return
	case !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag()):
		p.Fail(n, "the value of %s has the YAML tag %s, and only plain text can be a value", key, n.ShortTag())
		return
	default:
		v = n.Value
	}
	if v == "" {
		p.Fail(n, "the value of %s is empty, and the service has no empty values", key)
	}
	d.Value = &v
}

// elsewhere takes a value from {env: NAME}, {file: PATH} or leaves it with {live: true}.
func (p *fileParser) elsewhere(d *Desired, n *yaml.Node, key string) {
	found := 0
	p.Mapping(n, key+".value_from", []string{"env", "file", "live"}, func(how string, v *yaml.Node) {
		found++
		switch how {
		case "live":
			if !p.truth(v, "live") {
				p.Fail(v, "live can only be true")
			}
		case "env":
			name := p.text(v, how)
			value, ok := p.from.Env(name)
			switch {
			case name == "", p.unread(d):
			case !ok:
				p.Fail(v, "%s: the variable %s is not set", key, name)
			case value == "":
				p.Fail(v, "%s: the variable %s is empty, and the service has no empty values", key, name)
			}
			d.Value = &value
		case "file":
			name := p.text(v, how)
			if name == "" || p.unread(d) {
				return
			}
			raw, err := p.from.File(name)
			switch {
			case err != nil:
				p.Fail(v, "%s: %v", key, err)
			case len(raw) == 0:
				p.Fail(v, "%s: the file %s is empty, and the service has no empty values", key, name)
			}
			value := string(raw)
			d.Value = &value
		}
	})
	if found != 1 && n.Kind == yaml.MappingNode {
		p.Fail(n, "value_from of %s must be one of {env: NAME}, {file: PATH} and {live: true}", key)
	}
}

// unread reports whether the value is not looked for.
func (p *fileParser) unread(d *Desired) bool { return !p.secrets && d.Type == parameter.SecureString }

// field reads what is no value.
func (p *fileParser) field(d *Desired, key string, v *yaml.Node) {
	fail := func(err error) {
		if err != nil {
			p.Fail(v, "%v: %s", err, fault.HintOf(err))
		}
	}
	var err error
	switch key {
	case "type":
		if text := p.text(v, key); text != "" {
			d.Type, err = ParseType(text)
			fail(err)
		}
	case "secure":
		if p.truth(v, key) {
			d.Type = parameter.SecureString
		} else if d.Type == parameter.SecureString {
			d.Type = "" // of the defaults
		}
	case "tier":
		if text := p.text(v, key); text != "" {
			d.Tier, err = ParseTier(text)
			fail(err)
		}
	case "key":
		d.KeyID = p.text(v, key)
	case "data_type":
		d.DataType = p.text(v, key)
	case "description":
		text := p.text(v, key)
		d.Description = &text
	case "allowed_pattern":
		text := p.text(v, key)
		d.AllowedPattern = &text
	case "policies":
		d.Policies = p.policies(v)
	case "tags":
		p.Mapping(v, "tags", nil, func(k string, v *yaml.Node) {
			if strings.HasPrefix(strings.ToLower(k), "aws:") {
				p.Fail(v, "tag %s: keys that begin with aws: are for AWS alone", k)
			}
			d.tag(k, p.text(v, k))
		})
	}
}
