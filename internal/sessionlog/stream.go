package sessionlog

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
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
	cursor := s.store.Open(l.stream(), req.Since)
	found, looks, pause := false, 0, pollFirst
	for {
		events, atEnd, err := cursor.Next(ctx)
		if err != nil {
			if found && errors.Is(err, logstore.ErrMissing) {
				return fault.New(fault.NotFound, "read "+l.String(), "it was deleted meanwhile")
			}
			return err
		}
		if !found {
			found = true
			watch.found(l)
		}
		for _, e := range events {
			if err := emit(chunk(e)); err != nil {
				return err
			}
		}
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
func chunk(e logstore.Event) Chunk {
	c := Chunk{Time: e.Time}
	text := e.Message
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
