package lint

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v4"
)

// maxNodes bounds what aliases may multiply a document to.
const maxNodes = 100_000

func readYAML(src string) (*node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader([]byte(src)))
	if err != nil {
		return nil, err
	}
	var doc, second yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return nil, &SyntaxError{Line: 1, Message: "the document is empty"}
	} else if err != nil {
		return nil, yamlSyntax(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, &SyntaxError{Line: second.Line, Message: "a second YAML document begins here; only one is allowed"}
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlSyntax(err)
	}
	if len(doc.Content) == 0 {
		return nil, &SyntaxError{Line: 1, Message: "the document is empty"}
	}
	c := converter{left: maxNodes}
	return c.convert(doc.Content[0], 0)
}

func yamlSyntax(err error) error {
	var bad *yaml.LoadError
	if !errors.As(err, &bad) {
		return &SyntaxError{Line: 1, Message: err.Error()}
	}
	e := &SyntaxError{Line: max(bad.Mark.Line, 1), Column: bad.Mark.Column, Message: bad.Message}
	if bad.ContextMsg != "" {
		e.Message += " " + bad.ContextMsg
	}
	return e
}

type converter struct{ left int }

func (c *converter) convert(y *yaml.Node, depth int) (*node, error) {
	n := &node{line: y.Line, col: y.Column}
	if c.left--; c.left < 0 {
		return nil, &SyntaxError{Line: y.Line, Column: y.Column, Message: "aliases make the document too large"}
	}
	if depth > maxDepth {
		return nil, &SyntaxError{Line: y.Line, Column: y.Column, Message: "values nest too deep"}
	}
	switch y.Kind {
	case yaml.AliasNode:
		if y.Alias == nil {
			return n, nil
		}
		got, err := c.convert(y.Alias, depth+1)
		if err != nil {
			return nil, err
		}
		got.line, got.col = y.Line, y.Column
		return got, nil
	case yaml.SequenceNode:
		n.kind = list
		for _, item := range y.Content {
			v, err := c.convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
	case yaml.MappingNode:
		n.kind = mapping
		for i := 0; i+1 < len(y.Content); i += 2 {
			k, err := c.convert(y.Content[i], depth+1)
			if err != nil {
				return nil, err
			}
			v, err := c.convert(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			n.members = append(n.members, member{k, v})
		}
	default:
		n.text = y.Value
		n.quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
		n.block = y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
		switch y.ShortTag() {
		case "!!null":
			n.kind = null
		case "!!bool":
			n.kind = boolean
		case "!!int", "!!float":
			n.kind = number
		default:
			n.kind = text
		}
	}
	return n, nil
}
