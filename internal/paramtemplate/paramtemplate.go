// Package paramtemplate is the small language of files that values of parameters are
// put into:
//
//	url = {{ param "/app/prod/db-url" }}
//	password = {{ secret "db" "password" | shell }}
//	level = {{ param "log-level" | default "info" }}
//
// Everything outside the braces stays byte for byte, and so do values. There are no
// conditions, loops or variables.
package paramtemplate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// references is what the names of secrets of Secrets Manager begin with, as parameters.
const references = "/aws/reference/secretsmanager/"

// Options say how a template is read.
type Options struct {
	File string // for messages
	Path string // what relative names are below: "/app/prod"
	// Open and Close are what encloses expressions; empty: {{ and }}.
	Open, Close string
}

// Use is one place where a value is put in.
type Use struct {
	Name         string `json:"name"`          // of the parameter, with a selector where it was written
	Key          string `json:"key,omitempty"` // of a JSON object that the value is
	Line, Column int
	// Optional is set where there is a default.
	Optional bool
}

// Template is one that was parsed.
type Template struct {
	file   string
	pieces []piece
}

// piece is a text that stays, or an expression.
type piece struct {
	text    []byte // when source is ""
	use     Use
	literal string
	source  string // "param", "text"
	instead *string
	filters []filter
}

type filter struct {
	name   string
	spaces int
}

// Uses are the places where values are put in, in order.
func (t *Template) Uses() (out []Use) {
	for _, p := range t.pieces {
		if p.source == "param" {
			out = append(out, p.use)
		}
	}
	return out
}

// At says where something is in the file.
func (t *Template) At(u Use) string { return fmt.Sprintf("%s:%d:%d", t.file, u.Line, u.Column) }

// Render returns the text with values in it. What is missing, or has not the key that
// is asked for, is an error each, joined, of kind NotFound; they hold no value.
func (t *Template) Render(value func(name string) (string, bool)) ([]byte, error) {
	var (
		b    bytes.Buffer
		errs []error
	)
	for _, p := range t.pieces {
		if p.source == "" {
			b.Write(p.text)
			continue
		}
		text := p.literal
		if p.source == "param" {
			var err error
			if text, err = p.value(value); err != nil {
				errs = append(errs, fault.New(fault.NotFound, t.At(p.use), "%w", err))
				continue
			}
		}
		for _, f := range p.filters {
			text = f.apply(text)
		}
		b.WriteString(text)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return b.Bytes(), nil
}

func (p piece) value(value func(string) (string, bool)) (string, error) {
	text, ok := value(p.use.Name)
	switch {
	case !ok && p.instead != nil:
		return *p.instead, nil
	case !ok:
		return "", errors.New(Missing(p.use.Name))
	case p.use.Key == "":
		return text, nil
	}
	text, found, err := Field(text, p.use.Key)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", p.use.Name, err)
	case !found && p.instead != nil:
		return *p.instead, nil
	case !found:
		return "", fmt.Errorf("%s has no key %q", p.use.Name, p.use.Key)
	}
	return text, nil
}

// Missing says that there is nothing of a name.
func Missing(name string) string {
	if secret, ok := strings.CutPrefix(name, references); ok {
		return "there is no secret " + secret + " in Secrets Manager"
	}
	return "there is no parameter " + name
}

// Field is the value of one key of a JSON object: the text of a string, and what else
// it is as it was written. Errors do not hold the value.
func Field(object, key string) (text string, found bool, err error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(object), &fields) != nil || fields == nil {
		return "", false, fmt.Errorf("the value is no JSON object, so that it has no key %q", key)
	}
	raw, ok := fields[key]
	if !ok {
		return "", false, nil
	}
	if json.Unmarshal(raw, &text) == nil && string(raw) != "null" {
		return text, true, nil
	}
	return string(raw), true, nil
}

// Filters are what a value can be passed through, and what each does.
func Filters() [][2]string {
	return [][2]string{
		{"json", "a string of JSON, with its quotes"},
		{"yaml", "a quoted string of YAML"},
		{"shell", "one word of a POSIX shell"},
		{"base64", "base64, on one line"},
		{"indent N", "N spaces before each line but the first"},
		{`default "X"`, "X where there is no such parameter; stands first"},
	}
}

func (f filter) apply(text string) string {
	switch f.name {
	case "json", "yaml":
		return quoted(text)
	case "shell":
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", f.spaces)) // indent
}

// quoted is a string of JSON that is one of YAML, too: YAML takes fewer characters as
// they are (YAML 1.2.2, 5.1).
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
