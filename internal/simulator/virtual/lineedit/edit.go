package lineedit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// insert puts characters at the cursor.
func (e *Editor) insert(rs ...rune) string {
	if len(rs) == 0 || len(e.buf)+len(rs) > maxLine {
		return ""
	}
	atEnd := e.pos == len(e.buf)
	e.buf = slices.Insert(e.buf, e.pos, rs...)
	e.pos += len(rs)
	if !atEnd {
		return e.redraw()
	}
	// The usual case: the terminal moves its cursor by itself.
	out := string(rs)
	e.end += e.width(out)
	e.row = e.end / e.cols
	if e.end%e.cols == 0 {
		out += " \r" // leave the pending wrap for the next row
	}
	return out
}

// cut removes [from, to), keeping it for Ctrl-Y if asked.
func (e *Editor) cut(from, to int, keep bool) string {
	from, to = max(from, 0), min(to, len(e.buf))
	if from >= to {
		return ""
	}
	if keep {
		e.yank = slices.Clone(e.buf[from:to])
	}
	e.buf = slices.Delete(e.buf, from, to)
	e.pos = from
	return e.redraw()
}

func (e *Editor) transpose() string {
	if e.pos == 0 || len(e.buf) < 2 {
		return ""
	}
	i := min(e.pos, len(e.buf)-1)
	e.buf[i-1], e.buf[i] = e.buf[i], e.buf[i-1]
	e.pos = i + 1
	return e.redraw()
}

// wordLeft returns where the word left of the cursor begins; blank says that
// only blanks separate words.
func (e *Editor) wordLeft(blank bool) int {
	in := func(r rune) bool {
		return !unicode.IsSpace(r) && (blank || unicode.IsLetter(r) || unicode.IsDigit(r))
	}
	i := e.pos
	for i > 0 && !in(e.buf[i-1]) {
		i--
	}
	for i > 0 && in(e.buf[i-1]) {
		i--
	}
	return i
}

func (e *Editor) wordRight() int {
	in := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	i := e.pos
	for i < len(e.buf) && !in(e.buf[i]) {
		i++
	}
	for i < len(e.buf) && in(e.buf[i]) {
		i++
	}
	return i
}

// recall shows an older (-1) or newer (+1) line.
func (e *Editor) recall(by int) string {
	to := e.at + by
	if to < 0 || to > len(e.history) {
		return "\a"
	}
	if e.at == len(e.history) {
		e.draft = string(e.buf)
	}
	e.at = to
	line := e.draft
	if to < len(e.history) {
		line = e.history[to]
	}
	e.buf = []rune(line)
	e.pos = len(e.buf)
	return e.redraw()
}

// width returns how many cells text needs, without its escape sequences.
func (e *Editor) width(text string) int {
	n, esc := 0, false
	for _, r := range text {
		switch {
		case r == 0x1b:
			esc = true
		case esc:
			esc = !unicode.IsLetter(r)
		default:
			n += runeWidth(r)
		}
	}
	return n
}

// runeWidth is 0 for combining marks, 2 for wide East Asian characters and
// emoji, else 1.
func runeWidth(r rune) int {
	switch {
	case r < 0x20 || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f900 && r <= 0x1f9ff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// cells returns the distance in cells from the start of the prompt to pos.
func (e *Editor) cells(pos int) int {
	n := e.width(e.prompt)
	for _, r := range e.buf[:pos] {
		n += runeWidth(r)
	}
	return n
}

// home moves the cursor to the first cell of the prompt.
func (e *Editor) home() string {
	if e.row > 0 {
		return fmt.Sprintf("\x1b[%dA\r", e.row)
	}
	return "\r"
}

// redraw prints everything anew.
func (e *Editor) redraw() string { return e.home() + e.draw() }

// draw prints prompt and line from the first cell of the prompt on, and leaves
// the cursor at its position.
func (e *Editor) draw() string {
	var b strings.Builder
	b.WriteString(e.prompt)
	b.WriteString(string(e.buf))
	e.end = e.cells(len(e.buf))
	if e.end > 0 && e.end%e.cols == 0 {
		b.WriteString(" \r")
	}
	b.WriteString("\x1b[J")
	e.row = e.end / e.cols
	b.WriteString(e.place())
	return b.String()
}

// place moves the cursor from the row it is in to its position.
func (e *Editor) place() string {
	at := e.cells(e.pos)
	row, col := at/e.cols, at%e.cols
	out := ""
	switch {
	case row < e.row:
		out = fmt.Sprintf("\x1b[%dA", e.row-row)
	case row > e.row:
		out = fmt.Sprintf("\x1b[%dB", row-e.row)
	}
	e.row = row
	out += "\r"
	if col > 0 {
		out += fmt.Sprintf("\x1b[%dC", col)
	}
	return out
}

// moveTo sets the cursor.
func (e *Editor) moveTo(pos int) string {
	pos = min(max(pos, 0), len(e.buf))
	if pos == e.pos {
		return ""
	}
	e.pos = pos
	return e.place()
}

// complete extends the word at the cursor by what all candidates share. A
// second Tab lists them.
func (e *Editor) complete() string {
	if e.search != nil {
		return e.leaveSearch()
	}
	if e.Complete == nil {
		return "\a"
	}
	e.tabs++
	head := string(e.buf[:e.pos])
	start, cands := e.Complete(head)
	if len(cands) == 0 || start < 0 || start > len(head) {
		return "\a"
	}
	word := head[start:]
	shared := commonPrefix(cands)
	if len(cands) == 1 && !strings.HasSuffix(shared, "/") {
		shared += " "
	}
	if rest, ok := strings.CutPrefix(shared, word); ok && rest != "" {
		e.tabs = 0
		return e.insert([]rune(rest)...)
	}
	if e.tabs < 2 {
		return "\a"
	}
	out := e.moveTo(len(e.buf)) + "\r\n" + columns(cands, e.cols)
	e.row = 0
	return out + e.draw()
}

func commonPrefix(list []string) string {
	p := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, p) {
			p = p[:len(p)-1]
		}
	}
	return strings.ToValidUTF8(p, "")
}

// columns lays names out over the width of the terminal.
func columns(list []string, cols int) string {
	widest := 0
	names := make([]string, len(list))
	for i, s := range list {
		base := strings.TrimSuffix(s, "/")
		names[i] = s[strings.LastIndexByte(base, '/')+1:]
		widest = max(widest, len(names[i]))
	}
	per := max(1, cols/(widest+2))
	var b strings.Builder
	for i, s := range names {
		if (i+1)%per == 0 || i == len(names)-1 {
			b.WriteString(s + "\r\n")
		} else {
			b.WriteString(s + strings.Repeat(" ", widest+2-len(s)))
		}
	}
	return b.String()
}

// searching handles a key during a reverse search.
func (e *Editor) searching(b byte) (string, Event) {
	s := e.search
	switch {
	case b == 0x12: // Ctrl-R again: an older one
		e.find(s.found - 1)
	case b == 0x7f || b == 0x08:
		if s.text != "" {
			rs := []rune(s.text)
			s.text = string(rs[:len(rs)-1])
		}
		e.find(len(e.history) - 1)
	case b >= 0x20:
		if len(s.text) < maxLine {
			s.text += string(rune(b))
		}
		e.find(min(s.found, len(e.history)-1))
	case b == 0x07: // Ctrl-G
		e.buf, e.pos = e.buf[:0], 0
		return e.leaveSearch(), None
	default:
		out := e.leaveSearch()
		more, ev := e.key(b)
		return out + more, ev
	}
	return e.drawSearch(), None
}

// find looks for the search text from entry i backwards.
func (e *Editor) find(i int) {
	for ; i >= 0; i-- {
		if strings.Contains(e.history[i], e.search.text) {
			e.search.found = i
			e.buf = []rune(e.history[i])
			e.pos = len(e.buf)
			return
		}
	}
}

func (e *Editor) drawSearch() string {
	prompt := e.prompt
	home := e.home()
	e.prompt = "(reverse-i-search)`" + e.search.text + "': "
	out := home + e.draw()
	e.prompt = prompt
	return out
}

func (e *Editor) leaveSearch() string {
	e.search = nil
	e.at = len(e.history)
	return e.redraw()
}
