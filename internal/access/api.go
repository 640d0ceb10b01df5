package access

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=access

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	StartAccessRequest(context.Context, *ssm.StartAccessRequestInput, ...func(*ssm.Options)) (*ssm.StartAccessRequestOutput, error)
	GetAccessToken(context.Context, *ssm.GetAccessTokenInput, ...func(*ssm.Options)) (*ssm.GetAccessTokenOutput, error)
	DescribeOpsItems(context.Context, *ssm.DescribeOpsItemsInput, ...func(*ssm.Options)) (*ssm.DescribeOpsItemsOutput, error)
}
