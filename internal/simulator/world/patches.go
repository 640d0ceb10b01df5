package world

import (
	"fmt"
	"strings"
	"time"
)

// patchRun is the last patch operation on a node.
type patchRun struct {
	operation string // Scan, Install
	end       time.Time
}

func (w *World) notePatching(node, operation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.patched[node] = patchRun{operation, w.now()}
}

// patchCounts are the numbers of patches on a node that are installed, installed
// without the baseline asking for them, and missing. They depend on the node's id
// only.
func patchCounts(id string, patched bool) (installed, other, missing int) {
	h := int(spread(id) % (60 * 11 * 7))
	installed, other, missing = 80+h%60, h%11, h%7
	if patched {
		return installed + missing, other, 0
	}
	return installed, other, missing
}

// PatchState is what the last patch operation found on a node.
type PatchState struct {
	PatchSpec
	Start, End time.Time
}

// PatchState returns the patch state of a node: what its scenario says, unless an
// operation has run since, else made-up numbers from a scan at the last midnight.
// Its zero value is that of a node that was never scanned.
func (w *World) PatchState(id string) PatchState {
	w.mu.Lock()
	run, ran := w.patched[id]
	w.mu.Unlock()
	spec, end := w.Scanned(id)
	s := PatchState{End: end}
	switch {
	case spec != nil && spec.Never && !ran:
		return PatchState{}
	case spec != nil:
		s.PatchSpec = *spec
	default:
		s.Operation, s.End, s.NotApplicable = "Scan", w.now().UTC().Truncate(24*time.Hour), 12
		s.Installed, s.Other, s.Missing = patchCounts(id, false)
		s.Critical = s.Missing / 3
		s.Security = (s.Missing+1)/2 - s.Critical
	}
	if ran {
		s.Operation, s.End = run.operation, run.end
		if run.operation == "Install" {
			s.Installed, s.Missing, s.Failed, s.PendingReboot, s.Critical, s.Security = s.Installed+s.Missing+s.Failed+s.PendingReboot, 0, 0, 0, 0, 0
		}
	}
	s.Start = s.End.Add(-90 * time.Second)
	return s
}

// NonCompliant is how many patches of a node are as they should not be, of all
// kinds.
func (s PatchState) NonCompliant() int { return s.Missing + s.Failed + s.PendingReboot + s.Rejected }

// NodePatch is a patch as one node has it or lacks it.
type NodePatch struct {
	Title, ID, Classification, Severity, State, CVEs string
	Installed                                        time.Time // zero when missing
}

// linuxPackages give the patches of Linux nodes their names.
var linuxPackages = []string{
	"kernel", "openssl", "openssl-libs", "curl", "libcurl", "glibc", "systemd", "sudo", "bind-utils", "python3", "vim-minimal",
	"expat", "libxml2", "openssh", "openssh-server", "krb5-libs", "gnutls", "less", "rsync", "zlib",
}

// NodePatches lists the patches of a node as its state counts them, those that
// are not as they should be first.
func (w *World) NodePatches(n Node) []NodePatch {
	s := w.PatchState(n.ID)
	var list []NodePatch
	for _, group := range []struct {
		state string
		n     int
	}{
		{"MISSING", s.Missing},
		{"FAILED", s.Failed},
		{"INSTALLED_PENDING_REBOOT", s.PendingReboot},
		{"INSTALLED_REJECTED", s.Rejected},
		{"INSTALLED", s.Installed},
		{"INSTALLED_OTHER", s.Other},
	} {
		for range group.n {
			i := len(list)
			p := patchNumber(n, i)
			p.State, p.Severity, p.Classification = group.state, "Medium", "Security"
			if group.state != "MISSING" && group.state != "FAILED" {
				p.Installed = n.Registered.Add(time.Duration(i) * time.Hour)
			}
			switch {
			case group.state == "INSTALLED_OTHER": // the service leaves these two out
				p.Severity, p.Classification = "", ""
			case group.state == "INSTALLED":
			case i < s.Critical:
				p.Severity = "Critical"
			case i < s.Critical+s.Security:
				p.Severity = "Important"
			default:
				p.Severity, p.Classification = "Low", "Bugfix"
			}
			if n.Platform == "windows" && p.Classification != "" {
				p.Classification = "SecurityUpdates"
			}
			list = append(list, p)
		}
	}
	return list
}

// patchNumber names patch i of a node's system.
func patchNumber(n Node, i int) NodePatch {
	if n.Platform == "windows" {
		id := fmt.Sprintf("KB%d", 5034000+i*7)
		return NodePatch{ID: id, Title: fmt.Sprintf("2026-%02d Cumulative Update for %s (%s)", 1+i%12, n.PlatformName, id), CVEs: fmt.Sprintf("CVE-2026-%04d", 1000+i)}
	}
	name := linuxPackages[i%len(linuxPackages)]
	arch := map[bool]string{true: "aarch64", false: "x86_64"}[n.Architecture == "arm64"]
	id := name + "." + arch
	return NodePatch{ID: id, Title: fmt.Sprintf("%s:0:%d.%d-%d", id, 1+i/len(linuxPackages), i%10, 1+i%3), CVEs: fmt.Sprintf("CVE-2026-%04d", 1000+i)}
}

// OperatingSystem is the patch baseline's name for a node's system.
func (n Node) OperatingSystem() string {
	name := strings.ToLower(n.PlatformName)
	for _, s := range []struct{ part, os string }{
		{"amazon linux 2023", "AMAZON_LINUX_2023"},
		{"ubuntu", "UBUNTU"},
		{"red hat", "REDHAT_ENTERPRISE_LINUX"},
		{"suse", "SUSE"},
		{"centos", "CENTOS"},
		{"oracle", "ORACLE_LINUX"},
		{"debian", "DEBIAN"},
		{"rocky", "ROCKY_LINUX"},
		{"alma", "ALMA_LINUX"},
		{"raspbian", "RASPBIAN"},
		{"macos", "MACOS"},
		{"windows", "WINDOWS"},
	} {
		if strings.Contains(name, s.part) {
			return s.os
		}
	}
	switch {
	case n.Platform == "windows":
		return "WINDOWS"
	case n.Platform == "macos":
		return "MACOS"
	case n.PlatformVersion == "2":
		return "AMAZON_LINUX_2"
	case strings.HasPrefix(n.PlatformVersion, "2018"):
		return "AMAZON_LINUX"
	}
	return "AMAZON_LINUX_2023"
}

// PatchGroup is the patch group of a node, empty without one.
func (n Node) PatchGroup() string {
	for _, key := range []string{"Patch Group", "PatchGroup"} {
		if v := n.Tags[key]; v != "" {
			return v
		}
	}
	return ""
}
