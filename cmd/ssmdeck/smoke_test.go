//go:build smoke

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

	"github.com/ssmdeck/ssmdeck/internal/simulator"
)

// pane is a real terminal emulator: a tmux server of the test's own with one
// pane, in which a plain shell runs.
type pane struct {
	t      *testing.T
	dir    string // where the shell is, and its HOME
	socket string
	env    []string
}

// newPane starts tmux with the binary under test on the PATH as ssmdeck.
func newPane(t *testing.T) *pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal("the smoke tests need tmux")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "ssmdeck")); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &pane{t: t, dir: dir, socket: filepath.Join(bin, "tmux"), env: environ(dir, "PATH="+bin+":"+os.Getenv("PATH"), "SHELL=/bin/sh")}
	p.tmux("-f", "/dev/null", "new-session", "-d", "-c", dir, "-x", "100", "-y", "40", "sh")
	t.Cleanup(func() { p.tmux("kill-server") })
	p.line("PS1='REA''DY> '")
	p.waitFor("READY>")
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", p.socket}, args...)...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (p *pane) line(text string) {
	p.t.Helper()
	p.tmux("send-keys", "-l", text)
	p.tmux("send-keys", "Enter")
}

func (p *pane) screen() string { return p.tmux("capture-pane", "-p") }

// waitFor waits until the screen shows text, which has to stay: nobody sees what comes and
// goes between two looks.
func (p *pane) waitFor(text string) {
	p.t.Helper()
	p.waitUntil("it shows "+text, func(screen string) bool { return strings.Contains(screen, text) })
}

// waitUntil waits until the screen is as wanted.
func (p *pane) waitUntil(what string, ok func(screen string) bool) {
	p.t.Helper()
	var screen string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if screen = p.screen(); ok(screen) {
			return
		}
		time.Sleep(50 * time.Millisecond) // tmux tells nobody that its screen has changed
	}
	p.t.Fatalf("not so: %s; the screen shows:\n%s", what, screen)
}

func TestDemoInARealTerminal(t *testing.T) {
	p := newPane(t)
	p.line("stty -g > before; ssmdeck demo; echo le''ft")
	p.waitFor("Needs attention")
	p.waitFor("health-check")  // the window that opens first
	p.waitFor("restart nginx") // which a colleague runs after a moment
	p.tmux("send-keys", "2")
	p.waitFor("LAST PING")
	p.tmux("send-keys", "q")
	p.waitFor("left")
	p.line("ssmdeck demo --tour")
	p.waitFor("Now it is your turn")
	p.line("shell web-1")
	p.waitFor("for help\nsh-5.2$") // not the shell of the tour
	p.line("stty size")
	p.waitFor("40 100")
	p.tmux("resize-window", "-x", "90", "-y", "30")
	p.line("until [ \"$(stty size)\" = '30 90' ]; do sleep 0.1; done; echo re''sized")
	p.waitFor("resized")
	p.line("sleep 1000")
	p.tmux("send-keys", "C-c")
	p.line("echo al''ive")
	p.waitFor("alive")
	p.line("exit")
	p.line("")
	p.waitFor("ssmdeck>")
	p.line("shell web-1")
	p.waitFor("sh-5.2$")
	p.line("")
	p.tmux("send-keys", "-l", "~.")
	p.waitFor("left session")
	p.line("exit")
	p.line("stty -g > after; cmp before after && echo sa''me")
	p.waitFor("same")
}

func TestProgressLeavesNoTrace(t *testing.T) {
	p := newPane(t)
	p.line("ssmdeck demo -- run --yes --tag env=prod --filter platform=linux -- sleep 1; echo do''ne")
	p.waitFor("done")
	if s := p.screen(); !strings.Contains(s, "nodes ok in") || strings.Contains(s, "running") || strings.Contains(s, "%") {
		t.Errorf("the screen shows:\n%s", s)
	}
}

func TestAShellThatIsKilledLeavesTheTerminalUsable(t *testing.T) {
	p := newPane(t)
	p.line("sh -c 'echo $$ > pid; exec ssmdeck demo -- shell web-1'; echo st''atus $?")
	p.waitFor("sh-5.2$")
	text, err := os.ReadFile(filepath.Join(p.dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if process, err := os.FindProcess(pid); err != nil || process.Signal(syscall.SIGTERM) != nil {
		t.Fatalf("process %d is not there: %v", pid, err)
	}
	p.waitFor("status 130")
	p.line("echo us''able")
	p.waitFor("usable")
}

// TestEscapesInARealTerminal suspends a shell in a shell with job control.
func TestEscapesInARealTerminal(t *testing.T) {
	p := newPane(t)
	p.line("exec bash --norc -i")
	p.line("PS1='READY''> '; set -m; stty -g > before; ssmdeck demo -- shell web-1")
	p.waitFor("sh-5.2$")
	p.tmux("send-keys", "Enter")
	p.tmux("send-keys", "-l", "~?")
	p.waitFor("suspend ssmdeck")
	p.waitUntil("it shows the limits", func(screen string) bool { // they are read beside the start
		p.tmux("send-keys", "-l", "~#")
		return strings.Contains(screen, "limits    idle at most 20 min")
	})
	p.tmux("send-keys", "-l", "~")
	p.tmux("send-keys", "C-z")
	p.waitFor("Stopped")
	p.line("stty -g > after; cmp before after && echo coo''ked")
	p.waitFor("cooked")
	p.tmux("resize-window", "-x", "90", "-y", "30")
	p.line("fg")
	p.line("until [ \"$(stty size)\" = '30 90' ]; do sleep 0.1; done; echo re''sized")
	p.waitFor("resized")
	p.line("exit")
	p.waitFor("session ended")
}

// TestTheStatusLineLeavesNoTrace takes the network away and brings it back, at a
// prompt on the bottom row and under a full-screen program.
func TestTheStatusLineLeavesNoTrace(t *testing.T) {
	if _, err := exec.LookPath("less"); err != nil {
		t.Skip("there is no less here")
	}
	srv, err := simulator.Start(t.Context(), simulator.Options{Shell: "host", AllowRoot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	net, env := startRelay(t, srv)
	p := newPane(t)
	p.line("export " + strings.Join(env, " ") + "; clear; ssmdeck shell web-1; echo st''atus $?")
	p.waitFor("session ")
	p.line("PS1='NODE''> '; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do echo line $i; done")
	p.waitFor("line 40\nNODE>")
	outage := func() {
		t.Helper()
		net.down()
		p.waitFor("no connection for")
		net.up()
		p.tmux("send-keys", "Enter")
		p.tmux("send-keys", "-l", "~R")
		p.waitUntil("the outage is over", func(s string) bool { // which is shown for seconds only
			return !strings.Contains(s, "no connection") && !strings.Contains(s, "connecting again")
		})
	}
	outage()
	p.waitUntil("the line is gone", func(s string) bool {
		return !strings.Contains(s, "connect") || strings.HasSuffix(strings.TrimSpace(s), "NODE>")
	})
	if s := p.screen(); !strings.Contains(s, "line 38\nline 39\nline 40\nNODE>") {
		t.Errorf("the prompt is not where it was:\n%s", s)
	}
	p.line("seq 1 100 | less")
	p.waitFor("39\n:")
	outage()
	p.waitUntil("the program has drawn itself anew", func(s string) bool {
		return !strings.Contains(s, "connect") && strings.HasSuffix(strings.TrimSpace(s), ":")
	})
	p.tmux("send-keys", "-l", "q")
	p.waitFor("NODE>")
	p.line("exit")
	p.waitFor("status 0")
}

func TestThePickerLeavesNoTrace(t *testing.T) {
	p := newPane(t)
	p.line("stty -g > before; ssmdeck demo -- node get; echo st''atus $?")
	p.waitFor("type to filter")
	p.tmux("send-keys", "-l", "wrkr")
	p.waitFor("node> wrkr")
	p.tmux("resize-window", "-x", "60", "-y", "20")
	p.tmux("send-keys", "Down")
	p.tmux("send-keys", "Enter")
	p.waitFor("status 0")
	p.line("ssmdeck demo -- shell; echo st''atus $?")
	p.waitFor("type to filter")
	p.tmux("send-keys", "Escape")
	p.waitFor("status 130")
	p.line("clear; stty -g > after; cmp before after && echo sa''me")
	p.waitFor("same")
	if s := p.screen(); strings.Contains(s, "type to filter") {
		t.Errorf("the screen shows:\n%s", s)
	}
}
