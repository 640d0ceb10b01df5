package render

import (
	"bytes"
	"io"
	"strings"
)

// sampleRows is how many rows a table waits for to size its columns.
const sampleRows = 200

// gap is what stands between columns.
const gap = "  "

// screen writes a table for a terminal.
type screen struct {
	out
	o     Options
	cols  []*Column[any]
	sized bool
	width []int // of each column, once sized
	cells []cell
	wait  []cell // of the sample, row after row
	mark  string // ellipsis
}

type cell struct {
	text  string
	width int
}

func newScreen(w io.Writer, o Options, cols []*Column[any]) *screen {
	return &screen{
		out: out{w: w}, o: o, cols: cols,
		width: make([]int, len(cols)), cells: make([]cell, len(cols)),
		mark: o.styles().Glyphs.Ellipsis,
	}
}

func (s *screen) row(v any) error {
	color := s.o.color()
	for i, c := range s.cols {
		var text string
		if c.Human != nil {
			text = styled(c.Human(v), color)
		} else {
			text = Visible(c.Text(v))
		}
		s.cells[i] = cell{text, Width(text)}
	}
	if s.sized {
		s.line(s.cells)
		return s.flush()
	}
	s.wait = append(s.wait, s.cells...)
	if s.n++; s.n == sampleRows {
		return s.start(true)
	}
	return nil
}

func (s *screen) end() error {
	if s.sized || s.n == 0 {
		return nil
	}
	return s.start(false)
}

// start sizes the columns and writes the header and the sample.
func (s *screen) start(more bool) error {
	headers := make([]cell, len(s.cols))
	for i, c := range s.cols {
		headers[i] = cell{c.Name, Width(c.Name)}
	}
	if !s.o.NoHeaders {
		s.measure(headers)
	}
	for i := 0; i < len(s.wait); i += len(s.cols) {
		s.measure(s.wait[i : i+len(s.cols)])
	}
	s.fit(more)
	s.sized = true
	if !s.o.NoHeaders {
		st := s.o.styles().Header
		for i := range headers {
			headers[i].text = s.cut(i, headers[i]).text
			headers[i].width = Width(headers[i].text)
			if s.o.color() && headers[i].text != "" {
				headers[i].text = st.Render(headers[i].text)
			}
		}
		s.line(headers)
	}
	for i := 0; i < len(s.wait); i += len(s.cols) {
		s.line(s.wait[i : i+len(s.cols)])
	}
	s.wait = nil
	return s.flush()
}

func (s *screen) measure(cells []cell) {
	for i, c := range cells {
		s.width[i] = max(s.width[i], c.width)
	}
}

// fit makes the columns fit the window: it narrows text first, then ids, then
// whatever is widest. With more rows to come it gives room that is left to the
// columns, because those rows may be wider. A wide table is not cut.
func (s *screen) fit(more bool) {
	if s.o.Format == FormatWide {
		return
	}
	room := s.o.Width - len(gap)*(len(s.cols)-1)
	for _, w := range s.width {
		room -= w
	}
	const readable = 12 // cells of a text that still say something
	for _, pass := range []struct{ ids, least int }{{0, readable}, {1, 2 * readable}, {1, readable}, {1, 3}, {1, 1}} {
		for room < 0 && s.narrow(pass.ids == 1, pass.least) {
			room++
		}
	}
	if more && room > 0 {
		const spare = 8 // cells
		for i := range s.width[:max(0, len(s.width)-1)] {
			add := min(spare, room/(len(s.width)-i))
			s.width[i] += add
			room -= add
		}
	}
	if last := len(s.width) - 1; last >= 0 && !s.cols[last].Right {
		s.width[last] += max(0, room)
	}
}

// narrow takes a cell from the widest column that has more than least.
func (s *screen) narrow(ids bool, least int) bool {
	widest := -1
	for i, w := range s.width {
		if w > least && (ids || !s.cols[i].ID) && (widest < 0 || w > s.width[widest]) {
			widest = i
		}
	}
	if widest < 0 {
		return false
	}
	s.width[widest]--
	return true
}

func (s *screen) cut(i int, c cell) cell {
	if c.width <= s.width[i] || s.o.Format == FormatWide {
		return c
	}
	if s.cols[i].ID {
		c.text = CutMiddle(c.text, s.width[i], s.mark)
	} else {
		c.text = CutEnd(c.text, s.width[i], s.mark)
	}
	c.width = Width(c.text)
	return c
}

// line appends a row to the buffer, without spaces at its end.
func (s *screen) line(cells []cell) {
	start, spaces, total := s.buf.Len(), 0, 0
	for i, c := range cells {
		c = s.cut(i, c)
		pad := max(0, s.width[i]-c.width)
		if s.cols[i].Right {
			spaces, pad = spaces+pad, 0
		}
		if c.text != "" {
			writeSpaces(&s.buf, spaces)
			s.buf.WriteString(c.text)
			total += spaces + c.width
			spaces = 0
		}
		spaces += pad + len(gap)
	}
	// In a window narrower than its columns can be, one row still is one line.
	if total > s.o.Width && s.o.Format != FormatWide {
		full := s.buf.String()[start:]
		s.buf.Truncate(start)
		s.buf.WriteString(CutEnd(full, s.o.Width, s.mark))
	}
	s.buf.WriteByte('\n')
}

const blanks = "                                                                "

func writeSpaces(b *bytes.Buffer, n int) {
	for n > len(blanks) {
		b.WriteString(blanks)
		n -= len(blanks)
	}
	b.WriteString(blanks[:n])
}

// padRight returns s with spaces up to width cells.
func padRight(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}
