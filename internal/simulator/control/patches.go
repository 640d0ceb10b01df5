package control

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func patchOperations() map[string]operation {
	return map[string]operation{
		"DescribeAvailablePatches":                 untyped((*call).describeAvailablePatches),
		"DescribeEffectivePatchesForPatchBaseline": recorded((*call).describeEffectivePatches),
		"DescribePatchProperties":                  untyped((*call).describePatchProperties),
		"DescribeInstancePatchStates":              untyped((*call).describeInstancePatchStates),
		"DescribeInstancePatchStatesForPatchGroup": untyped((*call).describeInstancePatchStatesForPatchGroup),
		"DescribeInstancePatches":                  untyped((*call).describeInstancePatches),
		"DescribePatchGroupState":                  untyped((*call).describePatchGroupState),
		"GetDeployablePatchSnapshotForInstance":    recorded((*call).getDeployablePatchSnapshot),
	}
}

// windowsKeys and linuxKeys are the filters of DescribeAvailablePatches (API
// reference).
var (
	windowsKeys = []string{"PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY", "PATCH_ID", "CVE_ID", "OPERATING_SYSTEM", "SECURITY"}
	linuxKeys   = []string{
		"PRODUCT", "NAME", "SEVERITY", "EPOCH", "VERSION", "RELEASE", "ARCH", "REPOSITORY", "ADVISORY_ID", "CVE_ID", "BUGZILLA_ID", "CLASSIFICATION",
		"PRIORITY", "SECTION", "OPERATING_SYSTEM", "SECURITY",
	}
)

// describeAvailablePatches lists the patches of Windows, and those of Linux for
// requests that name a product.
func (c *call) describeAvailablePatches(in request) (any, error) {
	filters := in.filters("Filters", "Key", "Values", "")
	wants := func(key string, values ...string) bool {
		for _, f := range filters {
			if f.key == key && !f.matches(values) {
				return false
			}
		}
		return true
	}
	named := false
	for _, f := range filters {
		if !slices.Contains(windowsKeys, f.key) && !slices.Contains(linuxKeys, f.key) {
			return nil, invalid("The specified key is not valid: " + f.key + ".")
		}
		named = named || f.key == "PRODUCT" || f.key == "OPERATING_SYSTEM"
	}
	now := c.world.Now()
	var list []*patches.Patch
	for _, product := range patches.Products("") {
		if !named && product.System != patches.Windows || !wants("OPERATING_SYSTEM", product.System) {
			continue
		}
		for _, q := range product.Packages() {
			if all := q.Releases(); len(all) == 0 || !wants("PRODUCT", all[0].Product()) {
				continue
			}
			for _, p := range q.Until(now) {
				if !slices.ContainsFunc(filters, func(f filter) bool { return f.key != "OPERATING_SYSTEM" && !f.matches(p.Property(f.key)) }) {
					list = append(list, p)
				}
			}
		}
	}
	shown, token, err := page(c, "DescribeAvailablePatches", list, (*patches.Patch).Key, in.text("NextToken"), in.size(), 50)
	if err != nil {
		return nil, err
	}
	records := []world.Record{}
	for _, p := range shown {
		records = append(records, patchRecord(p))
	}
	return world.Record{"Patches": records, "NextToken": token}, nil
}

// patchRecord is a patch as the API has it: with other members on Windows than
// elsewhere.
func patchRecord(p *patches.Patch) world.Record {
	r := world.Record{"ReleaseDate": p.Released, "ProductFamily": p.Family(), "Product": p.Product(), "key": p.Key()}
	if p.Class != "" {
		r["Classification"] = p.Class
	}
	if len(p.CVEs) > 0 {
		r["CVEIds"] = p.CVEs
	}
	if number := p.KB(); number != "" {
		plain := strings.TrimPrefix(number, "KB")
		r["Id"] = patchUUID(p)
		r["Title"], r["Vendor"], r["MsrcSeverity"], r["KbNumber"], r["Language"] = p.Title(""), "Microsoft", p.Severity(), number, "All"
		r["Description"] = "Install this update to resolve issues in Windows. For a list of the issues that are resolved, see Knowledge Base article " + plain + "."
		r["ContentUrl"] = "https://support.microsoft.com/en-us/kb/" + plain
		if p.Security {
			r["MsrcNumber"] = ""
		}
		return r
	}
	r["Title"], r["Name"], r["Epoch"], r["Version"], r["Arch"], r["Repository"] = p.Package.Name, p.Package.Name, p.Epoch(), p.Version(), p.Package.Arch(""), p.Repository()
	for member, v := range map[string]string{"Release": p.Release(), "Severity": p.Severity()} {
		if v != "" {
			r[member] = v
		}
	}
	if list := p.Advisories(); len(list) > 0 {
		r["AdvisoryIds"] = list
	}
	if list := p.Bugs(); len(list) > 0 {
		r["BugzillaIds"] = list
	}
	return r
}

// patchUUID is the id of a patch of Windows.
func patchUUID(p *patches.Patch) string {
	return fmt.Sprintf("%08x-8d1c-4f0b-9c55-%012x", uint32(p.Released.Unix()), uint64(p.Seq)<<20|uint64(len(p.Key()))<<12|uint64(len(p.Package.Name)))
}

// describeEffectivePatches knows Windows baselines only, as the service does.
func (c *call) describeEffectivePatches(t *world.Tables, in request) (any, error) {
	r, ok := c.baseline(t, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	if r["OperatingSystem"] != patches.Windows {
		return nil, world.Errorf("UnsupportedOperatingSystem", "The operating system %s is not supported by this operation.", textOf(r, "OperatingSystem"))
	}
	b, now := world.BaselineOf(r), c.world.Now()
	var list []*patches.Patch
	for _, product := range patches.Products(patches.Windows) {
		for _, q := range product.Packages() {
			for _, p := range q.Until(now) {
				if b.Decide(p, now).Status != "" {
					list = append(list, p)
				}
			}
		}
	}
	shown, token, err := page(c, "DescribeEffectivePatchesForPatchBaseline", list, (*patches.Patch).Key, in.text("NextToken"), in.size(), 100)
	if err != nil {
		return nil, err
	}
	records := []world.Record{}
	for _, p := range shown {
		d := b.Decide(p, now)
		status := world.Record{"DeploymentStatus": string(d.Status), "ComplianceLevel": d.Level}
		if !d.At.IsZero() {
			status["ApprovalDate"] = d.At
		}
		records = append(records, world.Record{"Patch": patchRecord(p), "PatchStatus": status})
	}
	return world.Record{"EffectivePatches": records, "NextToken": token}, nil
}

// describePatchProperties lists what the rules of a baseline can name.
func (c *call) describePatchProperties(in request) (any, error) {
	os, property, set := in.text("OperatingSystem"), in.text("Property"), in.text("PatchSet")
	values, known := patches.Values(os)[property]
	if property == "PRODUCT" {
		known = true
		for _, p := range patches.Products(os) {
			if set != "APPLICATION" {
				values = append(values, p.Name)
			}
		}
		if os == patches.Windows && set != "OS" {
			values = append(values, "SQL Server 2022", "Office 2016")
		}
	}
	if !known {
		return nil, invalid("Property " + property + " is not valid for operating system " + os + ".")
	}
	slices.Sort(values)
	const name = "Name"
	list := []world.Record{}
	for _, v := range values {
		list = append(list, world.Record{name: v})
	}
	return c.listing("DescribePatchProperties", "Properties", name, list, in, 50)
}

func patchStateRecord(id string, s world.PatchState) world.Record {
	r := world.Record{
		"InstanceId": id, "PatchGroup": s.Group, "BaselineId": s.Baseline,
		"InstalledCount": s.Installed, "InstalledOtherCount": s.Other, "InstalledPendingRebootCount": s.PendingReboot, "InstalledRejectedCount": s.Rejected,
		"MissingCount": s.Missing, "FailedCount": s.Failed, "UnreportedNotApplicableCount": 0, "NotApplicableCount": s.NotApplicable,
		"AvailableSecurityUpdateCount": s.Available,
		"OperationStartTime":           s.Start, "OperationEndTime": s.End, "Operation": s.Operation, "RebootOption": s.RebootOption,
		"CriticalNonCompliantCount": s.Critical, "SecurityNonCompliantCount": s.Security,
		"OtherNonCompliantCount": max(0, s.NonCompliant()-s.Critical-s.Security),
	}
	for member, v := range map[string]string{"SnapshotId": s.SnapshotID, "InstallOverrideList": s.OverrideList} {
		if v != "" {
			r[member] = v
		}
	}
	if !s.LastNoReboot.IsZero() {
		r["LastNoRebootInstallOperationTime"] = s.LastNoReboot
	}
	return r
}

func (c *call) describeInstancePatchStates(in request) (any, error) {
	var list []world.Record
	seen := map[string]bool{} // pages go by the id
	for _, id := range in.texts("InstanceIds") {
		if s := c.world.PatchState(id); s.Operation != "" && !seen[id] {
			seen[id] = true
			list = append(list, patchStateRecord(id, s))
		}
	}
	return c.listing("DescribeInstancePatchStates", "InstancePatchStates", "InstanceId", list, in, 100)
}

func (c *call) describeInstancePatchStatesForPatchGroup(in request) (any, error) {
	var list []world.Record
	for id, s := range c.world.PatchGroupStates(in.text("PatchGroup")) {
		list = append(list, patchStateRecord(id, s))
	}
	example := patchStateRecord("", world.PatchState{})
	list, err := sift(list, in.filters("Filters", "Key", "Values", "Type"), "InvalidFilter", func(r world.Record, key string) ([]string, bool) {
		return []string{stamp(r[key])}, strings.HasSuffix(key, "Count") && example[key] != nil
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeInstancePatchStatesForPatchGroup", "InstancePatchStates", "InstanceId", list, in, 100)
}

// camel writes a state as filters and compliance have it: INSTALLED_OTHER is
// InstalledOther.
func camel(state string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(state, "_") {
		b.WriteString(word[:1] + strings.ToLower(word[1:]))
	}
	return b.String()
}

func (c *call) describeInstancePatches(in request) (any, error) {
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
		r := world.Record{
			"Title": p.Title, "KBId": p.ID, "Classification": p.Classification, "Severity": p.Severity, "State": p.State, "InstalledTime": installed,
			"key": fmt.Sprint(i),
		}
		if len(p.CVEs) > 0 {
			r["CVEIds"] = strings.Join(p.CVEs, ",")
		}
		list = append(list, r)
	}
	list, err := sift(list, in.filters("Filters", "Key", "Values", ""), "InvalidFilter", func(r world.Record, key string) ([]string, bool) {
		if key == "State" {
			state := textOf(r, key)
			if state == "" {
				return nil, true
			}
			return []string{state, camel(state)}, true
		}
		return []string{textOf(r, key)}, slices.Contains([]string{"Classification", "Severity", "KBId"}, key)
	})
	if err != nil {
		return nil, err
	}
	return c.listing("DescribeInstancePatches", "Patches", "key", list, in, 50)
}

func (c *call) describePatchGroupState(in request) (any, error) {
	counts := map[string]int{}
	total := 0
	for _, s := range c.world.PatchGroupStates(in.text("PatchGroup")) {
		total++
		for name, value := range map[string]int{
			"InstalledPatches": s.Installed, "InstalledOtherPatches": s.Other, "InstalledPendingRebootPatches": s.PendingReboot,
			"InstalledRejectedPatches": s.Rejected, "MissingPatches": s.Missing, "FailedPatches": s.Failed, "NotApplicablePatches": s.NotApplicable,
			"UnreportedNotApplicablePatches": 0, "CriticalNonCompliantPatches": s.Critical, "SecurityNonCompliantPatches": s.Security,
			"OtherNonCompliantPatches": s.NonCompliant() - s.Critical - s.Security, "AvailableSecurityUpdates": s.Available,
		} {
			counts[name] += min(1, max(0, value))
		}
	}
	out := world.Record{"Instances": total}
	for _, name := range []string{
		"InstalledPatches", "InstalledOtherPatches", "InstalledPendingRebootPatches", "InstalledRejectedPatches", "MissingPatches", "FailedPatches",
		"NotApplicablePatches", "UnreportedNotApplicablePatches", "CriticalNonCompliantPatches", "SecurityNonCompliantPatches",
		"OtherNonCompliantPatches", "AvailableSecurityUpdates",
	} {
		out["InstancesWith"+name] = counts[name]
	}
	return out, nil
}
