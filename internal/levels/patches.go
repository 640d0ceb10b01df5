package levels

import (
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// How numbers of patches, and of nodes that have such patches, look where they are not 0.
const (
	Critical      = theme.Bad
	Security      = theme.Bad
	FailedPatch   = theme.Bad
	NonCompliant  = theme.Bad
	Missing       = theme.Warn
	Rejected      = theme.Warn
	OtherPatch    = theme.Warn
	PendingReboot = theme.Warn
	NeverScanned  = theme.Warn
	Stale         = theme.Warn
	Unread        = theme.Unknown // what could not be read
)

// PatchStatus is the level of whether a node is as its baseline wants it.
func PatchStatus(s patch.Status) theme.Level {
	switch s {
	case patch.Compliant:
		return theme.Good
	case patch.NonCompliant:
		return theme.Bad
	case patch.NeverScanned:
		return NeverScanned
	default:
		return theme.Unknown
	}
}

// PatchRow is the level of the worst that is wrong with a node. A reboot that is due is no
// hole in itself.
func PatchRow(r *patch.Row) theme.Level {
	switch r.Word() {
	case "missing":
		return Missing
	case "rejected":
		return Rejected
	case "reboot":
		return PendingReboot
	}
	return PatchStatus(r.Status)
}

// PatchCounts is the level of some nodes together: that of the worst of them.
func PatchCounts(c *patch.Counts) theme.Level {
	switch {
	case c.WithCritical+c.WithSecurity+c.WithFailed > 0:
		return theme.Bad
	case c.NonCompliant+c.NeverScanned > 0:
		return theme.Warn
	case c.Unknown > 0 || c.Nodes == 0:
		return theme.Unknown
	}
	return theme.Good
}

// Patch is the level of the state of one patch on a node.
func Patch(s patch.State) theme.Level {
	switch s {
	case patch.Failed:
		return FailedPatch
	case patch.Missing:
		return Missing
	case patch.InstalledRejected:
		return Rejected
	case patch.InstalledPendingReboot:
		return PendingReboot
	case patch.StateNeverScanned:
		return NeverScanned
	case patch.Installed, patch.InstalledOther:
		return theme.Good
	}
	return theme.Unknown
}
