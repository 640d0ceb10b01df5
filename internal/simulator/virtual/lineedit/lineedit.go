// Package lineedit is the line editor of an interactive shell: bytes typed at
// a terminal go in, what the terminal shall show comes out, and finished lines
// are reported as events.
//
// It performs no I/O, starts no goroutine and reads no clock; one goroutine
// owns an Editor. No input can make it panic.
package lineedit

import (
	"strings"
	"unicode/utf8"
)

// Event says what a byte that was fed means to the owner of the editor.
type Event int

// The events of Feed.
const (
	None      Event = iota
	Line            // Enter: Text holds the line
	Interrupt       // Ctrl-C: the line was dropped
	EOF             // Ctrl-D on an empty line
)

// maxLine bounds a line in characters; more is not taken.
const maxLine = 16 << 10

// maxEscape bounds an escape sequence in bytes; a longer one is dropped.
const maxEscape = 16

// Completer returns the candidates for the word that ends at the end of head,
// the text left of the cursor. start is where in head that word begins.
type Completer func(head string) (start int, candidates []string)

// Editor edits one line at a time. Use New.
type Editor struct {
	// Complete is asked when Tab is pressed; nil rings the bell.
	Complete Completer

	cols   int
	prompt string
	buf    []rune
	pos    int
	row    int // of the cursor, counted from the first row of the prompt
	end    int // cells that prompt and line take together
	yank   []rune

	utf8   []byte // an incomplete character
	esc    []byte // an incomplete escape sequence, with its ESC
	lastCR bool
	tabs   int

	history []string
	at      int    // index in history, len(history) for the line being typed
	draft   string // the line being typed while older ones are shown
	search  *search
}

// search is a reverse search in the history.
type search struct {
	text  string
	found int
}

// New returns an editor for a terminal of the given width.
func New(cols int) *Editor {
	e := &Editor{}
	e.Resize(cols)
	return e
}

// Resize tells the width of the terminal in cells.
func (e *Editor) Resize(cols int) {
	if cols < 1 {
		cols = 80
	}
	e.cols = cols
}

// History returns the lines entered so far, oldest first.
func (e *Editor) History() []string { return e.history }

// Begin starts a line and returns the prompt as it is to be printed.
func (e *Editor) Begin(prompt string) string {
	e.prompt = prompt
	e.buf, e.pos, e.row = e.buf[:0], 0, 0
	e.at, e.draft, e.search, e.tabs = len(e.history), "", nil, 0
	e.utf8, e.esc = nil, nil
	e.end = e.width(prompt)
	e.row = e.end / e.cols
	return prompt
}

// Text returns the line as it is.
func (e *Editor) Text() string { return string(e.buf) }

// Remember adds a line to the history, unless it repeats the last one.
func (e *Editor) Remember(line string) {
	if strings.TrimSpace(line) == "" || (len(e.history) > 0 && e.history[len(e.history)-1] == line) {
		return
	}
	if e.history = append(e.history, line); len(e.history) > 1000 {
		e.history = e.history[1:]
	}
}

// Feed takes one typed byte. out is to be printed.
func (e *Editor) Feed(b byte) (out string, ev Event) {
	cr := e.lastCR
	e.lastCR = b == '\r'
	if b == '\n' && cr {
		return "", None // CR LF is one Enter
	}
	if b != '\t' {
		e.tabs = 0
	}
	switch {
	case len(e.esc) > 0:
		return e.escape(b)
	case len(e.utf8) > 0 || b >= utf8.RuneSelf:
		return e.multibyte(b), None
	case e.search != nil:
		return e.searching(b)
	}
	return e.key(b)
}

// multibyte collects the bytes of a character.
func (e *Editor) multibyte(b byte) string {
	e.utf8 = append(e.utf8, b)
	if !utf8.FullRune(e.utf8) && len(e.utf8) < utf8.UTFMax {
		return ""
	}
	r, _ := utf8.DecodeRune(e.utf8)
	e.utf8 = e.utf8[:0]
	if e.search != nil {
		return e.leaveSearch() + e.insert(r)
	}
	return e.insert(r)
}

// key handles a byte that is a character or a control key of its own.
func (e *Editor) key(b byte) (string, Event) {
	switch b {
	case '\r', '\n':
		return e.enter()
	case 0x03: // Ctrl-C
		out := e.moveTo(len(e.buf)) + "^C\r\n"
		e.buf, e.pos = e.buf[:0], 0
		return out, Interrupt
	case 0x04: // Ctrl-D
		if len(e.buf) == 0 {
			return "", EOF
		}
		return e.cut(e.pos, e.pos+1, false), None
	case 0x1b:
		e.esc = append(e.esc[:0], b)
		return "", None
	case '\t':
		return e.complete(), None
	case 0x12: // Ctrl-R
		e.search = &search{found: len(e.history)}
		return e.drawSearch(), None
	}
	if b >= 0x20 && b != 0x7f {
		return e.insert(rune(b)), None
	}
	return e.control(b), None
}

// control handles the keys that edit.
func (e *Editor) control(b byte) string {
	switch b {
	case 0x01: // Ctrl-A
		return e.moveTo(0)
	case 0x02: // Ctrl-B
		return e.moveTo(e.pos - 1)
	case 0x05: // Ctrl-E
		return e.moveTo(len(e.buf))
	case 0x06: // Ctrl-F
		return e.moveTo(e.pos + 1)
	case 0x08, 0x7f: // Backspace
		return e.cut(e.pos-1, e.pos, false)
	case 0x0b: // Ctrl-K
		return e.cut(e.pos, len(e.buf), true)
	case 0x0c: // Ctrl-L
		e.row = 0
		return "\x1b[H\x1b[2J" + e.draw()
	case 0x0e: // Ctrl-N
		return e.recall(1)
	case 0x10: // Ctrl-P
		return e.recall(-1)
	case 0x14: // Ctrl-T
		return e.transpose()
	case 0x15: // Ctrl-U
		return e.cut(0, e.pos, true)
	case 0x17: // Ctrl-W
		return e.cut(e.wordLeft(true), e.pos, true)
	case 0x19: // Ctrl-Y
		return e.insert(e.yank...)
	}
	return ""
}

func (e *Editor) enter() (string, Event) {
	out := e.moveTo(len(e.buf))
	return out + "\r\n", Line
}

// escape collects and handles an escape sequence.
func (e *Editor) escape(b byte) (string, Event) {
	e.esc = append(e.esc, b)
	seq := string(e.esc)
	final := len(seq) == 2 && b != '[' && b != 'O' ||
		len(seq) > 2 && b >= 0x40 && b <= 0x7e || len(seq) >= maxEscape
	if b == 0x03 || b == '\r' || b == '\n' { // a lone ESC, then a key
		e.esc = nil
		return e.key(b)
	}
	if !final {
		return "", None
	}
	e.esc = nil
	out := ""
	if e.search != nil {
		out = e.leaveSearch()
	}
	return out + e.sequence(seq[1:]), None
}

func (e *Editor) sequence(seq string) string {
	switch seq {
	case "[A", "OA":
		return e.recall(-1)
	case "[B", "OB":
		return e.recall(1)
	case "[C", "OC":
		return e.moveTo(e.pos + 1)
	case "[D", "OD":
		return e.moveTo(e.pos - 1)
	case "[H", "OH", "[1~", "[7~":
		return e.moveTo(0)
	case "[F", "OF", "[4~", "[8~":
		return e.moveTo(len(e.buf))
	case "[3~":
		return e.cut(e.pos, e.pos+1, false)
	case "b", "[1;5D", "[1;3D":
		return e.moveTo(e.wordLeft(false))
	case "f", "[1;5C", "[1;3C":
		return e.moveTo(e.wordRight())
	case "d":
		return e.cut(e.pos, e.wordRight(), true)
	case "\x7f", "\x08":
		return e.cut(e.wordLeft(false), e.pos, true)
	}
	return ""
}
