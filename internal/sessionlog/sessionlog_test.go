package sessionlog

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

const id = "me-0123"

// room is a Service and what it calls.
type room struct {
	*Service
	objects  *MockObjects
	events   *MockEvents
	sessions *Mockfinder
	settings *Mocksettings
	said     []string
}

func newRoom(t *testing.T, e sessions.Entry, pairs ...string) *room {
	t.Helper()
	c := gomock.NewController(t)
	r := &room{objects: NewMockObjects(c), events: NewMockEvents(c), sessions: NewMockfinder(c), settings: NewMocksettings(c)}
	r.Service = &Service{store: logstore.Over(r.objects, r.events), sessions: r.sessions, settings: r.settings}
	e.ID = id
	r.sessions.EXPECT().Get(gomock.Any(), id).AnyTimes().Return(e, nil)
	p, err := preferences.Preferences{Document: preferences.Account}.With(pairs)
	if err != nil {
		t.Fatal(err)
	}
	r.settings.EXPECT().Get(gomock.Any(), preferences.Account).AnyTimes().Return(p, nil)
	return r
}

// read reads the log as a whole.
func (r *room) read(req Request) (string, error) {
	req.ID = id
	var b strings.Builder
	err := r.Read(context.Background(), req, Watch{Found: func(l Location) { r.said = append(r.said, l.String()) }}, func(c Chunk) error {
		b.Write(c.Data)
		return nil
	})
	return b.String(), err
}

func over() sessions.Entry {
	ended := time.Now().Add(-time.Hour)
	return sessions.Entry{Status: "Terminated", Started: ended.Add(-time.Minute), Ended: &ended}
}

func running() sessions.Entry { return sessions.Entry{Status: "Connected", Started: time.Now()} }

func body(s string) *s3.GetObjectOutput {
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(s)), ETag: aws.String(`"e"`)}
}

func s3Error(code, region string) error {
	resp := &http.Response{StatusCode: 400, Header: http.Header{}}
	if region != "" {
		resp.Header.Set("X-Amz-Bucket-Region", region)
	}
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: resp}, Err: &smithy.GenericAPIError{Code: code, Message: code},
	}}
}

func TestAnObjectIsReadWhereTheSettingsSay(t *testing.T) {
	for prefix, key := range map[string]string{"off": id + ".log", "a/b": "a/b/" + id + ".log", "a/": "a/" + id + ".log"} {
		r := newRoom(t, over(), "s3-bucket=logs", "s3-prefix="+prefix)
		r.objects.EXPECT().GetObject(gomock.Any(), &s3.GetObjectInput{Bucket: aws.String("logs"), Key: aws.String(key)}, gomock.Any()).Return(body("hello"), nil)
		if got, err := r.read(Request{}); got != "hello" || err != nil || r.said[0] != "s3://logs/"+key {
			t.Errorf("prefix %s: %q, %v, from %v", prefix, got, err, r.said)
		}
	}
}

func TestWordsForS3(t *testing.T) {
	for _, tt := range []struct {
		code string
		kind fault.Kind
		want []string
	}{
		{"AccessDenied", fault.Auth, []string{"s3:ListBucket", "kms:Decrypt"}},
		{"NoSuchBucket", fault.NotFound, []string{"the bucket does not exist", "session prefs get"}},
		{"NoSuchKey", fault.NotFound, []string{"there is none at s3://logs/me-0123.log", "role"}},
		{"PreconditionFailed", fault.Failed, []string{"was replaced"}},
	} {
		r := newRoom(t, over(), "s3-bucket=logs")
		r.objects.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).
			Return(nil, &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: s3Error(tt.code, "")})
		_, err := r.read(Request{})
		text := ""
		if err != nil {
			text = err.Error() + " " + fault.HintOf(err)
		}
		if fault.KindOf(err) != tt.kind {
			t.Errorf("%s: kind %v", tt.code, fault.KindOf(err))
		}
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q lacks %q", tt.code, text, want)
			}
		}
	}
}

func event(ms int64, message string) types.OutputLogEvent {
	return types.OutputLogEvent{Timestamp: aws.Int64(ms), Message: &message}
}

// page expects a call with token and answers.
func (r *room) page(token, next string, es ...types.OutputLogEvent) *gomock.Call {
	var in *string
	if token != "" {
		in = &token
	}
	return r.events.EXPECT().GetLogEvents(gomock.Any(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String("/g"), LogStreamName: aws.String(id), StartFromHead: aws.Bool(true), NextToken: in,
	}).Return(&cloudwatchlogs.GetLogEventsOutput{Events: es, NextForwardToken: &next}, nil)
}

func TestAStreamIsReadToItsEnd(t *testing.T) {
	r := newRoom(t, over(), "log-group=/g")
	gomock.InOrder(
		r.page("", "1", event(1, "one\ntwo")),
		r.page("1", "2"), // a page may be empty in the middle
		r.page("2", "3", event(2, `{"eventVersion":"1.0","sessionId":"me-0123","sessionData":["three","four"]}`), event(3, `{"not":"ours"}`)),
		r.page("3", "3"),
	)
	got, err := r.read(Request{})
	if want := "one\ntwo\nthree\nfour\n" + `{"not":"ours"}` + "\n"; got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFollowEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := gomock.NewController(t)
		r := &room{events: NewMockEvents(c), sessions: NewMockfinder(c), settings: NewMocksettings(c)}
		r.Service = &Service{store: logstore.Over(nil, r.events), sessions: r.sessions, settings: r.settings}
		p, _ := preferences.Preferences{Document: preferences.Account}.With([]string{"log-group=/g", "streaming=on", "s3-bucket=b-b"})
		r.settings.EXPECT().Get(gomock.Any(), preferences.Account).Return(p, nil)
		start := time.Now()
		r.sessions.EXPECT().Get(gomock.Any(), id).AnyTimes().DoAndReturn(func(context.Context, string) (sessions.Entry, error) {
			if time.Since(start) < time.Minute {
				return sessions.Entry{ID: id, Status: "Connected", Started: start}, nil
			}
			end := start.Add(time.Minute)
			return sessions.Entry{ID: id, Status: "Terminated", Started: start, Ended: &end}, nil
		})
		r.events.EXPECT().GetLogEvents(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, in *cloudwatchlogs.GetLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error) {
			at := time.Since(start)
			out := &cloudwatchlogs.GetLogEventsOutput{NextForwardToken: aws.String("0")}
			switch {
			case at < 5*time.Second:
				return nil, &types.ResourceNotFoundException{Message: aws.String("no stream")}
			case at >= 61*time.Second:
				out.NextForwardToken = aws.String("1")
				if aws.ToString(in.NextToken) != "1" {
					out.Events = []types.OutputLogEvent{event(1, "flushed after the end")}
				}
			}
			return out, nil
		})
		got, err := r.read(Request{Follow: true})
		if got != "flushed after the end\n" || err != nil {
			t.Errorf("%q, %v after %v", got, err, time.Since(start))
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestALogOnItsWayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		just := time.Now()
		r := newRoom(t, sessions.Entry{Status: "Terminated", Started: just.Add(-time.Minute), Ended: &just}, "s3-bucket=logs")
		calls := 0
		r.objects.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().
			DoAndReturn(func(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
				if calls++; calls < 4 {
					return nil, s3Error("NoSuchKey", "")
				}
				return body("late"), nil
			})
		if got, err := r.read(Request{}); got != "late" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		calls = -1000
		if _, err := r.read(Request{}); fault.KindOf(err) != fault.NotFound || time.Since(just) > arrival+2*time.Second {
			t.Errorf("%v after %v", err, time.Since(just))
		}
	})
}

func TestWhyThereIsNoLog(t *testing.T) {
	missing := &types.ResourceNotFoundException{Message: aws.String("no stream")}
	tests := []struct {
		name  string
		entry sessions.Entry
		prefs []string
		req   Request
		kind  fault.Kind
		want  string
	}{
		{"no logging", over(), nil, Request{}, fault.NotFound, "not turned on in SSM-SessionManagerRunShell"},
		{"a port", sessions.Entry{Status: "Terminated", Document: sessions.DocumentRemoteHost}, []string{"s3-bucket=logs"}, Request{}, fault.NotFound, "port and SSH sessions"},
		{"SSH", sessions.Entry{Status: "Terminated", Document: sessions.DocumentSSH}, []string{"s3-bucket=logs"}, Request{}, fault.NotFound, "port and SSH sessions"},
		{"only in S3", over(), []string{"s3-bucket=logs"}, Request{Follow: true}, fault.NotFound, "has no times"},
		{"only in S3, the other wanted", over(), []string{"s3-bucket=logs"}, Request{Source: CloudWatch}, fault.NotFound, "not kept in cloudwatch but at s3://logs"},
		{"running, at its end", running(), []string{"log-group=/g"}, Request{}, fault.Pending, "uploaded to log group /g, stream me-0123 when it ends"},
		{"running, nothing yet", running(), []string{"log-group=/g", "streaming=on"}, Request{}, fault.Pending, "has logged nothing"},
		{"ended without one", over(), []string{"log-group=/g"}, Request{}, fault.NotFound, "there is none at log group /g"},
	}
	for _, tt := range tests {
		r := newRoom(t, tt.entry, tt.prefs...)
		r.events.EXPECT().GetLogEvents(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, missing)
		_, err := r.read(tt.req)
		if fault.KindOf(err) != tt.kind || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestADocumentWithItsOwnSettingsDecides(t *testing.T) {
	e := over()
	e.Document = "Ours"
	r := newRoom(t, e, "s3-bucket=account")
	own, _ := preferences.Preferences{Document: "Ours"}.With([]string{"s3-bucket=own"})
	r.settings.EXPECT().Get(gomock.Any(), "Ours").Return(own, nil)
	r.objects.EXPECT().GetObject(gomock.Any(), &s3.GetObjectInput{Bucket: aws.String("own"), Key: aws.String(id + ".log")}, gomock.Any()).Return(body("x"), nil)
	if _, err := r.read(Request{}); err != nil {
		t.Error(err)
	}
}

func TestEmitEndsReading(t *testing.T) {
	r := newRoom(t, over(), "s3-bucket=logs")
	r.objects.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).Return(body("x"), nil)
	stop := errors.New("stop")
	if err := r.Read(context.Background(), Request{ID: id}, Watch{}, func(Chunk) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestAddressesOfLogs(t *testing.T) {
	s3At := func(bucket, key string) Location { return Location{Source: S3, Bucket: bucket, Key: key} }
	for raw, want := range map[string]Location{
		"": {}, "nonsense": {}, "https://example.com/logs/x.log": {}, "https://s3.amazonaws.com/logs": {},
		"s3://logs/a/x.log": s3At("logs", "a/x.log"),
		"https://s3.eu-west-1.amazonaws.com/logs/a/x.log":       s3At("logs", "a/x.log"),
		"https://s3-eu-west-1.amazonaws.com/logs/a/x.log":       s3At("logs", "a/x.log"),
		"https://my.logs.s3.eu-west-1.amazonaws.com/a%20/x.log": s3At("my.logs", "a /x.log"),
	} {
		if got := parseS3(raw); got != want {
			t.Errorf("%s: %+v", raw, got)
		}
	}
	want := Location{Source: CloudWatch, Group: "/ssm/sessions", Stream: "me-1"}
	for _, raw := range []string{
		"https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:group=/ssm/sessions;stream=me-1",
		"https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/$252Fssm$252Fsessions/log-events/me-1",
	} {
		if got := parseCloudWatch(raw); got != want {
			t.Errorf("%s: %+v", raw, got)
		}
	}
	for _, raw := range []string{"", "x#y", "https://x#logEventViewer:group=g"} {
		if got := parseCloudWatch(raw); got != (Location{}) {
			t.Errorf("%s: %+v", raw, got)
		}
	}
}
