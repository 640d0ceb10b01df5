// Package untyped reads input that people write before the types of its fields are
// known: JSON, YAML and the shorthand of the AWS CLI. What it returns is nil, bool,
// string, json.Number, Word, []any or Object.
//
// It reads files through a Reader only, and holds on to nothing.
package untyped

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// Word is a text that is not quoted, in shorthand, a flag or YAML: what it means (a
// number, true, a text) is for the field's type to say.
type Word string

// Object keeps the order of its keys, and repeated ones.
type Object []Member

// Member is one field of an Object.
type Member struct {
	Key   string
	Value any
}

// deepest is how far structures may be nested: far more than any of the API's.
const deepest = 64

// JSON reads one JSON value. Its error says where it is none.
func JSON(data []byte) (any, error) {
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, jsonFault(data, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return nextJSON(dec, 0)
}

// jsonFault says where the reader gave up.
func jsonFault(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	offset := min(syntax.Offset, int64(len(data)))
	if !strings.HasPrefix(syntax.Error(), "unexpected end") {
		offset = max(offset-1, 0) // it counts the byte it complains of
	}
	before := data[:offset]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
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
		o := Object{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := nextJSON(dec, depth+1)
			if err != nil {
				return nil, err
			}
			o = append(o, Member{Key: key.(string), Value: v}) //nolint:forcetypeassert // a key is a string, or Token fails
		}
		_, err := dec.Token()
		return o, err
	default:
		return tok, nil
	}
}

// YAML reads one YAML document; nothing is an empty Object. what names it in
// messages. Plain scalars that are no text, such as 012 and yes, are Words.
func YAML(what string, data []byte) (any, error) {
	f := &strictyaml.File{Path: what}
	n, err := f.Load(data)
	if err != nil || n == nil {
		return Object{}, err
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
		o := Object{}
		f.Mapping(n, "this", nil, func(key string, v *yaml.Node) {
			o = append(o, Member{Key: key, Value: nextYAML(f, v, depth+1)})
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
			return Word(n.Value)
		}
	default:
		f.Fail(n, "aliases are not taken here")
		return nil
	}
}

// Text reads a flag's text for a structure, list or map: JSON when it begins
// like it, else the AWS CLI's shorthand. files reads what @= names.
func Text(text string, files Reader) (any, error) {
	if t := strings.TrimSpace(text); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
		return JSON([]byte(text))
	}
	return Shorthand(text, files)
}
