package control

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// patchDocument is the document that patch compliance names.
const patchDocument = "AWS-RunPatchBaseline"

// patchSummary is when and by what the patches of a node were looked at.
func patchSummary(s world.PatchState) world.Record {
	r := world.Record{"ExecutionTime": s.End, "ExecutionType": "Command"}
	if s.CommandID != "" {
		r["ExecutionId"] = s.CommandID
	}
	return r
}

// complianceStatus is COMPLIANT or not.
func complianceStatus(ok bool) string {
	if ok {
		return "COMPLIANT"
	}
	return "NON_COMPLIANT"
}

// patchCompliance are the compliance items of the patches of a node. Their
// severity is the compliance level of the baseline; how bad the patch is stands in
// the details.
func (c *call) patchCompliance(n world.Node) []world.Record {
	s := c.world.PatchState(n.ID)
	var list []world.Record
	for _, p := range c.world.NodePatches(n) {
		details := map[string]string{
			"Classification": p.Classification, "PatchSeverity": p.Severity, "PatchState": camel(p.State), "PatchBaselineId": s.Baseline, "PatchGroup": s.Group,
			"DocumentName": patchDocument, "DocumentVersion": "1", "InstalledTime": dated(p.Installed), "CVEIds": strings.Join(p.CVEs, ","),
		}
		if p.Installed.IsZero() {
			delete(details, "InstalledTime")
		}
		for name, v := range details {
			if v == "" {
				delete(details, name)
			}
		}
		list = append(list, world.Record{
			"ComplianceType": "Patch", "Id": p.ID, "Title": p.Title, "Status": complianceStatus(p.Compliant), "Severity": p.Level,
			"ExecutionSummary": patchSummary(s), "Details": details,
		})
	}
	return list
}

// patchTally counts the patches of a node without listing them.
func patchTally(s world.PatchState) *tally {
	y := newTally()
	y.last = patchSummary(s)
	for i, level := range world.PatchLevels {
		y.good[level], y.bad[level] = s.Compliant[i], s.Violations[i]
	}
	return y
}
