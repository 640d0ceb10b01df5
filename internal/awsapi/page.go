package awsapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// samePage refuses an answer whose token for the next page is the one that asked
// for this page: whoever reads all pages would read this one for ever.
type samePage struct{}

func (samePage) ID() string { return "ssmdeck.SamePage" }

func (samePage) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, md, err := next.HandleInitialize(ctx, in)
	if err == nil {
		for _, name := range []string{"NextToken", "Marker"} {
			if asked := stringField(in.Parameters, name); asked != "" && asked == stringField(out.Result, name) {
				return out, md, fault.New(fault.Failed, "", "%s gave the same page twice: the list is not complete", awsmiddleware.GetOperationName(ctx))
			}
		}
	}
	return out, md, err
}

// silence refuses an answer without a body to a call that reads: AWS says of nothing
// that there is nothing, in JSON. A proxy that says nothing would have us list nothing.
type silence struct{}

func (silence) ID() string { return "ssmdeck.Silence" }

func (silence) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, md, err := next.HandleDeserialize(ctx, in)
	req, sent := in.Request.(*smithyhttp.Request)
	resp, answered := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !sent || !answered || req.Header.Get("X-Amz-Target") == "" || Writes(awsmiddleware.GetOperationName(ctx)) {
		return out, md, err
	}
	if resp.Body == http.NoBody && resp.StatusCode < http.StatusMultipleChoices {
		err = &smithyhttp.ResponseError{Response: resp, Err: &smithy.DeserializationError{Err: errors.New("an answer without a body")}}
	}
	return out, md, err
}

// stringField returns what a field of a pointer to a structure points to, "" when
// there is no such string.
func stringField(v any, name string) string {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return ""
	}
	f := p.Elem().FieldByName(name)
	if !f.IsValid() {
		return ""
	}
	if s, ok := f.Interface().(*string); ok && s != nil {
		return *s
	}
	return ""
}
