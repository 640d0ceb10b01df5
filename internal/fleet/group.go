package fleet

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroups"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroups/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// groupable refuses targets with groups where none can be looked up.
func (s *Service) groupable(targets []Target) error {
	if s.groups != nil {
		return nil
	}
	for _, t := range leaves(targets) {
		if t.Kind == KindGroup {
			return fault.New(fault.Usage, "look up the members of "+t.Expr, "groups cannot be looked up here").
				WithHint("name the group alone, or choose its nodes by tag")
		}
	}
	return nil
}

// groupMembers returns the ids of the instances and hybrid nodes of a resource
// group, managed or not.
func (s *Service) groupMembers(ctx context.Context, t Target) (map[string]bool, error) {
	op := "look up the members of " + t.Expr
	ids := map[string]bool{}
	pages := resourcegroups.NewListGroupResourcesPaginator(s.groups(), &resourcegroups.ListGroupResourcesInput{
		Group: aws.String(t.Value), MaxResults: aws.Int32(50),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		var missing *types.NotFoundException
		switch {
		case errors.As(err, &missing):
			return nil, fault.New(fault.NotFound, op, "there is no resource group %s", t.Value).
				WithHint("`aws resource-groups list-groups` lists those of this account and Region")
		case err != nil:
			return nil, awsapi.Explain(op, err)
		}
		for _, r := range out.Resources {
			if r.Identifier == nil {
				continue
			}
			switch aws.ToString(r.Identifier.ResourceType) {
			case "AWS::EC2::Instance", "AWS::SSM::ManagedInstance":
				arn := aws.ToString(r.Identifier.ResourceArn)
				ids[arn[strings.LastIndexByte(arn, '/')+1:]] = true
			}
		}
	}
	return ids, nil
}

// GroupMembers returns the ids of the instances and hybrid nodes of a resource group,
// managed or not.
func (s *Service) GroupMembers(ctx context.Context, name string) (map[string]bool, error) {
	t := Target{Kind: KindGroup, Expr: "@" + name, Value: name}
	if err := s.groupable([]Target{t}); err != nil {
		return nil, err
	}
	return s.groupMembers(ctx, t)
}

// Withheld reports whether an error means that something is not ours to read, rather
// than that all is lost.
func Withheld(err error) bool { return withheld(err) }
