// Package strictyaml reads YAML that people write: unknown and repeated keys,
// values of the wrong shape, aliases and a second document are faults, and all of
// them are told at once, each with its line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// File collects the faults of one file.
type File struct {
	Path   string // for messages
	faults []error
}

// Load returns the root node, nil for a file without content. Its error is what
// makes the file no YAML at all.
func (f *File) Load(data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, f.syntax(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, fmt.Errorf("%s:%d: only one YAML document is allowed", f.Path, second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, f.syntax(err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// syntax puts the place of a YAML error where people look for it.
func (f *File) syntax(err error) error {
	var bad *yaml.LoadError
	switch {
	case errors.As(err, &bad) && strings.HasPrefix(bad.Message, "unknown anchor"): // what follows the * may be a secret
		return fmt.Errorf("%s:%d: a text that begins with * must be in quotes", f.Path, bad.Mark.Line)
	case !errors.As(err, &bad):
		return fmt.Errorf("%s: %w", f.Path, err)
	case bad.Mark.Line == 0:
		return fmt.Errorf("%s: %s", f.Path, bad.Message)
	case bad.ContextMark.Line > 0 && bad.ContextMsg != "":
		return fmt.Errorf("%s:%d: %s (%s from line %d)", f.Path, bad.Mark.Line, bad.Message, bad.ContextMsg, bad.ContextMark.Line)
	default:
		return fmt.Errorf("%s:%d: %s", f.Path, bad.Mark.Line, bad.Message)
	}
}

// Mapping calls do with each key and value of n. legal lists the keys allowed;
// nil allows any. Nothing (a key without a value) is an empty mapping. where
// names n in messages.
func (f *File) Mapping(n *yaml.Node, where string, legal []string, do func(key string, v *yaml.Node)) {
	if IsNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		f.Fail(n, "%s must be a list of `key: value` lines", where)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode || k.Value == "":
			f.Fail(k, "a key of %s must be a plain word", where)
		case legal != nil && !slices.Contains(legal, k.Value):
			near := ""
			if word := fault.Nearest(k.Value, legal); word != "" {
				near = fmt.Sprintf(" (did you mean %q?)", word)
			}
			f.Fail(k, "unknown key %q in %s%s", k.Value, where, near)
		case seen[k.Value]:
			f.Fail(k, "key %q appears twice in %s", k.Value, where)
		default:
			seen[k.Value] = true
			do(k.Value, v)
		}
	}
}

// Fail notes a fault at n.
func (f *File) Fail(n *yaml.Node, format string, args ...any) {
	f.faults = append(f.faults, fmt.Errorf("%s:%d: %s", f.Path, n.Line, fmt.Sprintf(format, args...)))
}

// Faults are those so far, in the order in which they were found.
func (f *File) Faults() []error { return f.faults }

// Err returns all faults, nil for none.
func (f *File) Err() error { return errors.Join(f.faults...) }

// IsNull reports whether n is there without a value.
func IsNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
