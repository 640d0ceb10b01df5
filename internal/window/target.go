package window

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Targets reads the targets of a window, all of them.
func (s *Service) Targets(ctx context.Context, window string) ([]Target, error) {
	in := &ssm.DescribeMaintenanceWindowTargetsInput{WindowId: aws.String(window), MaxResults: aws.Int32(pageSize)}
	return collect(awsapi.Pages("list targets of maintenance window "+window, func(token *string) ([]types.MaintenanceWindowTarget, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowTargets(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.Targets, out.NextToken, nil
	}, func(t types.MaintenanceWindowTarget) Target {
		return Target{
			ID: aws.ToString(t.WindowTargetId), WindowID: window, Name: aws.ToString(t.Name), Description: aws.ToString(t.Description),
			Owner: aws.ToString(t.OwnerInformation), ResourceType: string(t.ResourceType), Selectors: selectors(t.Targets),
		}
	}))
}

// FindTarget reads the target of a window that an id or a name means.
func (s *Service) FindTarget(ctx context.Context, w Window, expr string) (Target, error) {
	all, err := s.Targets(ctx, w.ID)
	if err != nil {
		return Target{}, err
	}
	return OneTarget(w, expr, all)
}

// OneTarget finds, among the targets of a window, the one that an id or a name means.
func OneTarget(w Window, expr string, all []Target) (Target, error) {
	return one("find target "+expr+" of maintenance window "+w.Name, "target", "ssmdeck window target list "+w.Name, expr, all,
		func(t Target) (string, string) { return t.ID, t.Name })
}

func selectors(targets []types.Target) []Selector {
	var list []Selector
	for _, t := range targets {
		list = append(list, Selector{Key: aws.ToString(t.Key), Values: t.Values})
	}
	return list
}

func sdkTargets(list []Selector) []types.Target {
	var targets []types.Target
	for _, s := range list {
		targets = append(targets, types.Target{Key: aws.String(s.Key), Values: slices.Clone(s.Values)})
	}
	return targets
}

// SameTarget returns the target that means what t means; nil when none does.
func SameTarget(t Target, all []Target) *Target {
	for i := range all {
		if all[i].ResourceType == t.ResourceType && spelled(all[i].Selectors) == spelled(t.Selectors) {
			return &all[i]
		}
	}
	return nil
}
