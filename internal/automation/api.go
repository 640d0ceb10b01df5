package automation

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=automation

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	StartAutomationExecution(ctx context.Context, in *ssm.StartAutomationExecutionInput, opts ...func(*ssm.Options)) (*ssm.StartAutomationExecutionOutput, error)
	GetAutomationExecution(ctx context.Context, in *ssm.GetAutomationExecutionInput, opts ...func(*ssm.Options)) (*ssm.GetAutomationExecutionOutput, error)
	DescribeAutomationExecutions(ctx context.Context, in *ssm.DescribeAutomationExecutionsInput, opts ...func(*ssm.Options)) (*ssm.DescribeAutomationExecutionsOutput, error)
	DescribeAutomationStepExecutions(ctx context.Context, in *ssm.DescribeAutomationStepExecutionsInput, opts ...func(*ssm.Options)) (*ssm.DescribeAutomationStepExecutionsOutput, error)
	StopAutomationExecution(ctx context.Context, in *ssm.StopAutomationExecutionInput, opts ...func(*ssm.Options)) (*ssm.StopAutomationExecutionOutput, error)
	SendAutomationSignal(ctx context.Context, in *ssm.SendAutomationSignalInput, opts ...func(*ssm.Options)) (*ssm.SendAutomationSignalOutput, error)
}
