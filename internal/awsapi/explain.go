package awsapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Explain turns an error of an SDK call into a *fault.Error: its kind, one
// plain sentence, a hint that can be followed, and the service's code and
// request id. op is what was attempted on what ("start session on i-0abc").
// The SDK's error stays in the chain for errors.As. Nil stays nil, and a
// *fault.Error in the chain is returned as it is, with op if it had none.
func Explain(op string, err error) error {
	var from *originError
	if errors.As(err, &from) {
		return explain(op, err, from.origin)
	}
	return explain(op, err, origin{})
}

func explain(op string, err error, org origin) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		if known.Op != "" {
			return known
		}
		e := *known
		e.Op = op
		return &e
	}
	if errors.Is(err, context.Canceled) {
		return &fault.Error{Kind: fault.Interrupted, Op: op, Err: said("interrupted", err)}
	}
	e := &fault.Error{Op: op, RequestID: requestID(err)}
	for _, rule := range []func(*fault.Error, error, origin) bool{
		byUnanswered, byCredentials, byService, byNetwork, byInput,
	} {
		if rule(e, err, org) {
			return e
		}
	}
	e.Err = said(oneLine(innermost(err).Error()), err)
	return e
}

// byUnanswered explains a call that may have been carried out. What happened
// to the connection comes second to that.
func byUnanswered(e *fault.Error, err error, org origin) bool {
	var once *sentOnceError
	if !errors.As(err, &once) {
		return false
	}
	var cause fault.Error
	if !byService(&cause, once.err, org) && !byNetwork(&cause, once.err, org) {
		cause.Err = errors.New("no usable answer")
	}
	e.Code = cause.Code
	e.Err = said(fmt.Sprintf("%v; %s was sent once and not again, and may have been carried out", cause.Err, once.operation), err)
	switch once.operation {
	case "SendCommand":
		e.Hint = "look for it with `ssmdeck command list` before sending it again"
	case "StartSession":
		e.Hint = "see `ssmdeck session list`, then try again"
	default:
		e.Hint = "check whether it was done before trying again"
	}
	return true
}

// byInput explains input that the SDK itself refuses to send.
func byInput(e *fault.Error, err error, _ origin) bool {
	var params smithy.InvalidParamsError
	if errors.As(err, &params) {
		e.Kind, e.Err = fault.Usage, said(oneLine(params.Error()), err)
		return true
	}
	var region *aws.MissingRegionError
	if errors.As(err, &region) {
		e.Kind, e.Err = fault.Usage, said("no Region is configured", err)
		e.Hint = "name one with --region, AWS_REGION or `aws configure`"
		return true
	}
	return false
}

// cause is a plain sentence in place of an SDK error, which it wraps.
type cause struct {
	text string
	err  error
}

// said returns err under a text of our own.
func said(text string, err error) error { return &cause{text: text, err: err} }

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// innermost leaves the SDK's "operation error SSM: …" wrappers behind.
func innermost(err error) error {
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) || op.Err == nil {
			break
		}
		err = op.Err
	}
	var from *originError
	if errors.As(err, &from) {
		err = from.err
	}
	return err
}

// iamPrefixes are the names of services in IAM actions where they are not just
// the SDK's in lower case.
var iamPrefixes = map[string]string{
	"cloudwatch logs":      "logs",
	"ec2 instance connect": "ec2-instance-connect",
	"opensearch":           "es",
	"resource groups":      "resource-groups",
	"secrets manager":      "secretsmanager",

	"resource groups tagging api": "tag",
}

// operation names the innermost API call of err as IAM does ("ssm",
// "StartSession"): the one that failed, when a call for credentials was made
// on the way.
func operation(err error) (service, name string) {
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return service, name
		}
		service, name = strings.ToLower(op.Service()), op.Operation()
		if prefix, ok := iamPrefixes[service]; ok {
			service = prefix
		}
		err = op.Err
	}
}

func requestID(err error) string {
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) {
		return resp.ServiceRequestID()
	}
	return ""
}

// oneLine makes an SDK message fit an error line: no line breaks, no full stop.
func oneLine(s string) string {
	return strings.TrimRight(strings.Join(strings.Fields(s), " "), ". ")
}
