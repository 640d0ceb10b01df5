package escapekeys

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// meaning writes what keys mean as text: what passes, and actions in <>.
func meaning(e *Filter, keys ...string) string {
	names := map[Action]string{Leave: "leave", Reconnect: "reconnect", ShowInfo: "info", Suspend: "suspend", ListEscapes: "list"}
	var b strings.Builder
	for _, k := range keys {
		for _, t := range e.Read([]byte(k)) {
			b.Write(t.Pass)
			if t.Do != Nothing {
				fmt.Fprintf(&b, "<%s>", names[t.Do])
			}
			if t.Do == Leave {
				return b.String()
			}
		}
	}
	b.Write(e.Rest())
	return b.String()
}

func TestEscapes(t *testing.T) {
	tests := []struct {
		name  string
		typed []string
		want  string
	}{
		{"plain text passes", []string{"ls -l\r"}, "ls -l\r"},
		{"leave at the start", []string{"~."}, "<leave>"},
		{"leave after Enter", []string{"ls\r~."}, "ls\r<leave>"},
		{"leave key by key", []string{"l", "\r", "~", "."}, "l\r<leave>"},
		{"not in the middle of a line", []string{"cd ~.\r"}, "cd ~.\r"},
		{"a doubled tilde is one", []string{"~~x"}, "~x"},
		{"a doubled tilde key by key", []string{"~", "~", "."}, "~."},
		{"a tilde before anything else passes", []string{"~/bin\r"}, "~/bin\r"},
		{"a tilde and Enter, then leave", []string{"~\r~."}, "~\r<leave>"},
		{"a withheld tilde comes with the next key", []string{"~", "a"}, "~a"},
		{"a withheld tilde comes at the end", []string{"\r~"}, "\r~"},
		{"control characters pass", []string{"\x03\x1a\x1c\x00\x1b[A"}, "\x03\x1a\x1c\x00\x1b[A"},
		{"a line feed counts as Enter", []string{"a\n~."}, "a\n<leave>"},
		{"what follows the leaving is dropped", []string{"a\r~.rm -rf /\r"}, "a\r<leave>"},
		{"the others, in order", []string{"a\r~Rb\r~#~?~\x1ac"}, "a\r<reconnect>b\r<info><list><suspend>c"},
		{"after an action leaving needs no Enter", []string{"\r~?~."}, "\r<list><leave>"},
		{"pasted text", []string{"\r\x1b[200~a\r~.b\r~.\x1b[201~"}, "\r\x1b[200~a\r~.b\r~.\x1b[201~"},
		{"pasted at the start of a line", []string{"\r\x1b[200~~.\x1b[201~"}, "\r\x1b[200~~.\x1b[201~"},
		{"after pasted text it takes Enter", []string{"\x1b[200~a\r\x1b[201~~.\r~."}, "\x1b[200~a\r\x1b[201~~.\r<leave>"},
		{"pasted after a tilde", []string{"\r~\x1b[200~.\x1b[201~"}, "\r~\x1b[200~.\x1b[201~"},
		{"a bracket in pieces", []string{"\r\x1b[20", "0~\r~", ".", "\x1b[2", "01~\r~."}, "\r\x1b[200~\r~.\x1b[201~\r<leave>"},
		{"a broken bracket is none", []string{"\x1b[20\x1b[20x\r~."}, "\x1b[20\x1b[20x\r<leave>"},
		{"the Delete key is no tilde", []string{"\r\x1b[3~."}, "\r\x1b[3~."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := meaning(&Filter{Char: '~'}, tt.typed...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			whole := strings.Join(tt.typed, "")
			if got := meaning(&Filter{Char: '~'}, strings.Split(whole, "")...); got != tt.want {
				t.Errorf("byte by byte: got %q, want %q", got, tt.want)
			}
			if got := meaning(&Filter{}, tt.typed...); got != whole {
				t.Errorf("without an escape character: got %q, want %q", got, whole)
			}
			other := strings.NewReplacer("~.", "\x1d.", "~~", "\x1d\x1d", "~R", "\x1dR").Replace("a\r~~b\r~Rc~.\r~.")
			if got, want := meaning(&Filter{Char: 0x1d}, other), "a\r\x1db\r<reconnect>c\x1d.\r<leave>"; got != want {
				t.Errorf("with ^]: got %q, want %q", got, want)
			}
		})
	}
}

func TestEscapesLeaveTheInputAlone(t *testing.T) {
	const typed = "a\r~b~~\r~~~\r~?x\r~"
	in := []byte(typed)
	e := Filter{Char: '~'}
	for _, k := range e.Read(in) {
		_ = append(k.Pass, "overwritten"...)
	}
	if string(in) != typed {
		t.Errorf("the input was changed to %q", in)
	}
}

func FuzzEscapes(f *testing.F) {
	f.Add([]byte("ls\r~~~?~R\x1b[200~\r~.\x1b[201~\r~.\r"), uint8(3), uint8(9))
	f.Fuzz(func(t *testing.T, typed []byte, a, b uint8) {
		i := min(int(a), len(typed))
		j := min(i+int(b), len(typed))
		whole := meaning(&Filter{Char: '~'}, string(typed))
		if parts := meaning(&Filter{Char: '~'}, string(typed[:i]), string(typed[i:j]), string(typed[j:])); parts != whole {
			t.Errorf("in parts %q, whole %q", parts, whole)
		}
		// Nothing is lost but what belongs to escapes, which are two bytes each.
		e := Filter{Char: '~'}
		var pass []byte
		for _, k := range e.Read(typed) {
			if pass = append(pass, k.Pass...); k.Do == Leave {
				return
			}
		}
		pass = append(pass, e.Rest()...)
		if n := len(typed) - len(pass); n < 0 || n > 2*bytes.Count(typed, []byte("~")) {
			t.Errorf("%d of %d bytes passed", len(pass), len(typed))
		}
		if !bytes.Contains(typed, []byte("~")) && !bytes.Equal(pass, typed) {
			t.Errorf("%q became %q", typed, pass)
		}
	})
}

func TestEscapeCharacters(t *testing.T) {
	for s, want := range map[string]byte{"~": '~', "%": '%', "^]": 0x1d, "^a": 1, "none": 0, "^": '^'} {
		if got, err := ParseChar(s); err != nil || got != want {
			t.Errorf("%q: got %#x, %v; want %#x", s, got, err, want)
		}
		if want != 0 && want != '~' && Name(want) != strings.ToUpper(s) {
			t.Errorf("%q is shown as %q", s, Name(want))
		}
	}
	for _, s := range []string{"", "~~", "ä", ".", "R", "?", "#", "^Z", "a", "0", " ", "\r", "\x1b", "^[", "^M", "^1", "None", "\x7f"} {
		if c, err := ParseChar(s); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q was taken as %#x, %v", s, c, err)
		}
	}
}
