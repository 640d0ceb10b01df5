package agent

import (
	"bytes"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// textEnd returns the largest m <= n at which b may be cut without tearing a
// UTF-8 sequence; bytes that are no UTF-8 may be torn. It is 0 when the first
// sequence is longer than n.
func textEnd(b []byte, n int) int {
	if n >= len(b) {
		return len(b)
	}
	for m := n; m >= 0 && n-m < utf8.UTFMax; m-- {
		if !utf8.RuneStart(b[m]) {
			continue
		}
		if _, size := utf8.DecodeRune(b[m:]); m+size > n {
			return m // a sequence that starts at m goes on beyond n
		}
		return n
	}
	return n
}

// textWriter passes on text in whole UTF-8 sequences and puts a prefix before
// each line of chunks, as shells and commands of the real agent do.
type textWriter struct {
	out     *outlet
	ptype   wire.PayloadType
	prefix  string // put before the first chunk and each after a line feed
	defects bool   // see Options.TextDefects

	rest    []byte // an incomplete sequence, at most three bytes
	midline bool
}

// Write takes output of the program.
func (w *textWriter) Write(b []byte) (int, error) {
	n := len(b)
	if len(w.rest) > 0 {
		b = append(w.rest, b...)
		w.rest = nil
	}
	whole := len(b) - incomplete(b)
	if whole < len(b) {
		w.rest = append(make([]byte, 0, utf8.UTFMax), b[whole:]...)
	}
	if err := w.emit(b[:whole]); err != nil {
		return 0, err
	}
	return n, nil
}

// finish writes what is left of an incomplete sequence at the end. The real
// agent drops it.
func (w *textWriter) finish() error {
	if w.defects {
		return nil
	}
	return w.emit(w.rest)
}

func (w *textWriter) emit(b []byte) error {
	if w.defects {
		b = bytes.ReplaceAll(b, []byte("\uFFFD"), []byte{0xEF})
	}
	if w.prefix == "" {
		return w.out.write(w.ptype, false, b)
	}
	for len(b) > 0 {
		n := min(len(b), defaultChunk-len(w.prefix))
		if n < len(b) {
			n = textEnd(b, n)
		}
		chunk := b[:n]
		if !w.midline {
			chunk = append([]byte(w.prefix), chunk...)
		}
		if err := w.out.write(w.ptype, true, chunk); err != nil {
			return err
		}
		w.midline = b[n-1] != '\n'
		b = b[n:]
	}
	return nil
}

// incomplete returns how many bytes at the end of b begin a UTF-8 sequence
// without finishing it.
func incomplete(b []byte) int {
	for k := 1; k <= min(utf8.UTFMax-1, len(b)); k++ {
		if tail := b[len(b)-k:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return k
		}
	}
	return 0
}
