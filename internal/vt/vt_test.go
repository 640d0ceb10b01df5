package vt

import (
	"testing"
)

// kinds writes the kind of each byte as a letter.
func kinds(text string) (string, *Scanner) {
	var s Scanner
	out := make([]byte, 0, len(text))
	for _, c := range []byte(text) {
		out = append(out, "tcse"[s.Step(c)])
	}
	return string(out), &s
}

func TestScanner(t *testing.T) {
	tests := []struct {
		name, text, want string
		ground           bool
	}{
		{"text and controls", "a\r\nb\t\a", "tcctcc", true},
		{"a colour", "\x1b[1;31mx", "sssssset", true},
		{"a cut colour", "\x1b[1;3", "sssss", false},
		{"a charset", "\x1b(Bx", "sset", true},
		{"two bytes", "\x1b7x", "set", true},
		{"a title ended by BEL", "\x1b]0;a[m\ax", "ssssssset", true},
		{"a title ended by ST", "\x1b]2;t\x1b\\x", "sssssset", true},
		{"a title broken off by a new sequence", "\x1b]2;t\x1b[mx", "ssssssset", true},
		{"a DCS is not ended by BEL", "\x1bPq\aq\x1b\\", "sssssse", true},
		{"CAN breaks off", "\x1b[12\x18x", "sssset", true},
		{"CAN outside", "\x18x", "ct", true},
		{"ESC begins anew", "\x1b[1\x1b[mx", "ssssset", true},
		{"a newline within a sequence", "\x1b[1\nmx", "sssset", true},
		{"UTF-8", "ä€😀", "ttttttttt", true},
		{"cut UTF-8", "\xe2\x82", "tt", false},
		{"broken UTF-8, then a sequence", "\xe2\x1b[m", "tsse", true},
		{"stray continuation bytes", "\x80\xbfx", "ttt", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, s := kinds(tt.text)
			if got != tt.want || s.Ground() != tt.ground {
				t.Errorf("got %s, ground %t; want %s, %t", got, s.Ground(), tt.want, tt.ground)
			}
		})
	}
}

func TestModes(t *testing.T) {
	tests := []struct {
		name string
		seqs []string
		full bool
		off  string
	}{
		{"nothing", nil, false, ""},
		{"an editor", []string{"\x1b[?1049h", "\x1b[?1;2004h", "\x1b[m"}, true, "\x1b[?2004l\x1b[?1l\x1b[?1049l"},
		{"an editor that has ended", []string{"\x1b[?1049h", "\x1b[?1049l"}, false, ""},
		{"margins", []string{"\x1b[1;23r"}, true, ""},
		{"margins gone", []string{"\x1b[1;23r", "\x1b[r"}, false, ""},
		{"margins around all", []string{"\x1b[1;23r", "\x1b[1;24r"}, false, ""},
		{"margins around all, as apt sets them", []string{"\x1b[0;23r", "\x1b[0;24r"}, false, ""},
		{"margins at the bottom", []string{"\x1b[2;24r"}, true, ""},
		{"restored modes are no margins", []string{"\x1b[?1r"}, false, ""},
		{"reset", []string{"\x1b[?1049h", "\x1b[1;23r", "\x1bc"}, false, ""},
		{"modes nobody watches", []string{"\x1b[?25h\x1b[?12h"}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Modes
			for _, s := range tt.seqs {
				m.See([]byte(s), 24)
			}
			if m.FullScreen() != tt.full || m.Off() != tt.off {
				t.Errorf("full screen %t, off %q; want %t, %q", m.FullScreen(), m.Off(), tt.full, tt.off)
			}
		})
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("a\x1b[1m\x1b]0;t\a\xe2\x82\xac"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Scanner
		for _, c := range text {
			k := s.Step(c)
			if k == End && !s.Ground() {
				t.Fatalf("%q: at the end of a sequence, and not outside", text)
			}
			if k == Sequence && s.Ground() {
				t.Fatalf("%q: within a sequence, and outside", text)
			}
		}
		// Whatever it was, these two end it.
		s.Step(0x18)
		if s.Step('a') != Text || !s.Ground() {
			t.Fatalf("%q: not outside after CAN", text)
		}
	})
}
