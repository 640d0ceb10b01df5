package awsapi

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// plainBody makes request bodies readers and nothing more.
//
// The SDK closes a body when the answer begins, and a closed one answers WriteTo
// with io.EOF as an error. On a busy machine net/http asks it once more after that
// whether there is anything left; it takes the error for a broken connection, and
// closes it while a long answer is still being read. A closed body that is only a
// reader says io.EOF from Read, which is what it means.
type plainBody struct{}

func (plainBody) ID() string { return "ssmdeck.PlainBody" }

func (plainBody) HandleBuild(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
	if req, ok := in.Request.(*smithyhttp.Request); ok {
		if body, ok := req.GetStream().(io.ReadSeeker); ok {
			plain, err := req.SetStream(struct{ io.ReadSeeker }{body})
			if err != nil {
				return middleware.BuildOutput{}, middleware.Metadata{}, err
			}
			in.Request = plain
		}
	}
	return next.HandleBuild(ctx, in)
}
