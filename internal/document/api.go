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
	ListDocumentVersions(ctx context.Context, in *ssm.ListDocumentVersionsInput, opts ...func(*ssm.Options)) (*ssm.ListDocumentVersionsOutput, error)
	CreateDocument(ctx context.Context, in *ssm.CreateDocumentInput, opts ...func(*ssm.Options)) (*ssm.CreateDocumentOutput, error)
	UpdateDocument(ctx context.Context, in *ssm.UpdateDocumentInput, opts ...func(*ssm.Options)) (*ssm.UpdateDocumentOutput, error)
	UpdateDocumentDefaultVersion(ctx context.Context, in *ssm.UpdateDocumentDefaultVersionInput, opts ...func(*ssm.Options)) (*ssm.UpdateDocumentDefaultVersionOutput, error)
	DeleteDocument(ctx context.Context, in *ssm.DeleteDocumentInput, opts ...func(*ssm.Options)) (*ssm.DeleteDocumentOutput, error)
	DescribeDocumentPermission(ctx context.Context, in *ssm.DescribeDocumentPermissionInput, opts ...func(*ssm.Options)) (*ssm.DescribeDocumentPermissionOutput, error)
	ModifyDocumentPermission(ctx context.Context, in *ssm.ModifyDocumentPermissionInput, opts ...func(*ssm.Options)) (*ssm.ModifyDocumentPermissionOutput, error)
	ListDocumentMetadataHistory(ctx context.Context, in *ssm.ListDocumentMetadataHistoryInput, opts ...func(*ssm.Options)) (*ssm.ListDocumentMetadataHistoryOutput, error)
	UpdateDocumentMetadata(ctx context.Context, in *ssm.UpdateDocumentMetadataInput, opts ...func(*ssm.Options)) (*ssm.UpdateDocumentMetadataOutput, error)
}
