package render

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Column is one column of a list of T.
type Column[T any] struct {
	// Name is the header, in capitals: "NODE ID". Its key, for --columns,
	// --sort-by and the header of csv, is the same in lower case with dashes.
	Name string
	// Wide columns are shown in wide and csv, and when asked for.
	Wide bool
	// Asked columns are shown when asked for only.
	Asked bool
	// ID marks ids, paths and ARNs, which are cut in the middle, and only after
	// all other columns. Right marks numbers.
	ID, Right bool
	// Text is the exact and complete value, for pipes, text and csv.
	Text func(T) string
	// Human, where given, is the value for people: relative times, a glyph and a
	// word, colour from the theme. What came from elsewhere must pass through
	// Visible.
	Human func(T) string
	// Less orders rows for --sort-by; where not given, NaturalCompare of Text
	// does.
	Less func(a, b T) bool

	exact string // key of a column made from data; else that of Name
}

func (c *Column[T]) key() string {
	if c.exact != "" {
		return c.exact
	}
	return key(c.Name)
}

func key(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// Table describes how a list of T is printed. It has no state and may be used
// by several goroutines.
type Table[T any] struct {
	Columns []Column[T]
	ID      func(T) string // what -o name prints; nil: there are no names
	Empty   string         // said on Options.Notes when there are no rows: "no nodes found"
}

// Keys returns the keys of the columns, for completion of --columns and
// --sort-by.
func (t Table[T]) Keys() []string {
	keys := make([]string, len(t.Columns))
	for i := range t.Columns {
		keys[i] = t.Columns[i].key()
	}
	return keys
}

// Write prints rows as they arrive; a table waits for the first 200 to size its
// columns, and a query or --sort-by for all. The limit is applied after sorting
// and before the query.
//
// An error among the rows does not end the list: the other rows are printed,
// the output is kept well-formed, and the error is returned (several, joined).
// When no row came but an error did, nothing is printed, lest a failure look
// like an empty list. Options that cannot be followed are a Usage error, found
// before the first row is asked for. A failed write ends the list; see
// IsBrokenPipe.
func (t Table[T]) Write(w io.Writer, o Options, rows iter.Seq2[T, error]) error {
	return table{t.Any()}.write(w, o, Rows(rows))
}

// Any returns the table for rows of which the type is forgotten. What works on many
// tables takes it, so that it is compiled once, not for each type.
func (t Table[T]) Any() Table[any] {
	return Wrap(t, func(v any) T { row, _ := v.(T); return row })
}

// Rows forgets the type of rows, for a Table's Any.
func Rows[T any](rows iter.Seq2[T, error]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
		}
	}
}

// Check returns the Usage error that Write would, without writing. Commands that
// change something call it before they do.
func (t Table[T]) Check(o Options) error {
	o.Notes = nil // of a list without rows
	return t.Write(io.Discard, o, func(func(T, error) bool) {})
}

// table is a list of which the type of the rows is forgotten.
type table struct{ Table[any] }

func (t table) write(w io.Writer, o Options, rows iter.Seq2[any, error]) error {
	q, err := compileQuery(o.Query)
	if err != nil {
		return err
	}
	s, err := t.sink(w, o, q != nil)
	if err != nil {
		return err
	}
	if q != nil {
		s = &querySink{w: w, o: o, q: q}
	}
	if o.SortBy != "" {
		compare, err := t.order(o.SortBy)
		if err != nil {
			return err
		}
		rows = sorted(rows, compare)
	}
	return t.drain(o, s, rows)
}

// drain feeds the rows to the sink.
func (t table) drain(o Options, s sink, rows iter.Seq2[any, error]) error {
	var faults []error
	n := 0
	for row, err := range rows {
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if err := s.row(row); err != nil {
			return err
		}
		if n++; n == o.Limit {
			break
		}
	}
	if n == 0 && len(faults) > 0 {
		return join(faults)
	}
	if err := s.end(); err != nil {
		return err
	}
	if n == 0 && o.Notes != nil && t.Empty != "" {
		if _, err := io.WriteString(o.Notes, t.Empty+"\n"); err != nil {
			return err
		}
	}
	return join(faults)
}

// join is errors.Join, but one error stays itself.
func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// order returns the comparison --sort-by asks for.
func (t table) order(by string) (func(a, b any) int, error) {
	name, descending := strings.CutPrefix(by, "-")
	c, err := t.column("--sort-by", name)
	if err != nil {
		return nil, err
	}
	compare := func(a, b any) int { return NaturalCompare(c.Text(a), c.Text(b)) }
	if c.Less != nil {
		compare = func(a, b any) int {
			switch {
			case c.Less(a, b):
				return -1
			case c.Less(b, a):
				return 1
			}
			return 0
		}
	}
	if descending {
		return func(a, b any) int { return compare(b, a) }, nil
	}
	return compare, nil
}

// sorted collects the rows and yields them in order, the errors before them.
func sorted(rows iter.Seq2[any, error], compare func(a, b any) int) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		var all []any
		var faults []error
		for row, err := range rows {
			if err != nil {
				faults = append(faults, err)
			} else {
				all = append(all, row)
			}
		}
		slices.SortStableFunc(all, compare)
		// A limit must not hide the errors.
		for _, err := range faults {
			if !yield(nil, err) {
				return
			}
		}
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// columns returns the columns to show.
func (t table) columns(o Options) ([]*Column[any], error) {
	var cols []*Column[any]
	if len(o.Columns) == 0 {
		for i := range t.Columns {
			if c := &t.Columns[i]; !c.Asked && (!c.Wide || o.wide()) {
				cols = append(cols, c)
			}
		}
		return cols, nil
	}
	for _, name := range o.Columns {
		c, err := t.column("--columns", name)
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	return cols, nil
}

func (t table) column(flag, name string) (*Column[any], error) {
	name = strings.TrimSpace(name)
	exact := key(name)
	name = key(strings.ReplaceAll(name, "_", "-"))
	for i := range t.Columns {
		if k := t.Columns[i].key(); k == name || k == exact {
			return &t.Columns[i], nil
		}
	}
	err := fault.Usagef("%s: no column %q: there are %s", flag, name, strings.Join(t.Keys(), ", "))
	if near := fault.Nearest(name, t.Keys()); near != "" {
		return nil, err.WithHint("use `%s %s`", flag, near)
	}
	return nil, err
}

// sink returns what writes the rows in the format. queried says that it will
// not be used for rows but that the options must make sense.
func (t table) sink(w io.Writer, o Options, queried bool) (sink, error) {
	if len(o.Columns) > 0 && (queried || !o.columnar()) {
		return nil, fault.Usagef("--columns chooses columns of table, wide, text and csv").
			WithHint("choose fields with `--query '[].{id: id}'`")
	}
	cols, err := t.columns(o)
	if err != nil {
		return nil, err
	}
	switch f := o.effective(); f {
	case FormatTable, FormatWide:
		return newScreen(w, o, cols), nil
	case FormatText:
		return &textSink{out{w: w}, cols}, nil
	case FormatCSV:
		return newCSV(w, o, cols), nil
	case FormatName:
		if t.ID == nil && !queried {
			return nil, fault.Usagef("-o name: these rows have no names")
		}
		return &nameSink{out{w: w}, t.ID}, nil
	case FormatJSON:
		return newJSON(w), nil
	case FormatJSONL:
		return newJSONL(w), nil
	case FormatYAML:
		return &yamlSink{out: out{w: w}}, nil
	case FormatJUnit, FormatHTML, FormatMarkdown:
		return nil, fault.Usagef("%s", special[f])
	default:
		_, err := ParseFormat(string(f))
		return nil, err
	}
}

// querySink collects the rows for a query.
type querySink struct {
	w    io.Writer
	o    Options
	q    *query
	rows []any
}

func (s *querySink) row(v any) error { s.rows = append(s.rows, v); return nil }

func (s *querySink) end() error {
	if s.rows == nil {
		s.rows = []any{}
	}
	v, err := s.q.apply(s.rows)
	if err != nil {
		return err
	}
	return writeValue(s.w, s.o, v)
}

// out writes one row at a time, so that what has arrived can be used.
type out struct {
	w   io.Writer
	buf bytes.Buffer
	n   int // rows written
}

func (o *out) flush() error {
	_, err := o.w.Write(o.buf.Bytes())
	o.buf.Reset()
	return err
}
