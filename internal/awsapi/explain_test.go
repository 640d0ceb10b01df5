package awsapi

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// apiError is what the SDK returns for an error answer of SSM.
func apiError(operation, code, message string) error {
	return &smithy.OperationError{ServiceID: "SSM", OperationName: operation, Err: &awshttp.ResponseError{
		RequestID: "req-7",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		},
	}}
}

// sendError is what the SDK returns for a request that did not get through.
func sendError(cause error) error {
	return &smithy.OperationError{ServiceID: "SSM", OperationName: "StartSession", Err: &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{}},
			Err: &smithyhttp.RequestSendError{Err: &url.Error{
				Op: "Post", URL: "https://ssm.mars-1.amazonaws.com/", Err: cause,
			}},
		},
	}}
}

func TestExplainServiceErrors(t *testing.T) {
	const denied = "User: arn:aws:sts::123456789012:assumed-role/dev/me is not authorized to perform: ssm:StartSession " +
		"on resource: arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0 because no identity-based policy allows the ssm:StartSession action"
	tests := []struct {
		name          string
		op            string // of the API
		code, message string
		kind          fault.Kind
		text, hint    string
	}{
		{
			"a node that is not connected", "StartSession", "TargetNotConnected", "i-0123456789abcdef0 is not connected.",
			fault.Offline, "the node's agent is not connected", "ssmdeck node get i-0123456789abcdef0",
		},
		{
			"a denial names action and resource", "StartSession", "AccessDeniedException", denied,
			fault.Auth, "not allowed: ssm:StartSession on arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0",
			"allows ssm:StartSession on arn:aws:ec2",
		},
		{
			"a denial without words", "SendCommand", "AccessDeniedException", "",
			fault.Auth, "not allowed: ssm:SendCommand", "allows ssm:SendCommand",
		},
		{
			"an explicit deny", "SendCommand", "AccessDeniedException",
			"User: u is not authorized to perform: ssm:SendCommand on resource: * with an explicit deny in a service control policy",
			fault.Auth, "ssm:SendCommand (explicit deny in a service control policy)", "Deny",
		},
		{
			"an explicit deny", "SendCommand", "AccessDeniedException",
			"User: u is not authorized to perform: ssm:SendCommand on resource: * with an explicit deny in an identity-based policy",
			fault.Auth, "ssm:SendCommand (explicit deny in an identity-based policy)", "Deny",
		},
		{
			"throttled to the end", "ListCommands", "ThrottlingException", "Rate exceeded",
			fault.Throttled, "slow down", "in a minute",
		},
		{"an expired token", "ListCommands", "ExpiredTokenException", "expired", fault.Auth, "have expired", "aws sso login"},
		{"an unknown key", "ListCommands", "UnrecognizedClientException", "The security token included in the request is invalid.", fault.Auth, "does not know these credentials", "AWS_ACCESS_KEY_ID"},
		{"an unknown key at STS", "GetCallerIdentity", "InvalidClientTokenId", "x", fault.Auth, "does not know", ""},
		{
			"a wrong secret", "ListCommands", "InvalidSignatureException",
			"The request signature we calculated does not match the signature you provided.", fault.Auth, "signature does not match", "AWS_SECRET_ACCESS_KEY",
		},
		{
			"a Region of another endpoint", "ListCommands", "InvalidSignatureException",
			"Credential should be scoped to a valid region.", fault.Auth, "scoped to a valid region", "--endpoint-url",
		},
		{
			"a wrong clock", "ListCommands", "InvalidSignatureException",
			"Signature expired: 20240101T000000Z is now earlier than 20240101T001000Z", fault.Auth, "signed at a time", "clock",
		},
		{"a wrong clock, by code", "ListCommands", "RequestExpired", "", fault.Auth, "signed at a time", "clock"},
		{"a missing node", "SendCommand", "InvalidInstanceId", "", fault.NotFound, "no such node", "ssmdeck ls"},
		{
			"the service's own words", "GetDocument", "InvalidDocument", "Document with name x does not exist.",
			fault.NotFound, "Document with name x does not exist", "",
		},
		{"words over several lines", "GetDocument", "ValidationException", "1 validation error:\n  bad value.", fault.Usage, "1 validation error: bad value", ""},
		{"an endpoint that is not SSM", "ListNodes", "UnknownOperationException", "", fault.Failed, "does not know ListNodes", "--endpoint-url"},
		{"a Region that is off", "ListNodes", "OptInRequired", "", fault.Auth, "not enabled", "--region"},
		{"a code without words", "X", "SomeOddity", "", fault.Failed, "some oddity", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := apiError(tt.op, tt.code, tt.message)
			err := Explain("do it", in)
			e := wantFault(t, err, tt.kind, tt.text, tt.hint)
			if !strings.HasPrefix(e.Error(), "do it: ") {
				t.Errorf("%q does not say what was attempted", e.Error())
			}
			if e.Code != tt.code || e.RequestID != "req-7" {
				t.Errorf("code %q, request id %q", e.Code, e.RequestID)
			}
			var api smithy.APIError
			if !errors.As(err, &api) {
				t.Error("the SDK's error is not in the chain")
			}
			if strings.Contains(e.Error(), "operation error") {
				t.Errorf("the SDK's wrapping shows: %v", e)
			}
		})
	}
}

func TestExplainNetworkErrors(t *testing.T) {
	tests := []struct {
		name       string
		err        error
		text, hint string
	}{
		{
			"an unknown host", sendError(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "ssm.mars-1.amazonaws.com", IsNotFound: true}}),
			"no address for ssm.mars-1.amazonaws.com", "--region",
		},
		{"a closed port", sendError(refused()), "ssm.mars-1.amazonaws.com refuses the connection", "--endpoint-url"},
		{"a closed port on Windows", sendError(&net.OpError{Op: "dial", Err: wsaConnRefused}), "refuses the connection", ""},
		{"silence", sendError(context.DeadlineExceeded), "no answer from ssm.mars-1.amazonaws.com in time", "HTTPS_PROXY"},
		{"a reset", sendError(lost()), "the connection to ssm.mars-1.amazonaws.com failed", "try again"},
		{"an end of file", sendError(errors.New("EOF")), "the connection to ssm.mars-1.amazonaws.com broke: EOF", "try again"},
		{"an unknown authority", sendError(x509.UnknownAuthorityError{}), "unknown authority", "AWS_CA_BUNDLE"},
		{
			"the certificate of another", sendError(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}),
			"is for another host", "private DNS",
		},
		{"an old certificate", sendError(x509.CertificateInvalidError{Reason: x509.Expired}), "has expired", "clock"},
		{"no proxy", sendError(&net.OpError{Op: "proxyconnect", Err: errors.New("dial tcp: lookup proxy: no such host")}), "the proxy does not", "HTTPS_PROXY"},
		{"a proxy that wants a password", sendError(errors.New("Proxy Authentication Required")), "the proxy does not", "HTTPS_PROXY"},
		{
			"a web page", &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 502}},
				Err:      &smithy.DeserializationError{Err: errors.New("invalid character '<'")},
			},
			"an answer that is not AWS's (HTTP 502)", "--endpoint-url",
		},
		{
			"half an answer", &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 200}},
				Err:      &smithy.DeserializationError{Err: io.ErrUnexpectedEOF},
			},
			"broke off", "try again",
		},
		{
			"no body", &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 403}},
				Err:      &smithy.GenericAPIError{Code: "UnknownError", Message: "UnknownError"}, // as the SDK makes it
			},
			"an answer that is not AWS's (HTTP 403)", "--endpoint-url",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantFault(t, Explain("start session on web-1", tt.err), fault.Failed, "start session on web-1: ", tt.hint)
			wantFault(t, Explain("", tt.err), fault.Failed, tt.text, "")
		})
	}
}

func TestExplainOtherErrors(t *testing.T) {
	if err := Explain("x", nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	var params smithy.InvalidParamsError
	params.Context = "SendCommandInput"
	params.Add(smithy.NewErrParamRequired("DocumentName"))
	wantFault(t, Explain("run", &smithy.OperationError{Err: params}), fault.Usage, "DocumentName", "")

	own := fault.New(fault.NotFound, "find node x", "no node matches")
	if got := Explain("run", fmt.Errorf("wrapped: %w", own)); got != error(own) {
		t.Errorf("a fault became %v", got)
	}
	bare := fault.New(fault.Refused, "", "read-only")
	if got := Explain("run", bare).Error(); got != "run: read-only" || bare.Op != "" {
		t.Errorf("got %q; the original's Op is %q", got, bare.Op)
	}
	wantFault(t, Explain("run", errors.New("odd")), fault.Failed, "run: odd", "")

	var lost *types.TargetNotConnected
	err := Explain("x", &smithy.OperationError{Err: &types.TargetNotConnected{}})
	if !errors.As(err, &lost) {
		t.Error("the modelled type is not in the chain")
	}
	wantFault(t, err, fault.Offline, "not connected", "ssmdeck ls")
}

// TestEveryExceptionOfTheSDKHasAKind walks the error types of service/ssm and
// holds each against testdata/exceptions.txt. After an SDK update a new type
// needs a line there, and a rule when none fits.
func TestEveryExceptionOfTheSDKHasAKind(t *testing.T) {
	want := map[string]string{}
	raw, err := os.ReadFile("testdata/exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if name, kind, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			want[name] = kind
		}
	}
	found := exceptions(t)
	if len(found) != len(want) {
		t.Errorf("the SDK has %d exceptions, the table %d", len(found), len(want))
	}
	for _, name := range found {
		kind, ok := kindOf(name)
		if !ok {
			t.Errorf("no rule for %s", name)
		}
		if kind.String() != want[name] {
			t.Errorf("%s is %v, want %q", name, kind, want[name])
		}
	}
}

// exceptions reads the names of the error types from the SDK's source.
func exceptions(t *testing.T) []string {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := build.Import("github.com/aws/aws-sdk-go-v2/service/ssm/types", wd, build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, "errors.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Name.Name == "ErrorCode" {
			names = append(names, fn.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
		}
	}
	if len(names) < 100 {
		t.Fatalf("only %d error types found", len(names))
	}
	return names
}
