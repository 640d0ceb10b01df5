package world

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// amazonAccount stands for the account of the service's own baselines.
const amazonAccount = "075727635805"

// baselineMember is where the record of a baseline keeps what decides.
const baselineMember = "baseline"

// PutBaseline keeps a baseline of the account: a record with the members of
// GetPatchBaseline.
func (w *World) PutBaseline(t *Tables, id string, r Record) {
	r[baselineMember] = DecodeBaseline(r)
	t.Put(KindBaseline, id, r)
}

// BaselineOf is what decides in the record of a baseline.
func BaselineOf(r Record) *patches.Baseline {
	if b, ok := r[baselineMember].(*patches.Baseline); ok {
		return b
	}
	return DecodeBaseline(r)
}

// DecodeBaseline reads what decides about patches from the members of a baseline
// in the API's form, whose types have been checked.
func DecodeBaseline(r Record) *patches.Baseline {
	b, err := parseBaseline(r)
	if err != nil {
		panic(err)
	}
	return b
}

func parseBaseline(r Record) (*patches.Baseline, error) {
	plain := Record{}
	for k, v := range r {
		if k != "" && k[0] >= 'A' && k[0] <= 'Z' {
			plain[k] = v
		}
	}
	type filters struct {
		PatchFilters []patches.Filter
	}
	var in struct {
		BaselineId, Name, OperatingSystem string //nolint:revive // the API's name
		ApprovalRules                     struct {
			PatchRules []struct {
				PatchFilterGroup  filters
				ComplianceLevel   string
				ApproveAfterDays  int
				ApproveUntilDate  string
				EnableNonSecurity bool
			}
		}
		GlobalFilters                            filters
		ApprovedPatches, RejectedPatches         []string
		ApprovedPatchesComplianceLevel           string
		ApprovedPatchesEnableNonSecurity         bool
		RejectedPatchesAction                    string
		AvailableSecurityUpdatesComplianceStatus string
	}
	data, err := json.Marshal(plain)
	if err == nil {
		err = json.Unmarshal(data, &in)
	}
	if err != nil {
		return nil, err
	}
	fill(&in.OperatingSystem, patches.Windows)
	b := &patches.Baseline{
		ID: in.BaselineId, Name: in.Name, System: in.OperatingSystem, Global: in.GlobalFilters.PatchFilters,
		Approved: in.ApprovedPatches, ApprovedLevel: in.ApprovedPatchesComplianceLevel, ApprovedNonSecurity: in.ApprovedPatchesEnableNonSecurity,
		Rejected: in.RejectedPatches, Block: in.RejectedPatchesAction == "BLOCK",
		AvailableNonCompliant: in.AvailableSecurityUpdatesComplianceStatus == "NON_COMPLIANT",
	}
	for _, r := range in.ApprovalRules.PatchRules {
		rule := patches.Rule{Filters: r.PatchFilterGroup.PatchFilters, Level: r.ComplianceLevel, Days: r.ApproveAfterDays, NonSecurity: r.EnableNonSecurity}
		if date, err := time.Parse(time.DateOnly, r.ApproveUntilDate); err == nil {
			rule.Until = date.Add(24*time.Hour - time.Nanosecond)
		}
		b.Rules = append(b.Rules, rule)
	}
	return b, nil
}

// NewBaseline is what a baseline has of which nothing is said.
func NewBaseline(os string) Record {
	r := Record{
		"OperatingSystem": os, "ApprovalRules": Record{"PatchRules": []any{}}, "GlobalFilters": Record{"PatchFilters": []any{}},
		"ApprovedPatches": []any{}, "RejectedPatches": []any{}, "Sources": []any{}, "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
		"ApprovedPatchesComplianceLevel": levelOther, "ApprovedPatchesEnableNonSecurity": false,
	}
	if os == patches.Windows {
		r["AvailableSecurityUpdatesComplianceStatus"] = "COMPLIANT"
	}
	return r
}

// predefinedBaselines are the records of the service's own baselines. They are
// never changed.
func predefinedBaselines(region string) []Record {
	var list []Record
	for _, p := range patches.PredefinedBaselines() {
		h := fnv.New64a()
		_, _ = h.Write([]byte(p.Name))
		r := NewBaseline(p.System)
		r["BaselineId"] = fmt.Sprintf("arn:aws:ssm:%s:%s:patchbaseline/pb-0%016x", region, amazonAccount, h.Sum64())
		r["Name"], r["Description"], r["amazon"] = p.Name, p.Description, true
		r["CreatedDate"], r["ModifiedDate"] = time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
		r["ApprovalRules"] = Record{"PatchRules": rulesRecord(p.Rules)}
		r[baselineMember] = DecodeBaseline(r)
		list = append(list, r)
	}
	return list
}

// rulesRecord writes rules in the API's form.
func rulesRecord(rules []patches.Rule) []any {
	list := []any{}
	for _, rule := range rules {
		filters := []any{}
		for _, f := range rule.Filters {
			filters = append(filters, Record{"Key": f.Key, "Values": anyList(f.Values)})
		}
		r := Record{"PatchFilterGroup": Record{"PatchFilters": filters}, "ComplianceLevel": levelOr(rule.Level), "EnableNonSecurity": rule.NonSecurity}
		if rule.Until.IsZero() {
			r["ApproveAfterDays"] = rule.Days
		} else {
			r["ApproveUntilDate"] = rule.Until.Format(time.DateOnly)
		}
		list = append(list, r)
	}
	return list
}

// Baselines returns all baselines, those of the account last.
func (w *World) Baselines(t *Tables) []Record {
	return append(slices.Clone(w.patching.predefined), t.All(KindBaseline)...)
}

// Baseline finds a baseline by its id or ARN.
func (w *World) Baseline(t *Tables, id string) (Record, bool) {
	if _, own, ok := strings.Cut(id, ":"+w.sc.Account+":patchbaseline/"); ok {
		id = own
	}
	if r, ok := t.Get(KindBaseline, id); ok {
		return r, true
	}
	i := slices.IndexFunc(w.patching.predefined, func(r Record) bool {
		full, _ := r["BaselineId"].(string)
		return full == id || strings.HasSuffix(full, "/"+id)
	})
	if i < 0 {
		return nil, false
	}
	return w.patching.predefined[i], true
}

// DefaultBaseline is the id of the default baseline of an operating system.
func (w *World) DefaultBaseline(t *Tables, os string) string {
	if d, ok := t.Get(KindDefaultBaseline, os); ok {
		return text(d["BaselineId"])
	}
	for _, r := range w.patching.predefined {
		if r["OperatingSystem"] == os {
			return text(r["BaselineId"])
		}
	}
	return ""
}

// GroupBaseline is the id of the baseline of a patch group, of the default one
// when it has none.
func (w *World) GroupBaseline(t *Tables, os, group string) string {
	if g, ok := t.Get(KindPatchGroup, os+" "+group); ok && group != "" {
		return text(g["BaselineId"])
	}
	return w.DefaultBaseline(t, os)
}

// baselineFor is the baseline that counts for a node.
func (w *World) baselineFor(t *Tables, os, group string) *patches.Baseline {
	r, ok := w.Baseline(t, w.GroupBaseline(t, os, group))
	if !ok {
		return &patches.Baseline{System: os} // it approves nothing
	}
	return BaselineOf(r)
}
