package fleet

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=fleet

// api is what the fleet needs of *ssm.Client.
type api interface {
	DescribeInstanceProperties(context.Context, *ssm.DescribeInstancePropertiesInput, ...func(*ssm.Options)) (*ssm.DescribeInstancePropertiesOutput, error)
	DescribeInstanceInformation(context.Context, *ssm.DescribeInstanceInformationInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error)
	ListTagsForResource(context.Context, *ssm.ListTagsForResourceInput, ...func(*ssm.Options)) (*ssm.ListTagsForResourceOutput, error)
	GetConnectionStatus(context.Context, *ssm.GetConnectionStatusInput, ...func(*ssm.Options)) (*ssm.GetConnectionStatusOutput, error)
}
