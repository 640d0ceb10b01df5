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
	"github.com/ssmdeck/ssmdeck/internal/fault"
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
	// OutputS3 and OutputCloudWatch are addresses of the log, where the service
	// tells them.
	OutputS3         string `json:"output_s3,omitempty"`
	OutputCloudWatch string `json:"output_cloudwatch,omitempty"`
}

// Over reports whether the session has ended.
func (e Entry) Over() bool { return e.Status == "Terminated" || e.Status == "Failed" }

// PortSession reports whether the session carries a port or SSH, as far as its
// document tells.
func (e Entry) PortSession() bool {
	return strings.HasPrefix(e.Document, DocumentPort) || e.Document == DocumentSSH
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
	return awsapi.Unique(awsapi.Pages("list sessions", func(token *string) ([]types.Session, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeSessions(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.Sessions, out.NextToken, nil
	}, entry), func(e Entry) string { return e.ID })
}

// Get returns a running session, or one that ended in the last 30 days.
func (s *Service) Get(ctx context.Context, id string) (Entry, error) {
	for _, past := range []bool{false, true} {
		for e, err := range s.List(ctx, Filter{History: past, ID: id}) {
			if err != nil {
				return Entry{}, err
			}
			if e.ID == id {
				return e, nil
			}
		}
	}
	return Entry{}, fault.New(fault.NotFound, "find session "+id, "there is no such session, and none has ended in the last 30 days").
		WithHint("`ssmdeck session list --history` lists those there were")
}

func entry(s types.Session) Entry {
	e := Entry{
		ID: aws.ToString(s.SessionId), Target: aws.ToString(s.Target), Owner: aws.ToString(s.Owner),
		Status: string(s.Status), Started: aws.ToTime(s.StartDate), Ended: s.EndDate,
		Document: aws.ToString(s.DocumentName), Reason: aws.ToString(s.Reason), MaxDuration: aws.ToString(s.MaxSessionDuration),
	}
	if s.OutputUrl != nil {
		e.OutputS3, e.OutputCloudWatch = aws.ToString(s.OutputUrl.S3OutputUrl), aws.ToString(s.OutputUrl.CloudWatchOutputUrl)
	}
	return e
}
