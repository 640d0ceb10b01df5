package render

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Visible makes text safe for a terminal and for a line of tab-separated
// output: control characters (C0, DEL, C1), line and paragraph separators,
// marks that reorder or hide text or cannot be seen themselves, more marks than a
// letter has, and bytes that are not UTF-8 become escapes such as `\n`, `\x1b`,
// `\u202e`. Everything else, backslashes too, stays as it is: joiners among emoji and
// in scripts that need them, too. Text that came from a node or a service must pass
// through it before it is put into a Human cell.
func Visible(s string) string {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	if i == len(s) {
		return s
	}
	return visible(s, keepNothing)
}

// OneLine is Visible for a place that has one line: line breaks and other runs of
// blanks become one blank each.
func OneLine(s string) string { return Visible(strings.Join(strings.Fields(s), " ")) }

// keepNothing and keepBreaks choose what visible leaves alone.
const (
	keepNothing = ""
	keepBreaks  = "\n\t"
)

func visible(s, keep string) string {
	var b strings.Builder
	var t reader
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if strings.ContainsRune(keep, r) && n == 1 && r != utf8.RuneError {
			b.WriteByte(s[i])
			t.wrote(s[i : i+1])
		} else {
			t.write(&b, s[i:i+n], r, s[i+n:])
		}
		i += n
	}
	return b.String()
}

// write writes the rune r, whose bytes are raw, so that it is seen.
func (t *reader) write(b *strings.Builder, raw string, r rune, rest string) {
	var text string
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		text = `\x` + hex(int64(raw[0]), 2)
	case r == '\n':
		text = `\n`
	case r == '\r':
		text = `\r`
	case r == '\t':
		text = `\t`
	case r < ' ' || r == 0x7f:
		text = `\x` + hex(int64(r), 2)
	case !t.unseen(r, rest):
		b.WriteString(raw)
		return
	case r > 0xffff:
		text = `\U` + hex(int64(r), 8)
	default:
		text = `\u` + hex(int64(r), 4)
	}
	b.WriteString(text)
	t.wrote(text)
}

func hex(v int64, digits int) string {
	s := strconv.FormatInt(v, 16)
	return strings.Repeat("0", max(digits-len(s), 0)) + s
}

// styled makes the text of a Human cell safe: with color its colour sequences
// (SGR) stay and are ended at the end; anything else that controls a terminal
// becomes visible.
func styled(s string, color bool) string {
	if strings.IndexByte(s, 0x1b) < 0 || !color {
		return Visible(s)
	}
	var b strings.Builder
	var t reader
	open := false
	for len(s) > 0 {
		if n := sgr(s); n > 0 {
			b.WriteString(s[:n])
			open = s[:n] != "\x1b[m" && s[:n] != "\x1b[0m"
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		t.write(&b, s[:n], r, s[n:])
		s = s[n:]
	}
	if open {
		b.WriteString("\x1b[m")
	}
	return b.String()
}

// sgr returns the length of the SGR sequence at the start of s, 0 when there is
// none.
func sgr(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' || c == ';' || c == ':':
		case c == 'm':
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// Width returns how many cells s takes on a terminal, colour sequences
// excluded.
func Width(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// CutEnd shortens s to at most width cells, the last of which says that it was
// cut.
func CutEnd(s string, width int, ellipsis string) string {
	switch {
	case width <= 0:
		return ""
	case Width(s) <= width:
		return s
	}
	return head(s, width, ellipsis)
}

// CutMiddle shortens s to at most width cells by what is in its middle: of an
// id, a path or an ARN both ends matter.
func CutMiddle(s string, width int, ellipsis string) string {
	full, mark := Width(s), Width(ellipsis)
	switch {
	case width <= 0:
		return ""
	case full <= width:
		return s
	case width <= mark+1:
		return head(s, width, ellipsis)
	}
	tail := (width - mark) / 2
	end := ansi.TruncateLeft(s, full-tail, "")
	for cut := full - tail + 1; Width(end) > tail; cut++ { // see head
		end = ansi.TruncateLeft(s, cut, "")
	}
	return head(s, width-mark-tail, "") + ellipsis + end
}

// head returns the start of s in at most width cells, mark included. A cut can
// fall into a wide character, or change the width of the signs around it, so
// one try may not do.
func head(s string, width int, mark string) string {
	cut := ansi.Truncate(s, width, mark)
	for try := width - 1; try >= 0 && Width(cut) > width; try-- {
		cut = ansi.Truncate(s, try, mark)
	}
	return cut
}
