//go:build !windows

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStoppedAndContinuedInAShell stops everything that holds the terminal from
// outside, under a shell with job control: the shell has the terminal as it was, and
// what was stopped comes back whole. SIGSTOP cannot be seen coming; whoever is
// continued after it is in raw mode again, and draws everything anew.
func TestStoppedAndContinuedInAShell(t *testing.T) {
	faces := []struct {
		name, args string
		keys       string // to get there
		up, again  string // what is seen then; what is drawn when it comes back
		leave      string
	}{
		{"the dashboard", "dash fleet --filter web-1", "", "online", "online", "q"},
		{"a shell inside it", "dash fleet --filter web-1", "s", "sh-5.2$ ", "", "exit\r"},
		{"a shell", "shell web-1", "", "sh-5.2$ ", "", "exit\r"},
		{"the picker", "shell", "", "report-1", "report-1", "\x03"},
		{"forwards", "forward up", "", "q quit", "q quit", "q"},
		{"a hidden line", "param put /app/key --type SecureString", "", "Value", "", "\x03"},
	}
	for _, face := range faces {
		for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGSTOP} {
			t.Run(face.name+" "+unix.SignalName(sig), func(t *testing.T) {
				sh := startShell(t)
				sh.line("cd " + sh.dir + "; stty -g > before; sh -c 'echo $$ > pid; exec ssmdeck " + face.args + "'")
				if face.keys != "" {
					sh.See("online")
					sh.Type(face.keys)
				}
				sh.See(face.up)
				raw := sh.settings()
				sh.Forget()
				_ = syscall.Kill(sh.pid(), sig)
				sh.See("READY>")
				if sig == syscall.SIGTSTP { // after SIGSTOP the shell has to help itself
					sh.line("stty -g > after; cmp before after && echo as it w''as")
					sh.See("as it was")
					sh.wantModesOff()
				}
				sh.Forget()
				sh.line("stty $(cat before); echo on it g''oes; fg")
				sh.See("on it goes")
				sh.See(face.again)
				sh.waitForSettings(raw)
				sh.Forget()
				sh.Type(face.leave)
				if face.name == "a shell inside it" {
					sh.See("ended: exit 0")
					sh.Type("q")
				}
				sh.See("READY>")
				sh.line("stty -g > after; cmp before after && echo as it w''as")
				sh.See("as it was")
				sh.wantModesOff()
				sh.line("exit")
				sh.exit()
			})
		}
	}
}

// shell is a shell with job control on a terminal.
type shell struct {
	*screen
	dir string
}

func startShell(t *testing.T) shell {
	t.Helper()
	srv, dir := simulate(t), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "ssmdeck")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "forwards.yaml"), []byte("forwards:\n  web: {node: web-1, spec: '0:80'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := shell{showOn(t, append(srv.Env(), "SSMDECK_FORWARDS="+filepath.Join(dir, "forwards.yaml")), exec.Command("sh", "-i"), 100, 30), dir}
	sh.line("PATH=" + dir + ":$PATH; PS1='REA''DY> '")
	sh.See("READY> ")
	return sh
}

func (sh shell) line(text string) { sh.Type(text + "\n") }

// pid is that of ssmdeck, which the job has written.
func (sh shell) pid() int {
	sh.t.Helper()
	b, err := os.ReadFile(filepath.Join(sh.dir, "pid"))
	if err != nil {
		sh.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		sh.t.Fatal(err)
	}
	return pid
}

// waitForSettings waits until the terminal is in a mode.
func (sh shell) waitForSettings(want unix.Termios) {
	sh.t.Helper()
	for deadline := time.Now().Add(patience); sh.settings() != want; {
		if time.Now().After(deadline) {
			sh.t.Fatalf("the mode of the terminal did not change:\n%+v\n%+v", sh.settings(), want)
		}
		time.Sleep(10 * time.Millisecond) // a terminal tells nobody of its modes
	}
}
