//go:build smoke

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pane is a real terminal emulator: a tmux server of the test's own with one
// pane, in which a plain shell runs.
type pane struct {
	t      *testing.T
	socket string
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
	p := &pane{t: t, socket: filepath.Join(bin, "tmux")}
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", "-e", "PATH="+bin+":"+os.Getenv("PATH"), "-e", "LANG=C.UTF-8", "sh")
	t.Cleanup(func() { p.tmux("kill-server") })
	p.line("PS1='REA''DY> '")
	p.waitFor("READY>")
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
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

// waitFor waits until the screen shows text.
func (p *pane) waitFor(text string) {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if strings.Contains(p.screen(), text) {
			return
		}
		time.Sleep(50 * time.Millisecond) // tmux tells nobody that its screen has changed
	}
	p.t.Fatalf("%q did not come up; the screen shows:\n%s", text, p.screen())
}

func TestDemoInARealTerminal(t *testing.T) {
	p := newPane(t)
	p.line("stty -g > before; ssmdeck demo")
	p.waitFor("Now it is your turn")
	p.line("shell web-1")
	p.waitFor("sh-5.2$")
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
	p.line("ssmdeck demo -- shell web-1; echo st''atus $?")
	p.waitFor("sh-5.2$")
	out, err := exec.Command("pkill", "-TERM", "-f", "^ssmdeck demo -- shell").CombinedOutput()
	if err != nil {
		t.Fatalf("pkill: %v %s", err, out)
	}
	p.waitFor("status 130")
	p.line("echo us''able")
	p.waitFor("usable")
}
