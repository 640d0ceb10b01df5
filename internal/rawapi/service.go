package rawapi

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Service sends requests. It is safe for concurrent use.
type Service struct{ client *ssm.Client }

// New returns a service on a scope's client.
func New(client *ssm.Client) *Service { return &Service{client: client} }

// Call checks a request, sends it once and returns the answer, of an operation with
// pages the first one. Its errors are *fault.Error, and do not quote sensitive
// values of the request.
func (s *Service) Call(ctx context.Context, r *Request) (json.RawMessage, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	out, err := s.send(ctx, r)
	if err != nil {
		return nil, err
	}
	return encode(out.Interface())
}

// Do is Call for input written down in Go: a map or struct that encoding/json
// turns into the operation's input, nil for none. All pages are fetched.
func (s *Service) Do(ctx context.Context, operation string, input any) (json.RawMessage, error) {
	o, err := Find(operation)
	if err != nil {
		return nil, err
	}
	r := o.NewRequest(nil)
	if input != nil {
		data, err := json.Marshal(input)
		if err != nil {
			return nil, fault.New(fault.Failed, o.Kebab, "%w", err)
		}
		r.SetJSON(data)
	}
	if !o.Paged() {
		return s.Call(ctx, r)
	}
	result, err := s.All(ctx, r, Paging{})
	return result.Answer, err
}

// send makes the call and returns the output struct, which can be changed.
func (s *Service) send(ctx context.Context, r *Request) (reflect.Value, error) {
	out, err := r.Operation.entry.call(ctx, s.client, r.input.Addr().Interface())
	if err != nil {
		return reflect.Value{}, r.scrub(awsapi.Explain(r.attempt(err), err))
	}
	return reflect.ValueOf(out).Elem(), nil
}

// attempt names what was attempted for an error. Where the service says no more than
// the error's code, it is said on what.
func (r *Request) attempt(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) || strings.TrimSpace(api.ErrorMessage()) != "" {
		return r.Operation.Kebab
	}
	words := []string{r.Operation.Kebab}
	for i := range r.Operation.Fields {
		f := &r.Operation.Fields[i]
		if v := reflect.Indirect(r.input.Field(f.index)); f.Required && !f.Secret && f.Shape == Text && v.Kind() == reflect.String {
			words = append(words, shorten(v.String()))
		}
	}
	return strings.Join(words, " ")
}

// scrub takes the request's sensitive values out of an error's text: the service
// quotes what it does not like.
func (r *Request) scrub(err error) error {
	e, ok := err.(*fault.Error) //nolint:errorlint // Explain returns it unwrapped
	if !ok || e.Err == nil {
		return err
	}
	text := e.Err.Error()
	clean := text
	secrets := r.secrets()
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		for _, form := range []string{secret, strings.Join(strings.Fields(secret), " ")} {
			if len(form) < 4 { // within a word it would mean nothing
				clean = strings.ReplaceAll(clean, "'"+form+"'", "'"+Hidden+"'")
				continue
			}
			clean = strings.ReplaceAll(clean, form, Hidden)
		}
	}
	if clean == text {
		return err
	}
	c := *e
	c.Err = &scrubbed{text: clean, err: e.Err}
	return &c
}

// scrubbed is an error under a text without secrets.
type scrubbed struct {
	text string
	err  error
}

func (s *scrubbed) Error() string { return s.text }
func (s *scrubbed) Unwrap() error { return s.err }
