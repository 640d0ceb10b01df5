package picker

import (
	"strings"
	"testing"
	"unicode"
)

func TestKeys(t *testing.T) {
	for in, want := range map[string]press{
		"a": {keyText, "a"}, "é": {keyText, "é"}, "日": {keyText, "日"}, " ": {keyText, " "},
		"\r": {keyEnter, ""}, "\n": {keyEnter, ""}, "\t": {keyMark, ""}, "\x7f": {keyBackspace, ""}, "\x08": {keyBackspace, ""},
		"\x03": {keyInterrupt, ""}, "\x04": {keyInterrupt, ""}, "\x15": {keyDeleteAll, ""}, "\x17": {keyDeleteWord, ""},
		"\x10": {keyUp, ""}, "\x0e": {keyDown, ""},
		"\x1b[A": {keyUp, ""}, "\x1bOB": {keyDown, ""}, "\x1b[1;5A": {keyUp, ""}, "\x1b[5~": {keyPageUp, ""}, "\x1b[6;2~": {keyPageDown, ""},
		"\x1b[H": {keyHome, ""}, "\x1bOF": {keyEnd, ""}, "\x1b[1~": {keyHome, ""}, "\x1b[8~": {keyEnd, ""}, "\x1bOM": {keyEnter, ""},
		"\x1b\x7f": {keyDeleteWord, ""}, "\x1bx": {}, "\x1bé": {}, "\x1b[3~": {}, "\x1b[99z": {}, "\x00": {}, "\xff": {},
		"\x1b]11;rgb:ffff/ffff/ffff\x1b\\": {}, "\x1b]11;rgb:0/0/0\x07": {}, "\x1bP>|xterm\x1b\\": {}, "\x1b_x\x1b\\": {}, "\x1b[?62;22c": {},
		"\x1b[200~web-1\r\n\x1b[201~": {keyText, "web-1  "}, "\x1b[200~\x1b[201~": {keyText, ""},
	} {
		for cut := range len(in) {
			if p, n := decode([]byte(in[:cut])); n != 0 {
				t.Errorf("the first %d bytes of %q are already %v", cut, in, p)
			}
		}
		if p, n := decode([]byte(in + "q")); p != want || n != len(in) {
			t.Errorf("%q: %v of %d bytes, want %v", in, p, n, want)
		}
	}
	if p, n := decode([]byte("\x1b\x1b")); p.key != keyEscape || n != 1 {
		t.Errorf("two ESC: %v, %d", p, n)
	}
	if _, n := decode([]byte("\x1b")); n != 0 {
		t.Error("a lone ESC is already something")
	}
	long := pasteStart + strings.Repeat("x", longestPaste+1)
	if p, n := decode([]byte(long)); p.key != keyText || n != len(long) {
		t.Errorf("an endless paste: %v, %d", p.key, n)
	}
	if p, n := decode([]byte("\x1b]11;rgb\x03")); p.key != keyNone || n != len("\x1b]11;rgb") {
		t.Errorf("a broken string: %v, %d", p.key, n)
	}
	if _, n := decode([]byte("\x1b]" + strings.Repeat("x", longestString))); n == 0 {
		t.Error("an endless string is waited for")
	}
	if _, n := decode([]byte("\x1b[" + strings.Repeat("1", longestSequence))); n == 0 {
		t.Error("an endless sequence is waited for")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a", "\x1b[A", "\x1b[200~x\x1b[201~", "\x1b", "\xe6\x97", "\x1b[1;5"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, n := decode(b)
		if n < 0 || n > len(b) {
			t.Fatalf("%q: %d bytes of %d", b, n, len(b))
		}
		if n == 0 && len(b) > longestPaste+longestSequence+len(pasteStart) {
			t.Errorf("%d bytes are not enough for a key", len(b))
		}
		for _, r := range p.text {
			if !unicode.IsPrint(r) {
				t.Errorf("%q types %q", b, r)
			}
		}
	})
}
