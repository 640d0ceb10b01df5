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
type sink interface {
	row(v any) error
	end() error
}

// textSink writes tab-separated lines.
type textSink struct {
	out
	cols []*Column[any]
}

func (s *textSink) row(v any) error {
	for i, c := range s.cols {
		if i > 0 {
			s.buf.WriteByte('\t')
		}
		s.buf.WriteString(Visible(c.Text(v)))
	}
	s.buf.WriteByte('\n')
	return s.flush()
}

func (s *textSink) end() error { return nil }

// nameSink writes bare ids.
type nameSink struct {
	out
	id func(any) string
}

func (s *nameSink) row(v any) error {
	s.buf.WriteString(Visible(s.id(v)))
	s.buf.WriteByte('\n')
	return s.flush()
}

func (s *nameSink) end() error { return nil }

// csvSink writes a header of keys, and records.
type csvSink struct {
	out
	csv    *csv.Writer
	cols   []*Column[any]
	record []string
}

func newCSV(w io.Writer, o Options, cols []*Column[any]) *csvSink {
	s := &csvSink{out: out{w: w}, cols: cols, record: make([]string, len(cols))}
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
func (s *csvSink) write() {
	_ = s.csv.Write(s.record)
	s.csv.Flush()
}

func (s *csvSink) row(v any) error {
	for i, c := range s.cols {
		s.record[i] = visible(c.Text(v), keepBreaks)
	}
	s.write()
	return s.flush()
}

func (s *csvSink) end() error { return s.flush() }

// jsonSink writes one array.
type jsonSink struct {
	out
	enc *json.Encoder
}

func newJSON(w io.Writer) *jsonSink {
	s := &jsonSink{out: out{w: w}}
	s.enc = json.NewEncoder(&s.buf)
	s.enc.SetEscapeHTML(false)
	s.enc.SetIndent("  ", "  ")
	return s
}

func (s *jsonSink) row(v any) error {
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

func (s *jsonSink) end() error {
	if s.n == 0 {
		s.buf.WriteString("[]\n")
	} else {
		s.buf.WriteString("\n]\n")
	}
	return s.flush()
}

// jsonlSink writes one compact object per line.
type jsonlSink struct {
	out
	enc *json.Encoder
}

func newJSONL(w io.Writer) *jsonlSink {
	s := &jsonlSink{out: out{w: w}}
	s.enc = json.NewEncoder(&s.buf)
	s.enc.SetEscapeHTML(false)
	return s
}

func (s *jsonlSink) row(v any) error {
	if err := s.enc.Encode(v); err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	return s.flushJSON()
}

func (s *jsonlSink) end() error { return nil }

func (o *out) flushJSON() error {
	_, err := o.w.Write(escapeControls(o.buf.Bytes(), jsonEscape))
	o.buf.Reset()
	return err
}

// yamlSink writes one sequence, an element at a time.
type yamlSink struct {
	out
}

func (s *yamlSink) row(v any) error {
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

func (s *yamlSink) end() error {
	if s.n == 0 {
		s.buf.WriteString("[]\n")
	}
	return s.flush()
}
