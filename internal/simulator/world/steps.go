package world

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// defaultExecution is the time limit of a step without one.
const defaultExecution = time.Hour

// runSteps runs the steps of a command's document on one node, one after the
// other, and sums them up.
func (w *World) runSteps(c *command, inv *invocation) (results []PluginResult, status, details string) {
	n, steps := inv.node, c.body.steps()
	supported := slices.ContainsFunc(steps, func(s Step) bool { return s.platform() != "" || runsOn(s.Action, n.Platform) })
	if !supported {
		return nil, statusFailed, detailPlatform
	}
	status, details = statusSuccess, statusSuccess
	for _, s := range steps {
		r := w.runStep(c, inv, s)
		results = append(results, r)
		if r.Status != statusSuccess {
			status, details = r.Status, r.Details
		}
		w.mu.Lock()
		inv.Plugins = slices.Clone(results)
		w.mu.Unlock()
		if inv.ctx.Err() != nil || r.Status != statusSuccess && s.exitsOnFailure() {
			break
		}
	}
	return results, status, details
}

func (s Step) exitsOnFailure() bool {
	return s.OnFailure == "exit" || text(s.Inputs["onFailure"]) == "exit"
}

// runsOn reports whether the agent of a platform has a plugin.
func runsOn(action, platform string) bool {
	switch action {
	case "aws:runShellScript":
		return platform != "windows"
	case "aws:updateSsmAgent":
		return platform != "macos"
	}
	return true
}

// runStep runs one step and puts its output where the command wants it.
func (w *World) runStep(c *command, inv *invocation, s Step) PluginResult {
	start := w.now()
	out, errs := newCapture(maxStdout), newCapture(maxStderr)
	out.also, errs.also = w.sinks(c, inv, s)
	r := w.performStep(c, inv, s, out, errs)
	out.also.close() // before the node replies, as agents do
	errs.also.close()
	r.Name, r.Start, r.Finish = s.Name, start, w.now()
	r.Stdout, r.Stderr = cut(out.String(), maxStdout), cut(errs.String(), maxStderr)
	r.StdoutURL, r.StderrURL = out.also.url(), errs.also.url()
	return r
}

// performStep does what a step says. Name, times and output are the caller's.
func (w *World) performStep(c *command, inv *invocation, s Step, stdout, stderr *capture) PluginResult {
	n := inv.node
	done := func(status, details string, code int, out, errs string) PluginResult {
		_, _ = io.WriteString(stdout, out)
		_, _ = io.WriteString(stderr, errs)
		return PluginResult{Status: status, Details: details, Code: code}
	}
	if want := s.platform(); want != "" && want != n.PlatformType() {
		text := fmt.Sprintf("Step execution skipped due to unsatisfied preconditions: '\"StringEquals\": [platformType, %s]'. Step name: %s", want, s.Name)
		return done(statusSuccess, statusSuccess, 0, text, "")
	}
	if !runsOn(s.Action, n.Platform) {
		text := fmt.Sprintf("Plugin with name %s is not supported in current platform. Step name: %s", s.Action, s.Name)
		return done(statusFailed, detailPlatform, 1, "", text)
	}
	inputs, _ := filled(s.Inputs, c.args, c.body.isList).(map[string]any)
	switch {
	case slices.Contains(patchDocuments, c.DocumentName):
		return w.runPatching(c, inv, stdout, stderr)
	case s.Action == "aws:updateSsmAgent":
		return done(statusSuccess, statusSuccess, 0, w.updateAgent(n.ID, text(inputs["targetVersion"])), "")
	case s.Action == "aws:runPowerShellScript" && n.Platform != "windows":
		return done(statusFailed, statusFailed, 1, "", `failed to run commands: exec: "pwsh": executable file not found in $PATH`)
	case s.Action == "aws:runShellScript", s.Action == "aws:runPowerShellScript":
		return w.runScript(inv, s.Action, inputs, stdout, stderr)
	}
	return done(statusFailed, statusFailed, 1, "", "the simulated agent has no plugin "+s.Action)
}

// runScript runs the commands of a step on the node's machine.
func (w *World) runScript(inv *invocation, action string, inputs map[string]any, stdout, stderr *capture) PluginResult {
	limit := defaultExecution
	if s, err := strconv.Atoi(strings.TrimSpace(text(inputs["timeoutSeconds"]))); err == nil && s > 0 {
		limit = time.Duration(s) * time.Second
	}
	ctx, cancel := w.clock.within(shell.WithClock(inv.ctx, w.clock), limit)
	defer cancel()
	script := strings.Join(textList(inputs["runCommand"]), "\n")
	if action == "aws:runShellScript" {
		script = interpreted(script)
	}
	code, err := inv.node.machine.Run(ctx, shell.Command{
		Script:   script,
		Dir:      strings.TrimSpace(text(inputs["workingDirectory"])),
		Env:      []string{"AWS_SSM_INSTANCE_ID=" + inv.NodeID, "AWS_SSM_REGION_NAME=" + w.sc.Region},
		Elevated: true,
	}, shell.IO{Stdout: stdout, Stderr: stderr})
	switch {
	case inv.ctx.Err() != nil && (err != nil || code == shell.StatusKilled):
		return PluginResult{Status: statusCancelled, Details: statusCancelled, Code: shell.StatusKilled}
	case ctx.Err() != nil && (err != nil || code == shell.StatusKilled):
		return PluginResult{Status: statusTimedOut, Details: detailExecution, Code: shell.StatusKilled}
	case err != nil:
		_, _ = io.WriteString(stderr, "failed to run commands: "+err.Error())
		return PluginResult{Status: statusFailed, Details: statusFailed, Code: 1}
	case code != 0:
		_, _ = io.WriteString(stderr, "failed to run commands: exit status "+strconv.Itoa(code))
		return PluginResult{Status: statusFailed, Details: statusFailed, Code: code}
	}
	return PluginResult{Status: statusSuccess, Details: statusSuccess}
}

// interpreted makes a script that names its interpreter a file which is run. The
// agent does so with every script, and the kernel then reads the first line; a
// shell that is handed the text takes it for a comment.
func interpreted(script string) string {
	line, _, _ := strings.Cut(script, "\n")
	interpreter, ok := strings.CutPrefix(line, "#!")
	if !ok || strings.TrimSpace(interpreter) == "/bin/sh" {
		return script
	}
	end := "SCRIPT_ENDS"
	for strings.Contains(script, end) {
		end += "_HERE"
	}
	return "f=$(mktemp) || exit 1\ncat >\"$f\" <<'" + end + "'\n" + script + "\n" + end +
		"\nchmod 700 \"$f\"\n\"$f\"\ns=$?\nrm -f \"$f\"\nexit $s\n"
}

// updateAgent gives the agent of a node a version, the latest when empty, and
// returns what the updater prints.
func (w *World) updateAgent(id, version string) string {
	if version == "" || version == "latest" {
		version = w.latest
	}
	w.mu.Lock()
	old := w.nodes[id].AgentVersion
	w.mu.Unlock()
	if old == version {
		return fmt.Sprintf("amazon-ssm-agent %s has already been installed, update skipped\n", version)
	}
	w.setAgentVersion(id, version)
	return fmt.Sprintf("Updating amazon-ssm-agent from %s to %s\nSuccessfully downloaded the agent\nSuccessfully installed amazon-ssm-agent %s\namazon-ssm-agent updated successfully to %s\n", old, version, version, version)
}
