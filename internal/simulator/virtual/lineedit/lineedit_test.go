package lineedit

import (
	"slices"
	"strings"
	"testing"
)

// feed types text and returns the lines entered, with ^C and ^D for the
// other events.
func feed(e *Editor, text string) (lines []string, out string) {
	out = e.Begin("$ ")
	for i := range len(text) {
		o, ev := e.Feed(text[i])
		out += o
		switch ev {
		case Line:
			lines = append(lines, e.Text())
			e.Remember(e.Text())
			out += e.Begin("$ ")
		case Interrupt:
			lines = append(lines, "^C")
			out += e.Begin("$ ")
		case EOF:
			lines = append(lines, "^D")
		}
	}
	return lines, out
}

func TestKeysEditTheLine(t *testing.T) {
	tests := []struct {
		name, keys string
		want       []string
	}{
		{"plain text and CR", "ls -l\r", []string{"ls -l"}},
		{"LF is Enter too", "ls\n", []string{"ls"}},
		{"CR LF is one Enter", "a\r\nb\r\n", []string{"a", "b"}},
		{"two LF are two", "a\n\n", []string{"a", ""}},
		{"backspace, both codes", "lx\x7fs\x08s\r", []string{"ls"}},
		{"backspace on nothing", "\x7f\x7fa\r", []string{"a"}},
		{"Ctrl-U clears to the left", "abc\x15d\r", []string{"d"}},
		{"Ctrl-U keeps the right", "abc\x1b[D\x15\r", []string{"c"}},
		{"Ctrl-K clears to the right", "abcd\x01\x06\x0b\r", []string{"a"}},
		{"Ctrl-W removes a word", "echo a-b c  \x17\x17x\r", []string{"echo x"}},
		{"Ctrl-A and Ctrl-E", "b\x01a\x05c\r", []string{"abc"}},
		{"arrows", "ac\x1b[Db\x1b[Cd\r", []string{"abcd"}},
		{"Home, End and Delete", "bcx\x1b[Ha\x1b[F!\x1b[D\x1b[D\x1b[3~\r", []string{"abc!"}},
		{"application cursor keys", "b\x1bOHa\x1bOFc\r", []string{"abc"}},
		{"Ctrl-Y brings back what was cut", "abc\x15x \x19\r", []string{"x abc"}},
		{"history up", "one\rtwo\r\x1b[A\x1b[A\r", []string{"one", "two", "one"}},
		{"history up and down keeps the draft", "one\rdra\x1b[A\x1b[Bft\r", []string{"one", "draft"}},
		{"Ctrl-C drops the line", "rm -rf /\x03ls\r", []string{"^C", "ls"}},
		{"Ctrl-D on an empty line", "\x04", []string{"^D"}},
		{"Ctrl-D deletes in a line", "ab\x01\x04\r", []string{"b"}},
		{"UTF-8 is edited by character", "é世\x7fx\r", []string{"éx"}},
		{"reverse search", "echo one\rls\r\x12one\r", []string{"echo one", "ls", "echo one"}},
		{"Alt-B and Alt-F", "aa bb\x1bb\x1bbX\x1bfY\r", []string{"XaaY bb"}},
		{"unknown sequences vanish", "a\x1b[99~\x1b[?25hb\r", []string{"ab"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := feed(New(80), tt.keys)
			if !slices.Equal(got, tt.want) {
				t.Errorf("lines: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTypingAtTheEndEchoesTheCharacterAlone(t *testing.T) {
	e := New(80)
	e.Begin("$ ")
	if out, _ := e.Feed('x'); out != "x" {
		t.Errorf("got %q, want %q", out, "x")
	}
}

func TestALineThatFillsTheRowLeavesThePendingWrap(t *testing.T) {
	_, out := feed(New(10), "12345678")
	if !strings.HasSuffix(out, "8 \r") {
		t.Errorf("output %q does not step into the next row", out)
	}
	e := New(10)
	feed(e, "12345678ab")
	out, _ = e.Feed(0x01)
	if out != "\x1b[1A\r\x1b[2C" {
		t.Errorf("Ctrl-A on a wrapped line: got %q", out)
	}
}

func TestTabCompletes(t *testing.T) {
	e := New(80)
	e.Complete = func(head string) (int, []string) {
		start := strings.LastIndexByte(head, ' ') + 1
		var c []string
		for _, s := range []string{"hostname", "hostnamectl", "/etc/"} {
			if strings.HasPrefix(s, head[start:]) {
				c = append(c, s)
			}
		}
		return start, c
	}
	got, _ := feed(e, "hos\tc\t/e\t\r")
	if want := []string{"hostnamectl /etc/"}; !slices.Equal(got, want) {
		t.Errorf("lines: got %q, want %q", got, want)
	}
	_, out := feed(e, "hostname\t\t")
	if !strings.Contains(out, "hostname     hostnamectl\r\n") {
		t.Errorf("the second Tab does not list: %q", out)
	}
}

func FuzzFeedNeverPanics(f *testing.F) {
	f.Add("ls -l\r", 80)
	f.Add("\x1b[A\x1b[3~\x12abc\x07\x19\x14", 3)
	f.Add("é世界\x17\x1b[1;5D\t\t", 1)
	f.Fuzz(func(t *testing.T, keys string, cols int) {
		e := New(cols % 300)
		e.Complete = func(head string) (int, []string) { return 0, []string{head + "a", head + "b/"} }
		e.Remember("earlier line")
		feed(e, keys)
		if e.pos < 0 || e.pos > len(e.buf) {
			t.Fatalf("cursor %d outside of %d characters", e.pos, len(e.buf))
		}
		if e.row < 0 {
			t.Fatalf("cursor in row %d", e.row)
		}
	})
}
