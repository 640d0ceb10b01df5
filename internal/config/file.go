package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// file is a parsed configuration file. Its values are not yet chosen among.
type file struct {
	path     string
	current  value
	contexts map[string]section
	defaults section
}

type section map[Key]value

type value struct {
	text string
	line int
}

// The keys a section may hold.
var (
	topKeys     = []string{"contexts", "current_context", "defaults"}
	contextKeys = []string{
		string(Profile), string(Region), string(RoleARN), string(EndpointURL),
		string(Output), string(Theme), string(Color), string(ReadOnly), string(Protected),
	}
	defaultKeys = []string{string(Output), string(Theme), string(Color), string(ASCII)}
)

// parse reads the YAML of a configuration file. An unknown or repeated key, a
// value of the wrong shape, an alias or a second document is a fault; all
// faults are returned at once, each with path and line, in a Usage error.
// Scalars are taken as they are written: an account id with a leading zero
// stays as it is.
func parse(path string, data []byte) (*file, error) {
	p := parser{file: file{path: path, contexts: map[string]section{}, defaults: section{}}}
	root, err := p.load(data)
	if err == nil && root != nil {
		p.top(root)
		err = errors.Join(p.faults...)
	}
	if err != nil {
		return nil, &fault.Error{Kind: fault.Usage, Err: err, Hint: "see `ssmdeck help environment` for where settings come from"}
	}
	return &p.file, nil
}

type parser struct {
	file
	faults []error
}

// load returns the root node, nil for a file without content.
func (p *parser) load(data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, p.syntax(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, fmt.Errorf("%s:%d: only one YAML document is allowed", p.path, second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, p.syntax(err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// syntax puts the place of a YAML error where people look for it.
func (p *parser) syntax(err error) error {
	var bad *yaml.LoadError
	switch {
	case !errors.As(err, &bad):
		return fmt.Errorf("%s: %w", p.path, err)
	case bad.Mark.Line == 0:
		return fmt.Errorf("%s: %s", p.path, bad.Message)
	case bad.ContextMark.Line > 0 && bad.ContextMsg != "":
		return fmt.Errorf("%s:%d: %s (%s from line %d)", p.path, bad.Mark.Line, bad.Message, bad.ContextMsg, bad.ContextMark.Line)
	default:
		return fmt.Errorf("%s:%d: %s", p.path, bad.Mark.Line, bad.Message)
	}
}

func (p *parser) top(root *yaml.Node) {
	p.mapping(root, "the file", topKeys, func(key string, v *yaml.Node) {
		switch key {
		case "current_context":
			if text, ok := p.scalar(v, "current_context"); ok {
				p.current = value{text, v.Line}
			}
		case "defaults":
			p.section(v, "defaults", defaultKeys, p.defaults)
		case "contexts":
			p.mapping(v, "contexts", nil, func(name string, v *yaml.Node) {
				s := section{}
				p.section(v, fmt.Sprintf("context %q", name), contextKeys, s)
				p.contexts[name] = s
			})
		}
	})
}

// section reads a mapping of settings into s.
func (p *parser) section(n *yaml.Node, where string, legal []string, s section) {
	p.mapping(n, where, legal, func(key string, v *yaml.Node) {
		text, ok := p.scalar(v, key)
		if !ok {
			return
		}
		if _, isBool := specOf(Key(key)).field(&Settings{}).(*bool); isBool {
			if _, err := parseBool(text); err != nil {
				p.fail(v, "%s: %v", key, err)
				return
			}
		}
		s[Key(key)] = value{text, v.Line}
	})
}

// mapping calls f with each key and value of n. legal lists the keys allowed;
// nil allows any. Nothing (a key without a value) is an empty mapping.
func (p *parser) mapping(n *yaml.Node, where string, legal []string, f func(key string, v *yaml.Node)) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s must be a list of `key: value` lines", where)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode || k.Value == "":
			p.fail(k, "a key of %s must be a plain word", where)
		case legal != nil && !slices.Contains(legal, k.Value):
			p.fail(k, "unknown key %q in %s%s", k.Value, where, didYouMean(k.Value, legal))
		case seen[k.Value]:
			p.fail(k, "key %q appears twice in %s", k.Value, where)
		default:
			seen[k.Value] = true
			f(k.Value, v)
		}
	}
}

// scalar returns the text of v as it is written. ok is false when there is
// none.
func (p *parser) scalar(v *yaml.Node, key string) (text string, ok bool) {
	if isNull(v) {
		return "", false
	}
	if v.Kind != yaml.ScalarNode {
		p.fail(v, "%s must be a single value", key)
		return "", false
	}
	return v.Value, v.Value != ""
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", p.path, n.Line, fmt.Sprintf(format, args...)))
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
