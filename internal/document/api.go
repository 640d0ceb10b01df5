package document

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=document

// api is what this package calls of SSM; *ssm.Client satisfies it.
type api interface {
	DescribeDocument(ctx context.Context, in *ssm.DescribeDocumentInput, opts ...func(*ssm.Options)) (*ssm.DescribeDocumentOutput, error)
	GetDocument(ctx context.Context, in *ssm.GetDocumentInput, opts ...func(*ssm.Options)) (*ssm.GetDocumentOutput, error)
	ListDocuments(ctx context.Context, in *ssm.ListDocumentsInput, opts ...func(*ssm.Options)) (*ssm.ListDocumentsOutput, error)
}
