package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func patchOperations() map[string]operation {
	return map[string]operation{
		"DescribeAvailablePatches":                 recorded((*call).describeAvailablePatches),
		"DescribeEffectivePatchesForPatchBaseline": recorded((*call).describeEffectivePatches),
		"DescribePatchProperties":                  recorded((*call).describePatchProperties),
		"DescribeInstancePatchStates":              recorded((*call).describeInstancePatchStates),
		"DescribeInstancePatchStatesForPatchGroup": recorded((*call).describeInstancePatchStatesForPatchGroup),
		"DescribeInstancePatches":                  recorded((*call).describeInstancePatches),
		"DescribePatchGroupState":                  recorded((*call).describePatchGroupState),
		"GetDeployablePatchSnapshotForInstance":    untyped((*call).getDeployablePatchSnapshot),
	}
}

// catalogue returns the patches that there are to be had: made up, and the same
// at all times.
func catalogue() []world.Record {
	released := time.Date(2026, 1, 13, 18, 0, 0, 0, time.UTC)
	var list []world.Record
	severities := []string{"Critical", "Important", "Moderate", "Low"}
	for i := range 24 {
		kb := fmt.Sprint(5034000 + i*7)
		list = append(list, world.Record{
			"Id": fmt.Sprintf("%08x-8d1c-4f0b-9c55-%012x", 0x5f3a0000+i, i*7919), "ReleaseDate": released.AddDate(0, 0, -7*i), "Title": "2026-01 Cumulative Update for Windows Server (KB" + kb + ")",
			"Description": "Install this update to resolve issues in Windows.", "ContentUrl": "https://support.microsoft.com/help/" + kb, "Vendor": "Microsoft",
			"ProductFamily": "Windows", "Product": []string{"WindowsServer2022", "WindowsServer2019"}[i%2], "Classification": []string{"SecurityUpdates", "CriticalUpdates"}[i%2],
			"MsrcSeverity": severities[i%4], "KbNumber": "KB" + kb, "Language": "All", "CVEIds": []string{fmt.Sprintf("CVE-2026-%04d", 1000+i)}, "os": "WINDOWS", "key": kb,
		})
	}
	for i, name := range []string{"kernel", "openssl", "curl", "glibc", "systemd", "sudo", "bind-utils", "python3", "expat", "libxml2"} {
		list = append(list, world.Record{
			"ReleaseDate": released.AddDate(0, 0, -3*i), "Title": name, "Classification": []string{"Security", "Bugfix"}[i%2], "Product": "AmazonLinux2", "ProductFamily": "AmazonLinux2",
			"AdvisoryIds": []string{fmt.Sprintf("ALAS2-2026-%d", 2400+i)}, "CVEIds": []string{fmt.Sprintf("CVE-2026-%04d", 2000+i)}, "Name": name, "Epoch": 0,
			"Version": fmt.Sprintf("1.%d.0", i), "Release": "3.amzn2", "Arch": "x86_64", "Severity": severities[i%4], "Repository": "amzn2-core", "os": "AMAZON_LINUX_2", "key": name,
		})
	}
	return list
}

// patchField is the value of a patch for a filter key.
func patchField(p world.Record, key string) ([]string, bool) {
	switch key {
	case "PATCH_SET":
		return []string{"OS"}, true
	case "OPERATING_SYSTEM":
		return []string{textOf(p, "os")}, true
	case "SECURITY":
		return []string{map[bool]string{true: "Y", false: "N"}[strings.HasPrefix(textOf(p, "Classification"), "Security")]}, true
	case "CVE_ID", "ADVISORY_ID":
		list, _ := p[map[string]string{"CVE_ID": "CVEIds", "ADVISORY_ID": "AdvisoryIds"}[key]].([]string)
		return list, true
	}
	member, ok := map[string]string{
		"PRODUCT": "Product", "PRODUCT_FAMILY": "ProductFamily", "CLASSIFICATION": "Classification", "MSRC_SEVERITY": "MsrcSeverity",
		"SEVERITY": "Severity", "NAME": "Name", "PATCH_ID": "KbNumber", "VERSION": "Version", "RELEASE": "Release", "REPOSITORY": "Repository",
		"ARCH": "Arch", "EPOCH": "Epoch", "BUGZILLA_ID": "BugzillaIds", "SECTION": "Section", "PRIORITY": "Priority",
	}[key]
	if !ok {
		return nil, false
	}
	return []string{stamp(p[member])}, true
}

func (c *call) describeAvailablePatches(_ *world.Tables, in request) (any, error) {
	list, err := sift(catalogue(), in.filters("Filters", "Key", "Values", ""), "ValidationException", patchField)
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeAvailablePatches", "Patches", "key", list, in, 50)
}

// describeEffectivePatches knows Windows baselines only, as the service does.
func (c *call) describeEffectivePatches(t *world.Tables, in request) (any, error) {
	b, ok := c.baseline(t, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	if b["OperatingSystem"] != "WINDOWS" {
		return nil, world.Errorf("UnsupportedOperatingSystem", "The operating system %s is not supported by this operation.", textOf(b, "OperatingSystem"))
	}
	approved, rejected := strs(b["ApprovedPatches"]), strs(b["RejectedPatches"])
	var list []world.Record
	for _, p := range catalogue() {
		if p["os"] != "WINDOWS" {
			continue
		}
		released, _ := p["ReleaseDate"].(time.Time)
		status := world.Record{"DeploymentStatus": "APPROVED", "ComplianceLevel": "UNSPECIFIED", "ApprovalDate": released.AddDate(0, 0, 7)}
		kb := textOf(p, "KbNumber")
		switch {
		case slices.Contains(rejected, kb):
			status["DeploymentStatus"] = "EXPLICIT_REJECTED"
		case slices.Contains(approved, kb):
			status["DeploymentStatus"] = "EXPLICIT_APPROVED"
		case released.AddDate(0, 0, 7).After(c.world.Now()):
			status["DeploymentStatus"] = "PENDING_APPROVAL"
		}
		list = append(list, world.Record{"Patch": p, "PatchStatus": status, "key": p["key"]})
	}
	return c.listing("DescribeEffectivePatchesForPatchBaseline", "EffectivePatches", "key", list, in, 100)
}

// describePatchProperties lists what the rules of a baseline can name.
func (c *call) describePatchProperties(_ *world.Tables, in request) (any, error) {
	windows := in.text("OperatingSystem") == "WINDOWS"
	values := map[string][]string{
		"PRODUCT": {"*"}, "PRODUCT_FAMILY": {"Windows", "Office"}, "CLASSIFICATION": {"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"},
		"SEVERITY": {"Critical", "Important", "Medium", "Low"}, "MSRC_SEVERITY": {"Critical", "Important", "Moderate", "Low", "Unspecified"},
		"PRIORITY": {"Required", "Important", "Standard", "Optional", "Extra"},
	}
	if windows {
		values["PRODUCT"] = []string{"WindowsServer2025", "WindowsServer2022", "WindowsServer2019", "WindowsServer2016"}
		values["CLASSIFICATION"] = []string{"CriticalUpdates", "DefinitionUpdates", "FeaturePacks", "SecurityUpdates", "ServicePacks", "UpdateRollups", "Updates"}
	}
	const name = "Name"
	list := []world.Record{}
	for _, v := range values[in.text("Property")] {
		list = append(list, world.Record{name: v})
	}
	return c.listing("DescribePatchProperties", "Properties", name, list, in, 50)
}

func (c *call) patchStateOf(t *world.Tables, n world.Node) world.Record {
	s := c.world.PatchState(n.ID)
	group, baseline := s.Group, s.Baseline
	if group == "" {
		group = n.PatchGroup()
	}
	if baseline == "" {
		baseline = c.groupBaseline(t, n.OperatingSystem(), group)
	}
	return world.Record{
		"InstanceId": n.ID, "PatchGroup": group, "BaselineId": baseline,
		"InstalledCount": s.Installed, "InstalledOtherCount": s.Other, "InstalledPendingRebootCount": s.PendingReboot, "InstalledRejectedCount": s.Rejected,
		"MissingCount": s.Missing, "FailedCount": s.Failed, "UnreportedNotApplicableCount": 0, "NotApplicableCount": s.NotApplicable, "AvailableSecurityUpdateCount": 0,
		"OperationStartTime": s.Start, "OperationEndTime": s.End, "Operation": s.Operation, "RebootOption": "NoReboot",
		"CriticalNonCompliantCount": s.Critical, "SecurityNonCompliantCount": s.Security,
		"OtherNonCompliantCount": max(0, s.NonCompliant()-s.Critical-s.Security),
	}
}

func (c *call) describeInstancePatchStates(t *world.Tables, in request) (any, error) {
	var list []world.Record
	for _, id := range in.texts("InstanceIds") {
		if n, ok := c.world.NodeInfo(id); ok && c.world.PatchState(id).Operation != "" {
			list = append(list, c.patchStateOf(t, n))
		}
	}
	return c.listing("DescribeInstancePatchStates", "InstancePatchStates", "InstanceId", list, in, 100)
}

// grouped returns the nodes of a patch group.
func (c *call) grouped(group string) []world.Node {
	return slices.DeleteFunc(c.world.Nodes(), func(n world.Node) bool { return n.PatchGroup() != group })
}

func (c *call) describeInstancePatchStatesForPatchGroup(t *world.Tables, in request) (any, error) {
	var list []world.Record
	for _, n := range c.grouped(in.text("PatchGroup")) {
		list = append(list, c.patchStateOf(t, n))
	}
	list, err := sift(list, in.filters("Filters", "Key", "Values", "Type"), "InvalidFilter", func(r world.Record, key string) ([]string, bool) {
		known := strings.HasSuffix(key, "Count") && c.patchStateOf(t, world.Node{})[key] != nil
		return []string{stamp(r[key])}, known
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeInstancePatchStatesForPatchGroup", "InstancePatchStates", "InstanceId", list, in, 100)
}

func (c *call) describeInstancePatches(_ *world.Tables, in request) (any, error) {
	n, ok := c.world.NodeInfo(in.text("InstanceId"))
	if !ok {
		return nil, world.Errorf("InvalidInstanceId", "Instance %s is not a managed node.", in.text("InstanceId"))
	}
	var list []world.Record
	for i, p := range c.world.NodePatches(n) {
		installed := any(p.Installed)
		if p.Installed.IsZero() {
			installed = time.Unix(0, 0) // the service has no other word for never
		}
		list = append(list, world.Record{
			"Title": p.Title, "KBId": p.ID, "Classification": p.Classification, "Severity": p.Severity, "State": p.State, "InstalledTime": installed,
			"CVEIds": p.CVEs, "key": fmt.Sprint(i),
		})
	}
	list, err := sift(list, in.filters("Filters", "Key", "Values", ""), "InvalidFilter", func(r world.Record, key string) ([]string, bool) {
		known := slices.Contains([]string{"State", "Classification", "Severity", "KBId"}, key)
		return []string{textOf(r, key)}, known
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeInstancePatches", "Patches", "key", list, in, 50)
}

func (c *call) describePatchGroupState(_ *world.Tables, in request) (any, error) {
	counts := map[string]int{}
	nodes := c.grouped(in.text("PatchGroup"))
	for _, n := range nodes {
		s := c.world.PatchState(n.ID)
		for name, value := range map[string]int{
			"InstancesWithInstalledPatches": s.Installed, "InstancesWithInstalledOtherPatches": s.Other, "InstancesWithMissingPatches": s.Missing,
			"InstancesWithInstalledPendingRebootPatches": s.PendingReboot, "InstancesWithInstalledRejectedPatches": s.Rejected,
			"InstancesWithFailedPatches": s.Failed, "InstancesWithNotApplicablePatches": s.NotApplicable,
			"InstancesWithCriticalNonCompliantPatches": s.Critical, "InstancesWithSecurityNonCompliantPatches": s.Security,
			"InstancesWithOtherNonCompliantPatches": s.NonCompliant() - s.Critical - s.Security,
		} {
			if value > 0 {
				counts[name]++
			}
		}
	}
	out := world.Record{"Instances": len(nodes)}
	for _, name := range []string{
		"InstalledPatches", "InstalledOtherPatches", "InstalledPendingRebootPatches", "InstalledRejectedPatches", "MissingPatches", "FailedPatches",
		"NotApplicablePatches", "UnreportedNotApplicablePatches", "CriticalNonCompliantPatches", "SecurityNonCompliantPatches",
		"OtherNonCompliantPatches", "AvailableSecurityUpdates",
	} {
		out["InstancesWith"+name] = counts["InstancesWith"+name]
	}
	return out, nil
}

// getDeployablePatchSnapshot is what the patch document asks for. Nothing is
// behind the address.
func (c *call) getDeployablePatchSnapshot(in request) (any, error) {
	n, ok := c.world.NodeInfo(in.text("InstanceId"))
	if !ok {
		return nil, invalid("Instance " + in.text("InstanceId") + " is not a managed node.")
	}
	return world.Record{
		"InstanceId": n.ID, "SnapshotId": in.text("SnapshotId"), "Product": n.OperatingSystem(),
		"SnapshotDownloadUrl": "https://patch-baseline-snapshot-" + c.world.Region() + ".s3.amazonaws.com/" + in.text("SnapshotId"),
	}, nil
}
