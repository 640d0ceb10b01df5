package sessionlog

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=sessionlog

// objects is what this package calls of S3; *s3.Client satisfies it.
type objects interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// events is what this package calls of CloudWatch Logs; *cloudwatchlogs.Client
// satisfies it.
type events interface {
	GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error)
}

// finder knows sessions; *sessions.Service satisfies it.
type finder interface {
	Get(ctx context.Context, id string) (sessions.Entry, error)
}

// settings knows Session documents; *preferences.Service satisfies it.
type settings interface {
	Get(ctx context.Context, document string) (preferences.Preferences, error)
}
