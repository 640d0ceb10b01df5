package world

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// noHook is the document that stands for no hook.
const noHook = "AWS-Noop"

// runPatching does what a step of a patch document does.
func (w *World) runPatching(c *command, inv *invocation, stdout, stderr *capture) PluginResult {
	order := orderOf(c)
	hook := func(name string) bool { return order.operation != "Install" || w.runHook(c, inv, name, stdout, stderr) }
	failed := PluginResult{Status: statusFailed, Details: statusFailed, Code: 1}
	if !hook("PreInstallHookDocName") {
		return failed // and nothing is installed
	}
	order.after = func() bool { return hook("PostInstallHookDocName") }
	code, err := w.patch(inv.ctx, inv.NodeID, order, &patchOutput{stdout: stdout, stderr: stderr})
	if err == nil && !hook("OnExitHookDocName") && code == 0 {
		code = 1
	}
	switch {
	case err != nil:
		return PluginResult{Status: statusCancelled, Details: statusCancelled, Code: shell.StatusKilled}
	case code != 0:
		_, _ = fmt.Fprintf(stderr, "failed to run commands: exit status %d", code)
		failed.Code = code
		return failed
	}
	return PluginResult{Status: statusSuccess, Details: statusSuccess}
}

// runHook runs the document that an argument names on the node and reports whether
// it has succeeded.
func (w *World) runHook(c *command, inv *invocation, argument string, stdout, stderr *capture) bool {
	name := strings.Join(c.args[argument], "")
	if name == "" || name == noHook {
		return true
	}
	doc, err := w.Document(name)
	if err != nil || doc.Type != "Command" || slices.Contains(patchDocuments, name) {
		_, _ = fmt.Fprintf(stderr, "The hook document %s does not exist or cannot be a hook.\n", name)
		return false
	}
	v, err := doc.Version("")
	if err != nil {
		return false
	}
	args, err := v.Body.Arguments(nil)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "The hook document %s needs arguments: %v\n", name, err)
		return false
	}
	hook := &command{Command: Command{CommandRequest: CommandRequest{DocumentName: name}, ID: c.ID}, body: v.Body, args: args}
	for _, s := range v.Body.steps() {
		r := w.performStep(hook, inv, s, stdout, stderr)
		_, _ = io.WriteString(stdout, "\n")
		if r.Status != statusSuccess {
			_, _ = fmt.Fprintf(stderr, "The hook document %s has failed.\n", name)
			return false
		}
	}
	return true
}
