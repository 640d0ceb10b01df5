package world

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// patchOutput writes what the patch documents write: on Windows tables of
// PowerShell, elsewhere the log of a Python program with the output of the package
// manager in it.
type patchOutput struct {
	stdout, stderr io.Writer
	windows        bool
	now            func() time.Time
}

// logf writes a line of the log.
func (o *patchOutput) logf(format string, args ...any) {
	if o.windows {
		_, _ = fmt.Fprintf(o.stdout, format+"\r\n", args...)
		return
	}
	_, _ = fmt.Fprintf(o.stdout, "%s root [INFO]: %s\n", o.now().UTC().Format("01/02/2006 15:04:05"), fmt.Sprintf(format, args...))
}

func (o *patchOutput) errorf(format string, args ...any) {
	if o.windows {
		_, _ = fmt.Fprintf(o.stderr, format+"\r\n", args...)
		return
	}
	_, _ = fmt.Fprintf(o.stderr, "%s root [ERROR]: %s\n", o.now().UTC().Format("01/02/2006 15:04:05"), fmt.Sprintf(format, args...))
}

// manager is the package manager of a node.
func manager(n Node) string {
	switch n.OperatingSystem() {
	case patches.Ubuntu, patches.Debian, patches.Raspbian:
		return "apt-get"
	case patches.Suse:
		return "zypper"
	case patches.AmazonLinux, patches.AmazonLinux2, patches.CentOS:
		return "yum"
	case patches.MacOS:
		return "softwareupdate"
	}
	return "dnf"
}

func (o *patchOutput) begin(j *patchJob) {
	o.windows, o.now = j.n.Platform == "windows", j.now
	if !o.windows {
		_, _ = fmt.Fprintf(o.stdout, "/usr/bin/python3\n/usr/bin/%s\n", manager(j.n))
	}
	o.logf("Running with snapshot id = %s and operation = %s", j.order.snapshot, j.order.operation)
	o.logf("Patch baseline %s for %s %s, patch group %q", j.b.ID, j.n.PlatformName, j.n.PlatformVersion, j.n.PatchGroup())
}

func (o *patchOutput) plan(j *patchJob, list []wantedPatch) {
	if j.order.overrideList != "" {
		o.logf("Install override list %s replaces the approval rules of the baseline.", j.order.overrideList)
	}
	o.logf("Patches to install: %d", len(list))
}

func (o *patchOutput) installed(j *patchJob, p *patches.Patch, i, n int) {
	o.logf("Installed (%d/%d): %s", i, n, p.Title(j.n.Architecture))
}

func (o *patchOutput) blocked(p, by *patches.Patch) {
	o.logf("Skipped %s: it needs %s, which the baseline rejects.", p.Package.Name, by.Package.Name)
}

// failed says why a patch could not be installed, as the system does.
func (o *patchOutput) failed(j *patchJob, p *patches.Patch) {
	title := p.Title(j.n.Architecture)
	switch manager(j.n) {
	case "apt-get":
		o.errorf("dpkg: error processing archive /var/cache/apt/archives/%s_%s.deb (--unpack): new pre-installation script subprocess returned error exit status 1",
			p.Package.Name, p.Version())
		o.errorf("E: Sub-process /usr/bin/dpkg returned an error code (1)")
	case "zypper":
		o.errorf("Installation of %s failed: Error: Subprocess failed. Error: RPM failed: %%prein(%s) scriptlet failed, exit status 1", title, p.Package.Name)
	case "softwareupdate":
		o.errorf("%s: the update could not be verified", title)
	default:
		if o.windows {
			o.errorf("Installation of %s failed: HRESULT 0x80070643 (a fatal error occurred during installation)", title)
			break
		}
		o.errorf("Error in PREIN scriptlet in rpm package %s", p.Package.Name)
		o.errorf("error: %%prein(%s-%s-%s.%s) scriptlet failed, exit status 1", p.Package.Name, p.Version(), p.Release(), p.Package.Arch(j.n.Architecture))
	}
}

// broken says why a node cannot be patched at all.
func (o *patchOutput) broken(j *patchJob) {
	switch m := manager(j.n); {
	case o.windows:
		o.errorf("Searching for updates failed: exception from HRESULT: 0x8024402C")
		o.errorf("Invoke-PatchBaselineOperation : the update server could not be reached")
	case m == "apt-get":
		o.errorf("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 2143 (unattended-upgr)")
		o.errorf("Unable to acquire the package manager's lock.")
	default:
		o.errorf("Error: Failed to download metadata for repo '%s': Cannot prepare internal mirrorlist: No URLs in mirrorlist", "updates")
		o.errorf("Unable to refresh the repositories of %s.", m)
	}
}

func (o *patchOutput) rebooting(*patchJob) { o.logf("A reboot is needed: restarting the system.") }
func (o *patchOutput) rebooted(*patchJob)  { o.logf("The system has restarted: continuing.") }

// summary is the end of the output: the counts that are reported.
func (o *patchOutput) summary(j *patchJob, r *patchReport) {
	h, end := r.head, "\n"
	if o.windows {
		end = "\r\n"
	}
	var b strings.Builder
	line := func(name string, v any) { _, _ = fmt.Fprintf(&b, "%-29s: %v%s", name, v, end) }
	_, _ = fmt.Fprintf(&b, "%sPatch Summary for %s%s%s", end, j.n.ID, end, end)
	line("PatchGroup", h.Group)
	line("BaselineId", h.Baseline)
	line("SnapshotId", h.SnapshotID)
	line("RebootOption", h.RebootOption)
	line("OwnerInformation", "")
	line("OperationType", h.Operation)
	line("OperationStartTime", h.Start.UTC().Format(time.RFC3339))
	line("OperationEndTime", h.End.UTC().Format(time.RFC3339))
	line("InstalledCount", h.Installed)
	line("InstalledRejectedCount", h.Rejected)
	line("InstalledPendingRebootCount", h.PendingReboot)
	line("InstalledOtherCount", h.Other)
	line("FailedCount", h.Failed)
	line("MissingCount", h.Missing)
	line("NotApplicableCount", h.NotApplicable)
	line("UnreportedNotApplicableCount", 0)
	line("AvailableSecurityUpdateCount", h.Available)
	line("CriticalNonCompliantCount", h.Critical)
	line("SecurityNonCompliantCount", h.Security)
	line("OtherNonCompliantCount", h.NonCompliant()-h.Critical-h.Security)
	b.WriteString(end)
	for _, row := range r.rows {
		if row.state == patchMissing || row.state == patchFailed {
			_, _ = fmt.Fprintf(&b, "%-8s %s%s", map[string]string{patchMissing: "Missing", patchFailed: "Failed"}[row.state], row.patch.Title(j.n.Architecture), end)
		}
	}
	_, _ = io.WriteString(o.stdout, b.String())
	o.logf("Patch compliance was reported.")
}
