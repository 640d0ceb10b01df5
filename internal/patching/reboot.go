package patching

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/patch"
)

// usually are the beginnings of names of packages after whose update a Linux
// machine is usually rebooted: what runs all the time and is not restarted by itself.
var usually = []string{"kernel", "linux-image", "linux-modules", "linux-generic", "linux-aws", "glibc", "libc6", "systemd", "dbus", "openssl-libs", "microcode", "linux-firmware", "grub"}

// wantsReboot guesses whether a patch is in effect after a reboot only. The service
// does not say; on Windows and macOS updates of the system usually are.
func wantsReboot(platform string, p patch.Patch) bool {
	switch strings.ToLower(platform) {
	case "windows", "macos":
		return true
	}
	for _, name := range usually {
		if strings.HasPrefix(strings.ToLower(p.ID), name) || strings.HasPrefix(strings.ToLower(p.Title), name) {
			return true
		}
	}
	return false
}

// Rebooting is what is expected of a node.
type Rebooting string

// What is expected.
const (
	WillReboot Rebooting = "will"    // something is to be installed, or waits for a reboot, and it may reboot
	NoReboot   Rebooting = "no"      // nothing to install
	LeftFor    Rebooting = "needed"  // it does not reboot, and something installed probably needs it
	MayReboot  Rebooting = "unknown" // it was never scanned, or its patches were not read
)

// reboots says what to expect of a node, and why.
func reboots(o Options, n Planned) (Rebooting, string) {
	if !n.Known {
		if o.Reboot == Never {
			return NoReboot, ""
		}
		return MayReboot, "what it lacks is not known"
	}
	var wanting []string
	for _, p := range n.Patches {
		if wantsReboot(n.Platform, p) {
			wanting = append(wanting, p.ID)
		}
	}
	switch {
	case n.Missing+n.Failed+n.PendingReboot == 0:
		return NoReboot, ""
	case o.Reboot != Never && n.Missing+n.Failed == 0:
		return WillReboot, "patches installed before wait for it"
	case o.Reboot != Never:
		return WillReboot, "patches are installed"
	case n.PendingReboot > 0:
		return LeftFor, "patches installed before wait for it"
	case len(wanting) > 0:
		return LeftFor, few(wanting, 3)
	case !n.Named && n.Missing+n.Failed > 0:
		return MayReboot, "which patches these are was not read"
	}
	return NoReboot, ""
}
