package commands

import (
	"bytes"
	"testing"
)

func TestEscapes(t *testing.T) {
	tests := []struct {
		name   string
		typed  []string
		want   string
		leaves bool
	}{
		{"plain text passes", []string{"ls -l\r"}, "ls -l\r", false},
		{"leave at the start", []string{"~."}, "", true},
		{"leave after Enter", []string{"ls\r~."}, "ls\r", true},
		{"leave key by key", []string{"l", "\r", "~", "."}, "l\r", true},
		{"not in the middle of a line", []string{"cd ~.\r"}, "cd ~.\r", false},
		{"a doubled tilde is one", []string{"~~x"}, "~x", false},
		{"a doubled tilde key by key", []string{"~", "~", "."}, "~.", false},
		{"a tilde before anything else passes", []string{"~/bin\r"}, "~/bin\r", false},
		{"a tilde and Enter, then leave", []string{"~\r~."}, "~\r", true},
		{"a withheld tilde comes with the next key", []string{"~", "a"}, "~a", false},
		{"control characters pass", []string{"\x03\x1a\x1c\x00\x1b[A"}, "\x03\x1a\x1c\x00\x1b[A", false},
		{"a line feed counts as Enter", []string{"a\n~."}, "a\n", true},
		{"what follows the leaving is dropped", []string{"a\r~.rm -rf /\r"}, "a\r", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var (
				e    escapes
				got  []byte
				left bool
			)
			for _, typed := range tt.typed {
				in := []byte(typed)
				pass, leave := e.filter(in)
				got = append(got, pass...)
				left = left || leave
				if string(in) != typed {
					t.Errorf("the input was changed to %q", in)
				}
			}
			if string(got) != tt.want || left != tt.leaves {
				t.Errorf("passed %q, leave %t; want %q, %t", got, left, tt.want, tt.leaves)
			}
		})
	}
}

func FuzzEscapes(f *testing.F) {
	f.Add([]byte("ls\r~~~.\r"), uint8(3))
	f.Fuzz(func(t *testing.T, typed []byte, cut uint8) {
		// However the input is cut, the same passes.
		var whole, parts escapes
		wantPass, wantLeave := whole.filter(typed)
		k := min(int(cut), len(typed))
		pass, leave := parts.filter(typed[:k])
		got := bytes.Clone(pass)
		if !leave {
			pass, leave = parts.filter(typed[k:])
			got = append(got, pass...)
		}
		if !bytes.Equal(got, wantPass) || leave != wantLeave {
			t.Errorf("cut at %d: %q, %t; whole: %q, %t", k, got, leave, wantPass, wantLeave)
		}
	})
}
