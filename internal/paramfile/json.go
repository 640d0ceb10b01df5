package paramfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// writeJSONString writes a text as JSON. Other characters than JSON demands are escaped
// where an editor, a terminal or JavaScript would stumble over them.
func writeJSONString(b printer, s string) {
	b.char('"')
	for _, r := range s {
		switch {
		case writeEscape(b, r):
		case invisible(r) && r < 0x10000:
			b.printf(`\u%04x`, r)
		default:
			b.char(r)
		}
	}
	b.char('"')
}

// writeEscape writes a character that JSON, YAML and HCL escape in the same way, and
// reports whether it is one.
func writeEscape(b printer, r rune) bool {
	switch r {
	case '"', '\\':
		b.char('\\')
		b.char(r)
	case '\n':
		b.str(`\n`)
	case '\r':
		b.str(`\r`)
	case '\t':
		b.str(`\t`)
	default:
		return false
	}
	return true
}

// invisible are control characters, ends of lines that only some know, and marks that
// change the order of text or cannot be seen.
func invisible(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0, r == 0xfeff, r == 0xad, r >= 0xfff0 && r < 0xfffd, r == 0xfffe, r == 0xffff:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	}
	return false
}

// detail is a field of a parameter in a file, in the order of the file.
type detail struct {
	key  string
	text string
	list []string
	tags map[string]string
}

func detailsOf(p *parameter.Parameter) (out []detail) {
	add := func(key, text string) {
		if text != "" {
			out = append(out, detail{key: key, text: text})
		}
	}
	add("type", p.Type)
	out = append(out, detail{key: "value", text: p.Value})
	add("tier", p.Tier)
	add("key_id", p.KeyID)
	add("data_type", p.DataType)
	add("description", p.Description)
	add("allowed_pattern", p.AllowedPattern)
	if len(p.Policies) > 0 {
		out = append(out, detail{key: "policies", list: policyTexts(p)})
	}
	if len(p.Tags) > 0 {
		out = append(out, detail{key: "tags", tags: p.Tags})
	}
	return out
}

func policyTexts(p *parameter.Parameter) []string {
	texts := make([]string, len(p.Policies))
	for i, rule := range p.Policies {
		texts[i] = rule.Text
	}
	return texts
}

func encodeJSON(b printer, list []item, o Options) error {
	b.str("{")
	for i, it := range list {
		if i > 0 {
			b.str(",")
		}
		b.str("\n  ")
		writeJSONString(b, it.name)
		b.str(": ")
		if o.Plain {
			writeJSONString(b, it.Value)
			continue
		}
		b.str("{")
		for j, f := range detailsOf(it.Parameter) {
			if j > 0 {
				b.str(",")
			}
			b.str("\n    ")
			writeJSONString(b, f.key)
			b.str(": ")
			switch {
			case f.list != nil:
				writeJSONList(b, f.list)
			case f.tags != nil:
				writeJSONMap(b, f.tags)
			default:
				writeJSONString(b, f.text)
			}
		}
		b.str("\n  }")
	}
	if len(list) > 0 {
		b.str("\n")
	}
	b.str("}\n")
	return nil
}

func writeJSONList(b printer, list []string) {
	b.char('[')
	for i, s := range list {
		if i > 0 {
			b.str(", ")
		}
		writeJSONString(b, s)
	}
	b.char(']')
}

func writeJSONMap(b printer, m map[string]string) {
	b.char('{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.str(", ")
		}
		writeJSONString(b, k)
		b.str(": ")
		writeJSONString(b, m[k])
	}
	b.char('}')
}

func decodeJSON(d *decoder, data []byte) {
	if n := d.readJSON(data); n != nil {
		d.tree(n)
	}
}

// readJSON reads one JSON value with the lines; nil after a fault, and when there is
// nothing.
func (d *decoder) readJSON(data []byte) *node {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if at := loneSurrogate(data); at >= 0 {
		d.fail(lineAt(data, at), "a \\u escape is half of a character")
		return nil
	}
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(data)), data: data, line: 1}
	r.dec.UseNumber()
	n, err := r.next(0)
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after the end of the JSON value")
		}
	}
	if err == nil {
		return n
	}
	at := int(r.dec.InputOffset())
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at = max(0, int(syntax.Offset)-1)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		at, err = len(data), errors.New("the file ends in the middle of a value")
	}
	d.fail(lineAt(data, min(at, len(data))), "this is not JSON: %s", err)
	return nil
}

type jsonReader struct {
	dec  *json.Decoder
	data []byte
	at   int // up to where lines are counted
	line int
}

// here is the line that the reader has come to.
func (r *jsonReader) here() int {
	end := min(int(r.dec.InputOffset()), len(r.data))
	r.line += bytes.Count(r.data[r.at:end], []byte("\n"))
	r.at = end
	return r.line
}

func (r *jsonReader) next(depth int) (*node, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{line: r.here()}
	if depth > deepest {
		return nil, errors.New("nested too deeply")
	}
	switch t := tok.(type) {
	case json.Delim:
		n.kind = object
		if t == '[' {
			n.kind = list
		}
		for r.dec.More() {
			if n.kind == list {
				v, err := r.next(depth + 1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, v)
				continue
			}
			key, err := r.dec.Token()
			if err != nil {
				return nil, err
			}
			m := member{line: r.here()}
			m.key, _ = key.(string)
			if m.value, err = r.next(depth + 1); err != nil {
				return nil, err
			}
			n.members = append(n.members, m)
		}
		_, err := r.dec.Token()
		return n, err
	case string:
		n.kind, n.text = scalar, t
	case json.Number:
		n.kind, n.text = scalar, t.String()
	case bool:
		n.kind, n.text = scalar, strconv.FormatBool(t)
	}
	return n, nil
}

// loneSurrogate finds an escape that is half of a character: the JSON reader puts
// something else in its place without a word. -1 when there is none.
func loneSurrogate(data []byte) int {
	unit := func(i int) (rune, bool) {
		if i+6 > len(data) || data[i] != '\\' || data[i+1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(data[i+2:i+6]), 16, 16)
		return rune(v), err == nil
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		first, ok := unit(i)
		switch {
		case !ok, first < 0xd800, first > 0xdfff:
			i++
		default:
			second, ok := unit(i + 6)
			if first > 0xdbff || !ok || second < 0xdc00 || second > 0xdfff {
				return i
			}
			i += 11
		}
	}
	return -1
}
