//go:build unix

package hostshell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func run(t *testing.T, m *Machine, c shell.Command, stdin io.Reader) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	status, err := m.Run(t.Context(), c, shell.IO{Stdin: stdin, Stdout: &out, Stderr: &errs})
	if err != nil {
		t.Fatalf("%s: %v", c.Script, err)
	}
	return out.String(), errs.String(), status
}

func TestRun(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "TOP SECRET")
	t.Setenv("AWS_PROFILE", "prod")
	m := machine(t)
	home, err := filepath.EvalSymlinks(m.Home())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name         string
		c            shell.Command
		stdin        string
		stdout, errs string
		status       int
	}{
		{"output and status", shell.Command{Script: "echo out; echo err >&2; exit 3"}, "", "out\n", "err\n", 3},
		{"input", shell.Command{Script: "cat"}, "typed", "typed", "", 0},
		{"input that is not read", shell.Command{Script: "true"}, strings.Repeat("x", 1<<20), "", "", 0},
		{"home is the scratch directory", shell.Command{Script: "pwd -P; cd; pwd -P"}, "", home + "\n" + home + "\n", "", 0},
		{"another directory", shell.Command{Script: "pwd", Dir: "/"}, "", "/\n", "", 0},
		{"extra variables", shell.Command{Script: "echo $A $LANG", Env: []string{"A=b"}}, "", "b C.UTF-8\n", "", 0},
		{"LANG can be set", shell.Command{Script: "echo $LANG", Env: []string{"LANG=de_DE.UTF-8"}}, "", "de_DE.UTF-8\n", "", 0},
		{"no credentials", shell.Command{Script: "env | grep -c AWS_"}, "", "0\n", "", 1},
		{"killed by a signal", shell.Command{Script: "kill -TERM $$"}, "", "", "", 143},
		{"a background process that holds the output is not waited for", shell.Command{Script: "sleep 1000 >/dev/null 2>&1 & kill $!; echo done"}, "", "done\n", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, status := run(t, m, tt.c, strings.NewReader(tt.stdin))
			if out != tt.stdout || errs != tt.errs || status != tt.status {
				t.Errorf("got %q, %q, %d\nwant %q, %q, %d", out, errs, status, tt.stdout, tt.errs, tt.status)
			}
		})
	}
}

func TestRunReportsWhatCannotStart(t *testing.T) {
	if _, err := machine(t).Run(t.Context(), shell.Command{Script: "true", Dir: filepath.Join(t.TempDir(), "gone")}, shell.IO{}); err == nil {
		t.Error("a missing directory is no error")
	}
}

// signalWriter tells when the first output has arrived.
type signalWriter struct {
	first chan string
	done  bool
}

func (s *signalWriter) Write(p []byte) (int, error) {
	if !s.done {
		s.done = true
		s.first <- string(p)
	}
	return len(p), nil
}

func TestCancelKillsTheProcessGroup(t *testing.T) {
	m := machine(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := &signalWriter{first: make(chan string, 1)}
	done := make(chan struct{})
	var status int
	var err error
	go func() {
		defer close(done)
		status, err = m.Run(ctx, shell.Command{Script: "sleep 1000 & echo $!; wait"}, shell.IO{Stdout: out})
	}()
	child := strings.TrimSpace(<-out.first)
	cancel()
	<-done
	if status != shell.StatusKilled || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d, %v", status, err)
	}
	// The child got the same SIGKILL, to die of when it gets the processor; then it is gone, or
	// a zombie that nobody reaps.
	for deadline := time.Now().Add(time.Minute); ; {
		stat, _, _ := run(t, m, shell.Command{Script: "ps -o stat= -p " + child + " || echo gone"}, nil)
		if s := strings.TrimSpace(stat); s == "gone" || strings.HasPrefix(s, "Z") {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the child is in state %q", s)
		}
	}
}

func TestInterrupt(t *testing.T) {
	m := machine(t)
	for script, want := range map[string]int{"echo go; sleep 1000": 130, "trap 'exit 7' INT; echo go; while :; do sleep 0.1; done": 7} {
		out := &signalWriter{first: make(chan string, 1)}
		ch, done, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			<-out.first
			// Again and again: a shell that is just starting a program may lose one.
			for {
				select {
				case ch <- struct{}{}:
				case <-done:
					return
				}
			}
		}()
		status, err := m.Run(t.Context(), shell.Command{Script: script, Interrupt: ch}, shell.IO{Stdout: out})
		close(done)
		<-ended
		if status != want || err != nil {
			t.Errorf("%s: got %d, %v, want %d", script, status, err, want)
		}
	}
}

// screen reads a terminal until it has shown text.
func screen(t *testing.T, tty shell.TTY, until string) string {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 1024)
	for !strings.Contains(all.String(), until) {
		n, err := tty.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			t.Fatalf("waiting for %q: %v after %q", until, err, all.String())
		}
	}
	return all.String()
}

func TestTerminal(t *testing.T) {
	m := machine(t)
	tty, err := m.Start(t.Context(), shell.TTYOptions{Cols: 100, Rows: 30, Env: []string{"PS1=ready> "}})
	if err != nil {
		t.Fatal(err)
	}
	screen(t, tty, "ready> ")
	io.WriteString(tty, "tty -s && echo is a tty; stty size; echo $TERM\r")
	if got := screen(t, tty, "xterm-256color\r\n"); !strings.Contains(got, "is a tty\r\n30 100\r\n") {
		t.Errorf("got %q", got)
	}
	if err := tty.Resize(132, 43); err != nil {
		t.Fatal(err)
	}
	io.WriteString(tty, "stty size\r")
	screen(t, tty, "43 132\r\n")
	// Ctrl-C only once the program has the terminal: before, it is the shell's.
	io.WriteString(tty, "sh -c 'echo sta''rted; exec sleep 1000'\r")
	screen(t, tty, "started\r\n")
	io.WriteString(tty, "\x03")
	screen(t, tty, "ready> ")
	io.WriteString(tty, "echo status=$?\r")
	screen(t, tty, "status=130\r\n")
	io.WriteString(tty, "exit 5\r")
	if _, err := io.ReadAll(tty); err != nil { // EIO of the terminal is the end
		t.Errorf("read to the end: %v", err)
	}
	if got := tty.Wait(); got != 5 {
		t.Errorf("exit status %d", got)
	}
	if err := tty.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestTerminalRunsACommand(t *testing.T) {
	// A controlling terminal is what /dev/tty needs.
	tty, err := machine(t).Start(t.Context(), shell.TTYOptions{Command: "echo via tty > /dev/tty; exit 9"})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	out, err := io.ReadAll(tty)
	if string(out) != "via tty\r\n" || err != nil || tty.Wait() != 9 {
		t.Errorf("got %q, %v, status %d", out, err, tty.Wait())
	}
}

func TestClosingATerminalKillsItsProgram(t *testing.T) {
	for _, end := range []string{"close", "cancel", "machine"} {
		t.Run(end, func(t *testing.T) {
			m := machine(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tty, err := m.Start(ctx, shell.TTYOptions{Command: "trap '' HUP INT TERM; echo up; while :; do sleep 1; done"})
			if err != nil {
				t.Fatal(err)
			}
			screen(t, tty, "up\r\n")
			switch end {
			case "close":
				tty.Close()
			case "cancel":
				cancel()
			case "machine":
				m.Close()
			}
			if got := tty.Wait(); got != 128+int(syscall.SIGKILL) {
				t.Errorf("exit status %d", got)
			}
			tty.Close()
			if _, err := os.Stat(m.Home()); end == "machine" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the scratch directory is still there: %v", err)
			}
		})
	}
}

// TestTheEndOfTheShellEndsReading: what a shell leaves behind in the background
// must not keep the session open.
func TestTheEndOfTheShellEndsReading(t *testing.T) {
	m := machine(t)
	tty, err := m.Start(t.Context(), shell.TTYOptions{Command: "trap '' HUP; sleep 1000 & echo pid=$!"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(tty)
	if err != nil {
		t.Errorf("read to the end: %v", err)
	}
	tty.Close()
	pid := strings.TrimPrefix(strings.TrimSpace(string(out)), "pid=")
	if _, _, status := run(t, m, shell.Command{Script: "kill -9 " + pid}, nil); status != 0 {
		t.Logf("the background process %q is gone already", pid)
	}
}

func TestAClosedMachineStartsNothing(t *testing.T) {
	m := machine(t)
	m.Close()
	if _, err := m.Start(t.Context(), shell.TTYOptions{}); !errors.Is(err, errClosed) {
		t.Errorf("Start: %v", err)
	}
	if _, err := m.Run(t.Context(), shell.Command{Script: "true"}, shell.IO{}); !errors.Is(err, errClosed) {
		t.Errorf("Run: %v", err)
	}
}
