// Package sessionlog finds and reads what Session Manager kept of a session's
// output: an object in S3 or a stream of CloudWatch Logs.
//
// Agents upload a log when its session ends; only with streaming turned on do
// events reach CloudWatch Logs before. Logs are read page by page and never held
// as a whole.
package sessionlog

import (
	"context"
	"errors"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Source is a service that keeps logs.
type Source string

// The sources.
const (
	S3         Source = "s3"
	CloudWatch Source = "cloudwatch"
)

// Request says which log to read. Only ID is needed.
type Request struct {
	ID     string
	Source Source    // "": wherever it is
	Since  time.Time // CloudWatch only: leave out events before
	Follow bool      // CloudWatch only: go on until the session ends
}

// timed reports whether only a log that knows times will do.
func (r Request) timed() bool { return r.Follow || !r.Since.IsZero() }

// Chunk is a part of a log, in order. It is valid until the next one comes.
type Chunk struct {
	Time time.Time // of the event; zero from S3
	Data []byte
}

// Watch is told about the progress of reading. Its fields may be nil.
type Watch struct {
	Found   func(Location) // before the first chunk
	Waiting func()         // the log is not there yet and is waited for
}

func (w Watch) found(l Location) {
	if w.Found != nil {
		w.Found(l)
	}
}

func (w Watch) waiting() {
	if w.Waiting != nil {
		w.Waiting()
	}
}

// Service reads logs in one account and Region.
type Service struct {
	store    *logstore.Store
	sessions finder
	settings settings
}

// New returns a Service that reads from store.
func New(store *logstore.Store, s *sessions.Service, p *preferences.Service) *Service {
	return &Service{store: store, sessions: s, settings: p}
}

// arrival is how long after the end of a session its log may take to be
// uploaded: until then it is waited for.
const arrival = 20 * time.Second

// Read finds the log of a session and gives it to emit, piece by piece. Errors
// are *fault.Error, or emit's own.
func (s *Service) Read(ctx context.Context, req Request, watch Watch, emit func(Chunk) error) error {
	entry, err := s.sessions.Get(ctx, req.ID)
	switch {
	case fault.KindOf(err) == fault.Auth: // may not be looked up: the log may be readable all the same
		entry = sessions.Entry{ID: req.ID}
	case err != nil:
		return err
	}
	places, err := s.places(ctx, entry, req)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		for _, l := range places {
			err := s.readAt(ctx, l, req, watch, emit)
			if !errors.Is(err, logstore.ErrMissing) {
				return err
			}
		}
		if !s.expected(entry, places, req) {
			return missing(entry, places)
		}
		if first {
			watch.waiting()
		}
		if err := wait.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if entry, err = s.sessions.Get(ctx, req.ID); err != nil {
			return err
		}
	}
}

// expected reports whether a log that is not there will be soon.
func (s *Service) expected(e sessions.Entry, places []Location, req Request) bool {
	switch {
	case e.Started.IsZero(): // not looked up
		return false
	case e.Ended != nil:
		return time.Since(*e.Ended) < arrival
	case e.Over():
		return false
	default:
		return req.Follow && places[0].Streaming
	}
}

// missing says why there is no log.
func missing(e sessions.Entry, places []Location) error {
	op := "read the log of session " + e.ID
	if e.Ended == nil && !e.Over() && !e.Started.IsZero() {
		err := fault.New(fault.Pending, op, "the session is still running, and its log is uploaded to %s when it ends", places[0])
		if places[0].Source == CloudWatch && places[0].Streaming {
			return fault.New(fault.Pending, op, "the session is still running and has logged nothing to %s yet", places[0]).
				WithHint("wait for it with --follow")
		}
		return err.WithHint("to see logs while sessions run: `ssmdeck session prefs set log-group=GROUP streaming=on`")
	}
	where := places[0].String()
	for _, l := range places[1:] {
		if l.Source != places[0].Source {
			where += " or " + l.String()
		}
	}
	return fault.New(fault.NotFound, op, "there is none at %s", where).
		WithHint("it may have had no output, the settings may have been others, or the node's role may not write there")
}

// readAt reads the log at one place; logstore.ErrMissing when there is none.
func (s *Service) readAt(ctx context.Context, l Location, req Request, watch Watch, emit func(Chunk) error) error {
	if l.Source == S3 {
		err := s.store.ReadObject(ctx, l.object(), func() { watch.found(l) }, func(b []byte) error { return emit(Chunk{Data: b}) })
		var known *fault.Error
		if errors.As(err, &known) && known.Kind == fault.NotFound && known.Hint == "" {
			return known.WithHint("see s3-bucket in `ssmdeck session prefs get`")
		}
		return err
	}
	return s.readStream(ctx, l, req, watch, emit)
}
