package sessions

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

const testMark = "0123456789abcdef01234567"

func TestMarkWriter(t *testing.T) {
	tail := "\x1e" + testMark + ":7"
	tests := []struct {
		name   string
		writes []string
		want   string
		status int
		found  bool
	}{
		{"mark in one write", []string{"out\n" + tail}, "out\n", 7, true},
		{"mark cut in the middle", []string{"out\n\x1e0123", "456789abcdef01234567:", "7"}, "out\n", 7, true},
		{"byte by byte", strings.Split("ab"+tail, ""), "ab", 7, true},
		{"no output", []string{tail}, "", 7, true},
		{"no mark", []string{"plain\n"}, "plain\n", 0, false},
		{"a start byte in the output", []string{"a\x1eb", "c"}, "a\x1ebc", 0, false},
		{"a start byte right before the mark", []string{"a\x1e" + tail}, "a\x1e", 7, true},
		{"a forged mark", []string{"\x1e" + strings.Repeat("f", 24) + ":0"}, "\x1e" + strings.Repeat("f", 24) + ":0", 0, false},
		{"the mark is not at the end", []string{tail + " and more than a mark can be long, by far"}, tail + " and more than a mark can be long, by far", 0, false},
		{"a broken status", []string{"\x1e" + testMark + ":x"}, "\x1e" + testMark + ":x", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			m := &markWriter{w: &out, mark: []byte(testMark)}
			for _, w := range tt.writes {
				if n, err := m.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("write: %d, %v", n, err)
				}
			}
			if err := m.flush(); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want || m.status != tt.status || m.found != tt.found {
				t.Errorf("got %q, status %d (%t); want %q, %d (%t)", out.String(), m.status, m.found, tt.want, tt.status, tt.found)
			}
		})
	}
}

func TestMarkWriterHoldsLittleBack(t *testing.T) {
	var out bytes.Buffer
	m := &markWriter{w: &out, mark: []byte(testMark)}
	_, _ = m.Write([]byte("prompt: "))
	if out.String() != "prompt: " {
		t.Errorf("text without a start byte was held back: %q", out.String())
	}
}

func TestWrapKeepsStatusAndOutput(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell")
	}
	tests := []struct {
		name, command, stdout string
		status                int
	}{
		{"a plain command", "echo hi", "hi\n", 0},
		{"a failing command", "false", "", 1},
		{"exit inside", "echo a; exit 42; echo b", "a\n", 42},
		{"a comment at the end", "echo a # and so on", "a\n", 0},
		{"a here-document", "cat <<X\nline\nX", "line\n", 0},
		{"a trailing semicolon", "echo a;", "a\n", 0},
		{"a subshell first", "(echo a)", "a\n", 0},
		{"a background job", "true &", "", 0},
		{"no final newline", "printf x", "x", 0},
		{"quotes and dollars", `x='a "b" $c'; echo "$x"`, `a "b" $c` + "\n", 0},
		{"not found", "/no/such/program 2>/dev/null", "", 127},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(sh, "-c", wrap(tt.command, testMark))
			raw, err := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != tt.status {
				t.Errorf("the shell exits with %d (%v), want %d", code, err, tt.status)
			}
			var out bytes.Buffer
			m := &markWriter{w: &out, mark: []byte(testMark)}
			_, _ = m.Write(raw)
			if err := m.flush(); err != nil {
				t.Fatal(err)
			}
			if !m.found || m.status != tt.status || out.String() != tt.stdout {
				t.Errorf("got %q, status %d (%t); want %q, %d", out.String(), m.status, m.found, tt.stdout, tt.status)
			}
		})
	}
}
