// Package activation knows hybrid activations: codes with which machines outside
// EC2 register as managed nodes, the roles those nodes get, the scripts that
// install and register the agent, and who has registered.
//
// The code of an activation is told once, by Create, and is in nothing else that
// this package returns, logs or explains, but the scripts made of it.
package activation

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Limits of the service (API reference, CreateActivation).
const (
	MaxLimit          = 1000
	MaxLife           = 30 * 24 * time.Hour
	DefaultLife       = 24 * time.Hour
	maxText           = 256
	pageSize    int32 = 50
)

// State says what an activation is good for.
type State string

// The states: nodes can register; all have; it is too late.
const (
	Active  State = "active"
	UsedUp  State = "used_up"
	Expired State = "expired"
)

// Activation is one hybrid activation.
type Activation struct {
	ID          string            `json:"id"`
	State       State             `json:"state"`
	Name        string            `json:"name,omitempty"` // that its nodes get
	Description string            `json:"description,omitempty"`
	Role        string            `json:"role"` // name, or path and name
	Registered  int               `json:"registered"`
	Limit       int               `json:"limit"`
	Created     time.Time         `json:"created,omitzero"`
	Expires     time.Time         `json:"expires,omitzero"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Service makes and shows activations in one account and Region. It keeps
// nothing.
type Service struct {
	api   api
	roles roles
}

// New returns a Service that calls client for activations and roles for the
// check of roles; *ssm.Client and *iam.Service fit.
func New(client api, roles roles) *Service { return &Service{client, roles} }

// Request is what a new activation is to be.
type Request struct {
	Role              string // as CheckRole returned it
	Name, Description string
	Limit             int       // 1 to MaxLimit
	Expires           time.Time // within MaxLife
	Tags              map[string]string
}

// instanceName is what the service takes as a name for nodes.
var instanceName = pattern.Lazy(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// Check returns a Usage error for what the service would refuse.
func (r Request) Check(now time.Time) error {
	switch {
	case r.Limit < 1 || r.Limit > MaxLimit:
		return fault.Usagef("--limit %d is not a number of nodes", r.Limit).WithHint("an activation registers 1 to %d nodes", MaxLimit)
	case !r.Expires.After(now):
		return fault.Usagef("--expires %s is in the past", r.Expires.Format(time.RFC3339)).WithHint("give a time from now on, such as 7d")
	case r.Expires.After(now.Add(MaxLife)):
		return fault.Usagef("--expires %s is more than 30 days ahead, which is the most", r.Expires.Format(time.RFC3339)).WithHint("give at most 30d, and make another activation then")
	case len([]rune(r.Name)) > maxText || !instanceName().MatchString(r.Name):
		return fault.Usagef("--name %q is not a name for nodes", r.Name).WithHint("use at most %d letters, digits, spaces and _ . : / = + - @", maxText)
	case len([]rune(r.Description)) > maxText:
		return fault.Usagef("--description has more than %d characters", maxText)
	}
	return checkTags(r.Tags)
}

// Created is a new activation and its code, a secret.
type Created struct {
	Activation
	Code string `json:"code"`
}

// Create makes an activation. r was checked.
func (s *Service) Create(ctx context.Context, r Request) (Created, error) {
	op := "create an activation for role " + r.Role
	in := &ssm.CreateActivationInput{
		IamRole: aws.String(r.Role), RegistrationLimit: aws.Int32(int32(r.Limit)), ExpirationDate: aws.Time(r.Expires), //nolint:gosec // at most 1000
	}
	if r.Name != "" {
		in.DefaultInstanceName = aws.String(r.Name)
	}
	if r.Description != "" {
		in.Description = aws.String(r.Description)
	}
	for _, k := range sortedKeys(r.Tags) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k), Value: aws.String(r.Tags[k])})
	}
	out, err := s.api.CreateActivation(ctx, in)
	if err != nil {
		return Created{}, awsapi.Explain(op, err)
	}
	id, code := aws.ToString(out.ActivationId), aws.ToString(out.ActivationCode)
	if id == "" || code == "" {
		return Created{}, fault.New(fault.Failed, op, "the service answered without an id or a code").
			WithHint("see `ssmdeck activation list`, and delete what cannot be used")
	}
	return Created{Activation{
		ID: id, State: Active, Name: r.Name, Description: r.Description, Role: r.Role, Limit: r.Limit,
		Expires: r.Expires, Tags: r.Tags,
	}, code}, nil
}

// Filter narrows a list. Empty fields match everything.
type Filter struct {
	Role, Name string
	State      State
}

// List returns activations, lazily. That of the service is not in any order.
func (s *Service) List(ctx context.Context, f Filter) iter.Seq2[Activation, error] {
	var filters []types.DescribeActivationsFilter
	if f.Role != "" {
		filters = append(filters, filter(types.DescribeActivationsFilterKeysIamRole, f.Role))
	}
	if f.Name != "" {
		filters = append(filters, filter(types.DescribeActivationsFilterKeysDefaultInstanceName, f.Name))
	}
	return func(yield func(Activation, error) bool) {
		for a, err := range s.pages(ctx, "list activations", filters) {
			if err == nil && f.State != "" && a.State != f.State {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

func filter(key types.DescribeActivationsFilterKeys, value string) types.DescribeActivationsFilter {
	return types.DescribeActivationsFilter{FilterKey: key, FilterValues: []string{value}}
}

// pages lists what filters match.
func (s *Service) pages(ctx context.Context, op string, filters []types.DescribeActivationsFilter) iter.Seq2[Activation, error] {
	return awsapi.Pages(op, func(token *string) ([]types.Activation, *string, error) {
		out, err := s.api.DescribeActivations(ctx, &ssm.DescribeActivationsInput{Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.ActivationList, out.NextToken, nil
	}, of)
}

func of(a types.Activation) Activation {
	r := Activation{
		ID: aws.ToString(a.ActivationId), State: Active, Name: aws.ToString(a.DefaultInstanceName), Description: aws.ToString(a.Description),
		Role: aws.ToString(a.IamRole), Registered: int(aws.ToInt32(a.RegistrationsCount)), Limit: int(aws.ToInt32(a.RegistrationLimit)),
		Created: aws.ToTime(a.CreatedDate), Expires: aws.ToTime(a.ExpirationDate),
	}
	switch {
	case r.Limit > 0 && r.Registered >= r.Limit:
		r.State = UsedUp
	case a.Expired:
		r.State = Expired
	}
	for _, t := range a.Tags {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		r.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return r
}

// activationID is the form of ids.
var activationID = pattern.Lazy(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// CheckID returns a Usage error for what cannot be the id of an activation.
func CheckID(id string) error {
	if !activationID().MatchString(id) {
		return fault.Usagef("%q is not the id of an activation", id).WithHint("ids look like 1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f: see `ssmdeck activation list`")
	}
	return nil
}

// Get returns one activation, or a NotFound error.
func (s *Service) Get(ctx context.Context, id string) (Activation, error) {
	op := "show activation " + id
	for a, err := range s.pages(ctx, op, []types.DescribeActivationsFilter{filter(types.DescribeActivationsFilterKeysActivationIds, id)}) {
		if err != nil || a.ID == id {
			return a, err
		}
	}
	return Activation{}, notFound(op, nil)
}

func notFound(op string, err error) error {
	e := fault.New(fault.NotFound, op, "there is no such activation in this account and Region").WithHint("see `ssmdeck activation list`")
	if err != nil {
		e.Err = &absent{err}
	}
	return e
}

// absent says in plain words that an activation does not exist.
type absent struct{ err error }

func (*absent) Error() string   { return "there is no such activation in this account and Region" }
func (a *absent) Unwrap() error { return a.err }

// Delete removes an activation. Nodes that registered with it stay.
func (s *Service) Delete(ctx context.Context, id string) error {
	op := "delete activation " + id
	_, err := s.api.DeleteActivation(ctx, &ssm.DeleteActivationInput{ActivationId: aws.String(id)})
	var unknown *types.InvalidActivation
	var malformed *types.InvalidActivationId
	if errors.As(err, &unknown) || errors.As(err, &malformed) {
		return notFound(op, err)
	}
	return awsapi.Explain(op, err)
}
