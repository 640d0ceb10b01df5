package rawapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// A tree is an input before its types are known: nil, bool, string, json.Number,
// word, []any or object.

// word is a text that is not quoted, in shorthand, a flag or YAML: what it means
// (a number, true, a text) is for the field's type to say.
type word string

// object keeps the order of its keys and repeated ones.
type object []member

type member struct {
	key   string
	value any
}

// deepest is how far structures may be nested: far more than any of the API's.
const deepest = 64

// treeOfJSON reads one JSON value.
func treeOfJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := nextJSON(dec, 0)
	if err != nil {
		return nil, jsonFault(data, dec.InputOffset(), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonFault(data, dec.InputOffset(), errors.New("more behind the end of the value"))
	}
	return v, nil
}

// jsonFault says where the reader gave up.
func jsonFault(data []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		offset = max(syntax.Offset-1, 0)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it ends too early")
	}
	before := data[:min(offset, int64(len(data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

func nextJSON(dec *json.Decoder, depth int) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if depth > deepest {
		return nil, errors.New("nested too deeply")
	}
	switch tok {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := nextJSON(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	case json.Delim('{'):
		o := object{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := nextJSON(dec, depth+1)
			if err != nil {
				return nil, err
			}
			o = append(o, member{key.(string), v}) //nolint:forcetypeassert // a key is a string, or Token fails
		}
		_, err := dec.Token()
		return o, err
	default:
		return tok, nil
	}
}

// treeOfYAML reads one YAML document. what names it in messages.
func treeOfYAML(what string, data []byte) (any, error) {
	f := &strictyaml.File{Path: what}
	n, err := f.Load(data)
	if err != nil || n == nil {
		return object{}, err
	}
	v := nextYAML(f, n, 0)
	return v, f.Err()
}

func nextYAML(f *strictyaml.File, n *yaml.Node, depth int) any {
	if depth > deepest {
		f.Fail(n, "nested too deeply")
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		o := object{}
		f.Mapping(n, "this", nil, func(key string, v *yaml.Node) {
			o = append(o, member{key, nextYAML(f, v, depth+1)})
		})
		return o
	case yaml.SequenceNode:
		list := []any{}
		for _, e := range n.Content {
			list = append(list, nextYAML(f, e, depth+1))
		}
		return list
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return nil
		case "!!str":
			return n.Value
		default:
			return word(n.Value)
		}
	default:
		f.Fail(n, "aliases are not taken here")
		return nil
	}
}

// treeOfText reads a flag's text for a structure, list or map: JSON when it begins
// like it, else the AWS CLI's shorthand. files reads what @= names.
func treeOfText(text string, files Reader) (any, error) {
	if t := strings.TrimSpace(text); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
		return treeOfJSON([]byte(text))
	}
	return parseShorthand(text, files)
}
