package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// raw is what the simulator knows, as its readers get it.
type raw struct {
	nodes     map[string]world.RawNode
	catalogue []world.RawPatch
}

func readRaw(t *testing.T, w *world.World) (r raw) {
	t.Helper()
	r.nodes = map[string]world.RawNode{}
	for n := range w.RawPatching("") {
		data, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var back world.RawNode
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		r.nodes[back.ID] = back
	}
	for p := range w.RawCatalogue {
		r.catalogue = append(r.catalogue, p)
	}
	return r
}

// all follows the pages of a list.
func (f *fixture) all(op, request, member string) (list []any) {
	f.t.Helper()
	token := ""
	for range 1000 {
		body := strings.TrimSuffix(request, "}")
		if token != "" {
			if body != "{" {
				body += ","
			}
			body += `"NextToken":"` + token + `"`
		}
		got := f.must(op, body+"}")
		items, _ := got[member].([]any)
		list = append(list, items...)
		if token, _ = got["NextToken"].(string); token == "" {
			return list
		}
	}
	f.t.Fatalf("%s: no end", op)
	return nil
}

// recount holds every operation about patches against a count of the raw data.
func recount(t *testing.T, f *fixture, when string) {
	t.Helper()
	r := readRaw(t, f.world)
	wrong := func(format string, args ...any) { t.Errorf("%s: %s", when, fmt.Sprintf(format, args...)) }
	groups := map[string]map[string]int{}
	statuses := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(r.nodes)) {
		n := r.nodes[id]
		states, levels := map[string]int{}, map[string]int{}
		critical, security, bad := 0, 0, 0
		for _, p := range n.Patches {
			states[p.State]++
			status := "COMPLIANT"
			if p.State == "MISSING" || p.State == "FAILED" || p.State == "INSTALLED_REJECTED" || p.State == "INSTALLED_PENDING_REBOOT" {
				status = "NON_COMPLIANT"
				bad++
				switch {
				case p.Level == "CRITICAL":
					critical++
				case p.Security:
					security++
				}
			}
			levels[status+" "+p.Level]++
		}
		counts := map[string]int{
			"InstalledCount": states["INSTALLED"], "InstalledOtherCount": states["INSTALLED_OTHER"], "InstalledRejectedCount": states["INSTALLED_REJECTED"],
			"InstalledPendingRebootCount": states["INSTALLED_PENDING_REBOOT"], "MissingCount": states["MISSING"], "FailedCount": states["FAILED"],
			"NotApplicableCount": states["NOT_APPLICABLE"], "AvailableSecurityUpdateCount": states["AVAILABLE_SECURITY_UPDATE"],
			"CriticalNonCompliantCount": critical, "SecurityNonCompliantCount": security, "OtherNonCompliantCount": bad - critical - security,
		}
		got := f.must("DescribeInstancePatchStates", `{"InstanceIds":["`+id+`"]}`)["InstancePatchStates"].([]any)
		if n.Operation == "" {
			if len(got) != 0 || len(n.Patches) != 0 {
				wrong("%s was never scanned: %v", id, got)
			}
		} else {
			statuses[map[bool]string{true: "COMPLIANT", false: "NON_COMPLIANT"}[bad == 0]]++
			if len(got) != 1 {
				wrong("%s has no state", id)
				continue
			}
			for member, want := range counts {
				if at(got, 0, member) != float64(want) {
					wrong("%s: %s is %v, counted %d", id, member, at(got, 0, member), want)
				}
			}
			if at(got, 0, "BaselineId") != n.Used || at(got, 0, "Operation") != n.Operation || at(got, 0, "OperationEndTime") != float64(n.Ended.UnixMilli())/1000 {
				wrong("%s: %v, raw %s %s %v", id, got, n.Used, n.Operation, n.Ended)
			}
		}
		patches := f.all("DescribeInstancePatches", `{"InstanceId":"`+id+`","MaxResults":20}`, "Patches")
		if len(patches) != len(n.Patches) {
			wrong("%s: %d patches, counted %d", id, len(patches), len(n.Patches))
			continue
		}
		for i, p := range n.Patches {
			have := patches[i]
			if at(have, "KBId") != p.ID || at(have, "State") != p.State || at(have, "Severity") != p.Severity || (at(have, "InstalledTime") == 0.0) != p.Installed.IsZero() {
				wrong("%s: patch %v, raw %+v", id, have, p)
			}
			if cves, _ := at(have, "CVEIds").(string); cves != strings.Join(p.CVEs, ",") {
				wrong("%s: CVEs %q, raw %v", id, cves, p.CVEs)
			}
		}
		items := map[string]int{}
		for _, item := range f.all("ListComplianceItems", `{"ResourceIds":["`+id+`"],"Filters":[{"Key":"ComplianceType","Values":["Patch"]}]}`, "ComplianceItems") {
			items[words(at(item, "Status"), at(item, "Severity"))]++
		}
		if !maps.Equal(items, levels) {
			wrong("%s: compliance %v, counted %v", id, items, levels)
		}
		for _, s := range f.all("ListResourceComplianceSummaries", `{"Filters":[{"Key":"ResourceId","Values":["`+id+`"]},{"Key":"ComplianceType","Values":["Patch"]}]}`, "ResourceComplianceSummaryItems") {
			if at(s, "NonCompliantSummary", "NonCompliantCount") != float64(bad) {
				wrong("%s: summary %v, counted %d", id, s, bad)
			}
		}
		summary := f.must("ListInventoryEntries", `{"InstanceId":"`+id+`","TypeName":"AWS:PatchSummary"}`)
		if n.Operation != "" && at(summary, "Entries", 0, "MissingCount") != fmt.Sprint(states["MISSING"]) {
			wrong("%s: inventory %v", id, summary)
		}
		if n.UsedGroup != "" {
			g := groups[n.UsedGroup]
			if g == nil {
				g = map[string]int{}
				groups[n.UsedGroup] = g
			}
			g["Instances"]++
			for member, count := range counts {
				if count > 0 {
					g[member]++
				}
			}
		}
	}
	for group, counts := range groups {
		got := f.must("DescribePatchGroupState", `{"PatchGroup":"`+group+`"}`)
		for member, name := range map[string]string{
			"Instances": "Instances", "InstancesWithMissingPatches": "MissingCount", "InstancesWithFailedPatches": "FailedCount",
			"InstancesWithInstalledPatches": "InstalledCount", "InstancesWithInstalledOtherPatches": "InstalledOtherCount",
			"InstancesWithInstalledPendingRebootPatches": "InstalledPendingRebootCount", "InstancesWithInstalledRejectedPatches": "InstalledRejectedCount",
			"InstancesWithCriticalNonCompliantPatches": "CriticalNonCompliantCount", "InstancesWithSecurityNonCompliantPatches": "SecurityNonCompliantCount",
			"InstancesWithOtherNonCompliantPatches": "OtherNonCompliantCount", "InstancesWithAvailableSecurityUpdates": "AvailableSecurityUpdateCount",
		} {
			if got[member] != float64(counts[name]) {
				wrong("group %s: %s is %v, counted %d", group, member, got[member], counts[name])
			}
		}
		scanned := 0
		for _, n := range r.nodes {
			if n.UsedGroup == group {
				scanned++
			}
		}
		if list := f.all("DescribeInstancePatchStatesForPatchGroup", `{"PatchGroup":"`+group+`","MaxResults":10}`, "InstancePatchStates"); len(list) != scanned {
			wrong("group %s: %d states, counted %d", group, len(list), scanned)
		}
	}
	for _, s := range f.all("ListComplianceSummaries", `{"Filters":[{"Key":"ComplianceType","Values":["Patch"]}]}`, "ComplianceSummaryItems") {
		if at(s, "CompliantSummary", "CompliantCount") != float64(statuses["COMPLIANT"]) || at(s, "NonCompliantSummary", "NonCompliantCount") != float64(statuses["NON_COMPLIANT"]) {
			wrong("summary %v, counted %v", s, statuses)
		}
	}
}

// missingByHand works out from the catalogue what nodes with the service's own
// baseline for Amazon Linux lack: for each package the newest patch that is older
// than a week, about security and bad, or mends a fault, and newer than what is
// there.
func missingByHand(r raw, n world.RawNode, now time.Time) (titles []string) {
	released := map[string]time.Time{}
	for _, p := range r.catalogue {
		released[p.Title] = p.Released
	}
	for _, q := range n.Packages {
		best := world.RawPatch{}
		for _, p := range r.catalogue {
			wanted := p.Classification == "Bugfix" || p.Classification == "Security" && (p.Severity == "Critical" || p.Severity == "Important")
			if p.Product == n.Product && p.Package == q.Name && wanted && !p.Released.AddDate(0, 0, 7).After(now) && p.Released.After(best.Released) {
				best = p
			}
		}
		if best.Title != "" && best.Released.After(released[q.Title]) {
			titles = append(titles, best.Title)
		}
	}
	slices.Sort(titles)
	return titles
}

const patchFleet = `
fleet: {count: 40, windows: 10, lost: 2}
patching: {fail: [curl], broken: [i-00000000000000005], reboot: 1s}
baselines:
  - {name: strict, os: AMAZON_LINUX_2023, groups: [shop], rejected: [sudo], block: true, rules: [
      {classification: [Security], severity: [Critical], level: CRITICAL}, {classification: [Security], days: 3, level: HIGH}, {classification: [Bugfix], until: 2026-01-01}]}
  - {name: careful, os: WINDOWS, groups: [office], available_non_compliant: false, rules: [{classification: [SecurityUpdates], severity: [Critical], days: 30}]}
nodes:
  - {id: i-00000000000000001, name: a, tags: {Patch Group: shop}, patch: {installed: 30, installed_other: 4, missing: 6, failed: 2, pending_reboot: 1, installed_rejected: 1, critical: 2, security: 3, ended: 30h}}
  - {id: i-00000000000000002, name: b, tags: {PatchGroup: shop}}
  - {id: i-00000000000000003, name: c, platform_name: Ubuntu, platform_version: "22.04", tags: {PatchGroup: shop}}
  - {id: i-00000000000000004, name: d, platform: windows, tags: {PatchGroup: office}, patch: {installed: 90, missing: 3, security: 3, operation: Install, pending_reboot: 2}}
  - {id: i-00000000000000005, name: e, platform_name: SLES, platform_version: "15.5"}
  - {id: i-00000000000000006, name: f, platform_name: Debian GNU/Linux, platform_version: "12", patch: {never: true}}
  - {id: i-00000000000000007, name: g, platform: macos}
  - {id: i-00000000000000008, name: h, platform_name: Red Hat Enterprise Linux, platform_version: "9.4", tags: {PatchGroup: shop}}
`

func TestPatchOperationsEqualARecountOfTheRawData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, ahead := time.Now(), time.Duration(0)
		f := newFixture(t, patchFleet, func() time.Time { return noon.Add(time.Since(begin) + ahead) })
		recount(t, f, "at the start")
		patch := func(when, ids, parameters string) {
			t.Helper()
			f.must("SendCommand", `{"DocumentName":"AWS-RunPatchBaseline",`+ids+`,"Parameters":{`+parameters+`}}`)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			recount(t, f, when)
		}
		const everything = `"Targets":[{"Key":"InstanceIds","Values":["*"]}],"MaxErrors":"100%"`
		patch("after a scan", everything, `"Operation":["Scan"]`)
		r := readRaw(t, f.world)
		checked := 0
		for _, n := range r.nodes {
			if n.Product != "AmazonLinux2023" || n.Group != "" || n.Ended.Before(noon) {
				continue
			}
			var have []string
			for _, p := range n.Patches {
				if p.State == "MISSING" {
					have = append(have, p.Title)
				}
			}
			slices.Sort(have)
			if want := missingByHand(r, n, n.Ended); !slices.Equal(have, want) {
				t.Errorf("%s lacks %v, by hand %v", n.ID, have, want)
			}
			checked += len(have)
		}
		if checked == 0 {
			t.Error("no node lacks a patch")
		}
		if s := f.world.PatchState("i-00000000000000005"); s.Operation != "Scan" || !s.End.Before(noon) {
			t.Errorf("a broken node reports %+v", s)
		}
		if s := f.world.PatchState("i-00000000000000001"); s.Missing+s.Failed != 8 || s.PendingReboot != 1 {
			t.Errorf("a scan found other things than the scenario says: %+v", s)
		}

		patch("after an installation without a reboot", everything, `"Operation":["Install"],"RebootOption":["NoReboot"],"SnapshotId":["11111111-1111-4111-8111-111111111111"]`)
		s := f.world.PatchState("i-00000000000000001")
		if s.Failed == 0 || s.Missing != 0 || s.PendingReboot == 0 || s.LastNoReboot.IsZero() || s.SnapshotID == "" {
			t.Errorf("after the installation: %+v", s)
		}
		patch("after a reboot", everything, `"Operation":["Install"]`)
		for _, n := range readRaw(t, f.world).nodes {
			for _, p := range n.Patches {
				if p.State == "INSTALLED_PENDING_REBOOT" && n.Ended.After(noon) {
					t.Errorf("%s: %s still waits", n.ID, p.ID)
				}
			}
		}
		if n := readRaw(t, f.world).nodes["i-00000000000000001"]; !n.Booted.After(noon) {
			t.Errorf("booted %v", n.Booted)
		}

		before := f.world.PatchState("i-00000000000000008")
		ahead = 60 * 24 * time.Hour
		recount(t, f, "two months later")
		if s := f.world.PatchState("i-00000000000000008"); s != before {
			t.Errorf("a state changes without a scan: %+v", s)
		}
		patch("after a scan then", everything, `"Operation":["Scan"]`)
		if s := f.world.PatchState("i-00000000000000008"); s.Missing <= before.Missing {
			t.Errorf("nothing new after two months: %+v", s)
		}
		if err := f.world.ChangeInstanceTags([]string{"i-00000000000000007"}, map[string]string{"PatchGroup": "shop"}, nil); err != nil {
			t.Fatal(err)
		}
		recount(t, f, "with another tag, before a scan")
		id, _ := f.must("CreatePatchBaseline", `{"Name":"nothing","OperatingSystem":"REDHAT_ENTERPRISE_LINUX"}`)["BaselineId"].(string)
		f.must("RegisterPatchBaselineForPatchGroup", `{"BaselineId":"`+id+`","PatchGroup":"shop"}`)
		recount(t, f, "with another baseline, before a scan")
		patch("with another baseline", `"InstanceIds":["i-00000000000000008"]`, `"Operation":["Scan"]`)
		if s := f.world.PatchState("i-00000000000000008"); s.Missing != 0 || s.Installed != 0 || s.Other == 0 || s.Baseline != id {
			t.Errorf("a baseline that approves nothing: %+v", s)
		}
	})
}
