//go:build smoke

package main

import (
	"strings"
	"testing"
)

// A shell inside the dashboard: it has the terminal, a resize in between is honoured,
// and the dashboard is found as it was left.
func TestDashboardInARealTerminal(t *testing.T) {
	p := newPane(t)
	p.line("stty -g > before; ssmdeck demo -- dash fleet")
	p.waitFor("worker-dev")
	p.tmux("send-keys", "-l", "/web-1")
	p.waitFor("1 of ")
	p.tmux("send-keys", "Enter")
	p.waitFor("filter: web-1")
	p.tmux("send-keys", "s")
	p.waitFor("sh-5.2$")
	p.tmux("resize-window", "-x", "120", "-y", "34")
	p.line("until [ \"$(stty size)\" = '34 120' ]; do sleep 0.1; done; echo re''sized")
	p.waitFor("resized")
	p.line("exit")
	p.waitFor("shell on web-1 ended: exit 0")
	p.waitUntil("the dashboard is as it was, in the size of the window", func(s string) bool { // which it may hear of later
		lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
		return len(lines) == 34 && len([]rune(lines[2])) == 120 && strings.Contains(s, "web-1") && !strings.Contains(s, "worker-dev") && !strings.Contains(s, "resized")
	})
	p.tmux("send-keys", "@")
	p.waitFor("ssmdeck shell i-")
	p.tmux("send-keys", "Escape")
	p.waitFor("? keys") // else the two keys would be one, with Alt
	p.tmux("send-keys", "C-z")
	p.waitFor("Stopped")
	p.line("fg")
	p.waitFor("filter: web-1")
	p.tmux("send-keys", "q")
	p.waitFor("Stopped") // the screen of the shell again
	p.line("stty -g > after; cmp before after && echo sa''me")
	p.waitFor("same")
}
