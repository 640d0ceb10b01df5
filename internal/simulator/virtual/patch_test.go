package virtual

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

func TestAPatchedMachineShowsIt(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := New(Spec{OS: Linux, Distro: "Amazon Linux 2023", Hostname: "web-1", NodeID: "i-0123456789abcdef0", Clock: func() time.Time { return now }})
	run := func(script string) string {
		t.Helper()
		var out bytes.Buffer
		if code, err := m.Run(t.Context(), shell.Command{Script: script, Elevated: true}, shell.IO{Stdout: &out, Stderr: &out}); code != 0 || err != nil {
			t.Fatalf("%s: %d, %v: %s", script, code, err, out.String())
		}
		return out.String()
	}
	m.Upgrade("openssl", "3.0.8-1.amzn2023.0.40")
	m.Upgrade("not-there", "1")
	m.Restart(now.Add(-3 * time.Minute))
	if got := run("rpm -q openssl"); !strings.Contains(got, "3.0.8-1.amzn2023.0.40") {
		t.Errorf("rpm says %s", got)
	}
	if got := run("rpm -qa"); strings.Contains(got, "not-there") {
		t.Errorf("a package that was not installed is: %s", got)
	}
	if got := run("uptime -s; cat /proc/uptime"); got != "2026-03-01 11:57:00\n180.00 342.00\n" {
		t.Errorf("uptime says %s", got)
	}
}
