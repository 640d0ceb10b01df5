package run

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/logstore"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=run

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	SendCommand(ctx context.Context, in *ssm.SendCommandInput, opts ...func(*ssm.Options)) (*ssm.SendCommandOutput, error)
	ListCommands(ctx context.Context, in *ssm.ListCommandsInput, opts ...func(*ssm.Options)) (*ssm.ListCommandsOutput, error)
	ListCommandInvocations(ctx context.Context, in *ssm.ListCommandInvocationsInput, opts ...func(*ssm.Options)) (*ssm.ListCommandInvocationsOutput, error)
	GetCommandInvocation(ctx context.Context, in *ssm.GetCommandInvocationInput, opts ...func(*ssm.Options)) (*ssm.GetCommandInvocationOutput, error)
	CancelCommand(ctx context.Context, in *ssm.CancelCommandInput, opts ...func(*ssm.Options)) (*ssm.CancelCommandOutput, error)
}

// store is what this package reads of S3 and CloudWatch Logs; *logstore.Store
// satisfies it.
type store interface {
	ReadObject(ctx context.Context, o logstore.Object, found func(), emit func([]byte) error) error
	Open(s logstore.Stream, since time.Time) *logstore.Cursor
	Recent(ctx context.Context, group, prefix string, since time.Time, emit func(logstore.Event)) error
}
