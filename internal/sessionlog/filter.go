package sessionlog

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Mode says what a Filter does with what controls a terminal.
type Mode int

// The modes.
const (
	// Safe keeps colours and the moves that line editors make within a line;
	// everything else that controls a terminal is left out: a recorded session
	// must not set titles, clipboards or modes, or make the terminal answer.
	Safe Mode = iota
	// Text leaves out everything that controls a terminal, colours too. Lines
	// end in a line feed.
	Text
)

// maxSequence is how long a sequence that is kept may be, in bytes.
const maxSequence = 64

// Filter is a writer that passes on terminal output without what a Mode leaves
// out. Sequences and characters may be spread over several Writes.
type Filter struct {
	w     io.Writer
	mode  Mode
	state state
	seq   []byte // of the sequence so far, as long as it may be kept
	rest  []byte // an incomplete UTF-8 sequence
	cr    bool   // Text: a carriage return is held back
	out   bytes.Buffer
}

// NewFilter returns a Filter that writes to w.
func NewFilter(w io.Writer, mode Mode) *Filter { return &Filter{w: w, mode: mode} }

type state int

const (
	ground  state = iota
	escape        // after ESC
	middle        // after ESC and an intermediate byte
	csi           // after ESC [
	text          // within OSC, DCS, SOS, PM or APC, up to BEL or ST
	textEsc       // an ESC within those
)

// Write filters b.
func (f *Filter) Write(b []byte) (int, error) {
	n := len(b)
	if len(f.rest) > 0 {
		b = append(f.rest, b...)
		f.rest = nil
	}
	f.out.Reset()
	for len(b) > 0 {
		if !utf8.FullRune(b) {
			f.rest = bytes.Clone(b)
			break
		}
		r, size := utf8.DecodeRune(b)
		f.take(r, b[:size])
		b = b[size:]
	}
	if _, err := f.w.Write(f.out.Bytes()); err != nil {
		return 0, err
	}
	return n, nil
}

// take handles one character, whose bytes are raw.
func (f *Filter) take(r rune, raw []byte) {
	switch f.state {
	case ground:
		f.plain(r, raw)
	case escape:
		switch {
		case r == '[':
			f.state, f.seq = csi, append(f.seq[:0], "\x1b["...)
		case r == ']' || r == 'P' || r == 'X' || r == '^' || r == '_':
			f.state = text
		case r >= 0x20 && r <= 0x2f:
			f.state = middle
		case r != 0x1b:
			f.state = ground
		}
	case middle:
		if r < 0x20 || r > 0x2f {
			f.state = ground
		}
	case csi:
		f.control(r, raw)
	case text:
		switch r {
		case 0x07, 0x9c:
			f.state = ground
		case 0x1b:
			f.state = textEsc
		}
	case textEsc:
		f.state = text
		if r == '\\' {
			f.state = ground
		}
	}
}

// plain handles a character outside of sequences.
func (f *Filter) plain(r rune, raw []byte) {
	if f.cr {
		f.cr = false
		f.out.WriteByte('\n')
		if r == '\n' {
			return
		}
	}
	switch {
	case r == 0x1b:
		f.state = escape
	case r == 0x9b:
		f.state, f.seq = csi, append(f.seq[:0], "\x1b["...)
	case r == 0x90 || r == 0x98 || r == 0x9d || r == 0x9e || r == 0x9f:
		f.state = text
	case r == '\r' && f.mode == Text:
		f.cr = true
	case r == '\n' || r == '\t', (r == '\r' || r == '\b') && f.mode == Safe:
		f.out.WriteByte(byte(r))
	case r == utf8.RuneError && len(raw) == 1:
		f.out.WriteString("\uFFFD") // a byte that is no text may be a control of another encoding
	case r < 0x20 || r >= 0x7f && r <= 0x9f:
	default:
		f.out.Write(raw)
	}
}

// control handles a character within a control sequence.
func (f *Filter) control(r rune, raw []byte) {
	switch {
	case r >= 0x40 && r <= 0x7e:
		f.state = ground
		if f.mode == Safe && len(f.seq) < maxSequence && harmless(f.seq, r) {
			f.out.Write(f.seq)
			f.out.Write(raw)
		}
	case r == 0x1b:
		f.state = escape
	case r >= 0x20 && r <= 0x3f:
		if len(f.seq) < maxSequence {
			f.seq = append(f.seq, raw...)
		}
	case r < 0x20: // terminals obey controls in the middle of sequences
		f.state = ground
		f.plain(r, raw)
	default:
		f.state = ground
	}
}

// harmless reports whether a control sequence can be left to a terminal:
// colours, and what line editors use within a line (erase, left and right,
// column, insert and delete characters). seq is what comes before the final byte.
func harmless(seq []byte, final rune) bool {
	for _, c := range seq[2:] {
		if c != ';' && c != ':' && (c < '0' || c > '9') {
			return false // private or intermediate: modes and questions
		}
	}
	switch final {
	case 'm', 'K', 'C', 'D', 'G', 'P', '@':
		return true
	}
	return false
}

// Close writes what was held back. With Safe it ends colours that are still on.
func (f *Filter) Close() error {
	f.out.Reset()
	if f.cr {
		f.cr = false
		f.out.WriteByte('\n')
	}
	if f.mode == Safe {
		f.out.WriteString("\x1b[m")
	}
	_, err := f.w.Write(f.out.Bytes())
	return err
}
