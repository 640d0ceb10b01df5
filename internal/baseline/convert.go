package baseline

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func fromAPI(o *ssm.GetPatchBaselineOutput) Baseline {
	b := Baseline{
		ID: aws.ToString(o.BaselineId), Name: aws.ToString(o.Name), OS: cmp.Or(string(o.OperatingSystem), "WINDOWS"), Description: aws.ToString(o.Description),
		Approve: o.ApprovedPatches, ApproveLevel: string(o.ApprovedPatchesComplianceLevel), ApproveNonSecurity: aws.ToBool(o.ApprovedPatchesEnableNonSecurity),
		Reject: o.RejectedPatches, RejectAction: string(o.RejectedPatchesAction), SecurityUpdates: string(o.AvailableSecurityUpdatesComplianceStatus),
		Groups: slices.Sorted(slices.Values(o.PatchGroups)), Created: aws.ToTime(o.CreatedDate), Modified: aws.ToTime(o.ModifiedDate),
	}
	b.AWS = strings.HasPrefix(b.ID, "arn:")
	if familyOf(b.OS) != windows {
		b.SecurityUpdates = "" // told by the service, and without a meaning there
	}
	b.GlobalFilters = filtersFrom(o.GlobalFilters)
	if o.ApprovalRules != nil {
		for _, r := range o.ApprovalRules.PatchRules {
			rule := Rule{Filters: filtersFrom(r.PatchFilterGroup), Until: aws.ToString(r.ApproveUntilDate), Level: string(r.ComplianceLevel), NonSecurity: aws.ToBool(r.EnableNonSecurity)}
			if r.ApproveAfterDays != nil {
				rule.After = Days(int(*r.ApproveAfterDays))
			}
			b.Rules = append(b.Rules, rule)
		}
	}
	for _, src := range o.Sources {
		b.Sources = append(b.Sources, Source{Name: aws.ToString(src.Name), Products: src.Products, Configuration: aws.ToString(src.Configuration)})
	}
	return b
}

func filtersFrom(g *types.PatchFilterGroup) (out []Filter) {
	if g == nil {
		return nil
	}
	for _, f := range g.PatchFilters {
		out = append(out, Filter{Key: string(f.Key), Values: f.Values})
	}
	return out
}

func filterGroup(filters []Filter) *types.PatchFilterGroup {
	g := &types.PatchFilterGroup{PatchFilters: []types.PatchFilter{}}
	for _, f := range filters {
		g.PatchFilters = append(g.PatchFilters, types.PatchFilter{Key: types.PatchFilterKey(f.Key), Values: f.Values})
	}
	return g
}

func ruleGroup(b Baseline) *types.PatchRuleGroup {
	g := &types.PatchRuleGroup{PatchRules: []types.PatchRule{}}
	for _, r := range b.Rules {
		rule := types.PatchRule{PatchFilterGroup: filterGroup(r.Filters), ComplianceLevel: types.PatchComplianceLevel(levelOr(r.Level))}
		switch {
		case r.Until != "":
			rule.ApproveUntilDate = aws.String(r.Until)
		case r.After != nil:
			rule.ApproveAfterDays = aws.Int32(int32(*r.After)) //nolint:gosec // 0 to 360, checked
		default:
			rule.ApproveAfterDays = aws.Int32(0) // the service wants one of both, also where it looks at none
		}
		if familyOf(b.OS) != windows {
			rule.EnableNonSecurity = aws.Bool(r.NonSecurity)
		}
		g.PatchRules = append(g.PatchRules, rule)
	}
	return g
}

func sourcesOf(b Baseline) []types.PatchSource {
	out := []types.PatchSource{}
	for _, s := range b.Sources {
		out = append(out, types.PatchSource{Name: aws.String(s.Name), Products: s.Products, Configuration: aws.String(s.Configuration)})
	}
	return out
}

// text is a field that is not sent when it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func createInput(b Baseline) *ssm.CreatePatchBaselineInput {
	in := &ssm.CreatePatchBaselineInput{
		Name: aws.String(b.Name), OperatingSystem: types.OperatingSystem(b.OS), Description: text(b.Description),
		ApprovedPatches: b.Approve, ApprovedPatchesComplianceLevel: types.PatchComplianceLevel(b.ApproveLevel),
		RejectedPatches: b.Reject, RejectedPatchesAction: types.PatchAction(b.RejectAction),
		AvailableSecurityUpdatesComplianceStatus: types.PatchComplianceStatus(b.SecurityUpdates),
	}
	if len(b.Rules) > 0 {
		in.ApprovalRules = ruleGroup(b)
	}
	if len(b.GlobalFilters) > 0 {
		in.GlobalFilters = filterGroup(b.GlobalFilters)
	}
	if b.ApproveNonSecurity {
		in.ApprovedPatchesEnableNonSecurity = aws.Bool(true)
	}
	if len(b.Sources) > 0 {
		in.Sources = sourcesOf(b)
	}
	return in
}

// updateInput sends what differs, or everything with Replace.
func updateInput(was, b Baseline, replace bool) *ssm.UpdatePatchBaselineInput {
	was, b = was.normal(), b.normal()
	// Of this the service takes no empty value.
	replace = replace || was.Description != "" && b.Description == ""
	in := &ssm.UpdatePatchBaselineInput{BaselineId: aws.String(was.ID)}
	if replace {
		in.Replace, in.Name = aws.Bool(true), aws.String(b.Name)
	} else if b.Name != was.Name {
		in.Name = aws.String(b.Name)
	}
	differs := func(x, y any) bool { return replace || !reflect.DeepEqual(x, y) }
	if differs(was.Description, b.Description) {
		in.Description = text(b.Description)
	}
	if differs(was.GlobalFilters, b.GlobalFilters) {
		in.GlobalFilters = filterGroup(b.GlobalFilters)
	}
	if differs(was.Rules, b.Rules) {
		in.ApprovalRules = ruleGroup(b)
	}
	if replace || !slices.Equal(was.Approve, b.Approve) {
		in.ApprovedPatches = append([]string{}, b.Approve...)
	}
	if differs(was.ApproveLevel, b.ApproveLevel) {
		in.ApprovedPatchesComplianceLevel = types.PatchComplianceLevel(b.ApproveLevel)
	}
	if differs(was.ApproveNonSecurity, b.ApproveNonSecurity) && familyOf(b.OS) != windows {
		in.ApprovedPatchesEnableNonSecurity = aws.Bool(b.ApproveNonSecurity)
	}
	if replace || !slices.Equal(was.Reject, b.Reject) {
		in.RejectedPatches = append([]string{}, b.Reject...)
	}
	if differs(was.RejectAction, b.RejectAction) {
		in.RejectedPatchesAction = types.PatchAction(b.RejectAction)
	}
	if differs(was.SecurityUpdates, b.SecurityUpdates) {
		in.AvailableSecurityUpdatesComplianceStatus = types.PatchComplianceStatus(b.SecurityUpdates)
	}
	if replace && familyOf(b.OS) != windows && familyOf(b.OS) != mac || len(was.Sources)+len(b.Sources) > 0 && differs(was.Sources, b.Sources) {
		in.Sources = sourcesOf(b)
	}
	return in
}
