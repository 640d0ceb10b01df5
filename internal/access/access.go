// Package access knows just-in-time node access: requests for sessions on a
// node, which somebody or a policy approves, and the temporary credentials that
// an approved request gives.
//
// Those credentials never leave the package but through Credentials, for the
// SDK to sign with.
package access

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// itemType is the type of the OpsItems that access requests are.
const itemType = "/aws/accessrequest"

// requestID is the form of ids, which are those of OpsItems.
var requestID = pattern.Lazy(`^oi-[0-9a-f]{12}$`)

// CheckID returns a Usage error for what cannot be the id of a request.
func CheckID(id string) error {
	if !requestID().MatchString(id) {
		return fault.Usagef("%q is not the id of an access request", id).WithHint("ids look like oi-0123456789ab: see `ssmdeck access list`")
	}
	return nil
}

// Status is the state of a request: Pending, Approved, Rejected, Revoked or
// Expired.
type Status string

// The states.
const (
	Pending  Status = "Pending"
	Approved Status = "Approved"
	Rejected Status = "Rejected"
	Revoked  Status = "Revoked"
	Expired  Status = "Expired"
)

// Service makes and follows requests in one account and Region. It keeps
// nothing.
type Service struct{ api api }

// New returns a Service that calls client; *ssm.Client fits.
func New(client api) *Service { return &Service{api: client} }

// Request asks for access to a node and returns the id of the request.
func (s *Service) Request(ctx context.Context, node, reason string) (id string, err error) {
	op := "request access to " + node
	out, err := s.api.StartAccessRequest(ctx, &ssm.StartAccessRequestInput{
		Reason:  aws.String(reason),
		Targets: []types.Target{{Key: aws.String("InstanceIds"), Values: []string{node}}},
	})
	if err != nil {
		return "", awsapi.Explain(op, err)
	}
	if id = aws.ToString(out.AccessRequestId); id == "" {
		return "", fault.New(fault.Failed, op, "the service answered without an id")
	}
	return id, nil
}

// State is what is known of one request.
type State struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	// CredentialsExpire is when the credentials of an approved request end; new
	// ones can be had as long as the approval lasts.
	CredentialsExpire *time.Time `json:"credentials_expire,omitempty"`
}

// Get returns the state of a request.
func (s *Service) Get(ctx context.Context, id string) (State, error) {
	out, err := s.token(ctx, id)
	if err != nil {
		return State{}, err
	}
	st := State{ID: id, Status: Status(out.AccessRequestStatus)}
	if out.Credentials != nil {
		st.CredentialsExpire = out.Credentials.ExpirationTime
	}
	return st, nil
}

func (s *Service) token(ctx context.Context, id string) (*ssm.GetAccessTokenOutput, error) {
	out, err := s.api.GetAccessToken(ctx, &ssm.GetAccessTokenInput{AccessRequestId: aws.String(id)})
	if err != nil {
		return nil, awsapi.Explain("read access request "+id, err)
	}
	return out, nil
}

// pollEvery is how often a request that is being decided is looked at. People
// take minutes; policies decide at once.
const (
	pollFirst = time.Second
	pollMost  = 10 * time.Second
)

// Wait returns once the request is decided, or at most after limit with a
// Pending error. A request that was not approved is an Auth error. changed is
// told each new state.
func (s *Service) Wait(ctx context.Context, id string, limit time.Duration, changed func(Status)) (State, error) {
	deadline := time.Now().Add(limit)
	last := Status("")
	for pause := pollFirst; ; pause = min(pause*3/2, pollMost) {
		st, err := s.Get(ctx, id)
		if err != nil {
			return st, err
		}
		if st.Status != last {
			last = st.Status
			changed(last)
		}
		if st.Status != Pending {
			return st, decided(id, st.Status)
		}
		rest := time.Until(deadline)
		if rest <= 0 {
			return st, decided(id, Pending)
		}
		if err := wait.Sleep(ctx, min(pause, rest)); err != nil {
			return st, err
		}
	}
}

// decided is the error for a request whose status gives no access, nil for an
// approved one.
func decided(id string, s Status) error {
	op := "access request " + id
	switch s {
	case Approved:
		return nil
	case Pending:
		return fault.New(fault.Pending, op, "it is not decided yet").
			WithHint("wait for it with `ssmdeck access get %s --watch`", id)
	case Expired:
		return fault.New(fault.Auth, op, "it has expired").WithHint("make a new one with `ssmdeck access request`")
	case Rejected:
		return fault.New(fault.Auth, op, "it was rejected").WithHint("ask whoever approves requests for the node")
	case Revoked:
		return fault.New(fault.Auth, op, "its approval was revoked").WithHint("make a new one with `ssmdeck access request`")
	default:
		return fault.New(fault.Failed, op, "its status is %q", string(s))
	}
}

// Credentials returns the credentials of an approved request, for the SDK to
// renew before they expire. A request that gives none is an error of kind
// Pending or Auth.
func (s *Service) Credentials(id string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		out, err := s.token(ctx, id)
		if err != nil {
			return aws.Credentials{}, err
		}
		if err := decided(id, Status(out.AccessRequestStatus)); err != nil {
			return aws.Credentials{}, err
		}
		c := out.Credentials
		if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" {
			return aws.Credentials{}, fault.New(fault.Failed, "access request "+id, "the service answered without credentials")
		}
		return aws.Credentials{
			AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: aws.ToString(c.SessionToken),
			CanExpire: c.ExpirationTime != nil, Expires: aws.ToTime(c.ExpirationTime), Source: "access request",
		}, nil
	})
}

// Entry is a request as the list shows it.
type Entry struct {
	ID      string    `json:"id"`
	Status  string    `json:"status"` // of the OpsItem: PendingApproval, Approved, Rejected, …
	Title   string    `json:"title,omitempty"`
	Node    string    `json:"node,omitempty"` // where the service says it
	Owner   string    `json:"owner"`          // ARN
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// Filter narrows a list. Zero fields do not.
type Filter struct {
	Node   string // node id
	Status string // of OpsItems
}

// List returns the access requests of the account and Region, page by page.
func (s *Service) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	equal := func(key types.OpsItemFilterKey, value string) types.OpsItemFilter {
		return types.OpsItemFilter{Key: key, Operator: types.OpsItemFilterOperatorEqual, Values: []string{value}}
	}
	in := &ssm.DescribeOpsItemsInput{
		OpsItemFilters: []types.OpsItemFilter{equal(types.OpsItemFilterKeyOpsitemType, itemType)}, MaxResults: aws.Int32(50),
	}
	if f.Node != "" {
		in.OpsItemFilters = append(in.OpsItemFilters, equal(types.OpsItemFilterKeyAccessRequestTargetResourceId, f.Node))
	}
	if f.Status != "" {
		in.OpsItemFilters = append(in.OpsItemFilters, equal(types.OpsItemFilterKeyStatus, f.Status))
	}
	return awsapi.Pages("list access requests", func(token *string) ([]types.OpsItemSummary, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeOpsItems(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.OpsItemSummaries, out.NextToken, nil
	}, entry)
}

var nodeID = pattern.Lazy(`\b(?:mi-[0-9a-f]{17}|i-(?:[0-9a-f]{17}|[0-9a-f]{8}))\b`)

func entry(o types.OpsItemSummary) Entry {
	e := Entry{
		ID: aws.ToString(o.OpsItemId), Status: string(o.Status), Title: aws.ToString(o.Title), Owner: aws.ToString(o.CreatedBy),
		Created: aws.ToTime(o.CreatedTime), Changed: aws.ToTime(o.LastModifiedTime),
	}
	// Where the node stands in the operational data is not documented; it is the
	// only node id there is.
	for _, text := range []string{aws.ToString(o.OperationalData[itemType].Value), e.Title} {
		if e.Node = nodeID().FindString(text); e.Node != "" {
			break
		}
	}
	return e
}
