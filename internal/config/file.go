package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
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
		string(Regions), string(Accounts), string(Role), string(ExternalID),
		string(Output), string(Theme), string(Color), string(ReadOnly), string(Protected),
	}
	defaultKeys = []string{string(Output), string(Theme), string(Color), string(ASCII), string(History)}
)

// parse reads the YAML of a configuration file. An unknown or repeated key, a
// value of the wrong shape, an alias or a second document is a fault; all
// faults are returned at once, each with path and line, in a Usage error.
// Scalars are taken as they are written: an account id with a leading zero
// stays as it is.
func parse(path string, data []byte) (*file, error) {
	p := parser{File: strictyaml.File{Path: path}, file: file{path: path, contexts: map[string]section{}, defaults: section{}}}
	root, err := p.Load(data)
	if err == nil && root != nil {
		p.top(root)
		err = p.Err()
	}
	if err != nil {
		return nil, &fault.Error{Kind: fault.Usage, Err: err, Hint: "see `ssmdeck help environment` for where settings come from"}
	}
	return &p.file, nil
}

type parser struct {
	strictyaml.File
	file
}

func (p *parser) top(root *yaml.Node) {
	p.Mapping(root, "the file", topKeys, func(key string, v *yaml.Node) {
		switch key {
		case "current_context":
			if text, ok := p.scalar(v, "current_context"); ok {
				p.current = value{text, v.Line}
			}
		case "defaults":
			p.section(v, "defaults", defaultKeys, p.defaults)
		case "contexts":
			p.Mapping(v, "contexts", nil, func(name string, v *yaml.Node) {
				s := section{}
				p.section(v, fmt.Sprintf("context %q", name), contextKeys, s)
				p.contexts[name] = s
			})
		}
	})
}

// section reads a mapping of settings into s.
func (p *parser) section(n *yaml.Node, where string, legal []string, s section) {
	p.Mapping(n, where, legal, func(key string, v *yaml.Node) {
		read := p.scalar
		if key == string(Regions) || key == string(Accounts) {
			read = p.list
		}
		text, ok := read(v, key)
		if !ok {
			return
		}
		if _, isBool := specOf(Key(key)).field(&Settings{}).(*bool); isBool {
			if _, err := parseBool(text); err != nil {
				p.Fail(v, "%s: %v", key, err)
				return
			}
		}
		s[Key(key)] = value{text, v.Line}
	})
}

// list returns the values of a sequence with commas between them, or the text of
// a single value.
func (p *parser) list(v *yaml.Node, key string) (text string, ok bool) {
	if v.Kind != yaml.SequenceNode {
		return p.scalar(v, key)
	}
	var all []string
	for _, e := range v.Content {
		one, ok := p.scalar(e, "an element of "+key)
		if !ok {
			continue
		}
		all = append(all, one)
	}
	return strings.Join(all, ","), len(all) > 0
}

// scalar returns the text of v as it is written. ok is false when there is
// none.
func (p *parser) scalar(v *yaml.Node, key string) (text string, ok bool) {
	if strictyaml.IsNull(v) {
		return "", false
	}
	if v.Kind != yaml.ScalarNode {
		p.Fail(v, "%s must be a single value", key)
		return "", false
	}
	return v.Value, v.Value != ""
}
