package terminal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// pieces are what a splitter makes of bytes, as text: the kind and what it has.
func pieces(s *terminal.Splitter, in string) (out []string) {
	for _, b := range []byte(in) {
		out = append(out, named(s.Push(b))...)
	}
	return out
}

func named(list []terminal.Piece) (out []string) {
	for _, p := range list {
		if p.Kind != terminal.KindNone {
			out = append(out, fmt.Sprintf("%s %q", [...]string{"key", "paste", "mouse", "report"}[p.Kind], p.Data))
		}
	}
	return out
}

func TestSplitter(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want []string
	}{
		"characters":                     {"aé€🙂", []string{`key "a"`, `key "é"`, `key "€"`, `key "🙂"`}},
		"no characters":                  {"\xff\xc3(\xe2\x82a", []string{`key "("`, `key "a"`}},
		"controls":                       {"\r\t\x03\x7f", []string{`key "\r"`, `key "\t"`, `key "\x03"`, `key "\x7f"`}},
		"arrows":                         {"\x1b[A\x1bOB\x1b[1;5C", []string{`key "\x1b[A"`, `key "\x1bOB"`, `key "\x1b[1;5C"`}},
		"Alt":                            {"\x1bx\x1bé\x1b\x1b[A", []string{`key "\x1bx"`, `key "\x1bé"`, `key "\x1b\x1b[A"`}},
		"Esc and Alt":                    {"\x1b\x1bx", []string{`key "\x1b"`, `key "\x1bx"`}},
		"Linux console":                  {"\x1b[[Aq", []string{`key "\x1b[[A"`, `key "q"`}},
		"kitty":                          {"\x1b[27u\x1b[97;5u\x1b[57399;1:3u", []string{`key "\x1b[27u"`, `key "\x1b[97;5u"`, `key "\x1b[57399;1:3u"`}},
		"mouse":                          {"\x1b[<0;3;4M\x1b[<0;3;4m", []string{`mouse "\x1b[<0;3;4M"`, `mouse "\x1b[<0;3;4m"`}},
		"mouse of old":                   {"\x1b[M !!q\x1b[M\xff\x1b[q", []string{`key "q"`, `key "q"`}},
		"the focus":                      {"\x1b[I\x1b[O", []string{`report "\x1b[I"`, `report "\x1b[O"`}},
		"colours":                        {"\x1b]11;rgb:0/0/0\x1b\\\x1b]10;rgb:f/f/f\aq", []string{`report "\x1b]11;rgb:0/0/0\x1b\\"`, `report "\x1b]10;rgb:f/f/f\a"`, `key "q"`}},
		"modes":                          {"\x1b[?2026;2$y\x1b[?62;4c\x1b[>1;2c\x1b[?1u", []string{`report "\x1b[?2026;2$y"`, `report "\x1b[?62;4c"`, `report "\x1b[>1;2c"`, `report "\x1b[?1u"`}},
		"other strings":                  {"\x1bP>|xterm\x1b\\\x1b_Gi=1;OK\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\q", []string{`report "\x1bP>|xterm\x1b\\"`, `report "\x1b_Gi=1;OK\x1b\\"`, `report "\x1b^x\x1b\\"`, `report "\x1bXx\x1b\\"`, `key "q"`}},
		"a key out of a broken string":   {"\x1b]11;rgb\x03q", []string{`key "\x03"`, `key "q"`}},
		"a key out of a broken sequence": {"\x1b[1;\rq", []string{`key "\r"`, `key "q"`}},
		"another in place of the end":    {"\x1b]11;rgb\x1b[Aq", []string{`key "\x1b[A"`, `key "q"`}},
		"paste":                          {"\x1b[200~y\rn\x1b[201~q", []string{`paste "y\rn"`, `key "q"`}},
		"paste with sequences":           {"\x1b[200~\x1b[A\x1b[20\x1b\x1b[201~q", []string{`paste "\x1b[A\x1b[20\x1b"`, `key "q"`}},
		"an end without a paste":         {"\x1b[201~q", []string{`key "q"`}},
		"a string without an end":        {"\x1b]0;" + strings.Repeat("x", 1<<20) + "\aq", []string{`key "q"`}},
		"a sequence without an end":      {"\x1b[" + strings.Repeat("1", 1<<20) + "Aq", []string{`key "q"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &terminal.Splitter{}
			if got := pieces(s, tt.in); !slices.Equal(got, tt.want) || s.Partial() {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestALoneEscapeIsAKey(t *testing.T) {
	s := &terminal.Splitter{}
	if got := pieces(s, "\x1b"); got != nil || !s.Escape() || !s.Partial() {
		t.Errorf("got %s at once", got)
	}
	if got := named(s.Flush()); !slices.Equal(got, []string{`key "\x1b"`}) || s.Partial() {
		t.Errorf("got %s", got)
	}
	pieces(s, "\x1b[")
	if got := s.Flush(); got != nil || s.Escape() {
		t.Errorf("half a sequence is %v", got)
	}
	if got := pieces(s, "q"); !slices.Equal(got, []string{`key "q"`}) {
		t.Errorf("then got %s", got)
	}
}

// A long paste ends where it ends, and costs no more than it may.
func TestALongPaste(t *testing.T) {
	s := &terminal.Splitter{}
	for _, b := range []byte("\x1b[200~" + strings.Repeat("q", 2*terminal.PasteMost)) {
		if got := s.Push(b); got != nil {
			t.Fatalf("got %v in the middle", got)
		}
	}
	if s.Ahead() != len("\x1b[201~") {
		t.Errorf("%d bytes may be read at once", s.Ahead())
	}
	s.Push(0x1b)
	if s.Ahead() != len("[201~") {
		t.Errorf("%d bytes may be read at once in the mark", s.Ahead())
	}
	var got []terminal.Piece
	for _, b := range []byte("[201~") {
		got = append(got, s.Push(b)...)
	}
	if len(got) != 1 || got[0].Kind != terminal.KindPaste || len(got[0].Data) < terminal.PasteMost || len(got[0].Data) > terminal.PasteMost+8 {
		t.Errorf("got %d pieces", len(got))
	}
}

func FuzzSplitter(f *testing.F) {
	for _, s := range []string{"a\x1b[A\x1b]11;rgb:0/0/0\x1b\\", "\x1b[200~x\x1b[201~", "\x1b\x1b[<0;1;1M", "\xff\x1b\xc3\xa9"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s := &terminal.Splitter{}
		n := 0
		for _, b := range in {
			for _, p := range s.Push(b) {
				n += len(p.Data)
			}
		}
		for _, p := range s.Flush() {
			n += len(p.Data)
		}
		if n > len(in) {
			t.Errorf("%d bytes came of %d", n, len(in))
		}
		for _, p := range s.Push('q') {
			if p.Kind != terminal.KindKey || string(p.Data) != "q" {
				t.Errorf("after Flush a key is %v", p)
			}
		}
	})
}
