package compliance

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=compliance

// api is what is needed of *ssm.Client.
type api interface {
	ListComplianceItems(context.Context, *ssm.ListComplianceItemsInput, ...func(*ssm.Options)) (*ssm.ListComplianceItemsOutput, error)
	ListComplianceSummaries(context.Context, *ssm.ListComplianceSummariesInput, ...func(*ssm.Options)) (*ssm.ListComplianceSummariesOutput, error)
	ListResourceComplianceSummaries(context.Context, *ssm.ListResourceComplianceSummariesInput, ...func(*ssm.Options)) (*ssm.ListResourceComplianceSummariesOutput, error)
	DescribeInstanceAssociationsStatus(context.Context, *ssm.DescribeInstanceAssociationsStatusInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceAssociationsStatusOutput, error)
	PutComplianceItems(context.Context, *ssm.PutComplianceItemsInput, ...func(*ssm.Options)) (*ssm.PutComplianceItemsOutput, error)
}
