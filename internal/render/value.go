package render

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// JSON prints an answer whose shape is not known beforehand, as the service
// gave it: data is one JSON value. Fields keep their order and numbers their
// digits. --query is applied. In table and text, an object is a list of keys
// and values, a list of objects a table of their fields, a list of lists a
// table without header, and a list of scalars one per line; what is nested
// deeper is compact JSON. --sort-by and --columns are for lists with columns of
// their own, and ignored here.
func JSON(w io.Writer, o Options, data []byte) error {
	q, err := compileQuery(o.Query)
	if err != nil {
		return err
	}
	if q != nil {
		v, err := q.apply(json.RawMessage(data))
		if err != nil {
			return err
		}
		return writeValue(w, o, v)
	}
	v, err := decodeTree(data)
	if err != nil {
		return err
	}
	return writeValue(w, o, v)
}

// writeValue prints a tree.
func writeValue(w io.Writer, o Options, v any) error {
	out := out{w: w}
	if o.Format == FormatName { // a query that picks the ids
		o.Format, o.Width = FormatText, 0
	}
	switch o.effective() {
	case FormatJSON:
		if err := encodeJSON(&out.buf, v, true); err != nil {
			return err
		}
		out.buf.WriteByte('\n')
		return out.flushJSON()
	case FormatJSONL:
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			if err := encodeJSON(&out.buf, e, false); err != nil {
				return err
			}
			out.buf.WriteByte('\n')
		}
		return out.flushJSON()
	case FormatYAML:
		data, err := dumpYAML(yamlNode(v))
		if err != nil {
			return err
		}
		out.buf.Write(data)
		return out.flush()
	}
	switch v := v.(type) {
	case []any:
		return writeList(w, o, v)
	case *object:
		d := detailOf(v)
		return d.write(w, o)
	case nil:
		return nil
	default:
		// One text alone may be a whole file: its line breaks stay, so that
		// `--query content -o text > file` does what it says.
		out.buf.WriteString(visible(scalarText(v), keepBreaks))
		out.buf.WriteByte('\n')
		return out.flush()
	}
}

// detailOf returns an object as keys and values.
func detailOf(v *object) *Detail {
	d := &Detail{exact: true}
	for _, k := range v.keys {
		d.Field(k, scalarText(v.values[k]))
	}
	return d
}

// writeList prints a list as rows: of fields, when all elements are objects; of
// positions, when all are lists; of single values otherwise.
func writeList(w io.Writer, o Options, list []any) error {
	objects, lists := true, true
	for _, e := range list {
		_, isObject := e.(*object)
		_, isList := e.([]any)
		objects, lists = objects && isObject, lists && isList
	}
	var cols []Column[any]
	switch {
	case len(list) == 0:
	case objects:
		cols = fieldColumns(list)
	case lists:
		cols = positionColumns(list)
		o.NoHeaders = true
	default:
		cols = []Column[any]{{Name: "value", Text: scalarText}}
		o.NoHeaders = true
	}
	o.Query, o.SortBy, o.Columns, o.Limit, o.Notes = "", "", nil, 0, nil
	if len(cols) == 0 {
		return nil
	}
	return Table[any]{Columns: cols}.Write(w, o, func(yield func(any, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	})
}

// fieldColumns returns a column for each field that any of the objects has. The
// keys of csv are the fields' own names.
func fieldColumns(list []any) []Column[any] {
	var keys []string
	for _, e := range list {
		for _, k := range e.(*object).keys {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	cols := make([]Column[any], len(keys))
	for i, k := range keys {
		cols[i] = Column[any]{
			Name:  strings.ToUpper(Visible(k)),
			exact: k,
			Text:  func(v any) string { return scalarText(v.(*object).values[k]) },
			Right: allNumbers(list, k),
		}
	}
	return cols
}

func allNumbers(list []any, key string) bool {
	for _, e := range list {
		switch e.(*object).values[key].(type) {
		case json.Number, float64, nil:
		default:
			return false
		}
	}
	return true
}

func positionColumns(list []any) []Column[any] {
	n := 0
	for _, e := range list {
		n = max(n, len(e.([]any)))
	}
	cols := make([]Column[any], n)
	for i := range cols {
		cols[i] = Column[any]{Text: func(v any) string {
			if l := v.([]any); i < len(l) {
				return scalarText(l[i])
			}
			return ""
		}}
	}
	return cols
}
