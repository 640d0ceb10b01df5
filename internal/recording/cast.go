// Package recording writes and reads recordings of terminals in asciinema's
// asciicast format (docs.asciinema.org/manual/asciicast/v2, v3), and takes out
// of them what must not be in a recording: secrets when writing, sequences that
// would act on the terminal of whoever replays when reading.
//
// It is pure: bytes and times come from outside, files are the caller's.
package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// Kind is the code of an event.
type Kind string

// The kinds of events that are written here. Readers meet others and skip them.
const (
	Output Kind = "o"
	Input  Kind = "i"
	Resize Kind = "r" // data: "80x24"
)

// Header is the first line of a recording.
type Header struct {
	Version   int               `json:"version"`
	Width     int               `json:"width"`
	Height    int               `json:"height"`
	Timestamp int64             `json:"timestamp,omitempty"` // Unix seconds
	Title     string            `json:"title,omitempty"`
	Env       map[string]string `json:"env,omitempty"` // TERM, SHELL
}

// Event is one line after the header. At counts from the beginning.
type Event struct {
	At   time.Duration
	Kind Kind
	Data string
}

// appendHeader appends the line of h.
func appendHeader(b []byte, h Header) ([]byte, error) {
	line, err := marshal(h)
	return append(b, line...), err
}

// appendEvent appends the line of an event.
func appendEvent(b []byte, e Event) ([]byte, error) {
	kind, err := marshal(e.Kind)
	if err != nil {
		return b, err
	}
	data, err := marshal(e.Data)
	if err != nil {
		return b, err
	}
	// Microseconds, as asciinema writes them.
	return fmt.Appendf(b, "[%d.%06d, %s, %s]\n", e.At/time.Second, e.At%time.Second/time.Microsecond, bytes.TrimSpace(kind), bytes.TrimSuffix(data, []byte("\n"))), nil
}

// marshal writes JSON that people can read: <, > and & stay as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// parseEvent reads the line of an event.
func parseEvent(line []byte) (Event, error) {
	var fields []json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return Event{}, fmt.Errorf("not a JSON array: %w", err)
	}
	if len(fields) < 3 {
		return Event{}, fmt.Errorf("an event of %d fields, want 3", len(fields))
	}
	var (
		at float64
		e  Event
	)
	if err := json.Unmarshal(fields[0], &at); err != nil || at < 0 || at > math.MaxInt64/float64(time.Second)/2 {
		return Event{}, fmt.Errorf("the time %.40s is not a number of seconds", fields[0])
	}
	if err := json.Unmarshal(fields[1], &e.Kind); err != nil {
		return Event{}, fmt.Errorf("the kind %.40s is not a string", fields[1])
	}
	if err := json.Unmarshal(fields[2], &e.Data); err != nil {
		return Event{}, fmt.Errorf("the data of the event is not a string")
	}
	e.At = time.Duration(at * float64(time.Second))
	return e, nil
}

// wholeRunes returns how much of b ends between two characters: a character that
// may go on with more bytes is left out.
func wholeRunes(b []byte) int {
	for back := 1; back <= utf8.UTFMax-1 && back <= len(b); back++ {
		c := b[len(b)-back]
		if utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-back:]) {
				return len(b) - back
			}
			break
		}
	}
	return len(b)
}
