package sessionlog

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func filtered(t testing.TB, mode Mode, cut int, s string) string {
	t.Helper()
	var out bytes.Buffer
	f := NewFilter(&out, mode)
	for b := []byte(s); len(b) > 0; {
		n := min(cut, len(b))
		if got, err := f.Write(b[:n]); got != n || err != nil {
			t.Fatalf("wrote %d of %d: %v", got, n, err)
		}
		b = b[n:]
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFilter(t *testing.T) {
	tests := []struct{ name, in, safe, text string }{
		{"plain text", "héllo ✓\tx\n", "héllo ✓\tx\n", "héllo ✓\tx\n"},
		{"line ends", "a\r\nb\rc\r", "a\r\nb\rc\r", "a\nb\nc\n"},
		{"colours", "\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m", "red"},
		{"line editing", "ab\b\x1b[K\x1b[2C\x1b[3P", "ab\b\x1b[K\x1b[2C\x1b[3P", "ab"},
		{"clearing the screen", "\x1b[2J\x1b[Hx", "x", "x"},
		{"modes", "\x1b[?1049h\x1b[?2004lx\x1b[?25h", "x", "x"},
		{"a title", "\x1b]0;evil\x07x", "x", "x"},
		{"the clipboard", "\x1b]52;c;ZXZpbA==\x1b\\x", "x", "x"},
		{"a device control string", "\x1bP$q\"p\x1b\\x", "x", "x"},
		{"a question the terminal answers", "\x1b[6n\x1b[cx\x1b[5n", "x", "x"},
		{"private colours", "\x1b[>4;1mx", "x", "x"},
		{"character sets and resets", "\x1b(0\x1bcx\x1b7", "x", "x"},
		{"C1 controls", "\u009b31m\u009d0;evil\u009cx", "\x1b[31mx", "x"},
		{"bytes that are no text", "a\x9b31mb\xff", "a\uFFFD31mb\uFFFD", "a\uFFFD31mb\uFFFD"},
		{"other controls", "a\x00\x07\x0e\x7fb", "ab", "ab"},
		{"an unfinished sequence", "x\x1b[31", "x", "x"},
		{"a sequence too long to keep", "\x1b[" + strings.Repeat("1;", 60) + "mx", "x", "x"},
		{"a sequence within a sequence", "\x1b[3\x1b[31mx", "\x1b[31mx", "x"},
		{"a line feed within a sequence", "\x1b[3\nx", "\nx", "\nx"},
	}
	for _, tt := range tests {
		for _, cut := range []int{1, 2, 3, 1000} {
			if got := filtered(t, Safe, cut, tt.in); got != tt.safe+"\x1b[m" {
				t.Errorf("%s, safe, in pieces of %d: %q", tt.name, cut, got)
			}
			if got := filtered(t, Text, cut, tt.in); got != tt.text {
				t.Errorf("%s, text, in pieces of %d: %q", tt.name, cut, got)
			}
		}
	}
}

// FuzzFilter holds that no input gets a control through that is not wanted, and
// that pieces do not matter.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"\x1b]0;x\x07", "\x1b[31m", "\u009b31m", "a\xc3", "\x1b\x1b[", "\x1bP\x1b\\"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, s string, cut int) {
		text := filtered(t, Text, 1+(cut&7), s)
		if whole := filtered(t, Text, 1<<20, s); whole != text {
			t.Errorf("whole %q, in pieces %q", whole, text)
		}
		for _, r := range text {
			if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f {
				t.Fatalf("%q got through in %q", r, text)
			}
		}
		if !utf8.ValidString(text) {
			t.Fatalf("not text: %q", text)
		}
		safe := filtered(t, Safe, 1+(cut&7), s)
		for i := strings.IndexByte(safe, 0x1b); i >= 0; {
			rest := safe[i+1:]
			end := strings.IndexAny(rest, "mKCDGP@")
			if !strings.HasPrefix(rest, "[") || end < 0 || strings.Trim(rest[1:end], "0123456789;:") != "" {
				t.Fatalf("%q got through", safe[i:])
			}
			next := strings.IndexByte(rest, 0x1b)
			if next < 0 {
				break
			}
			i += 1 + next
		}
	})
}
