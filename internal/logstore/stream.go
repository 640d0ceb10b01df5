package logstore

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Stream names a stream of CloudWatch Logs.
type Stream struct{ Group, Name string }

// String is the log group and the stream.
func (s Stream) String() string { return "log group " + s.Group + ", stream " + s.Name }

// Event is an event of a stream. Agents put whole lines into one and leave out
// the last line feed.
type Event struct {
	Stream  string // its name
	ID      string // of Recent only: no other event has it
	Time    time.Time
	Message string
}

// Cursor reads one stream from its beginning, each event once and in order. One
// goroutine owns it.
type Cursor struct {
	events Events
	stream Stream
	since  time.Time
	token  *string
}

// Open returns a cursor that stands before the first event, or before the first
// one since then.
func (s *Store) Open(stream Stream, since time.Time) *Cursor {
	return &Cursor{events: s.events, stream: stream, since: since}
}

// Next returns the events that follow. A page may be empty in the middle; end
// says that the stream holds no more for now. A stream that does not exist is
// ErrMissing.
func (c *Cursor) Next(ctx context.Context) (events []Event, end bool, err error) {
	in := &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String(c.stream.Group), LogStreamName: aws.String(c.stream.Name),
		StartFromHead: aws.Bool(true), NextToken: c.token,
	}
	if !c.since.IsZero() {
		in.StartTime = aws.Int64(c.since.UnixMilli())
	}
	out, err := c.events.GetLogEvents(ctx, in)
	if err != nil {
		return nil, false, explainLogs("read "+c.stream.String(), err)
	}
	for i := range out.Events {
		e := &out.Events[i]
		events = append(events, Event{Stream: c.stream.Name, Time: moment(e.Timestamp), Message: aws.ToString(e.Message)})
	}
	// The end of the stream is where the token stays the same.
	end = c.token != nil && aws.ToString(out.NextForwardToken) == *c.token
	c.token = out.NextForwardToken
	return events, end, nil
}

// Recent gives the events since then of all streams of a group whose names begin
// with prefix, by their times, to emit. An event that was put in late may have a
// time before those that were read already. A group that does not exist is
// ErrMissing.
func (s *Store) Recent(ctx context.Context, group, prefix string, since time.Time, emit func(Event)) error {
	in := &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(group), LogStreamNamePrefix: aws.String(prefix), StartTime: aws.Int64(since.UnixMilli()),
	}
	for {
		out, err := s.events.FilterLogEvents(ctx, in)
		if err != nil {
			return explainLogs("read log group "+group, err)
		}
		for i := range out.Events {
			e := &out.Events[i]
			emit(Event{
				Stream: aws.ToString(e.LogStreamName), ID: aws.ToString(e.EventId),
				Time: moment(e.Timestamp), Message: aws.ToString(e.Message),
			})
		}
		if aws.ToString(out.NextToken) == "" || aws.ToString(out.NextToken) == aws.ToString(in.NextToken) {
			return nil
		}
		in.NextToken = out.NextToken
	}
}

func moment(ms *int64) time.Time { return time.UnixMilli(aws.ToInt64(ms)).UTC() }

func explainLogs(op string, err error) error {
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return ErrMissing
	}
	return awsapi.Explain(op, err)
}
