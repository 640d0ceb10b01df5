package recording

import (
	"fmt"
	"io"
	"time"
)

// What waits for a decision at most: events, and their bytes.
const (
	maxQueue   = 16 << 10
	maxWaiting = 1 << 20
)

// Writer writes a recording, a line at a time, so that what there is of the file
// is always valid. Lines of the terminal are written when they have ended, for
// only then it is known what of them is a secret; the times are those at which
// they came. One goroutine at a time may use it.
type Writer struct {
	w     io.Writer
	queue []*entry
	out   track
	in    track
	typed typedLines
	input bool
	last  time.Duration
	carry map[Kind][]byte // a character that has begun
	wait  int             // bytes of what is queued
	line  []byte          // scratch
}

// entry is one event that waits.
type entry struct {
	at   time.Duration
	kind Kind
	out  []byte
	size int // bytes that came
	left int // those of them that are not decided
}

// NewWriter writes the header to w. Input is recorded only if input is true.
func NewWriter(w io.Writer, h Header, rules []Rule, input bool) (*Writer, error) {
	h.Version = 2
	h.Title = RedactText(rules, h.Title)
	b, err := appendHeader(nil, h)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	return &Writer{w: w, out: track{rules: rules}, in: track{rules: rules, keys: true}, input: input, carry: map[Kind][]byte{}}, nil
}

// Output records what the far end wrote. p is not kept.
func (w *Writer) Output(at time.Duration, p []byte) error {
	seen := len(w.out.text)
	whole := w.out.add(w.enter(at, Output), p)
	w.wait += len(p)
	if w.input {
		w.typed.output(w.last, w.out.text[seen:], w.settleInput)
	}
	w.out.decide(whole)
	if w.out.full() {
		w.out.squeeze()
	}
	return w.flush()
}

// Input records what was typed, where the far end showed it: what is typed
// without an echo, as passwords are, is left out. p is not kept.
func (w *Writer) Input(at time.Duration, p []byte) error {
	if !w.input {
		return nil
	}
	seen := len(w.in.text)
	w.in.add(w.enter(at, Input), p)
	w.wait += len(p)
	w.typed.input(w.last, w.in.text[seen:], lastLine(w.out.text), w.settleInput)
	if w.in.full() {
		w.dropInput()
	}
	return w.flush()
}

// Resize records a new size of the terminal.
func (w *Writer) Resize(at time.Duration, cols, rows int) error {
	w.enter(at, Resize).out = fmt.Appendf(nil, "%dx%d", cols, rows)
	return w.flush()
}

// Close writes what waits. The underlying writer stays open.
func (w *Writer) Close() error {
	w.dropInput()
	w.out.flush()
	return w.flush()
}

// enter queues an event. Time never runs backwards in a recording.
func (w *Writer) enter(at time.Duration, k Kind) *entry {
	w.last = max(w.last, at)
	e := &entry{at: w.last, kind: k}
	w.queue = append(w.queue, e)
	return e
}

// settleInput decides the first n bytes seen of the input.
func (w *Writer) settleInput(n int, echoed bool) {
	if echoed {
		w.in.decide(n)
		return
	}
	w.in.drop(n)
}

// dropInput settles all input that waits for its echo.
func (w *Writer) dropInput() {
	w.in.drop(len(w.in.text))
	w.in.flush()
	w.typed = typedLines{}
}

// flush writes the events that are decided.
func (w *Writer) flush() error {
	if len(w.queue) > maxQueue || w.wait > maxWaiting {
		w.dropInput()
		w.out.flush()
	}
	for len(w.queue) > 0 && w.queue[0].left == 0 {
		e := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		w.wait -= e.size
		if err := w.write(e); err != nil {
			return err
		}
	}
	return nil
}

// write writes one event, up to the last whole character: the rest goes with the
// next.
func (w *Writer) write(e *entry) (err error) {
	data := e.out
	if e.kind != Resize {
		data = append(w.carry[e.kind], e.out...)
		n := wholeRunes(data)
		w.carry[e.kind] = append([]byte(nil), data[n:]...)
		data = data[:n]
	}
	if len(data) == 0 {
		return nil
	}
	if w.line, err = appendEvent(w.line[:0], Event{At: e.at, Kind: e.kind, Data: string(data)}); err != nil {
		return err
	}
	_, err = w.w.Write(w.line)
	return err
}
