//go:build unix

package terminal

import (
	"strings"
	"testing"
	"time"
)

func TestAHiddenLineIsNotShownAndTheTerminalComesBack(t *testing.T) {
	master, tty := openPTY(t)
	term := open(t, tty)
	cooked := mode(t, tty)
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := term.Hidden(t.Context(), "Value: ")
		done <- result{line, err}
	}()
	shown := make([]byte, 0, 100)
	buf := make([]byte, 100)
	for !strings.Contains(string(shown), "Value: ") {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, buf[:n]...)
	}
	if _, err := master.WriteString("geheim\r"); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-done:
		if r.line != "geheim" || r.err != nil {
			t.Errorf("%q, %v", r.line, r.err)
		}
	case <-time.After(time.Minute):
		t.Fatal("no line")
	}
	// What it was sent ends at the mark.
	if _, err := tty.WriteString("#"); err != nil {
		t.Fatal(err)
	}
	for !strings.HasSuffix(string(shown), "#") {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, buf[:n]...)
	}
	if string(shown) != "Value: \r\n#" {
		t.Errorf("the terminal shows %q", shown)
	}
	wantMode(t, tty, cooked)
}
