package world

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// when writes a time as inventory has it, empty for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// entry is an entry of inventory, without what is empty.
func entry(members map[string]string) map[string]string {
	maps.DeleteFunc(members, func(_, v string) bool { return v == "" })
	return members
}

// applications are the packages of a node: those that its patching knows, and those
// that the scenario names. Where both know a package the scenario says what was
// there at the start, and patching what came later.
func (w *World) applications(n Node) []map[string]string {
	content := map[string]map[string]string{}
	for name, version := range n.spec.Packages {
		content[name] = entry(map[string]string{"Name": name, "Version": version, "Architecture": n.Architecture, "Publisher": n.PlatformName})
	}
	for _, u := range w.unitsOf(n) {
		p := u.installed()
		if p == nil || p.KB() != "" {
			continue
		}
		if _, named := content[u.pkg.Name]; named && !u.at.After(w.started) {
			continue
		}
		content[u.pkg.Name] = entry(map[string]string{
			"Name": u.pkg.Name, "Version": p.Version(), "Release": p.Release(), "Epoch": strconv.Itoa(p.Epoch()), "Architecture": u.pkg.Arch(n.Architecture),
			"Publisher": n.PlatformName, "InstalledTime": when(u.at), "PackageId": p.Title(n.Architecture), "ApplicationType": p.Section(),
		})
	}
	var list []map[string]string
	for _, name := range slices.Sorted(maps.Keys(content)) {
		list = append(list, content[name])
	}
	return list
}

// patchInventory is what nodes report about their patches with each operation.
func (w *World) patchInventory(n Node, kind string) (content []map[string]string, captured time.Time, ok bool) {
	s := w.PatchState(n.ID)
	if kind == InventoryWindowsUpdate {
		if n.OperatingSystem() != patches.Windows {
			return nil, s.End, false
		}
		for _, u := range w.unitsOf(n) {
			if p := u.installed(); p != nil {
				content = append(content, entry(map[string]string{
					"HotFixId": p.KB(), "Description": map[bool]string{true: "Security Update", false: "Update"}[p.Security], "InstalledTime": when(u.at),
					"InstalledBy": `NT AUTHORITY\SYSTEM`,
				}))
			}
		}
		return content, w.now().UTC().Truncate(30 * time.Minute), true
	}
	if s.Operation == "" {
		return nil, time.Time{}, false
	}
	if kind == InventoryPatchSummary {
		count := strconv.Itoa
		return []map[string]string{entry(map[string]string{
			"PatchGroup": s.Group, "BaselineId": s.Baseline, "SnapshotId": s.SnapshotID, "RebootOption": s.RebootOption, "InstallOverrideList": s.OverrideList,
			"OperationType": s.Operation, "OperationStartTime": when(s.Start), "OperationEndTime": when(s.End),
			"InstalledCount": count(s.Installed), "InstalledOtherCount": count(s.Other), "InstalledPendingRebootCount": count(s.PendingReboot),
			"InstalledRejectedCount": count(s.Rejected), "MissingCount": count(s.Missing), "FailedCount": count(s.Failed),
			"NotApplicableCount": count(s.NotApplicable), "UnreportedNotApplicableCount": "0", "AvailableSecurityUpdateCount": count(s.Available),
		})}, s.End, true
	}
	for _, p := range w.NodePatches(n) {
		content = append(content, entry(map[string]string{
			"Title": p.Title, "KBId": p.ID, "Classification": p.Classification, "Severity": p.Severity, "State": p.State, "InstalledTime": when(p.Installed),
			"CVEIds": strings.Join(p.CVEs, ","),
		}))
	}
	return content, s.End, true
}
