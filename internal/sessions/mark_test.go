package sessions

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

const testMark = "0123456789abcdef01234567"

func TestMarkWriter(t *testing.T) {
	tail := "\x1e" + testMark + ":7\x1e"
	tests := []struct {
		name   string
		writes []string
		want   string
		status int
		found  bool
	}{
		{"mark in one write", []string{"out\n" + tail}, "out\n", 7, true},
		{"mark cut in the middle", []string{"out\n\x1e0123", "456789abcdef01234567:", "7", "\x1e"}, "out\n", 7, true},
		{"byte by byte", strings.Split("ab"+tail+"cd", ""), "abcd", 7, true},
		{"no output", []string{tail}, "", 7, true},
		{"no mark", []string{"plain\n"}, "plain\n", 0, false},
		{"the character alone", []string{"a\x1eb", "c\x1e"}, "a\x1ebc\x1e", 0, false},
		{"the character right before the mark", []string{"a\x1e" + tail}, "a\x1e", 7, true},
		{"a forged mark", []string{"\x1e" + strings.Repeat("f", 24) + ":0\x1e"}, "\x1e" + strings.Repeat("f", 24) + ":0\x1e", 0, false},
		{"a background job writes after it", []string{"a" + tail + "late", "r\n"}, "alater\n", 7, true},
		{"a status that is none", []string{"\x1e" + testMark + ":x\x1e"}, "\x1e" + testMark + ":x\x1e", 0, false},
		{"a status below zero", []string{"\x1e" + testMark + ":-1\x1e"}, "\x1e" + testMark + ":-1\x1e", 0, false},
		{"an empty status", []string{"\x1e" + testMark + ":\x1e"}, "\x1e" + testMark + ":\x1e", 0, false},
		{"an endless status", []string{"\x1e" + testMark + ":", strings.Repeat("1", 20)}, "\x1e" + testMark + ":" + strings.Repeat("1", 20), 0, false},
		{"an unfinished mark", []string{"\x1e" + testMark + ":7"}, "\x1e" + testMark + ":7", 0, false},
		{"a traced command line", []string{`+ printf '\036` + testMark + `:%d\036' 0`}, `+ printf '\036` + testMark + `:%d\036' 0`, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			m := newMarkWriter(&out, testMark)
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

func TestMarkWriterHoldsNothingBackWithoutNeed(t *testing.T) {
	var out bytes.Buffer
	m := newMarkWriter(&out, testMark)
	for _, text := range []string{"prompt: ", "\x1eno mark", "\x1e" + testMark + "!"} {
		out.Reset()
		_, _ = m.Write([]byte(text))
		if out.String() != text {
			t.Errorf("%q: only %q was passed on", text, out.String())
		}
	}
}

// FuzzMarkWriter: whatever the output and however it is cut, all of it is passed
// on, and the mark is found.
func FuzzMarkWriter(f *testing.F) {
	f.Add([]byte("a\x1eb\x1e"), []byte("after"), uint64(1))
	f.Add([]byte("\x1e"+testMark[:20]), []byte("5\x1e"), uint64(2))
	f.Fuzz(func(t *testing.T, before, after []byte, seed uint64) {
		if bytes.Contains(before, []byte(testMark)) || bytes.Contains(after, []byte(testMark)) {
			t.Skip() // guessed
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		data := append(append(bytes.Clone(before), "\x1e"+testMark+":42\x1e"...), after...)
		var out bytes.Buffer
		m := newMarkWriter(&out, testMark)
		for len(data) > 0 {
			n := 1 + rng.IntN(len(data))
			if _, err := m.Write(data[:n]); err != nil {
				t.Fatal(err)
			}
			data = data[n:]
		}
		if err := m.flush(); err != nil {
			t.Fatal(err)
		}
		if want := string(before) + string(after); out.String() != want || !m.found || m.status != 42 {
			t.Errorf("got %q, status %d (%t); want %q", out.String(), m.status, m.found, want)
		}
	})
}

// TestWrapChangesNothing compares with the same shell and the bare command.
func TestWrapChangesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell")
	}
	tests := []struct{ name, command string }{
		{"a plain command", "echo hi"},
		{"a failing command", "false"},
		{"exit inside", "echo a; exit 42; echo b"},
		{"a comment at the end", "echo a # and so on"},
		{"a comment with a quote", "echo a # it's"},
		{"a here-document", "cat <<X\nline\nX"},
		{"a here-document without end", "cat <<X 2>/dev/null\nline"},
		{"a here-document with quotes", "cat <<'X'\n$a 'b'\nX\necho c"},
		{"a trailing semicolon", "echo a;"},
		{"a trailing backslash", `echo a \`},
		{"a subshell first", "(echo a)"},
		{"an unbalanced parenthesis", "echo a)"},
		{"an unbalanced quote", "echo 'a"},
		{"a background job", "true &"},
		{"a background job that writes late", "(sleep 0.1; echo late) & echo now"},
		{"no final newline", "printf x"},
		{"quotes and dollars", `x='a "b" $c'; echo "$x"`},
		{"quotes at both ends", `'echo' 'it'\''s'`},
		{"a percent sign", `printf '%s%%\n' 5`},
		{"several lines", "echo a\nif true\nthen echo b\nfi\n"},
		{"a case", "case a in a) echo yes;; esac"},
		{"a function", "f() { return 3; }; f"},
		{"errexit", "set -e; false; echo no"},
		{"exec", "exec echo a"},
		{"a status above 128", "sh -c 'kill -TERM $$'; (exit $?)"},
		{"not found", "/no/such/program 2>/dev/null"},
		{"the character of the mark", `printf 'a\036b'`},
		{"nothing but a comment", "# nothing"},
	}
	for _, shell := range [][]string{{"sh"}, {"dash"}, {"bash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"ksh"}, {"zsh"}} {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			continue
		}
		run := func(command string) (stdout string, status int) {
			cmd := exec.Command(path, append(shell[1:len(shell):len(shell)], "-c", command)...)
			raw, _ := cmd.Output()
			return string(raw), cmd.ProcessState.ExitCode()
		}
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					want, status := run(tt.command)
					raw, code := run(wrap(tt.command, testMark))
					var out bytes.Buffer
					m := newMarkWriter(&out, testMark)
					_, _ = m.Write([]byte(raw))
					if err := m.flush(); err != nil {
						t.Fatal(err)
					}
					if !m.found || m.status != code {
						t.Errorf("marked %t, %d; the shell exits with %d", m.found, m.status, code)
					}
					// Shells differ in how they fail over bad syntax.
					if out.String() != want || code != status && (code == 0 || status == 0) || code != status && !strings.HasPrefix(tt.name, "an unbalanced") {
						t.Errorf("got %q, status %d; the bare command gives %q, %d", out.String(), code, want, status)
					}
				})
			}
		})
	}
}

func TestWrapOfALeadingMinus(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("needs a POSIX shell")
	}
	cmd := exec.Command(sh, "-c", wrap("-x", testMark))
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 127 {
		t.Errorf("exits with %d, want 127 for a command that is not found", code)
	}
}
