package render

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Detail is everything about one thing: keys and values under headings. On a
// terminal the values are aligned and empty ones left out; in a pipe and in
// text each value is a line of key, tab, value, always all of them, the keys in
// lower case with dashes and after the heading's ("agent.version"); csv has one
// record of them.
type Detail struct {
	items []detailItem
	id    string
	exact bool // keys come from data: leave them as they are
}

type detailItem struct {
	heading     string // set on headings only
	key         string
	text, human string
	block       bool
}

// ID sets what -o name prints.
func (d *Detail) ID(id string) { d.id = id }

// Field adds a value that reads the same for people and machines.
func (d *Detail) Field(key, text string) { d.Human(key, text, "") }

// Human adds a value with a form for people: a relative time, a glyph and a
// word. What came from elsewhere must have passed through Visible in human. An
// empty human is as text.
func (d *Detail) Human(key, text, human string) {
	d.items = append(d.items, detailItem{key: key, text: text, human: human})
}

// Block adds a text of several lines, shown indented under its key.
func (d *Detail) Block(key, text string) {
	d.items = append(d.items, detailItem{key: key, text: text, block: true})
}

// Section starts a part with a heading.
func (d *Detail) Section(heading string) {
	d.items = append(d.items, detailItem{heading: heading})
}

// Object prints one thing. json, jsonl, yaml and --query print v by its JSON
// form; the other formats print what view adds to the Detail, for which view is
// called only then.
func Object(w io.Writer, o Options, v any, view func(d *Detail)) error {
	q, err := compileQuery(o.Query)
	if err != nil {
		return err
	}
	if q != nil {
		result, err := q.apply(v)
		if err != nil {
			return err
		}
		return writeValue(w, o, result)
	}
	switch o.effective() {
	case FormatJSON, FormatJSONL, FormatYAML:
		tree, err := treeOf(v)
		if err != nil {
			return err
		}
		if _, isList := tree.([]any); isList && o.Format == FormatJSONL {
			tree = []any{tree} // one thing is one line
		}
		return writeValue(w, o, tree)
	}
	var d Detail
	view(&d)
	return d.write(w, o)
}

func (d *Detail) write(w io.Writer, o Options) error {
	out := out{w: w}
	switch f := o.effective(); f {
	case FormatTable, FormatWide:
		d.people(&out, o)
	case FormatText:
		for _, f := range d.fields() {
			out.buf.WriteString(Visible(f.key) + "\t" + Visible(f.text) + "\n")
		}
	case FormatCSV:
		d.csv(&out, o)
	case FormatName:
		if d.id == "" {
			return fault.Usagef("-o name: this has no name")
		}
		out.buf.WriteString(Visible(d.id) + "\n")
	case FormatJUnit, FormatHTML, FormatMarkdown:
		return fault.Usagef("%s", special[f])
	default:
		_, err := ParseFormat(string(f))
		return err
	}
	return out.flush()
}

// fields returns the values with the keys machines see.
func (d *Detail) fields() []detailItem {
	var fields []detailItem
	prefix := ""
	for _, it := range d.items {
		if it.heading != "" {
			prefix = key(it.heading) + "."
			continue
		}
		if !d.exact {
			it.key = prefix + key(it.key)
		}
		fields = append(fields, it)
	}
	return fields
}

func (d *Detail) csv(out *out, o Options) {
	cw := csv.NewWriter(&out.buf)
	var keys, values []string
	for _, f := range d.fields() {
		keys = append(keys, visible(f.key, keepBreaks))
		values = append(values, visible(f.text, keepBreaks))
	}
	// Writing to the buffer cannot fail.
	if !o.NoHeaders {
		_ = cw.Write(keys)
	}
	_ = cw.Write(values)
	cw.Flush()
}

// people writes the view for a terminal. Values are never cut: this is where
// one looks for the whole of them.
func (d *Detail) people(out *out, o Options) {
	st, color := o.styles(), o.color()
	paint := func(render func(...string) string, s string) string {
		if !color {
			return s
		}
		return render(s)
	}
	width := 0
	for _, it := range d.items {
		if it.heading == "" && !it.block && it.text+it.human != "" {
			width = max(width, Width(Visible(it.key)))
		}
	}
	for _, it := range d.items {
		switch {
		case it.heading != "":
			if out.buf.Len() > 0 {
				out.buf.WriteByte('\n')
			}
			out.buf.WriteString(paint(st.Title.Render, Visible(it.heading)) + "\n")
		case it.text+it.human == "":
		case it.block:
			out.buf.WriteString(paint(st.Key.Render, Visible(it.key)) + "\n")
			for line := range strings.Lines(it.text) {
				out.buf.WriteString("  " + visible(strings.TrimRight(line, "\r\n"), "\t") + "\n")
			}
		default:
			value := Visible(it.text)
			if it.human != "" {
				value = styled(it.human, color)
			}
			out.buf.WriteString(paint(st.Key.Render, padRight(Visible(it.key), width)) + gap + value + "\n")
		}
	}
}
