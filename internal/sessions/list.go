package sessions

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Entry is one session as the service lists it.
type Entry struct {
	ID       string     `json:"id"`
	Target   string     `json:"target"`
	Owner    string     `json:"owner"` // ARN
	Status   string     `json:"status"`
	Started  time.Time  `json:"started"`
	Ended    *time.Time `json:"ended,omitempty"`
	Document string     `json:"document"`
	Reason   string     `json:"reason,omitempty"`
	// MaxDuration is in minutes, 0 for no limit.
	MaxDuration string `json:"max_duration_minutes,omitempty"`
}

// OwnerName is the last part of the owner's ARN.
func (e Entry) OwnerName() string { return e.Owner[strings.LastIndexByte(e.Owner, '/')+1:] }

// Filter narrows a list. Zero fields do not.
type Filter struct {
	History bool // ended sessions of the last 30 days instead of running ones
	Target  string
	Owner   string // ARN
	ID      string
}

// List returns sessions, newest first as the service sorts them, page by page.
func (s *Service) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		in := &ssm.DescribeSessionsInput{State: types.SessionStateActive, MaxResults: aws.Int32(200)}
		if f.History {
			in.State = types.SessionStateHistory
		}
		for _, filter := range []types.SessionFilter{
			{Key: types.SessionFilterKeyTargetId, Value: &f.Target},
			{Key: types.SessionFilterKeyOwner, Value: &f.Owner},
			{Key: types.SessionFilterKeySessionId, Value: &f.ID},
		} {
			if *filter.Value != "" {
				in.Filters = append(in.Filters, filter)
			}
		}
		for {
			out, err := s.api.DescribeSessions(ctx, in)
			if err != nil {
				yield(Entry{}, awsapi.Explain("list sessions", err))
				return
			}
			for i := range out.Sessions {
				if !yield(entry(&out.Sessions[i]), nil) {
					return
				}
			}
			if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
				return
			}
		}
	}
}

func entry(s *types.Session) Entry {
	return Entry{
		ID: aws.ToString(s.SessionId), Target: aws.ToString(s.Target), Owner: aws.ToString(s.Owner),
		Status: string(s.Status), Started: aws.ToTime(s.StartDate), Ended: s.EndDate,
		Document: aws.ToString(s.DocumentName), Reason: aws.ToString(s.Reason), MaxDuration: aws.ToString(s.MaxSessionDuration),
	}
}
