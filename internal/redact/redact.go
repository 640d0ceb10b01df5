// Package redact replaces secrets in a stream of bytes by their names: as they are, and
// as they stand in JSON, URLs, base64 and hexadecimal digits.
//
// It holds back nothing but what may be the beginning of a secret, so that lines pass
// as they come, and keeps no more than the longest of these forms in memory. All bytes
// of a secret are replaced, also where two of them overlap.
package redact

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Secret is a value to look for, and what stands in its place: [Name].
type Secret struct{ Name, Value string }

// Matcher knows what to look for. It is safe for concurrent use.
type Matcher struct {
	automaton *automaton
	names     []int // of each string of the automaton, counted from 1: its place in secrets
	secrets   []string
}

// New returns a Matcher for secrets. Values of fewer than MinLength bytes are left out
// and their names returned, unless short is set. The same value under two names has the
// first of them, in the order of secrets. Too many values are a Usage error.
func New(secrets []Secret, short bool) (m *Matcher, skipped []string, err error) {
	m = &Matcher{}
	least := MinLength
	if short {
		least = 1
	}
	var patterns []string
	total := 0
	place := map[string]int{}
	add := func(name, value string) {
		if len(value) < least || strings.TrimSpace(value) == "" {
			return
		}
		at, ok := place[name]
		if !ok {
			at = len(m.secrets)
			place[name] = at
			m.secrets = append(m.secrets, name)
		}
		for _, f := range forms(value) {
			if len(f) < min(least, len(value)) {
				continue
			}
			patterns, m.names = append(patterns, f), append(m.names, at)
			total += len(f)
		}
	}
	for _, s := range secrets {
		if len(s.Value) < least {
			skipped = append(skipped, s.Name)
			continue
		}
		add(s.Name, s.Value)
		if total > maxBytes {
			return nil, nil, fault.Usagef("the values are too many to look for at once: their forms have more than %d MiB", maxBytes>>20).
				WithHint("name a longer path, and run one after the other")
		}
	}
	for _, s := range secrets { // whole values come first: the same text has their name
		for _, inner := range parts(s.Value) {
			add(s.Name+"#"+inner.Name, inner.Value)
		}
	}
	m.automaton = newAutomaton(patterns)
	return m, skipped, nil
}

// Count is how often a secret was found.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Line  int    `json:"line"` // where it ends for the first time, counted from 1
}

// Writer writes to another writer what is written to it, with secrets replaced. It is
// for one goroutine.
type Writer struct {
	m     *Matcher
	to    io.Writer
	state int32
	buf   []byte // not written yet, the end of store
	store []byte
	base  int64 // where buf begins in the stream
	pos   int64 // where it ends
	lines int
	found []hit // in order, apart from each other; the first may begin before base
	out   []byte
	tally []Count // by the place of the name in m.secrets
}

// hit is a piece of the stream that secrets cover.
type hit struct {
	start, end int64
	names      []int
}

// NewWriter returns a Writer in front of to.
func (m *Matcher) NewWriter(to io.Writer) *Writer {
	return &Writer{m: m, to: to, lines: 1, tally: make([]Count, len(m.secrets))}
}

// Write takes bytes, and passes on those that are no part of a secret whatever follows.
func (w *Writer) Write(p []byte) (int, error) {
	const piece = 64 << 10 // bounds buf
	for chunk := range slices.Chunk(p, piece) {
		w.scan(chunk)
		if err := w.flush(w.pos - w.m.automaton.open(w.state)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close writes what was held back. It does not close the writer behind.
func (w *Writer) Close() error {
	w.state = 0
	return w.flush(w.pos)
}

// scan looks for secrets in p, which comes behind buf.
func (w *Writer) scan(p []byte) {
	w.store = append(w.buf, p...)
	w.buf = w.store
	a, state := w.m.automaton, w.state
	for i := 0; i < len(p); {
		if state == 0 && a.first != nil {
			if i = a.first.next(p, i); i == len(p) {
				break
			}
		}
		if state = a.step(state, p[i]); state == 0 {
			i++
			continue
		}
		i++
		if n := a.out[state]; n != 0 {
			w.hit(w.pos+int64(i), n)
		}
		if a.first != nil {
			state = a.prune(state, p, i)
		}
	}
	w.lines += bytes.Count(p, []byte{'\n'})
	w.state, w.pos = state, w.pos+int64(len(p))
}

// hit notes that a string ends at a place in the stream.
func (w *Writer) hit(end int64, number int32) {
	name := w.m.names[number-1]
	h := hit{end - int64(w.m.automaton.length[number]), end, []int{name}}
	var before []int // names of pieces that h reaches into
	for n := len(w.found) - 1; n >= 0 && w.found[n].end > h.start; n-- {
		if last := w.found[n]; last.start < h.start {
			before = last.names
			h.start = last.start
		}
		w.found = w.found[:n]
	}
	if len(before) > 0 {
		if h.names = before; !slices.Contains(before, name) {
			h.names = append(slices.Clip(before), name)
		}
	}
	w.found = append(w.found, h)
}

// flush writes what lies before safe: nothing that is found from now on begins there.
func (w *Writer) flush(safe int64) error {
	out := w.out[:0]
	at := func(pos int64) []byte { return w.buf[:pos-w.base] }
	drop := func(pos int64) { w.buf, w.base = w.buf[pos-w.base:], pos }
	for len(w.found) > 0 && w.found[0].end <= safe {
		h := w.found[0]
		if h.start > w.base {
			out = append(out, at(h.start)...)
		}
		for _, n := range h.names {
			out = append(append(append(out, '['), w.m.secrets[n]...), ']')
			w.count(n, h.end)
		}
		drop(h.end)
		w.found = w.found[1:]
	}
	if len(w.found) > 0 { // open to the right
		if h := w.found[0]; h.start > w.base {
			upto := min(h.start, safe)
			out = append(out, at(upto)...)
			drop(upto)
		}
		if h := w.found[0]; h.start <= w.base && safe > w.base {
			drop(safe) // it is covered, whatever follows
		}
	} else if safe > w.base {
		out = append(out, at(safe)...)
		drop(safe)
	}
	w.buf = append(w.store[:0], w.buf...)
	w.out = out
	if len(out) == 0 {
		return nil
	}
	_, err := w.to.Write(out)
	return err
}

// count notes a secret that was replaced. The line is that of the newest byte, less
// those that came behind the secret.
func (w *Writer) count(n int, end int64) {
	c := &w.tally[n]
	if c.Count++; c.Count == 1 {
		behind := 0
		for _, b := range w.buf[max(end-w.base, 0):] {
			if b == '\n' {
				behind++
			}
		}
		c.Name, c.Line = w.m.secrets[n], w.lines-behind
	}
}

// Found are the secrets that were replaced so far, the most frequent first.
func (w *Writer) Found() []Count {
	out := slices.DeleteFunc(slices.Clone(w.tally), func(c Count) bool { return c.Count == 0 })
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Name, b.Name)) })
	return out
}
