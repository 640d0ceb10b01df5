package dash_test

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
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

func TestFlowUnmanagedInstancesAreExamined(t *testing.T) {
	sc, err := world.ParseScenario("test.yaml", []byte("account: \"123456789012\"\nregion: us-east-1\nfleet: {count: 12, names: [web], unmanaged: 2, lost: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := startFlow(t, flowOptions{scenario: sc, dash: dash.Options{View: "fleet", Calls: 1000}})
	f.waitFor("web-00002", "✗ lost")
	f.press("u")
	f.waitFor("▲ unmanaged")
	f.press("g", "j") // behind the node that is lost
	f.waitFor("no agent of it has registered", "d says why")
	f.press("d")
	f.waitFor("FAIL  Systems Manager knows it", "not a managed node in us-east-1")
	f.press("esc", "r")
	f.waitFor("Systems Manager does not know it")
}

func TestFlowForwardSaysWhereItListens(t *testing.T) {
	f := fleetFlow(t)
	f.filter("name=web-1 vpc~vpc-")
	f.waitFor("1 of 13")
	f.press("f")
	f.waitFor("Forward through web-1", "orders-prod.cluster-")
	f.press("down", "enter")
	f.write("0")
	f.press("enter")
	if line := f.waitLine("forward"); !strings.HasPrefix(line, "forward i-0123456789abcdef0 0:orders-prod.cluster-") {
		t.Errorf("ran %q", line)
	}
	f.waitFor("127.0.0.1:", "orders-prod.cluster-")
	f.press("esc")
	f.waitFor("1 running")
}

func TestFlowExportIsWhatTheCommandLineLists(t *testing.T) {
	f := fleetFlow(t)
	f.filter("ping=lost")
	f.waitFor("1 of 13")
	f.press("x")
	f.waitFor("Export 1 node")
	f.press("enter")
	f.waitFor("ssmdeck ls --filter ping=lost", "worker-dev", "i-04b5c6d7e8f901234")
}

func TestFlowThePaletteGoesToANode(t *testing.T) {
	f := fleetFlow(t)
	f.filter("ping=lost") // it hides the node
	f.press(":")
	f.write("bastion")
	f.waitFor("i-0f60718293a4b5c6d")
	f.press("enter")
	f.waitFor("Fleet › bastion", "Red Hat Enterprise Linux", "bastion-node")
}
