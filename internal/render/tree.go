package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A tree is a JSON value that remembers the order of its fields and the digits
// of its numbers: nil, bool, string, json.Number, float64 (made by a query),
// []any or *object.

type object struct {
	keys   []string
	values map[string]any
}

func (o *object) set(key string, v any) {
	if _, again := o.values[key]; !again {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

// MarshalJSON writes the fields in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encodeJSON(&b, k, false); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encodeJSON(&b, o.values[k], false); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encodeJSON appends v, without a line feed at the end.
func encodeJSON(b *bytes.Buffer, v any, indent bool) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if indent {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	b.Truncate(b.Len() - 1)
	return nil
}

// escapeControls writes DEL, the C1 controls and the marks that reorder or hide
// text, which JSON and double-quoted YAML allow in strings, as escapes. The value
// stays the same.
func escapeControls(data []byte, escape func(out []byte, r rune) []byte) []byte {
	if !bytes.ContainsFunc(data, func(r rune) bool { return r == 0x7f || hidden(r) }) {
		return data
	}
	out := make([]byte, 0, len(data)+16)
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == 0x7f || hidden(r) {
			out = escape(out, r)
		} else {
			out = append(out, data[:n]...)
		}
		data = data[n:]
	}
	return out
}

// jsonEscape is a rune as JSON writes it: beyond U+FFFF as two halves.
func jsonEscape(out []byte, r rune) []byte {
	for _, half := range utf16.Encode([]rune{r}) {
		out = fmt.Appendf(out, `\u%04x`, half)
	}
	return out
}

// yamlEscape is a rune as YAML writes it between double quotes.
func yamlEscape(out []byte, r rune) []byte {
	if r > 0xffff {
		return fmt.Appendf(out, `\U%08x`, r)
	}
	return fmt.Appendf(out, `\u%04x`, r)
}

// decodeTree reads one JSON value.
func decodeTree(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeNext(dec)
	if err != nil {
		return nil, fmt.Errorf("decode answer: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode answer: more than one JSON value")
	}
	return v, nil
}

func decodeNext(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := decodeNext(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	case json.Delim('{'):
		o := &object{values: map[string]any{}}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeNext(dec)
			if err != nil {
				return nil, err
			}
			o.set(key.(string), v) // a key is a string, or Token fails
		}
		_, err := dec.Token()
		return o, err
	default:
		return tok, nil
	}
}

// treeOf returns v as the tree of its JSON.
func treeOf(v any) (any, error) {
	var b bytes.Buffer
	if err := encodeJSON(&b, v, false); err != nil {
		return nil, err
	}
	return decodeTree(b.Bytes())
}

// scalarText returns a scalar as bare text, and anything else as compact JSON.
// null is "".
func scalarText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	default:
		var b bytes.Buffer
		if err := encodeJSON(&b, v, false); err != nil {
			return "" // a tree can always be encoded
		}
		return b.String()
	}
}

// yamlNode returns v as YAML. Every scalar carries its type, so that the
// library quotes a text that a reader would take for something else.
func yamlNode(v any) *yaml.Node {
	switch v := v.(type) {
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case string:
		return yamlText(v)
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, e := range v {
			n.Content = append(n.Content, yamlNode(e))
		}
		return n
	case *object:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, k := range v.keys {
			n.Content = append(n.Content, yamlText(k), yamlNode(v.values[k]))
		}
		return n
	default: // json.Number, float64
		text := scalarText(v)
		tag := "!!int"
		if bytes.ContainsAny([]byte(text), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
	}
}

// yamlText returns a text. The library quotes what YAML 1.2 would read as
// something else; many readers still follow YAML 1.1, where more words are
// booleans and 12:30 is a number in base 60.
func yamlText(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "=":
		n.Style = yaml.SingleQuotedStyle
	}
	if strings.ContainsRune(s, ':') && strings.ContainsAny(s[:1], "+-0123456789") {
		n.Style = yaml.SingleQuotedStyle
	}
	if visible(s, "\n") != s {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func dumpYAML(n *yaml.Node) ([]byte, error) {
	data, err := yaml.Dump(n, yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("encode YAML: %w", err)
	}
	return escapeControls(data, yamlEscape), nil
}
