package lint

import (
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// kind is the kind of a value in a document.
type kind int

const (
	null kind = iota
	boolean
	number
	text
	list
	mapping
)

func (k kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "text", "a list", "a mapping"}[k]
}

// node is a value of a document, JSON or YAML, with its place.
type node struct {
	kind    kind
	text    string // of scalars
	line    int    // counted from 1
	col     int    // in characters, counted from 1
	quoted  bool   // the text begins after a quote
	block   bool   // a YAML block scalar: the text begins on the next line
	items   []*node
	members []member
}

// member is one key of a mapping with its value.
type member struct{ key, value *node }

// get returns the value of a key, nil when there is none or n is no mapping.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, m := range n.members {
		if m.key.text == key {
			return m.value
		}
	}
	return nil
}

// at returns the place of the byte at offset of n's text, as near as the style of
// the scalar lets it be known.
func (n *node) at(offset int) (line, col int) {
	before := n.text[:offset]
	switch lines := strings.Count(before, "\n"); {
	case n.block:
		return n.line + 1 + lines, 0
	case lines > 0:
		return n.line, n.col
	case n.quoted:
		return n.line, n.col + 1 + utf8.RuneCountInString(before)
	default:
		return n.line, n.col + utf8.RuneCountInString(before)
	}
}

// string returns the text of a scalar, "" for all else.
func (n *node) string() string {
	if n == nil || n.kind == list || n.kind == mapping || n.kind == null {
		return ""
	}
	return n.text
}

func (n *node) is(k kind) bool { return n != nil && n.kind == k }

// truth reads a boolean, which documents also write as text.
func (n *node) truth() bool {
	b, err := strconv.ParseBool(strings.ToLower(n.string()))
	return err == nil && b
}

// scalars yields all scalars at and under n with their paths.
func (n *node) scalars(path string) iter.Seq2[string, *node] {
	return func(yield func(string, *node) bool) { n.walk(path, yield) }
}

func (n *node) walk(path string, yield func(string, *node) bool) bool {
	if n == nil {
		return true
	}
	switch n.kind {
	case list:
		for i, item := range n.items {
			if !item.walk(path+"["+strconv.Itoa(i)+"]", yield) {
				return false
			}
		}
		return true
	case mapping:
		for _, m := range n.members {
			if !m.value.walk(join(path, m.key.text), yield) {
				return false
			}
		}
		return true
	default:
		return yield(path, n)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// SyntaxError says where a text stops being JSON or YAML.
type SyntaxError struct {
	Line, Column int // Column is 0 where it is not known
	Message      string
}

func (e *SyntaxError) Error() string {
	at := "line " + strconv.Itoa(e.Line)
	if e.Column > 0 {
		at += ", column " + strconv.Itoa(e.Column)
	}
	return at + ": " + e.Message
}

// near returns a question that names the nearest of the legal words, or "".
func near(word string, legal []string) string {
	if n := fault.Nearest(word, legal); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}
