// Package vt finds where control sequences begin and end in what programs write
// to terminals (ECMA-48, and the xterm control sequences document).
//
// It interprets nothing but a few private modes, performs no I/O and keeps no
// screen. However its input is cut, the result is the same, and none takes more
// than constant memory.
package vt

// Kind says what a byte is a part of.
type Kind uint8

// The kinds.
const (
	Text     Kind = iota // a printable character, or a byte of one
	Control              // a control character that acts by itself: CR, LF, BEL, …
	Sequence             // a byte of a control sequence that goes on
	End                  // the last byte of a control sequence
)

type state uint8

const (
	ground    state = iota
	escape          // after ESC
	charset         // after ESC and an intermediate byte
	csi             // ESC [
	osc             // ESC ], ended by BEL or ST
	str             // DCS, SOS, PM, APC: ended by ST
	strEscape       // ESC within one of the two: ST, or something new
)

// Scanner reads a stream byte by byte. The zero value is at the beginning of
// one.
type Scanner struct {
	state state
	rune  uint8 // continuation bytes that are due
}

// Ground reports whether the stream is between two things: no sequence and no
// UTF-8 character has begun and not ended.
func (s *Scanner) Ground() bool { return s.state == ground && s.rune == 0 }

// InString reports whether the stream is within a string (a title, an image):
// those have no natural limit of length.
func (s *Scanner) InString() bool { return s.state == osc || s.state == str || s.state == strEscape }

// Step takes one byte and says what it is.
func (s *Scanner) Step(c byte) Kind {
	const (
		can, sub, esc, bel = 0x18, 0x1a, 0x1b, 0x07
	)
	switch {
	case c == can || c == sub: // they break off whatever it is
		was := s.state
		*s = Scanner{}
		if was == ground {
			return Control
		}
		return End
	case s.state == ground:
		return s.ground(c)
	case c == esc:
		if s.InString() {
			s.state = strEscape
		} else {
			s.state = escape
		}
		return Sequence
	}
	switch s.state {
	case escape, strEscape:
		return s.escaped(c)
	case charset:
		return s.until(c >= 0x30 && c != 0x7f)
	case csi:
		if c < 0x20 || c == 0x7f || c >= 0x80 {
			return Sequence // acts by itself or is ignored; the sequence goes on
		}
		return s.until(c >= 0x40)
	case osc:
		return s.until(c == bel)
	default:
		return Sequence
	}
}

func (s *Scanner) until(last bool) Kind {
	if last {
		s.state = ground
		return End
	}
	return Sequence
}

// escaped takes the byte after ESC. One that ends a string may be the backslash
// of ST or begin a new sequence.
func (s *Scanner) escaped(c byte) Kind {
	switch {
	case c == '[':
		s.state = csi
	case c == ']':
		s.state = osc
	case c == 'P' || c == 'X' || c == '^' || c == '_':
		s.state = str
	case c >= 0x20 && c < 0x30, c == 'N', c == 'O':
		s.state = charset
	case c < 0x20: // acts by itself
	default:
		return s.until(true)
	}
	return Sequence
}

// ground takes a byte outside sequences.
func (s *Scanner) ground(c byte) Kind {
	if s.rune > 0 {
		if c&0xc0 == 0x80 {
			s.rune--
			return Text
		}
		s.rune = 0 // a character that was broken off
	}
	switch {
	case c == 0x1b:
		s.state = escape
		return Sequence
	case c < 0x20 || c == 0x7f:
		return Control
	case c >= 0xf0 && c < 0xf8:
		s.rune = 3
	case c >= 0xe0 && c < 0xf0:
		s.rune = 2
	case c >= 0xc0 && c < 0xe0:
		s.rune = 1
	}
	return Text
}
