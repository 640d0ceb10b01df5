// Package patching scans nodes for patches and installs them: what an installation
// would do (Plan), one wave of it (Installer), a scan (Scanner), and what the nodes
// report afterwards. It knows nothing of command lines: a dashboard calls it too.
//
// It promises that no node is patched twice: the id of a run is written down before
// the run's first command is sent, and what was sent under it is looked for, and
// followed, before anything more is.
package patching

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Document is the command that scans and installs.
const Document = "AWS-RunPatchBaseline"

// Reboot is what becomes of a node when patches were installed, in the words of the
// document's parameter RebootOption.
type Reboot string

// The choices. With IfNeeded a node reboots when anything was installed, or waited
// for a reboot (API reference, InstancePatchState.RebootOption); with Never what was
// installed may not be in effect until somebody reboots it.
const (
	IfNeeded Reboot = "RebootIfNeeded"
	Never    Reboot = "NoReboot"
)

// Reboots are the words that people type, in the order to offer them.
func Reboots() []string { return []string{"if-needed", "never"} }

// ParseReboot reads if-needed, never, or the document's own words.
func ParseReboot(s string) (Reboot, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "if-needed", strings.ToLower(string(IfNeeded)):
		return IfNeeded, nil
	case "never", strings.ToLower(string(Never)):
		return Never, nil
	}
	e := fault.Usagef("--reboot %q is not one of %s", s, strings.Join(Reboots(), ", "))
	if near := fault.Nearest(strings.ToLower(s), Reboots()); near != "" {
		return "", e.WithHint("did you mean %s?", near)
	}
	return "", e
}

// Word is how people type it.
func (r Reboot) Word() string {
	if r == Never {
		return "never"
	}
	return "if-needed"
}

// Options say how nodes are patched.
type Options struct {
	Reboot Reboot `json:"reboot_option"`
	// OverrideList is the S3 or https URL of a list of the only patches to install.
	OverrideList string `json:"install_override_list,omitempty"`
	// BaselineOverride is the S3 URL of baselines that take the place of the nodes' own.
	// What nodes report is not changed then (User Guide, "Using the BaselineOverride
	// parameter"): only the output of the command tells what was done.
	BaselineOverride string `json:"baseline_override,omitempty"`
	// Snapshot is the GUID under which all nodes of a run get the same baseline as it
	// was when the first asked for it.
	Snapshot string `json:"snapshot"`
}

var (
	guidPattern = pattern.Lazy(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	// The document's own patterns (document AWS-RunPatchBaseline, parameters
	// InstallOverrideList and BaselineOverride).
	listPattern     = pattern.Lazy(`^https://[^\s/]+/\S+$|^s3://([^/\s]+)/(.*?([^/\s]+))$`)
	baselinePattern = pattern.Lazy(`^s3://([^/\s]+)/([^\s]*?([^/\s]+))$`)
)

// Check returns a Usage fault that names everything the document would refuse.
func (o Options) Check() error {
	var wrong []string
	var hint string
	add := func(how, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf(format, args...))
		if hint == "" {
			hint = how
		}
	}
	if o.OverrideList != "" && !listPattern().MatchString(o.OverrideList) {
		add("write it as s3://BUCKET/KEY or https://HOST/PATH", "--override-list %q is no URL of a list of patches", o.OverrideList)
	}
	switch {
	case o.BaselineOverride == "":
	case !baselinePattern().MatchString(o.BaselineOverride):
		add("write it as s3://BUCKET/KEY", "--baseline-override %q is no object in S3", o.BaselineOverride)
	case strings.ContainsAny(o.BaselineOverride, "`'\"$"):
		add("give the object another name", "--baseline-override %q: backticks, quotes and $ are not possible", o.BaselineOverride)
	}
	if o.OverrideList != "" && o.BaselineOverride != "" {
		add("the document fails with both, and does nothing", "--override-list and --baseline-override exclude each other")
	}
	if o.Snapshot != "" && !guidPattern().MatchString(o.Snapshot) {
		add("leave it out, and one is made for the run", "--snapshot-id %q is not a GUID", o.Snapshot)
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.Usagef("%s", strings.Join(wrong, "; ")).WithHint("%s", hint)
}

// params are the parameters of the document.
func (o Options) params(operation string) map[string][]string {
	p := map[string][]string{"Operation": {operation}}
	for name, value := range map[string]string{
		"RebootOption": string(o.Reboot), "SnapshotId": o.Snapshot, "InstallOverrideList": o.OverrideList, "BaselineOverride": o.BaselineOverride,
	} {
		if value != "" {
			p[name] = []string{value}
		}
	}
	return p
}

// NewSnapshot makes a GUID for Options.Snapshot.
func NewSnapshot() string { return awsapi.Token() }
