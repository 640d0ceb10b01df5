package dash_test

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// rotation is a runbook that waits for somebody and then does something on a node.
const rotation = `
schemaVersion: "0.3"
parameters:
  Database: {type: String, allowedPattern: "^[a-z-]+$"}
  MasterPassword: {type: String}
mainSteps:
  - {name: ask, action: "aws:approve", inputs: {Approvers: [ann]}}
  - name: drain
    action: aws:runCommand
    inputs: {DocumentName: AWS-RunShellScript, InstanceIds: [i-0123456789abcdef0], Parameters: {commands: ["echo {{ Database }} {{ MasterPassword }}"]}}
`

func automations(t *testing.T) *flow {
	t.Helper()
	sc := world.Demo()
	sc.Documents = append(sc.Documents, world.DocumentSpec{Name: "rotate", Type: "Automation", Format: "YAML", Content: rotation})
	return startFlow(t, flowOptions{dash: dash.Options{View: "automation"}, scenario: sc})
}

// begin starts the runbook through its form.
func (f *flow) begin() {
	f.t.Helper()
	f.waitFor("no automation was started")
	f.press("r")
	f.waitFor("start which runbook", "AWS-RestartEC2Instance")
	f.write("rotate")
	f.press("enter")
	f.waitFor("Database (needed)")
	f.write("shop")
	f.press("tab")
	f.write("hush-hush-hush")
	f.press("ctrl+s")
	f.waitFor("start rotate?", "--param Database=shop")
	f.press("enter")
	f.waitFor("1 ask", "Waiting")
}

func TestAnApprovalLetsAnAutomationFinish(t *testing.T) {
	f := automations(t)
	f.begin()
	if l := f.waitLine("automation start rotate"); strings.Contains(l, "hush") {
		t.Errorf("the line has the secret: %s", l)
	}
	f.press("a")
	f.waitFor("Comment")
	f.write("fine")
	f.press("enter")
	f.waitFor("approve automation", "Enter")
	f.press("enter")
	f.waitLine("automation approve ")
	f.waitFor("rotate  ● Success", "2 drain")
	if s := f.screen(); strings.Contains(s, "hush-hush-hush") {
		t.Errorf("the secret is on the screen:\n%s", s)
	}
	f.press("esc")
	f.waitFor("▸ ● Success")
	f.press("/")
	f.write("state=success document~^rot")
	f.press("enter")
	f.waitFor("filter: state=success document~^rot", "▸ ● Success")
	f.press("enter", "G", "enter")
	f.waitFor("4▸Commands", "AWS-RunShellScript")
}

func TestADenialAndAStop(t *testing.T) {
	f := automations(t)
	f.begin()
	f.press("D")
	f.waitFor("Comment")
	f.press("enter")
	f.waitFor("y does it")
	f.press("y")
	f.waitLine("automation reject ")
	f.waitFor("rotate  ✗")
	f.press("R")
	f.waitFor("start rotate?")
	f.press("enter")
	f.waitFor("rotate  ▲ Waiting")
	f.press("X")
	f.waitFor("after the step that runs")
	f.press("enter")
	f.waitFor("y does it")
	f.press("y")
	f.waitLine("automation stop ")
	f.waitFor("▲ Cancelled")
}
