package baseline

import (
	"context"
	"iter"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The tags that make a node a member of a patch group; case counts. The second is
// for instances whose metadata show tags, whose keys may not have spaces (User
// Guide, "Patch groups").
const (
	GroupTag      = "Patch Group"
	GroupTagShort = "PatchGroup"
)

// GroupOf returns the patch group of a node with these tags, and the tag that says
// so. When both are there and differ, other is what the second says: the User Guide
// does not tell which of them counts.
func GroupOf(tags map[string]string) (group, tag, other string) {
	long, short := tags[GroupTag], tags[GroupTagShort]
	switch {
	case long == "" && short == "":
		return "", "", ""
	case long == "":
		return short, GroupTagShort, ""
	case short != "" && short != long:
		return long, GroupTag, short
	}
	return long, GroupTag, ""
}

// Mapping is a patch group that is registered with a baseline, for the operating
// system of the baseline.
type Mapping struct {
	Group    string   `json:"group"`
	Baseline Identity `json:"baseline"`
}

// GroupQuery narrows a list of groups; what is empty does not.
type GroupQuery struct {
	OS, NamePrefix string
}

// Groups lists the patch groups that are registered.
func (s *Service) Groups(ctx context.Context, q GroupQuery) iter.Seq2[Mapping, error] {
	var filters []types.PatchOrchestratorFilter
	for _, f := range [][2]string{{"OPERATING_SYSTEM", q.OS}, {"NAME_PREFIX", q.NamePrefix}} {
		if f[1] != "" {
			filters = append(filters, filterOf(f[0], f[1]))
		}
	}
	return awsapi.Pages("list patch groups", func(token *string) ([]types.PatchGroupPatchBaselineMapping, *string, error) {
		out, err := s.api.DescribePatchGroups(ctx, &ssm.DescribePatchGroupsInput{Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Mappings, out.NextToken, nil
	}, func(m types.PatchGroupPatchBaselineMapping) Mapping {
		g := Mapping{Group: aws.ToString(m.PatchGroup)}
		if m.BaselineIdentity != nil {
			g.Baseline = identityOf(*m.BaselineIdentity)
		}
		return g
	})
}

// Registered lists the baselines of one group: one an operating system.
func (s *Service) Registered(ctx context.Context, group string) ([]Mapping, error) {
	var out []Mapping
	for m, err := range s.Groups(ctx, GroupQuery{NamePrefix: group}) {
		switch {
		case err != nil:
			return nil, err
		case m.Group == group:
			out = append(out, m)
		}
	}
	return out, nil
}

// ForGroup is the id of the baseline that nodes of a group with an operating system
// go by: the registered one, else the default.
func (s *Service) ForGroup(ctx context.Context, group, os string) (string, error) {
	out, err := s.api.GetPatchBaselineForPatchGroup(ctx, &ssm.GetPatchBaselineForPatchGroupInput{PatchGroup: aws.String(group), OperatingSystem: types.OperatingSystem(os)})
	if err != nil {
		return "", awsapi.Explain("get the baseline of the patch group "+group, err)
	}
	return aws.ToString(out.BaselineId), nil
}

// Register makes nodes of a group, with the operating system of the baseline, go by
// it.
func (s *Service) Register(ctx context.Context, group, id string) error {
	_, err := s.api.RegisterPatchBaselineForPatchGroup(ctx, &ssm.RegisterPatchBaselineForPatchGroupInput{PatchGroup: aws.String(group), BaselineId: aws.String(id)})
	if err != nil {
		return awsapi.Explain("register the patch group "+group, err)
	}
	return nil
}

// Deregister ends that; the nodes go by the default baseline then.
func (s *Service) Deregister(ctx context.Context, group, id string) error {
	_, err := s.api.DeregisterPatchBaselineForPatchGroup(ctx, &ssm.DeregisterPatchBaselineForPatchGroupInput{PatchGroup: aws.String(group), BaselineId: aws.String(id)})
	if err != nil {
		return awsapi.Explain("deregister the patch group "+group, err)
	}
	return nil
}

// GroupState counts the nodes of a patch group by what their last scans found.
type GroupState struct {
	Nodes                int `json:"nodes"`
	Installed            int `json:"with_installed"`
	InstalledOther       int `json:"with_installed_other"`
	Missing              int `json:"with_missing"`
	Failed               int `json:"with_failed"`
	PendingReboot        int `json:"with_pending_reboot"`
	Rejected             int `json:"with_installed_rejected"`
	NotApplicable        int `json:"with_not_applicable"`
	Available            int `json:"with_available_security_updates"`
	CriticalNonCompliant int `json:"with_critical_noncompliant"`
	SecurityNonCompliant int `json:"with_security_noncompliant"`
	OtherNonCompliant    int `json:"with_other_noncompliant"`
}

// State counts the nodes of a group, in one call.
func (s *Service) State(ctx context.Context, group string) (GroupState, error) {
	out, err := s.api.DescribePatchGroupState(ctx, &ssm.DescribePatchGroupStateInput{PatchGroup: aws.String(group)})
	if err != nil {
		return GroupState{}, awsapi.Explain("read the state of the patch group "+group, err)
	}
	n := func(p *int32) int { return int(aws.ToInt32(p)) }
	return GroupState{
		Nodes: int(out.Instances), Installed: int(out.InstancesWithInstalledPatches), InstalledOther: int(out.InstancesWithInstalledOtherPatches),
		Missing: int(out.InstancesWithMissingPatches), Failed: int(out.InstancesWithFailedPatches), NotApplicable: int(out.InstancesWithNotApplicablePatches),
		PendingReboot: n(out.InstancesWithInstalledPendingRebootPatches), Rejected: n(out.InstancesWithInstalledRejectedPatches),
		Available:            n(out.InstancesWithAvailableSecurityUpdates),
		CriticalNonCompliant: n(out.InstancesWithCriticalNonCompliantPatches), SecurityNonCompliant: n(out.InstancesWithSecurityNonCompliantPatches),
		OtherNonCompliant: n(out.InstancesWithOtherNonCompliantPatches),
	}, nil
}

var groupPattern = pattern.Lazy(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)

// CheckGroup refuses what can be no patch group.
func CheckGroup(name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > 256 || !groupPattern().MatchString(name) {
		return fault.Usagef("%q can be no patch group", name).WithHint("it has 1 to 256 letters, digits, spaces and _ . : / = + - @, as the values of tags")
	}
	return nil
}
