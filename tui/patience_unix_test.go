//go:build unix

package tui

import (
	"os"
	"testing"
	"time"
)

// What has come in time is whole, although nobody looked for longer than it is waited for: the
// process was stopped, or the machine is busy.
func TestNothingIsGivenUpThatHasCome(t *testing.T) {
	for name, test := range map[string]struct{ before, rest, want string }{
		"an arrow": {"\x1b", "[B", "\x1b[B"},
		"a paste":  {"\x1b[200~a", "b\rq\x1b[201~", "\x1b[200~ab\rq\x1b[201~"},
		"Escape":   {"\x1b", "", "\x1b[27u"},
	} {
		t.Run(name, func(t *testing.T) {
			in, typed, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			defer typed.Close()
			k := newKeyboard(in, func() {})
			if err := k.resume(false); err != nil {
				t.Fatal(err)
			}
			defer k.pause()
			for _, b := range []byte(test.before) {
				k.push(b)
			}
			k.last = k.last.Add(-time.Hour)
			if _, err := typed.WriteString(test.rest); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 64)
			if n, err := k.Read(buf); string(buf[:n]) != test.want || err != nil {
				t.Errorf("%q, %v, want %q", buf[:n], err, test.want)
			}
		})
	}
}
