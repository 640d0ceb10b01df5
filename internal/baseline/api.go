package baseline

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=baseline

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	DescribePatchBaselines(ctx context.Context, in *ssm.DescribePatchBaselinesInput, opts ...func(*ssm.Options)) (*ssm.DescribePatchBaselinesOutput, error)
	GetPatchBaseline(ctx context.Context, in *ssm.GetPatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.GetPatchBaselineOutput, error)
	CreatePatchBaseline(ctx context.Context, in *ssm.CreatePatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.CreatePatchBaselineOutput, error)
	UpdatePatchBaseline(ctx context.Context, in *ssm.UpdatePatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.UpdatePatchBaselineOutput, error)
	DeletePatchBaseline(ctx context.Context, in *ssm.DeletePatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.DeletePatchBaselineOutput, error)
	GetDefaultPatchBaseline(ctx context.Context, in *ssm.GetDefaultPatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.GetDefaultPatchBaselineOutput, error)
	RegisterDefaultPatchBaseline(ctx context.Context, in *ssm.RegisterDefaultPatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.RegisterDefaultPatchBaselineOutput, error)
	DescribePatchGroups(ctx context.Context, in *ssm.DescribePatchGroupsInput, opts ...func(*ssm.Options)) (*ssm.DescribePatchGroupsOutput, error)
	DescribePatchGroupState(ctx context.Context, in *ssm.DescribePatchGroupStateInput, opts ...func(*ssm.Options)) (*ssm.DescribePatchGroupStateOutput, error)
	GetPatchBaselineForPatchGroup(ctx context.Context, in *ssm.GetPatchBaselineForPatchGroupInput, opts ...func(*ssm.Options)) (*ssm.GetPatchBaselineForPatchGroupOutput, error)
	RegisterPatchBaselineForPatchGroup(ctx context.Context, in *ssm.RegisterPatchBaselineForPatchGroupInput, opts ...func(*ssm.Options)) (*ssm.RegisterPatchBaselineForPatchGroupOutput, error)
	DeregisterPatchBaselineForPatchGroup(ctx context.Context, in *ssm.DeregisterPatchBaselineForPatchGroupInput, opts ...func(*ssm.Options)) (*ssm.DeregisterPatchBaselineForPatchGroupOutput, error)
	DescribeAvailablePatches(ctx context.Context, in *ssm.DescribeAvailablePatchesInput, opts ...func(*ssm.Options)) (*ssm.DescribeAvailablePatchesOutput, error)
	DescribeEffectivePatchesForPatchBaseline(ctx context.Context, in *ssm.DescribeEffectivePatchesForPatchBaselineInput, opts ...func(*ssm.Options)) (*ssm.DescribeEffectivePatchesForPatchBaselineOutput, error)
	DescribePatchProperties(ctx context.Context, in *ssm.DescribePatchPropertiesInput, opts ...func(*ssm.Options)) (*ssm.DescribePatchPropertiesOutput, error)
}
