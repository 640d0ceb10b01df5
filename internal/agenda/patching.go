package agenda

import (
	"cmp"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Patching is what a task does about patches.
type Patching struct {
	Operation string // Scan, Install; "" when the task's parameters were not read
	Reboot    string // RebootIfNeeded, NoReboot
}

// Installs reports whether the task installs patches.
func (p Patching) Installs() bool { return p.Operation == "Install" }

// MayReboot reports whether the task may reboot a node.
func (p Patching) MayReboot() bool { return p.Installs() && p.Reboot != "NoReboot" }

// Document is the name of what a task runs, without the rest of an ARN.
func Document(run string) string {
	if _, name, ok := strings.Cut(run, ":document/"); ok {
		return name
	}
	if _, name, ok := strings.Cut(run, ":automation-definition/"); ok {
		name, _, _ = strings.Cut(name, ":")
		return name
	}
	return run
}

// IsPatching reports whether a task is about patches, which needs no more than the
// list of tasks.
func IsPatching(t window.Task) bool {
	switch t.Type {
	case window.RunCommand, window.Automation:
	default:
		return false
	}
	switch Document(t.Run) {
	case "AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks", "AWS-ApplyPatchBaseline",
		"AWS-InstallWindowsUpdates", "AWS-PatchAsgInstance", "AWS-PatchInstanceWithRollback":
		return true
	}
	return false
}

// PatchingOf is what a task does about patches, from its document and parameters
// (the documents' own: Operation and RebootOption; of AWS-InstallWindowsUpdates
// Action and AllowReboot). ok is false when it is not about patches.
func PatchingOf(t window.Task) (p Patching, ok bool) {
	if !IsPatching(t) {
		return Patching{}, false
	}
	get := func(name string) string {
		if v := t.Parameters[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	switch Document(t.Run) {
	case "AWS-InstallWindowsUpdates":
		p = Patching{Operation: cmp.Or(get("Action"), "Install"), Reboot: "RebootIfNeeded"}
		if strings.EqualFold(get("AllowReboot"), "false") {
			p.Reboot = "NoReboot"
		}
	case "AWS-PatchAsgInstance", "AWS-PatchInstanceWithRollback":
		p = Patching{Operation: "Install", Reboot: "RebootIfNeeded"}
	default:
		p = Patching{Operation: get("Operation"), Reboot: cmp.Or(get("RebootOption"), "RebootIfNeeded")}
	}
	return p, true
}

// MayReboot lists the nodes of a set that an installation may reboot: those that
// miss patches or wait for a reboot, and those of which nothing is known.
func (r *Reach) MayReboot(s Set) []fleet.Node {
	var all []fleet.Node
	for _, n := range r.Of(s) {
		if n.Patch == nil || n.Patch.Missing+n.Patch.Failed+n.Patch.PendingReboot > 0 {
			all = append(all, n)
		}
	}
	return all
}
