package dash_test

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/dash"
)

// fleetFlow is a flow on the view Fleet of the demo fleet, with its first rows.
func fleetFlow(t *testing.T) *flow {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet", Calls: 1000}})
	f.waitFor("web-1", "worker-dev", "compliant")
	return f
}

// filter types a filter and keeps it.
func (f *flow) filter(text string) {
	f.press("/")
	f.write(text)
	f.press("enter")
	f.waitFor("filter: " + text)
}

func TestFlowNodeInItsPane(t *testing.T) {
	f := fleetFlow(t)
	f.filter("name=web-3")
	f.waitFor("Problems", "2 critical patches", "U updates", "Last commands", "web-prod", "Associations")
	f.press("y")
	f.waitFor("launched:", "team: shop", "exit 0")
	if line := f.waitLine("node get"); line != "node get i-0b2c3d4e5f6071829 -o yaml" {
		t.Errorf("ran %q", line)
	}
}

func TestFlowDoctorSaysWhyANodeIsLost(t *testing.T) {
	f := fleetFlow(t)
	f.filter("ping=lost")
	f.press("d")
	f.waitFor("Why is it not online?", "23 checks", "FAIL  the agent calls", "last ping 3 h ago", "PASS  the instance runs")
	f.press("esc")
	f.waitGone("23 checks")
	f.press("s") // a shell on it is no use
	f.waitFor("not connected")
}

func TestFlowRunOnMarkedNodes(t *testing.T) {
	f := fleetFlow(t)
	f.filter("tag:role=web ping=online")
	f.waitFor("5 of 13")
	f.press("*", "r")
	f.waitFor("Run on 5 nodes", "Command")
	f.write("hostname")
	f.press("ctrl+s")
	f.waitFor("ssmdeck run", "--no-wait", "5: ")
	f.press("enter")
	line := f.waitLine("run -t")
	if strings.Count(line, "-t i-") != 5 || !strings.HasSuffix(line, "--no-wait --yes -- hostname") && !strings.HasSuffix(line, "--no-wait -- hostname") {
		t.Errorf("ran %q", line)
	}
	f.waitFor("4▸Commands")
}

func TestFlowTagsAreSet(t *testing.T) {
	f := fleetFlow(t)
	f.filter("name=worker-dev tag:env=dev")
	f.waitFor("1 of 13")
	f.press("e")
	f.waitFor("Tags of worker-dev", "env=dev")
	f.press("enter")
	f.write("owner=ada")
	f.press("ctrl+s")
	f.waitFor("ssmdeck node tag")
	f.press("enter")
	f.waitLine("node tag i-04b5c6d7e8f901234")
	f.press("tab", "G")
	f.waitFor("owner", "ada")
}
