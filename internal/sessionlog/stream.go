package sessionlog

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// How often a followed stream without news is looked at, and how long it goes on
// after the session's end: agents flush in between.
const (
	pollFirst = 500 * time.Millisecond
	pollMost  = 3 * time.Second
	afterEnd  = 3 // looks
)

// readStream gives the events of a stream to emit, and with req.Follow those to
// come until the session has ended.
func (s *Service) readStream(ctx context.Context, l Location, req Request, watch Watch, emit func(Chunk) error) error {
	in := &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String(l.Group), LogStreamName: aws.String(l.Stream), StartFromHead: aws.Bool(true),
	}
	if !req.Since.IsZero() {
		in.StartTime = aws.Int64(req.Since.UnixMilli())
	}
	found, looks, pause := false, 0, pollFirst
	for {
		out, err := s.events.GetLogEvents(ctx, in)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing) && !found:
			return errMissing
		case err != nil:
			return awsapi.Explain("read "+l.String(), err)
		}
		if !found {
			found = true
			watch.found(l)
		}
		for i := range out.Events {
			if err := emit(chunk(&out.Events[i])); err != nil {
				return err
			}
		}
		// The end of the stream is where the token stays the same.
		atEnd := in.NextToken != nil && aws.ToString(out.NextForwardToken) == *in.NextToken
		in.NextToken = out.NextForwardToken
		switch {
		case !atEnd:
			pause = pollFirst
			continue
		case !req.Follow, looks >= afterEnd:
			return nil
		}
		if s.ended(ctx, req.ID) {
			looks++
		}
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(pause*2, pollMost)
	}
}

// ended reports whether a session is over. What cannot be found out is taken
// for running: whoever follows can stop it.
func (s *Service) ended(ctx context.Context, id string) bool {
	e, err := s.sessions.Get(ctx, id)
	return err == nil && e.Over()
}

// structured is the message of an event that an agent streams.
type structured struct {
	SessionID string   `json:"sessionId"`
	Data      []string `json:"sessionData"`
}

// chunk takes the output out of an event: JSON with its lines when it was
// streamed, else the output itself.
func chunk(e *types.OutputLogEvent) Chunk {
	c := Chunk{Time: time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC()}
	text := aws.ToString(e.Message)
	var s structured
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &s) == nil && s.SessionID != "" && s.Data != nil {
		text = strings.Join(s.Data, "\n")
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n" // agents leave the last one out
	}
	c.Data = []byte(text)
	return c
}
