package terminal

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAHiddenLineIsWhatWasTyped(t *testing.T) {
	for typed, want := range map[string]string{
		"secret\r": "secret", "a\tb \r": "a\tb ", " ä\r": " ä", "pasted\r\n": "pasted", "ab\x7fc\r": "ac", "aä\x08\r": "a", "x\x15y\r": "y", "\x7f\r": "",
		"a\x1b[A\x15z\r": "z",
	} {
		if got, err := hiddenLine(strings.NewReader(typed)); got != want || err != nil {
			t.Errorf("%q: %q, %v, not %q", typed, got, err, want)
		}
	}
	if got, err := hiddenLine(iotest.OneByteReader(strings.NewReader("ü1\r"))); got != "ü1" || err != nil {
		t.Errorf("key by key: %q, %v", got, err)
	}
	for typed, want := range map[string]error{
		"a\x03": ErrInterrupted, "\x04": io.EOF, "a\rb\r": ErrSeveralLines, "a\x1b[A\r": ErrControl, "a\x00\r": ErrControl, "a": io.EOF,
	} {
		if got, err := hiddenLine(strings.NewReader(typed)); !errors.Is(err, want) || got != "" {
			t.Errorf("%q: %q, %v, not %v", typed, got, err, want)
		}
	}
}
