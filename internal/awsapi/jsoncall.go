package awsapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// JSONService is a service that speaks JSON 1.1, of which we need so few operations
// that its client in the SDK would be most of a megabyte for nothing.
type JSONService struct {
	ID      string // as the SDK has it: "EventBridge"
	Signing string // the signing name, and the first word of its host: "events"
	Target  string // prefix of X-Amz-Target: "AWSEvents"
}

// JSONClient calls a JSONService through the configuration of a Scope: its calls are
// paced, metered, guarded, retried and explained like those of the SDK's clients. It
// is safe for concurrent use.
type JSONClient struct {
	cfg     aws.Config
	service JSONService
}

// NewJSON returns a client of a service in the account and Region of cfg.
func NewJSON(cfg aws.Config, s JSONService) *JSONClient { return &JSONClient{cfg, s} }

const maxAnswer = 32 << 20 // bytes; no answer of these services comes near

// Call sends one operation. in and out are pointers to structures whose fields have
// the names of the API; out may be nil. The error is that of the service, for Explain.
func (c *JSONClient) Call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	if err := c.build(stack, operation, body, out); err != nil {
		return err
	}
	handler := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(c.client()), stack)
	if _, _, err := handler.Handle(ctx, in); err != nil {
		return &smithy.OperationError{ServiceID: c.service.ID, OperationName: operation, Err: err}
	}
	return nil
}

func (c *JSONClient) client() smithyhttp.ClientDo {
	if c.cfg.HTTPClient != nil {
		return c.cfg.HTTPClient
	}
	return awshttp.NewBuildableClient()
}

// build puts together what a client of the SDK is made of, as far as JSON 1.1 needs
// it; the Scope's own middlewares come with APIOptions.
func (c *JSONClient) build(stack *middleware.Stack, operation string, body []byte, out any) error {
	retryer := aws.Retryer(retry.NewStandard())
	if c.cfg.Retryer != nil {
		retryer = c.cfg.Retryer()
	}
	steps := []func() error{
		func() error {
			return stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{
				ServiceID: c.service.ID, SigningName: c.service.Signing, Region: c.cfg.Region, OperationName: operation,
			}, middleware.Before)
		},
		func() error { return stack.Serialize.Add(c.serializer(operation, body), middleware.After) },
		func() error {
			return stack.Finalize.Add(retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner), middleware.After)
		},
		func() error { return stack.Finalize.Add(c.signer(body), middleware.After) },
		func() error { return stack.Deserialize.Add(deserializer(out), middleware.After) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	for _, option := range c.cfg.APIOptions {
		if err := option(stack); err != nil {
			return err
		}
	}
	return nil
}

// endpoint is where the service is: what the configuration says, else its host of
// the Region.
func (c *JSONClient) endpoint() string {
	if base := aws.ToString(c.cfg.BaseEndpoint); base != "" {
		return base
	}
	host := c.service.Signing
	for _, source := range c.cfg.ConfigSources {
		if env, ok := source.(config.EnvConfig); ok && env.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled {
			host += "-fips"
		}
	}
	suffix := "amazonaws.com"
	for prefix, other := range map[string]string{"cn-": "amazonaws.com.cn", "us-iso-": "c2s.ic.gov", "us-isob-": "sc2s.sgov.gov", "eusc-": "amazonaws.eu"} {
		if strings.HasPrefix(c.cfg.Region, prefix) {
			suffix = other
		}
	}
	return "https://" + host + "." + c.cfg.Region + "." + suffix
}

func (c *JSONClient) serializer(operation string, body []byte) middleware.SerializeMiddleware {
	return middleware.SerializeMiddlewareFunc("OperationSerializer", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
		var none middleware.SerializeOutput
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return none, middleware.Metadata{}, fmt.Errorf("unknown transport %T", in.Request)
		}
		u, err := url.Parse(c.endpoint())
		if err != nil {
			return none, middleware.Metadata{}, err
		}
		if u.Path == "" {
			u.Path = "/"
		}
		req.Method, req.URL, req.Host = http.MethodPost, u, u.Host
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", c.service.Target+"."+operation)
		if req, err = req.SetStream(bytes.NewReader(body)); err != nil {
			return none, middleware.Metadata{}, err
		}
		req.ContentLength = int64(len(body))
		in.Request = req
		return next.HandleSerialize(ctx, in)
	})
}

// signer signs each attempt anew.
func (c *JSONClient) signer(body []byte) middleware.FinalizeMiddleware {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	return middleware.FinalizeMiddlewareFunc("Signing", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		var none middleware.FinalizeOutput
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok || c.cfg.Credentials == nil {
			return none, middleware.Metadata{}, fmt.Errorf("there are no credentials to sign with")
		}
		creds, err := c.cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return none, middleware.Metadata{}, fmt.Errorf("get credentials: %w", err)
		}
		if err := v4.NewSigner().SignHTTP(ctx, creds, req.Request, hash, c.service.Signing, c.cfg.Region, time.Now()); err != nil {
			return none, middleware.Metadata{}, err
		}
		return next.HandleFinalize(ctx, in)
	})
}

// deserializer reads an answer into out, or the service's error.
func deserializer(out any) middleware.DeserializeMiddleware {
	return middleware.DeserializeMiddlewareFunc("OperationDeserializer", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		answer, md, err := next.HandleDeserialize(ctx, in)
		if err != nil {
			return answer, md, err
		}
		resp, ok := answer.RawResponse.(*smithyhttp.Response)
		if !ok {
			return answer, md, &smithy.DeserializationError{Err: fmt.Errorf("unknown transport %T", answer.RawResponse)}
		}
		id := cmp.Or(resp.Header.Get("X-Amzn-RequestId"), resp.Header.Get("X-Amz-RequestId"))
		awsmiddleware.SetRequestIDMetadata(&md, id)
		defer resp.Body.Close()
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		fail := func(err error) error {
			return &awshttp.ResponseError{RequestID: id, ResponseError: &smithyhttp.ResponseError{Response: resp, Err: err}}
		}
		switch {
		case err != nil:
			return answer, md, fail(&smithy.DeserializationError{Err: err})
		case resp.StatusCode >= http.StatusMultipleChoices:
			return answer, md, fail(serviceFault(resp, data))
		case out != nil && len(bytes.TrimSpace(data)) > 0:
			if err := json.Unmarshal(data, out); err != nil {
				return answer, md, fail(&smithy.DeserializationError{Err: err})
			}
		}
		answer.Result = out
		return answer, md, nil
	})
}

// serviceFault is the error that an answer holds: its code without the name space
// and what comes behind it.
func serviceFault(resp *smithyhttp.Response, data []byte) error {
	var body struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // also Message: names are matched in any case
	}
	_ = json.Unmarshal(data, &body) // a proxy's page has none of it
	code := cmp.Or(resp.Header.Get("X-Amzn-ErrorType"), body.Type, body.Code, "UnknownError")
	code, _, _ = strings.Cut(code, ":")
	code = code[strings.LastIndexByte(code, '#')+1:]
	fault := smithy.FaultClient
	if resp.StatusCode >= http.StatusInternalServerError {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: code, Message: body.Message, Fault: fault}
}
