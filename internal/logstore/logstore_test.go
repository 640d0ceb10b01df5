package logstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
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
)

var object = Object{Bucket: "logs", Key: "a/b.log"}

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

// read reads the object as a whole.
func read(t *testing.T, o *MockObjects) (string, error) {
	t.Helper()
	var b strings.Builder
	err := Over(o, nil).ReadObject(t.Context(), object, nil, func(p []byte) error {
		b.Write(p)
		return nil
	})
	return b.String(), err
}

func TestADownloadThatBreaksGoesOn(t *testing.T) {
	o := NewMockObjects(gomock.NewController(t))
	large := strings.Repeat("0123456789", 20_000)
	broken := io.MultiReader(strings.NewReader(large[:150_000]), iotest.ErrReader(io.ErrUnexpectedEOF))
	first := o.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).
		Return(&s3.GetObjectOutput{Body: io.NopCloser(broken), ETag: aws.String(`"e"`)}, nil)
	o.EXPECT().GetObject(gomock.Any(), &s3.GetObjectInput{
		Bucket: aws.String("logs"), Key: aws.String("a/b.log"), Range: aws.String("bytes=150000-"), IfMatch: aws.String(`"e"`),
	}, gomock.Any()).Return(body(large[150_000:]), nil).After(first)
	if got, err := read(t, o); got != large || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestADownloadThatAlwaysBreaksEnds(t *testing.T) {
	o := NewMockObjects(gomock.NewController(t))
	o.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).Times(1 + resumes).
		DoAndReturn(func(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
			return &s3.GetObjectOutput{Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}, nil
		})
	if _, err := read(t, o); err == nil {
		t.Error("no error")
	}
}

func TestABucketInAnotherRegion(t *testing.T) {
	for _, code := range []string{"PermanentRedirect", "AuthorizationHeaderMalformed"} {
		o := NewMockObjects(gomock.NewController(t))
		var regions []string
		o.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).
			DoAndReturn(func(_ context.Context, _ *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
				o := s3.Options{Region: "eu-central-1"}
				opts[0](&o)
				if regions = append(regions, o.Region); o.Region != "us-west-2" {
					return nil, s3Error(code, "us-west-2")
				}
				return body("x"), nil
			})
		if got, err := read(t, o); got != "x" || err != nil {
			t.Errorf("%s: %q, %v, Regions %v", code, got, err, regions)
		}
	}
}

func TestPiecesAreReused(t *testing.T) {
	o := NewMockObjects(gomock.NewController(t))
	large := bytes.Repeat([]byte("x"), 5<<20)
	o.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).Return(&s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(large))}, nil)
	total, largest, found := 0, 0, 0
	err := Over(o, nil).ReadObject(t.Context(), object, func() { found++ }, func(b []byte) error {
		total += len(b)
		largest = max(largest, len(b))
		return nil
	})
	if err != nil || total != len(large) || largest > chunkBytes || found != 1 {
		t.Errorf("%d bytes, at most %d at once, found %d times, %v", total, largest, found, err)
	}
}

func TestWordsForS3(t *testing.T) {
	for code, want := range map[string]struct {
		kind fault.Kind
		text string
	}{
		"AccessDenied":       {fault.Auth, "s3:ListBucket"},
		"NoSuchBucket":       {fault.NotFound, "read s3://logs/a/b.log: the bucket does not exist"},
		"PreconditionFailed": {fault.Failed, "was replaced"},
	} {
		o := NewMockObjects(gomock.NewController(t))
		o.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).
			Return(nil, &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: s3Error(code, "")})
		_, err := read(t, o)
		if err == nil || fault.KindOf(err) != want.kind || !strings.Contains(err.Error()+fault.HintOf(err), want.text) {
			t.Errorf("%s: %v, hint %q", code, err, fault.HintOf(err))
		}
	}
	o := NewMockObjects(gomock.NewController(t))
	o.EXPECT().GetObject(gomock.Any(), gomock.Any(), gomock.Any()).Return(nil, s3Error("NoSuchKey", ""))
	if _, err := read(t, o); !errors.Is(err, ErrMissing) {
		t.Errorf("no such key: %v", err)
	}
}

func TestAddressesOfObjects(t *testing.T) {
	for raw, want := range map[string]Object{
		"": {}, "nonsense": {}, "https://example.com/logs/x.log": {}, "https://s3.amazonaws.com/logs": {},
		"s3://logs/a/x.log": {"logs", "a/x.log"},
		"https://s3.eu-west-1.amazonaws.com/logs/a/x.log":       {"logs", "a/x.log"},
		"https://s3-eu-west-1.amazonaws.com/logs/a/x.log":       {"logs", "a/x.log"},
		"https://s3.cn-north-1.amazonaws.com.cn/logs/a/x.log":   {"logs", "a/x.log"},
		"https://my.logs.s3.eu-west-1.amazonaws.com/a%20/x.log": {"my.logs", "a /x.log"},
	} {
		if got, ok := ParseObject(raw); got != want || ok != (want != Object{}) {
			t.Errorf("%s: %+v, %v", raw, got, ok)
		}
	}
	if !isLoopback("http://127.0.0.1:1") || !isLoopback("http://localhost:1") || isLoopback("https://s3.amazonaws.com") || isLoopback("") {
		t.Error("what is on this machine")
	}
}

func TestACursorReadsToTheEndAndOn(t *testing.T) {
	e := NewMockEvents(gomock.NewController(t))
	page := func(token *string, next string, messages ...string) *gomock.Call {
		out := &cloudwatchlogs.GetLogEventsOutput{NextForwardToken: &next}
		for i, m := range messages {
			out.Events = append(out.Events, types.OutputLogEvent{Timestamp: aws.Int64(int64(i)), Message: &m})
		}
		return e.EXPECT().GetLogEvents(gomock.Any(), &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String("/g"), LogStreamName: aws.String("s"), StartFromHead: aws.Bool(true), NextToken: token,
		}).Return(out, nil)
	}
	gomock.InOrder(
		page(nil, "1", "one", "two"),
		page(aws.String("1"), "2"), // may be empty in the middle
		page(aws.String("2"), "3", "three"),
		page(aws.String("3"), "3"),
		page(aws.String("3"), "4", "four"), // came meanwhile
	)
	c := Over(nil, e).Open(Stream{"/g", "s"}, time.Time{})
	var got []string
	for range 5 {
		events, end, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, e.Message)
		}
		if end {
			got = append(got, "END")
		}
	}
	if want := []string{"one", "two", "three", "END", "four"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRecentReadsAllPages(t *testing.T) {
	e := NewMockEvents(gomock.NewController(t))
	since := time.UnixMilli(5000)
	for i, token := range []*string{nil, aws.String("1")} {
		out := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{{
			LogStreamName: aws.String("c/n"), EventId: aws.String(fmt.Sprint(i)), Timestamp: aws.Int64(6000), Message: aws.String("m"),
		}}}
		if i == 0 {
			out.NextToken = aws.String("1")
		}
		e.EXPECT().FilterLogEvents(gomock.Any(), &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: aws.String("/g"), LogStreamNamePrefix: aws.String("c/"), StartTime: aws.Int64(5000), NextToken: token,
		}).Return(out, nil)
	}
	var ids []string
	err := Over(nil, e).Recent(t.Context(), "/g", "c/", since, func(e Event) { ids = append(ids, e.Stream+e.ID) })
	if err != nil || !slices.Equal(ids, []string{"c/n0", "c/n1"}) {
		t.Errorf("got %v, %v", ids, err)
	}
	e.EXPECT().FilterLogEvents(gomock.Any(), gomock.Any()).Return(nil, &types.ResourceNotFoundException{})
	if err := Over(nil, e).Recent(t.Context(), "/g", "c/", since, func(Event) {}); !errors.Is(err, ErrMissing) {
		t.Errorf("no such group: %v", err)
	}
}
