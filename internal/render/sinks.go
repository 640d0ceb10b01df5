package render

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// sink writes rows in one format. end is called after the last row, also when
// there was none.
type sink[T any] interface {
	row(v T) error
	end() error
}

// textSink writes tab-separated lines.
type textSink[T any] struct {
	out
	cols []*Column[T]
}

func (s *textSink[T]) row(v T) error {
	for i, c := range s.cols {
		if i > 0 {
			s.buf.WriteByte('\t')
		}
		s.buf.WriteString(Visible(c.Text(v)))
	}
	s.buf.WriteByte('\n')
	return s.flush()
}

func (s *textSink[T]) end() error { return nil }

// nameSink writes bare ids.
type nameSink[T any] struct {
	out
	id func(T) string
}

func (s *nameSink[T]) row(v T) error {
	s.buf.WriteString(Visible(s.id(v)))
	s.buf.WriteByte('\n')
	return s.flush()
}

func (s *nameSink[T]) end() error { return nil }

// csvSink writes a header of keys, and records.
type csvSink[T any] struct {
	out
	csv    *csv.Writer
	cols   []*Column[T]
	record []string
}

func newCSV[T any](w io.Writer, o Options, cols []*Column[T]) *csvSink[T] {
	s := &csvSink[T]{out: out{w: w}, cols: cols, record: make([]string, len(cols))}
	s.csv = csv.NewWriter(&s.buf)
	if !o.NoHeaders {
		for i, c := range cols {
			s.record[i] = visible(c.key(), keepBreaks)
		}
		s.write()
	}
	return s
}

// write puts the record into the buffer, which cannot fail.
func (s *csvSink[T]) write() {
	_ = s.csv.Write(s.record)
	s.csv.Flush()
}

func (s *csvSink[T]) row(v T) error {
	for i, c := range s.cols {
		s.record[i] = visible(c.Text(v), keepBreaks)
	}
	s.write()
	return s.flush()
}

func (s *csvSink[T]) end() error { return s.flush() }

// jsonSink writes one array.
type jsonSink[T any] struct {
	out
	enc *json.Encoder
}

func newJSON[T any](w io.Writer) *jsonSink[T] {
	s := &jsonSink[T]{out: out{w: w}}
	s.enc = json.NewEncoder(&s.buf)
	s.enc.SetEscapeHTML(false)
	s.enc.SetIndent("  ", "  ")
	return s
}

func (s *jsonSink[T]) row(v T) error {
	if s.n == 0 {
		s.buf.WriteString("[\n  ")
	} else {
		s.buf.WriteString(",\n  ")
	}
	if err := s.enc.Encode(v); err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	s.buf.Truncate(s.buf.Len() - 1)
	s.n++
	return s.flushJSON()
}

func (s *jsonSink[T]) end() error {
	if s.n == 0 {
		s.buf.WriteString("[]\n")
	} else {
		s.buf.WriteString("\n]\n")
	}
	return s.flush()
}

// jsonlSink writes one compact object per line.
type jsonlSink[T any] struct {
	out
	enc *json.Encoder
}

func newJSONL[T any](w io.Writer) *jsonlSink[T] {
	s := &jsonlSink[T]{out: out{w: w}}
	s.enc = json.NewEncoder(&s.buf)
	s.enc.SetEscapeHTML(false)
	return s
}

func (s *jsonlSink[T]) row(v T) error {
	if err := s.enc.Encode(v); err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	return s.flushJSON()
}

func (s *jsonlSink[T]) end() error { return nil }

func (o *out) flushJSON() error {
	_, err := o.w.Write(escapeControls(o.buf.Bytes()))
	o.buf.Reset()
	return err
}

// yamlSink writes one sequence, an element at a time.
type yamlSink[T any] struct {
	out
}

func (s *yamlSink[T]) row(v T) error {
	tree, err := treeOf(v)
	if err != nil {
		return err
	}
	data, err := dumpYAML(&yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{yamlNode(tree)}})
	if err != nil {
		return err
	}
	s.n++
	s.buf.Write(data)
	return s.flush()
}

func (s *yamlSink[T]) end() error {
	if s.n == 0 {
		s.buf.WriteString("[]\n")
	}
	return s.flush()
}
