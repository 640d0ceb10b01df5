package picker

import (
	"strings"
	"testing"
	"unicode"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
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
		"\x1b\x1b[A": {keyUp, ""}, "\x1b[M !!": {}, "\x1b[<0;1;1M": {},
	} {
		for cut := range len(in) {
			if got := typed([]byte(in[:cut])); len(got) > 0 {
				t.Errorf("the first %d bytes of %q are already %v", cut, in, got)
			}
		}
		if got := typed([]byte(in + "q")); len(got) != 2 || got[0] != want || got[1] != (press{keyText, "q"}) {
			t.Errorf("%q: %v, want %v and a q", in, got, want)
		}
	}
	if got := typed([]byte("\x1b]11;rgb\x03")); len(got) != 2 || got[1].key != keyInterrupt {
		t.Errorf("a broken string: %v", got)
	}
	if got := typed([]byte(pasteStart + strings.Repeat("x", 2*longestPaste) + pasteEnd)); len(got) != 1 || len(got[0].text) != longestPaste {
		t.Errorf("a long paste: %v", got)
	}
}

const (
	pasteStart = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// typed is what bytes mean.
func typed(b []byte) (out []press) {
	var split terminal.Splitter
	for _, c := range b {
		for _, piece := range split.Push(c) {
			out = append(out, read(piece))
		}
	}
	return out
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a", "\x1b[A", "\x1b[200~x\x1b[201~", "\x1b", "\xe6\x97", "\x1b[1;5", "\x1b\x1bO"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range typed(b) {
			for _, r := range p.text {
				if !unicode.IsPrint(r) {
					t.Errorf("%q types %q", b, r)
				}
			}
		}
	})
}
