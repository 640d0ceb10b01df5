//go:build !windows

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
)

// screen is ssmdeck on a real terminal, and what it shows.
type screen struct {
	t      *testing.T
	cmd    *exec.Cmd
	tty    *os.File // our end
	slave  *os.File // kept open, so that its settings can be looked at afterwards
	before unix.Termios

	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

// startOnTerminal runs ssmdeck with the given size and arguments.
func startOnTerminal(t *testing.T, env []string, cols, rows uint16, args ...string) *screen {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "ssmdeck")
	if err := os.Symlink(self, binary); err != nil {
		t.Fatal(err)
	}
	master, slave := openTerminal(t, cols, rows)
	return showOn(t, env, exec.Command(binary, args...), master, slave)
}

func openTerminal(t *testing.T, cols, rows uint16) (master, slave *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Cols: cols, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// showOn runs a program on a terminal.
func showOn(t *testing.T, env []string, cmd *exec.Cmd, master, slave *os.File) *screen {
	t.Helper()
	s := &screen{t: t, cmd: cmd, tty: master, slave: slave, news: make(chan struct{}, 1)}
	s.before = s.settings()
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	home := t.TempDir()
	s.cmd.Env = append(env, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "PATH="+os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8")
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			select {
			case s.news <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = slave.Close()
		_ = master.Close()
		<-reading
	})
	return s
}

func (s *screen) settings() unix.Termios {
	s.t.Helper()
	tio, err := termios(int(s.slave.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	return *tio
}

// waitFor waits until the screen has shown text.
func (s *screen) waitFor(text string) {
	s.t.Helper()
	s.waitBehind(0, text)
}

// shownSoFar is how much was written to the screen.
func (s *screen) shownSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Len()
}

// waitBehind waits until the screen has shown text behind what was there before.
func (s *screen) waitBehind(before int, text string) {
	s.t.Helper()
	if !s.sees(before, text, patience) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Fatalf("%q was not shown; the screen had:\n%q", text, s.text.String()[before:])
	}
}

// sees reports whether the screen shows text in time, behind what was there before.
func (s *screen) sees(before int, text string, limit time.Duration) bool {
	timeout := time.After(limit)
	for {
		s.mu.Lock()
		shown := bytes.Contains(s.text.Bytes()[before:], []byte(text))
		s.mu.Unlock()
		if shown {
			return true
		}
		select {
		case <-s.news:
		case <-timeout:
			return false
		}
	}
}

func (s *screen) typeKeys(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, keys); err != nil {
		s.t.Fatal(err)
	}
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
		s.t.Fatalf("it did not end; the screen had:\n%q", s.text.String())
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
		{"after exit", func(s *screen, _ *simulator.Server) { s.typeKeys("exit\r") }, 0, ""},
		{"after Ctrl-D", func(s *screen, _ *simulator.Server) { s.typeKeys("\x04") }, 0, ""},
		{"after leaving", func(s *screen, _ *simulator.Server) { s.typeKeys("\r~.") }, 130, "left session"},
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
			s.waitFor("$ ")
			s.typeKeys("echo he''llo\r")
			s.waitFor("hello")
			tt.end(s, srv)
			if code := s.exit(); code != tt.code {
				t.Errorf("exit status %d, want %d", code, tt.code)
			}
			if tt.want != "" {
				s.waitFor(tt.want)
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
	s.waitFor("$ ")
	s.typeKeys(`x=$(seq 2000); while :; do printf 'on\033[?1049h%s' "$x"; done` + "\r")
	s.waitFor("2000on\x1b[?1049h")
	s.typeKeys("\r~.")
	if code := s.exit(); code != 130 {
		t.Errorf("exit status %d, want 130", code)
	}
	s.waitFor("left session")
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.text.String()
	if strings.LastIndex(shown, "\x1b[?1049h") > strings.LastIndex(shown, "\x1b[?1049l") {
		t.Errorf("the screen was taken after it was given back: %q", shown[len(shown)-200:])
	}
}

// TestLeavingAfterAnEditor leaves a shell in which a program has used the
// alternate screen and ended: leaving that once more would move the cursor in tmux.
func TestLeavingAfterAnEditor(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.waitFor("$ ")
	s.typeKeys(`printf '\033[?1049h\033[?1049l'; echo en''ded` + "\r")
	s.waitFor("ended\r\n")
	s.typeKeys("\r~.")
	if code := s.exit(); code != 130 {
		t.Errorf("exit status %d, want 130", code)
	}
	s.waitFor("left session")
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := strings.Count(s.text.String(), "\x1b[?1049l"); n != 1 || !strings.Contains(s.text.String(), "\x1b[?2004l") {
		t.Errorf("the alternate screen was left %d times, want 1: %q", n, s.text.String())
	}
}

func TestShellFollowsTheWindow(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 132, 43, "shell", "web-1")
	s.waitFor("$ ")
	s.typeKeys("stty size\r")
	s.waitFor("43 132")
	if err := pty.Setsize(s.tty, &pty.Winsize{Cols: 100, Rows: 30}); err != nil {
		t.Fatal(err)
	}
	// The size travels on its own; ask until it has arrived.
	s.typeKeys("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; echo ar''rived\r")
	s.waitFor("arrived")
	s.typeKeys("exit\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestControlCharactersReachTheNode(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.waitFor("$ ")
	s.typeKeys("sleep 1000\r")
	s.waitFor("sleep 1000\r\n")
	s.typeKeys("\x03")
	s.waitFor("^C")
	s.typeKeys("echo st''ill here\r")
	s.waitFor("still here")
	s.typeKeys("exit 3\r")
	s.exit()
}

// TestShellSurvivesCuts types through a connection that is cut again and again.
func TestShellSurvivesCuts(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1")
	s.waitFor("$ ")
	for i := range 5 {
		for _, id := range srv.Gateway().IDs() {
			srv.Gateway().Cut(id)
		}
		word := strings.Repeat(string(rune('a'+i)), 20)
		s.typeKeys("echo '" + word[:10] + "''" + word[10:] + "'\r")
		s.waitFor(word)
	}
	s.typeKeys("exit\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestDemoDashboard looks at the fleet that lives, and leaves it.
func TestDemoDashboard(t *testing.T) {
	s := startOnTerminal(t, nil, 140, 40, "demo")
	s.waitFor("Needs attention")
	s.typeKeys("q")
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
	s.waitFor("read-only")
	s.waitFor("Needs attention")
	s.typeKeys("2")
	s.waitFor("api-00020")
	s.typeKeys("q")
	s.exit()
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.text.String()
	if i := strings.IndexFunc(shown, func(r rune) bool { return r > 0x7f }); i >= 0 {
		t.Errorf("not ASCII: %q", shown[max(i-40, 0):i+4])
	}
	if colour := regexp.MustCompile(`\x1b\[([0-9;]*;)?([34][0-8]|9[0-7]|10[0-7])(;[0-9;]*)?m`).FindString(shown); colour != "" {
		t.Errorf("there are colours: %q", colour)
	}
}

func TestDemoPrompt(t *testing.T) {
	s := startOnTerminal(t, nil, 100, 40, "demo", "--prompt")
	s.waitFor("ssmdeck>")
	s.typeKeys("exec web-1 -- uname\r")
	s.waitFor("Linux")
	s.typeKeys("shell web-1\r")
	s.waitFor("sh-5.2$ ")
	s.typeKeys("echo in''side\r")
	s.waitFor("inside")
	s.typeKeys("exit\r")
	s.waitFor("session ended") // what is typed earlier belongs to the session
	s.typeKeys("nonsense\r")
	s.waitFor("unknown command")
	s.typeKeys("exit\r")
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
	s.waitFor("one ")
	s.typeKeys(" .") // pause, and one step
	s.waitFor("two ")
	s.typeKeys(".")
	s.waitFor("three ")
	s.typeKeys(" ") // go on: 100 s take one, and half an hour takes 18 s
	s.waitFor("four")
	s.typeKeys("q")
	if code := s.exit(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if s.shows("never") || s.shows("\x1b[6n") {
		t.Error("it went on after q, or asked the terminal something")
	}
	if s.shows("\x1b[?1049l") {
		t.Error("it left the alternate screen, which it had not used")
	}
	if after := s.settings(); after != s.before {
		t.Error("the terminal's settings changed")
	}
}

// shows reports whether the screen has shown text.
func (s *screen) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

func TestRecordingOnATerminal(t *testing.T) {
	srv := simulate(t)
	file := filepath.Join(t.TempDir(), "x.cast")
	s := startOnTerminal(t, srv.Env(), 80, 24, "shell", "web-1", "--record", file, "--record-input")
	s.waitFor("$ ")
	for _, k := range strings.Split("echo PASSWORD=Canary7 ok", "") {
		s.typeKeys(k)
	}
	s.typeKeys("\r")
	s.waitFor("PASSWORD=Canary7 ok\r\n")
	if err := pty.Setsize(s.tty, &pty.Winsize{Cols: 100, Rows: 30}); err != nil {
		t.Fatal(err)
	}
	s.typeKeys("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.05; done; echo ar''rived\r")
	s.waitFor("arrived")
	s.typeKeys("exit\r")
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
