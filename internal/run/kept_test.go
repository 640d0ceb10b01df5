package run

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ssmdeck/ssmdeck/internal/logstore"
)

// kept is a small S3 and CloudWatch Logs. Events can be read when their time has
// come and lag is over; late ones even later.
type kept struct {
	mu      sync.Mutex
	objects map[string]string // by bucket/key
	streams map[string][]keptEvent
	lag     time.Duration
	reads   map[string]int // by operation
	deny    map[string]error
}

type keptEvent struct {
	at      time.Time
	late    time.Duration // beside the lag
	message string
	id      int
}

func (k *kept) store() *logstore.Store { return logstore.Over(k, k) }

func (k *kept) put(stream string, at time.Time, late time.Duration, message string) {
	if k.streams == nil {
		k.streams = make(map[string][]keptEvent)
	}
	n := 0
	for _, s := range k.streams {
		n += len(s)
	}
	k.streams[stream] = append(k.streams[stream], keptEvent{at, late, message, n})
}

func (k *kept) call(op string) error {
	if k.reads == nil {
		k.reads = make(map[string]int)
	}
	k.reads[op]++
	return k.deny[op]
}

func (k *kept) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.call("GetObject"); err != nil {
		return nil, err
	}
	text, ok := k.objects[aws.ToString(in.Bucket)+"/"+aws.ToString(in.Key)]
	if !ok {
		return nil, &s3types.NoSuchKey{}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text))}, nil
}

// readable are the events of a stream that can be read by now, in the order in
// which they were put in.
func (k *kept) readable(stream string, late bool) []keptEvent {
	var all []keptEvent
	for _, e := range k.streams[stream] {
		wait := k.lag
		if late {
			wait += e.late
		}
		if time.Since(e.at) < wait {
			if !late {
				break // a stream read from its beginning has no holes
			}
			continue
		}
		all = append(all, e)
	}
	return all
}

func (k *kept) GetLogEvents(_ context.Context, in *cloudwatchlogs.GetLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.call("GetLogEvents"); err != nil {
		return nil, err
	}
	events := k.readable(aws.ToString(in.LogStreamName), false)
	if len(events) == 0 {
		return nil, &cwtypes.ResourceNotFoundException{}
	}
	from, _ := strconv.Atoi(aws.ToString(in.NextToken))
	out := &cloudwatchlogs.GetLogEventsOutput{NextForwardToken: aws.String(strconv.Itoa(len(events)))}
	for _, e := range events[min(from, len(events)):] {
		out.Events = append(out.Events, cwtypes.OutputLogEvent{Timestamp: aws.Int64(e.at.UnixMilli()), Message: aws.String(e.message)})
	}
	return out, nil
}

func (k *kept) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.call("FilterLogEvents"); err != nil {
		return nil, err
	}
	type named struct {
		keptEvent
		stream string
	}
	var all []named
	for stream := range k.streams {
		if !strings.HasPrefix(stream, aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		for _, e := range k.readable(stream, true) {
			if e.at.UnixMilli() >= aws.ToInt64(in.StartTime) {
				all = append(all, named{e, stream})
			}
		}
	}
	slices.SortFunc(all, func(x, y named) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return x.id - y.id
	})
	out := &cloudwatchlogs.FilterLogEventsOutput{}
	for _, e := range all {
		out.Events = append(out.Events, cwtypes.FilteredLogEvent{
			LogStreamName: aws.String(e.stream), EventId: aws.String(fmt.Sprint(e.id)),
			Timestamp: aws.Int64(e.at.UnixMilli()), Message: aws.String(e.message),
		})
	}
	return out, nil
}

// cutText is a text as the service gives it.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most-len(cutLong)] + cutLong
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

const keptKey = "bucket/p/01234567-89ab-cdef-0123-000000000001/i-l0000/awsrunShellScript/0.awsrunShellScript/"

func TestACutOutputIsReadFromWhereItIsKept(t *testing.T) {
	long, longErr := numbers(5000), strings.Repeat("é", 9000)+"\n"
	half := strings.LastIndex(long[:26000], "\n") + 1
	stream := commandID(1) + "/i-l0000/aws-runShellScript/"
	tests := []struct {
		name           string
		keep           func(k *kept, r *Request)
		stdout, stderr string
		truncated      bool
		more           string
	}{
		{"in S3", func(k *kept, r *Request) {
			r.S3Bucket, r.S3Prefix = "bucket", "p/"
			k.objects = map[string]string{keptKey + "stdout": long, keptKey + "stderr": longErr}
		}, long, longErr, false, ""},
		{"in CloudWatch Logs", func(k *kept, r *Request) {
			r.LogGroup = "g"
			k.put(stream+"stdout", time.Now(), 0, strings.TrimSuffix(long, "\n"))
			k.put(stream+"stderr", time.Now(), 0, strings.TrimSuffix(longErr, "\n"))
		}, long, longErr, false, ""},
		{"in CloudWatch Logs, some seconds later", func(k *kept, r *Request) {
			r.LogGroup, k.lag = "g", 6*time.Second
			k.put(stream+"stdout", time.Now(), 0, long[:half])
			k.put(stream+"stdout", time.Now().Add(time.Second), 0, long[half:])
			k.put(stream+"stderr", time.Now(), 0, longErr)
		}, long, longErr, false, ""},
		{"nowhere", func(*kept, *Request) {}, cutText(long, maxStdout), "", true, ""},
		{
			"in S3, and it is not there", func(_ *kept, r *Request) { r.S3Bucket, r.S3Prefix = "bucket", "p" },
			cutText(long, maxStdout), "", true, "should be at s3://" + keptKey + "stdout, and is not there: may the node's role write there?",
		},
		{"in S3, and something else is there", func(k *kept, r *Request) {
			r.S3Bucket, r.S3Prefix = "bucket", "p"
			k.objects = map[string]string{keptKey + "stdout": "of another\n", keptKey + "stderr": longErr}
		}, cutText(long, maxStdout), longErr, true, "should be at s3://" + keptKey + "stdout, and is not all there"},
		{"in S3, and it ends early", func(k *kept, r *Request) {
			r.S3Bucket, r.S3Prefix = "bucket", "p"
			k.objects = map[string]string{keptKey + "stdout": long[:100], keptKey + "stderr": longErr}
		}, cutText(long, maxStdout), longErr, true, "and is not all there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := &kept{}
			startKept(t, k, func(r *Request) { tt.keep(k, r) }, func(string) nodeResult {
				return nodeResult{stdout: cutText(long, maxStdout), stderr: cutText(longErr, maxStderr)}
			}, func(t *testing.T, r *recorder) {
				for row := range r.board.Rows() {
					if row.Stdout != tt.stdout || tt.stderr != "" && row.Stderr != tt.stderr || row.Truncated != tt.truncated || !strings.Contains(row.More, tt.more) {
						t.Errorf("got %d and %d bytes, truncated %v, more %q; want %d and %d", len(row.Stdout), len(row.Stderr), row.Truncated, row.More, len(tt.stdout), len(tt.stderr))
					}
				}
			})
		})
	}
}

// startKept runs a script on one node whose output is kept in k.
func startKept(t *testing.T, k *kept, change func(*Request), result func(string) nodeResult, check func(*testing.T, *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		req := Request{Selection: selected(nodes(1, "linux")), Script: "x"}
		change(&req)
		c := &cloud{work: 2 * time.Second, result: result}
		var r recorder
		if err := New(c, k.store()).Start(t.Context(), req, r.emit); err != nil {
			t.Fatal(err)
		}
		check(t, &r)
	})
}

func TestWhatMayNotBeReadIsSaidOnce(t *testing.T) {
	k := &kept{deny: map[string]error{"GetObject": fmt.Errorf("no")}}
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{work: time.Second, result: func(string) nodeResult { return nodeResult{stdout: cutText(numbers(5000), maxStdout)} }}
		var r recorder
		req := Request{Selection: selected(nodes(5, "linux")), Script: "x", S3Bucket: "bucket"}
		if err := New(c, k.store()).Start(t.Context(), req, r.emit); err != nil {
			t.Fatal(err)
		}
		if n := r.notices(Shortened); len(n) != 1 || k.reads["GetObject"] > 2 {
			t.Errorf("%d notices after %d reads", len(n), k.reads["GetObject"])
		}
		for row := range r.board.Rows() {
			if !row.Truncated {
				t.Errorf("%s is shown as whole", row.NodeID)
			}
		}
	})
}

func TestMemoryForLongOutputsIsBounded(t *testing.T) {
	huge := strings.Repeat("0123456789abcde\n", 6<<20/16)
	k := &kept{objects: map[string]string{}}
	synctest.Test(t, func(t *testing.T) {
		sel := selected(nodes(30, "linux"))
		for _, id := range sel.InstanceIDs {
			k.objects["bucket/"+commandID(1)+"/"+id+"/awsrunShellScript/0.awsrunShellScript/stdout"] = huge
		}
		c := &cloud{work: time.Second, result: func(string) nodeResult { return nodeResult{stdout: cutText(huge, maxStdout)} }}
		total := 0
		err := New(c, k.store()).Start(t.Context(), Request{Selection: sel, Script: "x", S3Bucket: "bucket"}, func(e Event) {
			if e.Kind != Printed {
				return
			}
			total += len(e.Output.Stdout)
			if len(e.Output.Stdout) > maxWhole+100 || !e.Output.Truncated || !strings.HasPrefix(e.Output.More, "s3://bucket/") {
				t.Errorf("kept %d bytes, truncated %v, more %q", len(e.Output.Stdout), e.Output.Truncated, e.Output.More)
			}
		})
		if err != nil || total > maxWholes+30*(maxStdout+100) {
			t.Errorf("kept %d bytes, %v", total, err)
		}
		// Copied, it is whole.
		s := New(c, k.store())
		cmd, inv, err := s.On(t.Context(), commandID(1), sel.InstanceIDs[0])
		if err != nil {
			t.Fatal(err)
		}
		cmd.S3Bucket = "bucket"
		var out, errs strings.Builder
		sum, err := s.Copy(t.Context(), cmd, inv, &out, &errs)
		if err != nil || out.String() != huge || sum.Truncated {
			t.Errorf("copied %d of %d bytes, %+v, %v", out.Len(), len(huge), sum, err)
		}
	})
}
