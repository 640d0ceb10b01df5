package sessionlog

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

// Location is where the log of a session is, or will be.
type Location struct {
	Source        Source
	Bucket, Key   string // S3
	Group, Stream string // CloudWatch
	Streaming     bool   // CloudWatch: events arrive while the session runs
}

// String is s3://bucket/key, or the log group and stream.
func (l Location) String() string {
	if l.Source == S3 {
		return l.object().String()
	}
	return l.stream().String()
}

func (l Location) object() logstore.Object { return logstore.Object{Bucket: l.Bucket, Key: l.Key} }
func (l Location) stream() logstore.Stream { return logstore.Stream{Group: l.Group, Name: l.Stream} }

// places returns where the log of a session can be, the likeliest first. It is
// never empty without an error.
func (s *Service) places(ctx context.Context, e sessions.Entry, req Request) ([]Location, error) {
	op := "read the log of session " + req.ID
	if e.PortSession() {
		return nil, fault.New(fault.NotFound, op, "port and SSH sessions have no log: Session Manager does not see into their data").
			WithHint("CloudTrail tells when they were started and by whom")
	}
	var all []Location
	for _, l := range []Location{parseS3(e.OutputS3), parseCloudWatch(e.OutputCloudWatch)} {
		if l.Source != "" {
			all = append(all, l)
		}
	}
	configured, err := s.configured(ctx, e)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	for _, l := range configured {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil, fault.New(fault.NotFound, op, "session logs are not turned on in %s", documentOf(e)).
			WithHint("turn them on for new sessions: `ssmdeck session prefs set s3-bucket=BUCKET` or `log-group=GROUP`")
	}
	fitting := slices.DeleteFunc(slices.Clone(all), func(l Location) bool {
		return req.Source != "" && l.Source != req.Source || req.timed() && l.Source != CloudWatch
	})
	switch {
	case len(fitting) > 0:
	case req.timed():
		return nil, fault.New(fault.NotFound, op, "it is kept at %s alone, which has no times: --follow, --since and -o jsonl need CloudWatch Logs", all[0])
	default:
		return nil, fault.New(fault.NotFound, op, "it is not kept in %s but at %s", req.Source, all[0])
	}
	if e.Ended == nil && !e.Over() { // a running session can be in CloudWatch only
		slices.SortStableFunc(fitting, func(a, b Location) int { return strings.Compare(string(a.Source), string(b.Source)) })
	}
	return fitting, nil
}

// documentOf is the document whose settings a session has.
func documentOf(e sessions.Entry) string {
	if e.Document == "" || strings.HasPrefix(e.Document, "AWS-") {
		return preferences.Account
	}
	return e.Document
}

// configured returns the places that the session's settings name: those of its
// own document, or of the account where that has none.
func (s *Service) configured(ctx context.Context, e sessions.Entry) ([]Location, error) {
	p, err := s.settings.Get(ctx, documentOf(e))
	if err == nil && p.Document != preferences.Account && len(p.Inputs) == 0 {
		p, err = s.settings.Get(ctx, preferences.Account)
	}
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return nil, &fault.Error{Kind: known.Kind, Op: "find the log of session " + e.ID, Hint: known.Hint, Code: known.Code, RequestID: known.RequestID, Err: err}
	case err != nil:
		return nil, err
	}
	var places []Location
	if bucket := p.Text("s3BucketName"); bucket != "" {
		name := e.ID + ".log"
		prefix := p.Text("s3KeyPrefix")
		keys := []string{name}
		if prefix != "" {
			keys = []string{strings.TrimSuffix(prefix, "/") + "/" + name}
			if strings.HasSuffix(prefix, "/") { // joined as it is, it gives two slashes
				keys = append(keys, prefix+"/"+name)
			}
		}
		for _, key := range keys {
			places = append(places, Location{Source: S3, Bucket: bucket, Key: key})
		}
	}
	if group := p.Text("cloudWatchLogGroupName"); group != "" {
		places = append(places, Location{Source: CloudWatch, Group: group, Stream: e.ID, Streaming: p.On("cloudWatchStreamingEnabled")})
	}
	return places, nil
}

// parseS3 reads an address of S3. What the service puts into OutputUrl is not
// documented; what is no address is no location.
func parseS3(raw string) Location {
	o, ok := logstore.ParseObject(raw)
	if !ok {
		return Location{}
	}
	return Location{Source: S3, Bucket: o.Bucket, Key: o.Key}
}

// parseCloudWatch reads an address of the console with group and stream in its
// fragment: #logEventViewer:group=G;stream=S, or the newer one with log-group/G
// and log-events/S, escaped twice with $ for %.
func parseCloudWatch(raw string) Location {
	_, fragment, ok := strings.Cut(raw, "#")
	if !ok {
		return Location{}
	}
	l := Location{Source: CloudWatch}
	if rest, old := strings.CutPrefix(fragment, "logEventViewer:"); old {
		for part := range strings.SplitSeq(rest, ";") {
			name, value, _ := strings.Cut(part, "=")
			value, _ = url.QueryUnescape(value)
			switch name {
			case "group":
				l.Group = value
			case "stream":
				l.Stream = value
			}
		}
	} else if _, rest, isNew := strings.Cut(fragment, "log-group/"); isNew {
		group, stream, _ := strings.Cut(rest, "/log-events/")
		l.Group, l.Stream = twice(group), twice(stream)
	}
	if l.Group == "" || l.Stream == "" {
		return Location{}
	}
	return l
}

func twice(s string) string {
	s = strings.ReplaceAll(s, "$", "%")
	for range 2 {
		if plain, err := url.QueryUnescape(s); err == nil {
			s = plain
		}
	}
	return s
}
