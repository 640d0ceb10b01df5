package dash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

// command runs a command line on the simulator of the flow, as a shell does.
func (f *flow) command(env flowOptions, words ...string) string {
	f.t.Helper()
	var out, errs bytes.Buffer
	one := f.env(env).Again(words, nil)
	one.Out, one.Err = &out, &errs
	if code := commands.Run(f.t.Context(), one); code != 0 {
		f.t.Fatalf("%v: exit %d: %s", words, code, errs.String())
	}
	return out.String()
}

// pane are the lines of the screen between the n-th and the next vertical line.
func (f *flow) pane(n int) (lines []string) {
	for l := range strings.SplitSeq(f.screen(), "\n") {
		if parts := strings.Split(l, "│"); len(parts) > n {
			lines = append(lines, strings.Join(strings.Fields(parts[n]), " "))
		}
	}
	return lines
}

// The page shows what `patch report` counts: the sum, each group, each node, in order.
func TestPatchPageCountsAsTheCommandDoes(t *testing.T) {
	o := flowOptions{dash: dash.Options{View: "patch", Calls: 1000}, width: 220, height: 60}
	f := startFlow(t, o)
	f.waitFor("whole fleet", "web-prod", "never scanned")
	var report patch.Report
	if err := json.Unmarshal([]byte(f.command(o, "patch", "report", "--no-history", "-o", "json")), &report); err != nil {
		t.Fatal(err)
	}
	percent, _ := report.Total.Percent()
	f.waitFor(fmt.Sprintf("%.1f %% compliant", percent), fmt.Sprintf("%d nodes", report.Total.Nodes), fmt.Sprintf("%d critical", report.Total.WithCritical),
		fmt.Sprintf("%d security", report.Total.WithSecurity), fmt.Sprintf("%d failed", report.Total.WithFailed),
		fmt.Sprintf("%d never scanned", report.Total.NeverScanned), fmt.Sprintf("%d stale", report.Total.Stale))
	groups := strings.Join(f.pane(0), "\n")
	for _, g := range report.Groups {
		name := g.Key
		if name == "" {
			name = "(none)"
		}
		share, _ := g.Percent()
		if want := fmt.Sprintf("%s %s %% %d %d", name, strings.TrimSuffix(fmt.Sprintf("%.1f", share), ".0"), g.Nodes, g.WithCritical); !strings.Contains(groups, want) {
			t.Errorf("no group %q among\n%s", want, groups)
		}
	}
	rows := f.pane(1)[2:] // below the title and the header
	for i, n := range report.Nodes {
		want := []string{n.Name}
		if n.Status == patch.NonCompliant {
			want = append(want, fmt.Sprint(n.Critical, n.Security, n.Missing, n.Failed, n.PendingReboot))
		}
		if want := strings.Join(want, " "); !strings.Contains(rows[i], want) {
			t.Errorf("row %d is %q, not %q of %s", i, rows[i], want, n.ID)
		}
	}
}

// A scan begun with a key is a command line, and its numbers are shown when it ends.
func TestPatchScanFromThePage(t *testing.T) {
	o := flowOptions{dash: dash.Options{View: "patch", Calls: 1000}, width: 200, height: 50}
	f := startFlow(t, o)
	f.waitFor("whole fleet", "web-prod")
	f.press("/")
	f.write("name=web-2")
	f.press("enter")
	f.waitFor("1 of ", "26 h")
	before := time.Now()
	f.press("p")
	f.waitFor("scan 1 node for patches", "nothing is installed and no node reboots")
	f.press("enter")
	line := f.waitLine("patch scan i-")
	if !strings.HasSuffix(line, " --yes") || strings.Count(line, "i-") != 1 {
		t.Errorf("ran %q", line)
	}
	f.waitFor("exit 0")
	f.press("esc")
	f.waitUntil("the time of the scan", func() bool {
		rows := strings.Join(f.pane(1), "\n")
		return strings.Contains(rows, "● just now") || strings.Contains(rows, " s web-prod") || strings.Contains(rows, " min web-prod")
	})
	out := f.command(o, "patch", "node", "web-2", "-o", "json")
	var n struct{ Scanned time.Time }
	if err := json.Unmarshal([]byte(out), &n); err != nil || n.Scanned.Before(before.Add(-2*time.Second)) {
		t.Errorf("the node was scanned %s, and the key pressed %s (%v)", n.Scanned, before, err)
	}
}

// Before an installation the box shows what it would do, and a no does nothing.
func TestPatchInstallShowsWhatWouldHappen(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "patch", Calls: 1000}, width: 160, height: 60})
	f.waitFor("whole fleet", "web-prod")
	f.press("/")
	f.write("name=web-1")
	f.press("enter")
	f.waitFor("1 of ")
	f.press("P")
	f.waitFor("Install patches on 1 node: web-1", "Reboot")
	f.write("never")
	f.press("ctrl+s")
	preview := f.waitLine("patch install")
	if !strings.Contains(preview, " --dry-run") || !strings.Contains(preview, "--reboot never") {
		t.Errorf("the preview is %q", preview)
	}
	f.waitFor("no node reboots, and what was installed may not be in effect", "systemd.x86_64", "maintenance windows", "patch install i-")
	f.press("esc")
	f.waitGone("may not be in effect")
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) != 1 {
		t.Errorf("ran %q", f.lines)
	}
}

// The patches that all nodes lack are read on request, and lead to a CVE's nodes.
func TestPatchPageFindsACVE(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "patch", Calls: 1000}, width: 160, height: 50})
	f.waitFor("whole fleet", "web-prod")
	f.press("v")
	f.waitFor("Missing patches", "libkrb5-3.amd64", "worker-[1,2]")
	f.press("V")
	f.waitFor("Which nodes are open to a CVE?")
	f.press("ctrl+u")
	f.write("CVE-2026-28800")
	f.press("ctrl+s")
	f.waitFor("a patch for CVE-2026-28800", "systemd.x86_64", "web-1")
}
