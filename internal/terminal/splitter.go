package terminal

import (
	"bytes"
	"unicode/utf8"
)

// Kind is what a piece of what a terminal sends is.
type Kind int

// The kinds of pieces.
const (
	KindKey    Kind = iota // a key, whole: a character, or a sequence
	KindPaste              // pasted text, without the marks around it
	KindMouse              // a click, the wheel, a move
	KindReport             // what the terminal says by itself or because it was asked: no key
	KindNone               // broken off: nothing
)

// Piece is one whole piece of what a terminal sends.
type Piece struct {
	Kind Kind
	Data []byte
}

// PasteMost is how much of pasted text is kept, in bytes: more is not kept, and not
// anything else either.
const PasteMost = 1 << 20

// sequenceMost is how long a sequence may be that is kept. Of a longer one, which nobody
// has asked for, only the end is looked for.
const sequenceMost = 4 << 10

// Splitter cuts what a terminal sends into whole pieces, however it arrives: nothing
// that is part of a sequence is ever a piece of its own. Its zero value is ready.
//
// It has no clock. An ESC may be a key or the beginning of a sequence: whoever has
// waited in vain for what follows calls Flush. A sequence that does not go on is
// forgotten with Drop.
type Splitter struct {
	state state
	buf   []byte
	match int // how much of pasteEnd has come
}

type state int

const (
	atGround     state = iota
	inCharacter        // of several bytes
	inEscape           // ESC, and perhaps another
	inControl          // ESC [
	inLinuxKey         // ESC [ [, a function key of the Linux console
	inOldMouse         // ESC [ M, and three bytes of any value
	inShift            // ESC O
	inString           // ESC ] and the like, up to its end
	inStringEnds       // an ESC in it
	inPaste
)

const (
	esc        = 0x1b
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// Escape reports whether what has come is an ESC alone, which may be a key.
func (s *Splitter) Escape() bool { return s.state == inEscape }

// Partial reports whether a piece has begun and is not whole.
func (s *Splitter) Partial() bool { return s.state != atGround }

// Pasting reports whether text is being pasted.
func (s *Splitter) Pasting() bool { return s.state == inPaste }

// Ahead is how many bytes may be read at once: none of them can belong to another piece
// than the one that has begun.
func (s *Splitter) Ahead() int {
	if s.state == inPaste {
		return len(pasteEnd) - s.match
	}
	return 1
}

// Drop forgets what has begun.
func (s *Splitter) Drop() { s.state, s.buf, s.match = atGround, nil, 0 }

// Flush is what has begun when nothing more comes: an ESC is the key Esc.
func (s *Splitter) Flush() []Piece {
	var out []Piece
	if s.state == inEscape {
		for range s.buf {
			out = append(out, Piece{KindKey, []byte{esc}})
		}
	}
	s.Drop()
	return out
}

// Push takes a byte and returns the pieces that are whole with it: mostly none or one.
func (s *Splitter) Push(b byte) []Piece {
	switch s.state {
	case atGround:
		return s.begin(b)
	case inCharacter:
		return s.character(b)
	case inEscape:
		return s.escaped(b)
	case inPaste:
		return s.paste(b)
	case inString, inStringEnds:
		return s.string(b)
	case inOldMouse:
		return s.oldMouse(b)
	}
	return s.control(b)
}

// end is what has come as a whole piece.
func (s *Splitter) end(k Kind) []Piece {
	data := s.buf
	s.Drop()
	return []Piece{{k, data}}
}

// again takes a byte that does not belong to what has begun, which is forgotten.
func (s *Splitter) again(b byte) []Piece {
	s.Drop()
	return append([]Piece{{Kind: KindNone}}, s.begin(b)...)
}

func (s *Splitter) begin(b byte) []Piece {
	s.buf = append(s.buf[:0:0], b)
	switch {
	case b == esc:
		s.state = inEscape
		return nil
	case b < utf8.RuneSelf:
		return s.end(KindKey)
	case utf8.FullRune(s.buf): // no character begins with it
		return s.end(KindNone)
	}
	s.state = inCharacter
	return nil
}

func (s *Splitter) character(b byte) []Piece {
	if b < utf8.RuneSelf {
		return s.again(b)
	}
	s.buf = append(s.buf, b)
	text := bytes.TrimPrefix(s.buf, []byte{esc})
	switch r, size := utf8.DecodeRune(text); {
	case r != utf8.RuneError || size > 1:
		return s.end(KindKey)
	case utf8.FullRune(text):
		return s.end(KindNone)
	}
	return nil
}

func (s *Splitter) escaped(b byte) []Piece {
	s.buf = append(s.buf, b)
	switch b {
	case esc:
		if len(s.buf) > 2 { // ESC ESC [ A is Alt with an arrow; of three the first is Esc
			s.buf = s.buf[1:]
			return []Piece{{KindKey, []byte{esc}}}
		}
	case '[':
		s.state = inControl
	case 'O':
		s.state = inShift
	case ']', 'P', '_', '^', 'X':
		s.state = inString
	default:
		if len(s.buf) > 2 { // Esc, and then Alt with a key
			s.buf = s.buf[1:]
			return append([]Piece{{KindKey, []byte{esc}}}, s.alt(b)...)
		}
		return s.alt(b)
	}
	return nil
}

// alt is ESC in front of a character.
func (s *Splitter) alt(b byte) []Piece {
	if b < utf8.RuneSelf {
		return s.end(KindKey)
	}
	if s.Drop(); len(s.begin(b)) > 0 {
		return []Piece{{Kind: KindNone}}
	}
	s.state, s.buf = inCharacter, []byte{esc, b}
	return nil
}

// control is inside of ESC [ and ESC O.
func (s *Splitter) control(b byte) []Piece {
	if b < 0x20 || b > 0x7e {
		return s.again(b)
	}
	s.keep(b)
	at := 2
	if s.buf[1] == esc {
		at = 3
	}
	switch {
	case s.state == inLinuxKey:
		return s.end(KindKey)
	case s.state == inControl && b == '[' && len(s.buf) == at+1:
		s.state = inLinuxKey
		return nil
	case s.state == inControl && b == 'M' && len(s.buf) == at+1:
		s.state = inOldMouse
		return nil
	case s.state == inShift && b >= '0' && b <= '9', s.state == inControl && b < 0x40:
		return nil
	case s.state == inShift:
		return s.end(KindKey)
	case string(s.buf) == pasteBegin:
		s.state, s.buf = inPaste, nil
		return nil
	}
	return s.end(kindOf(s.buf[at:]))
}

// oldMouse is inside of the report of a mouse as terminals made it that know no other.
// What it points at is read by nobody here, since it ends at column 223.
func (s *Splitter) oldMouse(b byte) []Piece {
	s.buf = append(s.buf, b)
	if len(bytes.TrimLeft(s.buf, "\x1b")) < len("[M")+3 {
		return nil
	}
	return s.end(KindNone)
}

// kindOf is what a sequence is, from behind ESC [.
func kindOf(b []byte) Kind {
	last := b[len(b)-1]
	switch {
	case len(b) > sequenceMost-8:
		return KindNone
	case b[0] == '<' && (last == 'M' || last == 'm'):
		return KindMouse
	case b[0] >= '<' && b[0] <= '?':
		return KindReport
	case string(b) == "I" || string(b) == "O": // the focus
		return KindReport
	case last == 't' || last == 'n' || last == 'y' || last == 'x':
		return KindReport
	case string(b) == "201~": // of a paste that nobody knows of
		return KindNone
	}
	return KindKey
}

// string is inside of a string: an answer, mostly. What a terminal says has no control
// characters, so that one of them is a key again.
func (s *Splitter) string(b byte) []Piece {
	switch {
	case s.state == inStringEnds && b == '\\':
		s.buf = append(s.buf, b)
		return s.end(s.said())
	case s.state == inStringEnds: // the ESC has begun something else
		s.Drop()
		return append([]Piece{{Kind: KindNone}}, append(s.begin(esc), s.Push(b)...)...)
	case b == esc:
		s.state = inStringEnds
		s.buf = append(s.buf, b)
	case b == 0x07:
		s.buf = append(s.buf, b)
		return s.end(s.said())
	case b < 0x20:
		return s.again(b)
	default:
		s.keep(b)
	}
	return nil
}

func (s *Splitter) said() Kind {
	if s.buf[1] == esc || len(s.buf) > sequenceMost {
		return KindNone
	}
	return KindReport
}

// keep takes one more byte of a sequence, and the last ones of one that is too long.
func (s *Splitter) keep(b byte) {
	if len(s.buf) > sequenceMost {
		s.buf = s.buf[:sequenceMost]
	}
	s.buf = append(s.buf, b)
}

func (s *Splitter) paste(b byte) []Piece {
	if b == pasteEnd[s.match] {
		if s.match++; s.match == len(pasteEnd) {
			return s.end(KindPaste)
		}
		return nil
	}
	text := pasteEnd[:s.match]
	s.match = 0
	s.text(text)
	if b == esc {
		s.match = 1
		return nil
	}
	s.text(string([]byte{b}))
	return nil
}

// text keeps pasted text, as far as it may have.
func (s *Splitter) text(t string) {
	if len(s.buf) < PasteMost {
		s.buf = append(s.buf, t...)
	}
}
