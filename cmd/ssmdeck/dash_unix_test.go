//go:build !windows

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNeverLosesTheTerminal ends the dashboard in every way there is, in front of the
// fleet and with a shell inside: the terminal is as it was, nothing is left on it, and
// no session is left open.
func TestNeverLosesTheTerminal(t *testing.T) {
	kill := func(sig syscall.Signal) func(*screen) {
		return func(s *screen) { _ = s.cmd.Process.Signal(sig) }
	}
	tests := []struct {
		name  string
		shell bool
		end   func(s *screen)
		code  int
	}{
		{"q", false, func(s *screen) { s.Type("q") }, 0},
		{"two ctrl+c", false, func(s *screen) { s.Type("\x03\x03") }, 0},
		{"SIGTERM", false, kill(syscall.SIGTERM), 130},
		{"SIGHUP", false, kill(syscall.SIGHUP), 130},
		{"SIGQUIT", false, kill(syscall.SIGQUIT), 130},
		{"SIGTERM in a shell", true, kill(syscall.SIGTERM), 130},
		{"SIGHUP in a shell", true, kill(syscall.SIGHUP), 130},
		{"the end of a shell", true, func(s *screen) {
			s.Type("exit\r")
			s.See("ended: exit 0")
			s.Type("q")
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := simulate(t)
			s := startOnTerminal(t, srv.Env(), 100, 30, "dash", "fleet", "--filter", "web-1")
			s.See("web-1")
			s.See("Amazon Linux") // the node beside the list
			if tt.shell {
				s.Type("s")
				s.See("$ ")
				s.Type("echo he''llo\r")
				s.See("hello")
			}
			tt.end(s)
			if code := s.exit(); code != tt.code {
				t.Errorf("exit status %d, want %d", code, tt.code)
			}
			if after := s.settings(); after != s.before {
				t.Errorf("the terminal's settings changed:\n%+v\n%+v", s.before, after)
			}
			s.wantModesOff()
		})
	}
}

// wantModesOff wants every mode that was turned on turned off again. What a process that
// has ended wrote last may not have been read yet.
func (s *screen) wantModesOff() {
	s.t.Helper()
	late := time.After(patience)
	for {
		on, shown := s.modesOn()
		if len(on) == 0 {
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-late:
			s.t.Errorf("%q were not undone; the screen had\n%q", on, shown)
			return
		}
	}
}

// modesOn are the modes that are on, by what turned them on.
func (s *screen) modesOn() (list []string, shown string) {
	shown = s.Written()
	for on, off := range map[string]string{
		"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?1004h": "\x1b[?1004l",
		"\x1b[?2004h": "\x1b[?2004l", "\x1b[?1002h": "\x1b[?1002l",
	} {
		if strings.LastIndex(shown, on) > strings.LastIndex(shown, off) {
			list = append(list, on)
		}
	}
	return list, shown
}

// TestTheDashboardNeedsAScreen: keys from a terminal are not enough, it would be drawn
// into a file.
func TestTheDashboardNeedsAScreen(t *testing.T) {
	srv := simulate(t)
	s := startOnTerminal(t, srv.Env(), 100, 30, "version")
	s.exit()
	cmd := exec.Command(s.cmd.Path, "dash")
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.cmd.Env, s.TTY, &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 || out.Len() > 0 || !strings.Contains(errs.String(), "needs a terminal") {
		t.Errorf("%v, wrote %q and said %q", err, &out, &errs)
	}
	cmd = exec.Command(s.cmd.Path, "dash")
	errs.Reset()
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(s.cmd.Env, "TERM=dumb"), s.TTY, s.TTY, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(errs.String(), "--plain") {
		t.Errorf("TERM=dumb: %v, said %q", err, &errs)
	}
}

// TestATerminalThatIsGoneEndsWhatWasOnIt closes the terminal under the dashboard and
// under a shell, also where nobody hears of SIGHUP, as with nohup: nothing goes on
// without anybody who could end it, and no session is left open.
func TestATerminalThatIsGoneEndsWhatWasOnIt(t *testing.T) {
	for _, hup := range []string{"", "trap '' HUP; "} {
		for _, face := range []struct{ args, keys, up string }{
			{"dash fleet --filter web-1", "", "i-0123456789abcdef0"},
			{"dash fleet --filter web-1", "s", "sh-5.2$"},
			{"shell web-1", "", "sh-5.2$"},
		} {
			t.Run(hup+face.args+" "+face.keys, func(t *testing.T) {
				srv := simulate(t)
				self, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				binary := filepath.Join(t.TempDir(), "ssmdeck")
				if err := os.Symlink(self, binary); err != nil {
					t.Fatal(err)
				}
				s := showOn(t, srv.Env(), exec.Command("sh", "-c", hup+"exec "+binary+" "+face.args), 100, 30)
				if face.keys != "" {
					s.See("i-0123456789abcdef0")
					s.Type(face.keys)
				}
				s.See(face.up)
				if face.up != "i-0123456789abcdef0" { // the terminal is not closed while somebody is in the middle of reading it
					s.Type("sleep 1; echo late\r")
				}
				_ = s.TTY.Close()
				_ = s.Keys.Close()
				if code := s.exit(); code == 0 {
					t.Error("it says that all is well")
				}
			})
		}
	}
}
