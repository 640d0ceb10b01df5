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
	Operation                 string // Scan, Install
	Start, End                time.Time
	Installed, Other, Missing int
	Security, Critical        int // of those missing
	Failed, PendingReboot     int
}

// PatchState returns the patch state of a node: what the last operation since the
// simulator started found, else what the scenario says, else a scan at the last
// midnight. Its zero value is that of a node that was never scanned.
func (w *World) PatchState(id string) PatchState {
	w.mu.Lock()
	run, ok := w.patched[id]
	var spec *PatchSpec
	if n := w.nodes[id]; n != nil {
		spec = n.spec.Patch
	}
	w.mu.Unlock()
	if spec != nil && !ok {
		if spec.Never {
			return PatchState{}
		}
		return spec.state(w.started)
	}
	if !ok {
		run = patchRun{"Scan", w.now().UTC().Truncate(24 * time.Hour)}
	}
	var s PatchState
	if spec != nil && !spec.Never {
		if s = spec.state(w.started); run.operation == "Install" {
			s = s.installed()
		}
	} else {
		s.Installed, s.Other, s.Missing = patchCounts(id, run.operation == "Install")
		s.Critical = s.Missing / 3
		s.Security = (s.Missing + 1) / 2
	}
	s.Operation, s.Start, s.End = run.operation, run.end.Add(-90*time.Second), run.end
	return s
}

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
// are missing first.
func (w *World) NodePatches(n Node) []NodePatch {
	s := w.PatchState(n.ID)
	var list []NodePatch
	for i := range s.Missing + s.Installed + s.Other {
		p := patchNumber(n, i)
		switch {
		case i < s.Missing:
			p.State = "MISSING"
			p.Severity, p.Classification = "Low", "Bugfix"
			if i < s.Security {
				p.Severity, p.Classification = "Important", "Security"
			}
			if i < s.Critical {
				p.Severity = "Critical"
			}
		case i < s.Missing+s.Installed:
			p.State, p.Installed = "INSTALLED", n.Registered.Add(time.Duration(i)*time.Hour)
			p.Severity, p.Classification = "Medium", "Security"
		default: // the service leaves the severity of these out
			p.State, p.Installed = "INSTALLED_OTHER", n.Registered
		}
		if n.Platform == "windows" && p.Classification != "" {
			p.Classification = "SecurityUpdates"
		}
		list = append(list, p)
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
		{"amazon linux 2023", "AMAZON_LINUX_2023"}, {"ubuntu", "UBUNTU"}, {"red hat", "REDHAT_ENTERPRISE_LINUX"}, {"suse", "SUSE"},
		{"centos", "CENTOS"}, {"oracle", "ORACLE_LINUX"}, {"debian", "DEBIAN"}, {"rocky", "ROCKY_LINUX"}, {"alma", "ALMA_LINUX"},
		{"raspbian", "RASPBIAN"}, {"macos", "MACOS"}, {"windows", "WINDOWS"},
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
