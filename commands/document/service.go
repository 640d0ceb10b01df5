package document

import (
	"context"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/document"
)

// openUploads returns what puts files for documents into S3.
func openUploads(ctx context.Context, env *cli.Env) (*document.Uploads, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return document.NewUploads(scope.Config()), nil
}
