package rawapi

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// errUnsent ends a call of the SDK that was made to have its input looked at.
var errUnsent = errors.New("not sent")

// unsent adds what ends a call when the SDK has checked its input: no credentials
// are read, and nothing is sent.
func unsent(o *ssm.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Unsent",
			func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return middleware.InitializeOutput{}, middleware.Metadata{}, errUnsent
			}), middleware.After)
	})
}

// missingWithin names what is missing inside of structures, however deep: the SDK
// would refuse to send it. Its types do not say what is required, its checks do.
func (r *Request) missingWithin() (faults []string) {
	input := reflect.New(r.Operation.entry.input)
	input.Elem().Set(r.input) // the SDK fills in tokens
	_, err := r.Operation.entry.call(context.Background(), ssm.New(ssm.Options{Region: "none"}), input.Interface(), unsent)
	var params smithy.InvalidParamsError
	if !errors.As(err, &params) {
		return nil
	}
	for _, e := range params.Errs() {
		var missing smithy.InvalidParamError
		if !errors.As(e, &missing) {
			continue
		}
		_, path, _ := strings.Cut(missing.Field(), ".") // behind the name of the input
		if strings.ContainsAny(path, ".[") {
			faults = append(faults, path+" is missing")
		}
	}
	return faults
}
