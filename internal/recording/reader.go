package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxEventLine is how long a line of a recording may be.
const maxEventLine = 16 << 20

// ErrCut is the reason of a LineError for a last line that is not whole: whoever
// wrote the recording was stopped.
var ErrCut = errors.New("the recording ends in the middle of this line")

// LineError says which line of a recording cannot be read.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *LineError) Unwrap() error { return e.Err }

// Reader reads a recording in asciicast format, version 2 or 3.
type Reader struct {
	r      *bufio.Reader
	header Header
	line   int
	at     time.Duration
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	rd := &Reader{r: bufio.NewReader(r)}
	line, err := rd.next()
	if errors.Is(err, io.EOF) {
		return nil, &LineError{1, errors.New("there is no header: the file is empty")}
	}
	if err != nil {
		return nil, err
	}
	if rd.header, err = parseHeader(line); err != nil {
		return nil, &LineError{rd.line, err}
	}
	return rd, nil
}

func parseHeader(line []byte) (Header, error) {
	var h struct {
		Header
		Term struct {
			Cols, Rows int
			Type       string
		} `json:"term"` // version 3
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return Header{}, errors.New("not the header of an asciicast file")
	}
	switch h.Version {
	case 2:
	case 3:
		h.Width, h.Height = h.Term.Cols, h.Term.Rows
	default:
		return Header{}, fmt.Errorf("asciicast version %d, want 2 or 3", h.Version)
	}
	return h.Header, nil
}

// Header returns the header; of version 3 it holds what version 2 has.
func (r *Reader) Header() Header { return r.header }

// Next returns the next event, io.EOF after the last one, or a *LineError.
func (r *Reader) Next() (Event, error) {
	line, err := r.next()
	if err != nil {
		return Event{}, err
	}
	e, err := parseEvent(line)
	if err != nil {
		if !bytes.HasSuffix(line, []byte("\n")) {
			err = ErrCut
		}
		return Event{}, &LineError{r.line, err}
	}
	if r.header.Version == 3 { // times count from the event before
		e.At += r.at
	}
	r.at = max(r.at, e.At)
	e.At = r.at
	return e, nil
}

// next returns the next line that is neither empty nor a comment.
func (r *Reader) next() ([]byte, error) {
	for {
		r.line++
		var line []byte
		for {
			part, err := r.r.ReadSlice('\n')
			line = append(line, part...)
			if len(line) > maxEventLine {
				return nil, &LineError{r.line, fmt.Errorf("longer than %d bytes", maxEventLine)}
			}
			if err == nil || errors.Is(err, io.EOF) && len(line) > 0 {
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return nil, err
			}
		}
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' {
			return line, nil
		}
	}
}
