package activation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/iam"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=activation

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	CreateActivation(context.Context, *ssm.CreateActivationInput, ...func(*ssm.Options)) (*ssm.CreateActivationOutput, error)
	DescribeActivations(context.Context, *ssm.DescribeActivationsInput, ...func(*ssm.Options)) (*ssm.DescribeActivationsOutput, error)
	DeleteActivation(context.Context, *ssm.DeleteActivationInput, ...func(*ssm.Options)) (*ssm.DeleteActivationOutput, error)
	DescribeInstanceInformation(context.Context, *ssm.DescribeInstanceInformationInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error)
}

// roles is what this package asks of IAM; *iam.Service satisfies it.
type roles interface {
	Role(ctx context.Context, name string) (r iam.Role, ok bool, err error)
}
