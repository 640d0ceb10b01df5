package terminal

import (
	"errors"
	"testing"
)

func TestTheShapeOfTheCursorIsTheUsers(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain q": "plain q", "\x1b[2 q": "", "a\x1b[ qb\x1b[12 qc": "abc", "\x1b[31mred\x1b[0 q": "\x1b[31mred",
		"\x1b[5 ": "\x1b[5 ", "\x1b[5 A": "\x1b[5 A", "\x1b[\x1b[2 q": "\x1b[", "\x1b[2 q\x1b[2": "\x1b[2",
	} {
		var got []byte
		n, err := Canvas(func(p []byte) error { got = append(got, p...); return nil }).Write([]byte(in))
		if n != len(in) || err != nil || string(got) != want {
			t.Errorf("%q: %q was written, %d, %v; want %q", in, got, n, err, want)
		}
	}
	full := errors.New("full")
	if n, err := Canvas(func([]byte) error { return full }).Write([]byte("x")); n != 0 || !errors.Is(err, full) {
		t.Errorf("%d, %v", n, err)
	}
}
