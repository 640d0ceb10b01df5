package dash_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// sendFromForm fills in the form of a run and confirms it.
func (f *flow) sendFromForm(targets, command string, more ...string) {
	f.t.Helper()
	f.press("r")
	f.waitFor("Run a command")
	f.press("ctrl+u")
	f.write(targets)
	f.press("tab")
	f.write(command)
	for _, m := range more { // document, parameters, at a time
		f.press("tab")
		f.write(m)
	}
	f.press("ctrl+s")
	f.waitFor("would run on", "Enter does it")
	f.press("enter")
}

func TestARunIsSentFollowedAndRunAgainWhereItFailed(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "commands", Calls: 600}})
	f.waitFor("4▸Commands", "failed")
	f.sendFromForm("web-1 web-2 web-3", "systemctl is-system-running")
	f.waitFor("3 / 3", "2 ● ok", "1 ✗ failed", "web-3", "degraded", "ended with failures", "web-[1,2]")
	f.waitLine("run -t web-1 -t web-2 -t web-3 --no-wait --yes -- systemctl is-system-running")
	f.press("R")
	f.waitFor("where it did not succeed", "would run on 1 node")
	f.press("enter")
	f.waitLine("run rerun ")
	f.waitFor("1 / 1", "1 ✗ failed", "web-3")
	f.press("enter")
	f.waitFor("› web-3", "stderr", "failed to run commands")
	f.press("esc", "n")
	f.waitFor("2▸Fleet", "web-3", "1 of ")
}

func TestARunIsCancelledAndItsOutputsAreWritten(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "commands", Calls: 600}})
	f.waitFor("4▸Commands", "failed")
	f.sendFromForm("web-1 web-2 web-3", "hostname; sleep 600", "", "", "1")
	f.waitFor("0 / 3", "running")
	f.press("X")
	f.waitFor("cancel run", "y ")
	f.press("y")
	f.waitLine("run cancel ")
	f.waitFor("3 / 3", "cancelled", "ended with failures")
	folder := filepath.Join(t.TempDir(), "outputs")
	f.press("w")
	f.waitFor("Write the outputs")
	f.press("ctrl+u")
	f.write(folder)
	f.press("ctrl+s")
	f.waitUntil("waiting for the files", func() bool {
		_, err := os.Stat(filepath.Join(folder, "summary.json"))
		return err == nil
	})
	f.press("esc")
	f.waitFor("STATE", "SENT", "cancelled")
}

func TestARunIsOpenedByItsID(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "commands", Calls: 600}})
	f.waitFor("failed")
	f.press("enter")
	f.waitFor("› command ", "1 ✗ failed")
	f.press("y")
	f.waitFor("ssmdeck run show ", "node_id: ", "state: failed")
	f.press("esc")
	f.waitGone("node_id: ")
	f.press("d")
	f.waitFor("how outputs differ", "-active", "+failed")
	f.press("esc")
	f.waitGone("how outputs differ")
	f.press("v")
	f.waitFor("Parameters of", "commands:")
}

// A parameter that is a secret reaches the nodes, and nothing else: neither the form
// nor the box nor the line that ran nor the command log has it.
func TestASecretParameterOfARunIsShownNowhere(t *testing.T) {
	sc := world.Demo()
	sc.Documents = append(sc.Documents, world.DocumentSpec{Name: "join", Type: "Command", Format: "YAML", Content: `
schemaVersion: "2.2"
parameters:
  Domain: {type: String}
  Password: {type: String}
mainSteps:
  - {name: join, action: "aws:runShellScript", inputs: {runCommand: ["echo {{ Domain }} {{ Password }} | wc -c"]}}
`})
	f := startFlow(t, flowOptions{dash: dash.Options{View: "commands", Calls: 600}, scenario: sc})
	f.mu.Lock()
	f.never = "canary"
	f.mu.Unlock()
	f.waitFor("4▸Commands", "failed")
	f.press("r")
	f.waitFor("Run a command")
	f.press("ctrl+u")
	f.write("web-1")
	f.press("tab", "tab")
	f.write("join")
	f.press("tab")
	f.write("Domain=corp")
	f.press("enter")
	f.write("Password=canary")
	f.waitFor("Password=••••••")
	f.press("ctrl+s")
	f.waitFor("run join?", "--param Domain=corp --params-file -", "would run on 1 node")
	f.press("enter")
	if l := f.waitLine("run -t web-1 --document join"); strings.Contains(l, "canary") {
		t.Errorf("the line has the secret: %s", l)
	}
	f.waitFor("1 / 1", "12") // corp canary
	f.press("@")
	f.waitFor("--params-file -")
}
