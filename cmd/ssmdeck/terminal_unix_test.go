//go:build !windows

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/terminal/termtest"
)

// screen is ssmdeck on a real terminal, and what it shows.
type screen struct {
	*termtest.Terminal
	t      *testing.T
	cmd    *exec.Cmd
	before unix.Termios // how the terminal was
}

// startOnTerminal runs ssmdeck with the given size and arguments.
func startOnTerminal(t *testing.T, env []string, cols, rows int, args ...string) *screen {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "ssmdeck")
	if err := os.Symlink(self, binary); err != nil {
		t.Fatal(err)
	}
	return showOn(t, env, exec.Command(binary, args...), cols, rows)
}

// showOn runs a program on a terminal.
func showOn(t *testing.T, env []string, cmd *exec.Cmd, cols, rows int) *screen {
	t.Helper()
	s := &screen{Terminal: termtest.Open(t, cols, rows), t: t, cmd: cmd}
	s.before = s.settings()
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.TTY, s.TTY, s.TTY
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.cmd.Env = environ(t.TempDir(), env...)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	return s
}

func (s *screen) settings() unix.Termios {
	s.t.Helper()
	tio, err := termios(int(s.TTY.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	return *tio
}

// exit waits for the end and returns the status.
func (s *screen) exit() int {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		return 0
	case <-time.After(patience):
		s.t.Fatalf("it did not end; the screen had:\n%q", s.Written())
		return -1
	}
}

func simulate(t *testing.T) *simulator.Server {
	t.Helper()
	srv, err := simulator.Start(context.Background(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(patience); srv.Stats().OpenSessions > 0 && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond) // the last client is another process
		}
		if n := srv.Stats().OpenSessions; n > 0 {
			t.Errorf("%d sessions were left open", n)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func TestShellGivesTheTerminalBack(t *testing.T) {
	tests := []struct {
		name string
		end  func(s *screen, srv *simulator.Server)
		code int
		want string // on the screen
	}{
		{"after exit", func(s *screen, _ *simulator.Server) { s.Type("exit\r") }, 0, ""},
		{"after Ctrl-D", func(s *screen, _ *simulator.Server) { s.Type("\x04") }, 0, ""},
		{"after leaving", func(s *screen, _ *simulator.Server) { s.Type("\r~.") }, 130, "left session"},
		{"after SIGTERM", func(s *screen, _ *simulator.Server) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, 130, ""},
		{"after SIGQUIT", func(s *screen, _ *simulator.Server) { _ = s.cmd.Process.Signal(syscall.SIGQUIT) }, 130, ""},
		{"after SIGHUP", func(s *screen, _ *simulator.Server) { _ = s.cmd.Process.Signal(syscall.SIGHUP) }, 130, ""},
		{"when somebody terminates the session", func(s *screen, srv *simulator.Server) {
			for _, id := range srv.Gateway().IDs() {
				_ = srv.Gateway().Terminate(id)
			}
		}, 0, ""},
		{"when the service breaks the protocol", func(s *screen, srv *simulator.Server) {
			for _, id := range srv.Gateway().IDs() {
				srv.Gateway().Inject(id, []byte("not a message"))
			}
		}, 1, "broke the protocol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := simulate(t)
			s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
			s.See("$ ")
			s.Type("echo he''llo\r")
			s.See("hello")
			tt.end(s, srv)
			if code := s.exit(); code != tt.code {
				t.Errorf("exit status %d, want %d", code, tt.code)
			}
			if tt.want != "" {
				s.See(tt.want)
			}
			if after := s.settings(); after != s.before {
				t.Errorf("the terminal's settings changed:\n%+v\n%+v", s.before, after)
			}
		})
	}
}

// TestLeavingAFlood leaves a program that takes the screen again and again: the
// terminal stays given back.
func TestLeavingAFlood(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.See("$ ")
	s.Type(`x=$(seq 2000); while :; do printf 'on\033[?1049h%s' "$x"; done` + "\r")
	s.See("2000on\x1b[?1049h")
	s.Type("\r~.")
	if code := s.exit(); code != 130 {
		t.Errorf("exit status %d, want 130", code)
	}
	s.See("left session")
	shown := s.Written()
	if strings.LastIndex(shown, "\x1b[?1049h") > strings.LastIndex(shown, "\x1b[?1049l") {
		t.Errorf("the screen was taken after it was given back: %q", shown[len(shown)-200:])
	}
}

// TestLeavingAfterAnEditor leaves a shell in which a program has used the
// alternate screen and ended: leaving that once more would move the cursor in tmux.
func TestLeavingAfterAnEditor(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.See("$ ")
	s.Type(`printf '\033[?1049h\033[?1049l'; echo en''ded` + "\r")
	s.See("ended\r\n")
	s.Type("\r~.")
	if code := s.exit(); code != 130 {
		t.Errorf("exit status %d, want 130", code)
	}
	s.See("left session")
	if n := strings.Count(s.Written(), "\x1b[?1049l"); n != 1 || !strings.Contains(s.Written(), "\x1b[?2004l") {
		t.Errorf("the alternate screen was left %d times, want 1: %q", n, s.Written())
	}
}

func TestShellFollowsTheWindow(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 132, 43, "shell", "web-1")
	s.See("$ ")
	s.Type("stty size\r")
	s.See("43 132")
	if err := s.Resize(100, 30); err != nil {
		t.Fatal(err)
	}
	// The size travels on its own; ask until it has arrived.
	s.Type("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; echo ar''rived\r")
	s.See("arrived")
	s.Type("exit\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestControlCharactersReachTheNode(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.See("$ ")
	s.Type("sleep 1000\r")
	s.See("sleep 1000\r\n")
	s.Type("\x03")
	s.See("^C")
	s.Type("echo st''ill here\r")
	s.See("still here")
	s.Type("exit 3\r")
	s.exit()
}

// TestShellSurvivesCuts types through a connection that is cut again and again.
func TestShellSurvivesCuts(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.See("$ ")
	for i := range 5 {
		for _, id := range srv.Gateway().IDs() {
			srv.Gateway().Cut(id)
		}
		word := strings.Repeat(string(rune('a'+i)), 20)
		s.Type("echo '" + word[:10] + "''" + word[10:] + "'\r")
		s.See(word)
	}
	s.Type("exit\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestDemoDashboard looks at the fleet that lives, and leaves it.
func TestDemoDashboard(t *testing.T) {
	s := startOnTerminal(t, nil, 140, 40, "demo")
	s.See("Needs attention")
	s.Type("q")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if after := s.settings(); after != s.before {
		t.Error("the terminal's settings changed")
	}
}

// What is typed with the demo holds inside it.
func TestDemoFlags(t *testing.T) {
	s := startOnTerminal(t, nil, 140, 40, "demo", "--ascii", "--read-only", "--no-color")
	s.See("read-only")
	s.See("Needs attention")
	s.Type("2")
	s.See("api-00020")
	s.Type("q")
	s.exit()
	shown := s.Written()
	if i := strings.IndexFunc(shown, func(r rune) bool { return r > 0x7f }); i >= 0 {
		t.Errorf("not ASCII: %q", shown[max(i-40, 0):i+4])
	}
	if colour := regexp.MustCompile(`\x1b\[([0-9;]*;)?([34][0-8]|9[0-7]|10[0-7])(;[0-9;]*)?m`).FindString(shown); colour != "" {
		t.Errorf("there are colours: %q", colour)
	}
}

func TestDemoPrompt(t *testing.T) {
	s := startOnTerminal(t, nil, 100, 40, "demo", "--prompt")
	s.See("ssmdeck>")
	s.Type("exec web-1 -- uname\r")
	s.See("Linux")
	s.Type("shell web-1\r")
	s.See("sh-5.2$ ")
	s.Type("echo in''side\r")
	s.See("inside")
	s.Type("exit\r")
	s.See("session ended") // what is typed earlier belongs to the session
	s.Type("nonsense\r")
	s.See("unknown command")
	s.Type("exit\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if after := s.settings(); after != s.before {
		t.Error("the terminal's settings changed")
	}
}

// TestReplayOnATerminal plays a recording that would last for hours.
func TestReplayOnATerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long.cast")
	text := `{"version":2,"width":80,"height":24}
[0.1,"o","one "]
[3600,"o","two \u001b[6n"]
[7200,"o","three "]
[7300,"o","four"]
[14400,"o","never"]
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startOnTerminal(t, nil, 80, 24, "session", "replay", file, "--max-idle", "30m", "--speed", "100")
	s.See("one ")
	s.Type(" .") // pause, and one step
	s.See("two ")
	s.Type(".")
	s.See("three ")
	s.Type(" ") // go on: 100 s take one, and half an hour takes 18 s
	s.See("four")
	s.Type("q")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if strings.Contains(s.Written(), "never") || strings.Contains(s.Written(), "\x1b[6n") {
		t.Error("it went on after q, or asked the terminal something")
	}
	if strings.Contains(s.Written(), "\x1b[?1049l") {
		t.Error("it left the alternate screen, which it had not used")
	}
	if after := s.settings(); after != s.before {
		t.Error("the terminal's settings changed")
	}
}

func TestRecordingOnATerminal(t *testing.T) {
	srv := simulate(t)
	file := filepath.Join(t.TempDir(), "x.cast")
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1", "--record", file, "--record-input")
	s.See("$ ")
	for _, k := range strings.Split("echo PASSWORD=Canary7 ok", "") {
		s.Type(k)
	}
	s.Type("\r")
	s.See("PASSWORD=Canary7 ok\r\n")
	if err := s.Resize(100, 30); err != nil {
		t.Fatal(err)
	}
	s.Type("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; echo ar''rived\r")
	s.See("arrived")
	s.Type("exit\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "Canary") || strings.Contains(string(b), "7 ok") {
		t.Errorf("the secret is in it:\n%s", b)
	}
	for _, want := range []string{"PASSWORD=***", `"r", "100x30"`, "arrived", `"i", "`, `"o", "`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in it:\n%s", want, b)
		}
	}
}
