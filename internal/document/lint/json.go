package lint

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep values may nest; no document comes near it.
const maxDepth = 200

// jsonReader builds a tree from JSON. encoding/json tells no places.
type jsonReader struct {
	src       string
	at        int
	line      int
	lineStart int
}

func readJSON(src string) (*node, error) {
	r := &jsonReader{src: src, line: 1}
	n, err := r.value(0)
	if err != nil {
		return nil, err
	}
	r.space()
	if r.at < len(r.src) {
		return nil, r.fail("something follows the end of the document")
	}
	return n, nil
}

func (r *jsonReader) fail(message string) error {
	return &SyntaxError{Line: r.line, Column: r.column(), Message: message}
}

func (r *jsonReader) column() int { return utf8.RuneCountInString(r.src[r.lineStart:r.at]) + 1 }

func (r *jsonReader) space() {
	for r.at < len(r.src) {
		switch r.src[r.at] {
		case '\n':
			r.at++
			r.line, r.lineStart = r.line+1, r.at
		case ' ', '\t', '\r':
			r.at++
		default:
			return
		}
	}
}

func (r *jsonReader) value(depth int) (*node, error) {
	r.space()
	if depth > maxDepth {
		return nil, r.fail("values nest too deep")
	}
	if r.at == len(r.src) {
		return nil, r.fail("the document ends too early")
	}
	n := &node{line: r.line, col: r.column()}
	switch c := r.src[r.at]; {
	case c == '{':
		return n, r.object(n, depth)
	case c == '[':
		return n, r.array(n, depth)
	case c == '"':
		s, err := r.str()
		n.kind, n.text, n.quoted = text, s, true
		return n, err
	default:
		return n, r.word(n)
	}
}

// word reads true, false, null or a number.
func (r *jsonReader) word(n *node) error {
	end := r.at
	for end < len(r.src) && !strings.ContainsRune(" \t\r\n,:]}{[\"", rune(r.src[end])) {
		end++
	}
	w := r.src[r.at:end]
	switch {
	case w == "true" || w == "false":
		n.kind = boolean
	case w == "null":
		n.kind = null
	case json.Valid([]byte(w)):
		n.kind = number
	case w == "":
		return r.fail("a value is missing")
	default:
		return r.fail("this is not JSON: text needs double quotes")
	}
	n.text = w
	r.at = end
	return nil
}

func (r *jsonReader) str() (string, error) {
	for end := r.at + 1; end < len(r.src); end++ {
		switch c := r.src[end]; {
		case c == '\\':
			end++
		case c == '"':
			var s string
			if json.Unmarshal([]byte(r.src[r.at:end+1]), &s) != nil {
				return "", r.fail("this text has an escape that JSON does not know")
			}
			r.at = end + 1
			return s, nil
		case c == '\n':
			return "", r.fail("this text has no closing quote on its line; write line breaks as \\n")
		case c < ' ':
			return "", r.fail("this text holds a control character; write a tab as \\t")
		}
	}
	return "", r.fail("this text has no closing quote")
}

func (r *jsonReader) array(n *node, depth int) error {
	n.kind = list
	r.at++
	if r.space(); r.peek() == ']' {
		r.at++
		return nil
	}
	for {
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
		switch r.space(); r.peek() {
		case ',':
			r.at++
			if r.space(); r.peek() == ']' {
				return r.fail("JSON allows no comma before ]")
			}
		case ']':
			r.at++
			return nil
		default:
			return r.fail("expected , or ]")
		}
	}
}

func (r *jsonReader) object(n *node, depth int) error {
	n.kind = mapping
	r.at++
	if r.space(); r.peek() == '}' {
		r.at++
		return nil
	}
	for {
		if r.space(); r.peek() != '"' {
			return r.fail("expected a key in double quotes")
		}
		key := &node{kind: text, line: r.line, col: r.column()}
		var err error
		if key.text, err = r.str(); err != nil {
			return err
		}
		if r.space(); r.peek() != ':' {
			return r.fail("expected : after the key")
		}
		r.at++
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.members = append(n.members, member{key, value})
		switch r.space(); r.peek() {
		case ',':
			r.at++
			if r.space(); r.peek() == '}' {
				return r.fail("JSON allows no comma before }")
			}
		case '}':
			r.at++
			return nil
		default:
			return r.fail("expected , or }")
		}
	}
}

// peek returns the next byte, 0 at the end.
func (r *jsonReader) peek() byte {
	if r.at == len(r.src) {
		return 0
	}
	return r.src[r.at]
}
