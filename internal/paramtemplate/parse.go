package paramtemplate

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Parse reads a template. All faults are Usage errors with file, line and column,
// joined.
func Parse(data []byte, o Options) (*Template, error) {
	p := &parser{Options: o, data: data, t: &Template{file: cmp.Or(o.File, "template")}}
	p.Open, p.Close = cmp.Or(p.Open, "{{"), cmp.Or(p.Close, "}}")
	for p.at < len(p.data) {
		i := bytes.Index(p.data[p.at:], []byte(p.Open))
		if i < 0 {
			break
		}
		p.text(p.at + i)
		start := p.at
		p.at += len(p.Open)
		if one, err := p.expression(start); err != nil {
			p.errs = append(p.errs, err)
			p.skip(start)
		} else {
			p.t.pieces = append(p.t.pieces, one)
		}
	}
	p.text(len(p.data))
	return p.t, errors.Join(p.errs...)
}

type parser struct {
	Options
	data []byte
	at   int
	t    *Template
	errs []error
}

func (p *parser) text(end int) {
	if end > p.at {
		p.t.pieces = append(p.t.pieces, piece{text: p.data[p.at:end]})
	}
	p.at = end
}

// skip goes on behind an expression that has a fault.
func (p *parser) skip(start int) {
	p.at = start + len(p.Open)
	if i := bytes.Index(p.data[p.at:], []byte(p.Close)); i >= 0 {
		p.at += i + len(p.Close)
	}
}

// place is the line and the column, in characters, of a byte.
func (p *parser) place(at int) (line, column int) {
	before := p.data[:at]
	last := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte{'\n'}), 1 + utf8.RuneCount(before[last:])
}

func (p *parser) fault(at int, format string, args ...any) *fault.Error {
	line, column := p.place(at)
	return fault.Usagef("%s:%d:%d: %s", p.t.file, line, column, fmt.Sprintf(format, args...))
}

// token is a word, a string in quotes, a | or the end of the expression.
type token struct {
	at   int
	kind byte // w, s, |, e
	text string
}

func (p *parser) next() (token, error) {
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n", p.data[p.at]) >= 0 {
		p.at++
	}
	t := token{at: p.at}
	rest := p.data[p.at:]
	switch {
	case len(rest) == 0:
		return t, p.fault(p.at, "the expression does not end: %s is missing", p.Close)
	case bytes.HasPrefix(rest, []byte(p.Close)):
		p.at += len(p.Close)
		t.kind = 'e'
		return t, nil
	case rest[0] == '|':
		p.at++
		t.kind = '|'
		return t, nil
	case rest[0] == '"':
		return p.quote(t)
	}
	n := 0
	for n < len(rest) && strings.IndexByte(" \t\r\n|\"", rest[n]) < 0 && !bytes.HasPrefix(rest[n:], []byte(p.Close)) {
		n++
	}
	p.at += n
	t.kind, t.text = 'w', string(rest[:n])
	return t, nil
}

// quote reads a string in double quotes, with the escapes of JSON and Go.
func (p *parser) quote(t token) (token, error) {
	for i := p.at + 1; i < len(p.data) && p.data[i] != '\n'; i++ {
		switch p.data[i] {
		case '\\':
			i++
		case '"':
			text, err := strconv.Unquote(string(p.data[p.at : i+1]))
			if err != nil {
				return t, p.fault(p.at, "the string has an escape that is none: there are \\\" \\\\ \\n \\t \\u0000")
			}
			p.at = i + 1
			t.kind, t.text = 's', text
			return t, nil
		}
	}
	return t, p.fault(p.at, "the string does not end on its line")
}

// expression reads what is between the braces; p.at is behind the opening ones.
func (p *parser) expression(start int) (piece, error) {
	var one piece
	one.use.Line, one.use.Column = p.place(start)
	t, err := p.next()
	switch {
	case err != nil:
		return one, err
	case t.kind == 's':
		one.source, one.literal = "text", t.text
		t, err = p.next()
	case t.kind == 'w' && (t.text == "param" || t.text == "secret"):
		one.source = "param"
		t, err = p.argument(&one, t)
	default:
		return one, p.fault(start, "unknown expression").
			WithHint(`there are %[1]s param "NAME" %[2]s and %[1]s secret "NAME" "KEY" %[2]s; braces that are to stay are written %[1]s "%[1]s" %[2]s, or choose others with --delimiters`, p.Open, p.Close)
	}
	for err == nil && t.kind == '|' {
		t, err = p.filter(&one)
	}
	if err == nil && t.kind != 'e' {
		err = p.fault(t.at, "%s or | is expected here", p.Close)
	}
	return one, err
}

// argument reads what stands behind param and secret.
func (p *parser) argument(one *piece, word token) (token, error) {
	name, err := p.next()
	switch {
	case err != nil:
		return name, err
	case name.kind != 's' || name.text == "":
		return name, p.fault(name.at, `%s takes a name in double quotes: %s "NAME"`, word.text, word.text)
	}
	switch one.use.Name = name.text; {
	case word.text == "secret":
		one.use.Name = references + name.text
	case !strings.HasPrefix(name.text, "/") && !strings.HasPrefix(name.text, "arn:") && p.Path != "":
		one.use.Name = strings.TrimSuffix(p.Path, "/") + "/" + name.text
	}
	t, err := p.next()
	if err == nil && t.kind == 's' {
		if one.use.Key = t.text; t.text == "" {
			return t, p.fault(t.at, "the key is empty")
		}
		t, err = p.next()
	}
	return t, err
}

// filter reads one filter behind a |.
func (p *parser) filter(one *piece) (token, error) {
	t, err := p.next()
	if err != nil {
		return t, err
	}
	known := []string{"json", "yaml", "shell", "base64", "indent", "default"}
	if t.kind != 'w' || !slices.Contains(known, t.text) {
		return t, p.fault(t.at, "unknown filter %q", t.text).WithHint("there are %s", strings.Join(known, ", "))
	}
	f := filter{name: t.text}
	switch t.text {
	case "default":
		text, err := p.next()
		switch {
		case err != nil:
			return text, err
		case text.kind != 's':
			return text, p.fault(text.at, `default takes a string: default "X"`)
		case one.source != "param" || one.instead != nil || len(one.filters) > 0:
			return text, p.fault(t.at, "default stands once, directly behind param or secret")
		}
		one.instead, one.use.Optional = &text.text, true
		return p.next()
	case "indent":
		count, err := p.next()
		if err != nil {
			return count, err
		}
		f.spaces, err = strconv.Atoi(count.text)
		if count.kind != 'w' || err != nil || f.spaces < 0 || f.spaces > 100 {
			return count, p.fault(count.at, "indent takes a number of spaces: indent 4")
		}
	}
	one.filters = append(one.filters, f)
	return p.next()
}
