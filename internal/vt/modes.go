package vt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The private modes that a program at the far end may leave on, and that matter
// to whoever shares the terminal with it.
var watched = []int{
	1,              // cursor keys
	47, 1047, 1049, // alternate screen
	1000, 1002, 1003, // mouse
	1005, 1006, 1015, // mouse encodings
	1004, // focus events
	2004, // bracketed paste
}

// Modes follows which modes of a terminal its program has switched. The zero
// value is a terminal just reset.
type Modes struct {
	on      []int
	margins bool
}

// See takes one whole control sequence. rows is the height of the window, 0 when
// it is not known: margins around all of it are none.
func (m *Modes) See(seq []byte, rows int) {
	body, ok := strings.CutPrefix(string(seq), "\x1b[")
	if !ok {
		if string(seq) == "\x1bc" { // full reset
			*m = Modes{}
		}
		return
	}
	if body == "" {
		return
	}
	params, final := body[:len(body)-1], body[len(body)-1]
	switch {
	case final == 'r' && !strings.HasPrefix(params, "?"):
		top, bottom, _ := strings.Cut(params, ";")
		first, _ := strconv.Atoi(top)
		last, _ := strconv.Atoi(bottom)
		m.margins = first > 1 || last > 0 && (rows == 0 || last < rows)
	case (final == 'h' || final == 'l') && strings.HasPrefix(params, "?"):
		for p := range strings.SplitSeq(params[1:], ";") {
			if n, err := strconv.Atoi(p); err == nil && slices.Contains(watched, n) {
				m.set(n, final == 'h')
			}
		}
	}
}

func (m *Modes) set(n int, on bool) {
	m.on = slices.DeleteFunc(m.on, func(o int) bool { return o == n })
	if on {
		m.on = append(m.on, n)
	}
}

// FullScreen reports whether a program has the screen to itself: it uses the
// alternate one, or has set scrolling margins.
func (m *Modes) FullScreen() bool { return m.margins || m.Alternate() }

// Alternate reports whether a program uses the alternate screen.
func (m *Modes) Alternate() bool {
	return slices.ContainsFunc(m.on, func(n int) bool { return n == 47 || n == 1047 || n == 1049 })
}

// Off returns what switches off the modes that are on, the last one first; On
// returns what switches them on again.
func (m *Modes) Off() string {
	var b strings.Builder
	for _, n := range slices.Backward(m.on) {
		fmt.Fprintf(&b, "\x1b[?%dl", n)
	}
	return b.String()
}

// On returns what switches on the modes that are on.
func (m *Modes) On() string {
	var b strings.Builder
	for _, n := range m.on {
		fmt.Fprintf(&b, "\x1b[?%dh", n)
	}
	return b.String()
}
