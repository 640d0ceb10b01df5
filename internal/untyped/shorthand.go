package untyped

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The AWS CLI's shorthand for structures and lists of them:
//
//	shorthand = pair *("," pair)
//	pair      = key "=" [values] / key "@=" file
//	values    = value *("," value)          more than one is a list
//	          / "[" [item *("," item)] "]"  item: value, [list] or {object}
//	          / "{" [pair *("," pair)] "}"
//	value     = *char / "'" *char "'" / DQUOTE *char DQUOTE
//	key       = 1*(letter / digit / - _ . # / : @)
//
// A comma that is followed by key and "=" begins the next pair; behind a comma a
// value with "=" in it must be quoted. A value ends at "," and, inside brackets, at
// "]" or "}". A backslash before a comma makes it part of the value; any other
// backslash is one, as scripts are full of them. Inside quotes it stands before the
// quote or a backslash. A file is file://path, fileb://path or a plain path.

// Shorthand returns the tree of a shorthand text.
func Shorthand(text string, files Reader) (Object, error) {
	p := &shorthand{text: text, files: files}
	o, err := p.pairs("", 0)
	if err == nil && p.pos < len(p.text) {
		err = p.wants("the end")
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

type shorthand struct {
	text  string
	pos   int
	files Reader
}

// wants is the error that something else stands here.
func (p *shorthand) wants(what string) error {
	return fmt.Errorf("character %d: %s is missing", p.column(), what)
}

// column counts the characters up to here.
func (p *shorthand) column() int { return utf8.RuneCountInString(p.text[:p.pos]) + 1 }

// peek returns the next byte, 0 at the end.
func (p *shorthand) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *shorthand) eat(c byte) bool {
	if p.peek() == c && c != 0 {
		p.pos++
		return true
	}
	return false
}

func (p *shorthand) space() {
	for p.peek() == ' ' || p.peek() == '\n' || p.peek() == '\r' || p.peek() == '\t' {
		p.pos++
	}
}

// pairs reads pairs until the end or, inside braces, until end.
func (p *shorthand) pairs(end string, depth int) (Object, error) {
	if depth > deepest {
		return nil, errors.New("nested too deeply")
	}
	var o Object
	for {
		p.space()
		key := p.key()
		if key == "" {
			return nil, p.wants("a key")
		}
		isFile := strings.HasSuffix(key, "@") && p.peek() == '='
		if isFile {
			key = strings.TrimSuffix(key, "@")
		}
		p.space()
		if !p.eat('=') {
			return nil, p.wants("= behind " + key)
		}
		v, err := p.values(end, depth)
		if err == nil && isFile {
			v, err = p.fromFile(key, v)
		}
		if err != nil {
			return nil, err
		}
		o = append(o, Member{Key: key, Value: v})
		p.space()
		if p.pos == len(p.text) || end != "" && strings.IndexByte(end, p.peek()) >= 0 {
			return o, nil
		}
		if !p.eat(',') {
			return nil, p.wants("a comma")
		}
	}
}

// fromFile returns what a file holds instead of its name.
func (p *shorthand) fromFile(key string, v any) (any, error) {
	name, ok := v.(Word)
	if !ok {
		return nil, fmt.Errorf("%s@= takes one file", key)
	}
	path := string(name)
	if !isFileURL(path) {
		path = "file://" + path
	}
	text, err := Content(path, p.files)
	return Word(text), err
}

func isKeyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("-_.#/:@", c) >= 0
}

func (p *shorthand) key() string {
	start := p.pos
	for p.pos < len(p.text) && isKeyByte(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// nextIsPair reports whether key and "=" stand at the position.
func (p *shorthand) nextIsPair() bool {
	q := *p
	q.space()
	if q.key() == "" {
		return false
	}
	q.space()
	return q.peek() == '='
}

// values reads what stands behind "=".
func (p *shorthand) values(end string, depth int) (any, error) {
	p.space()
	switch p.peek() {
	case '[':
		return p.list(depth + 1)
	case '{':
		return p.braces(depth + 1)
	}
	first, err := p.value(end)
	if err != nil {
		return nil, err
	}
	list, isList := []any{first}, false
	for p.peek() == ',' {
		before := p.pos
		p.pos++
		if p.nextIsPair() {
			p.pos = before
			break
		}
		p.space()
		if p.pos == len(p.text) || end != "" && strings.IndexByte(end, p.peek()) >= 0 { // "a," is a list of one
			isList = true
			break
		}
		start := p.pos
		v, err := p.value(end)
		if err != nil {
			return nil, err
		}
		if w, ok := v.(Word); ok && strings.Contains(string(w), "=") { // more likely a key that is none
			p.pos = start
			return nil, fmt.Errorf("character %d: a value with = needs quotes", p.column())
		}
		list = append(list, v)
	}
	if len(list) == 1 && !isList {
		return first, nil
	}
	return list, nil
}

func (p *shorthand) list(depth int) (any, error) {
	if depth > deepest {
		return nil, errors.New("nested too deeply")
	}
	p.pos++
	list := []any{}
	for {
		p.space()
		if p.eat(']') {
			return list, nil
		}
		var v any
		var err error
		switch p.peek() {
		case '[':
			v, err = p.list(depth + 1)
		case '{':
			v, err = p.braces(depth + 1)
		default:
			v, err = p.value("]")
		}
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.space()
		if !p.eat(',') && p.peek() != ']' {
			return nil, p.wants("]")
		}
	}
}

func (p *shorthand) braces(depth int) (any, error) {
	p.pos++
	p.space()
	if p.eat('}') {
		return Object{}, nil
	}
	o, err := p.pairs("}", depth)
	if err != nil {
		return nil, err
	}
	if !p.eat('}') {
		return nil, p.wants("}")
	}
	return o, nil
}

// value reads one value; end are the bytes beside the comma that end it.
func (p *shorthand) value(end string) (any, error) {
	if q := p.peek(); q == '\'' || q == '"' {
		return p.quoted(q)
	}
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if strings.HasPrefix(p.text[p.pos:], `\,`) {
			p.pos++
			c = ','
		} else if c == ',' || strings.IndexByte(end, c) >= 0 {
			break
		}
		b.WriteByte(c)
		p.pos++
	}
	return Word(strings.TrimRight(b.String(), " \t\r\n")), nil
}

func (p *shorthand) quoted(quote byte) (any, error) {
	p.pos++
	var b strings.Builder
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		p.pos++
		switch {
		case c == quote:
			return b.String(), nil
		case c == '\\' && (p.peek() == quote || p.peek() == '\\'):
			c = p.peek()
			p.pos++
		}
		b.WriteByte(c)
	}
	return nil, p.wants("the closing " + string(quote))
}
