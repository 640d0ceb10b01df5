package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// wire is an HTTP client without a network: do answers the n-th request,
// counted from 1.
type wire struct {
	mu sync.Mutex
	n  int
	do func(n int, r *http.Request) (*http.Response, error)
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.n++
	n := w.n
	w.mu.Unlock()
	return w.do(n, r)
}

func (w *wire) sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amzn-Requestid": {"req-9"}},
	}
}

const throttle = `{"__type":"ThrottlingException","message":"Rate exceeded"}`

// wired opens a scope whose clients use w.
func wired(t *testing.T, o Options, w *wire) *Scope {
	t.Helper()
	isolate(t)
	keys(t)
	o.Region = "us-east-1"
	s := open(t, o)
	s.cfg.HTTPClient = w
	return s
}

func sendCommand(ctx context.Context, s *Scope) error {
	_, err := s.SSM().SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"),
		InstanceIds:  []string{"i-0123456789abcdef0"},
		Parameters:   map[string][]string{"commands": {"echo hunter2"}},
	})
	return Explain("run", err)
}

func lost() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

func refused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func TestAttempts(t *testing.T) {
	type failure = func() (*http.Response, error)
	throttled := func() (*http.Response, error) { return answer(400, throttle), nil }
	broken := func() (*http.Response, error) {
		return answer(500, `{"__type":"InternalServerError","message":"x"}`), nil
	}
	cut := func() (*http.Response, error) { return nil, lost() }
	closed := func() (*http.Response, error) { return nil, refused() }
	denied := func() (*http.Response, error) {
		return answer(400, `{"__type":"AccessDeniedException","message":"no"}`), nil
	}
	tests := []struct {
		name string
		send func(context.Context, *Scope) error
		fail failure
		want int
		kind fault.Kind
		text string
	}{
		{"a throttled read is tried ten times", read, throttled, 10, fault.Throttled, "slow down"},
		{"a throttled write is tried ten times", sendCommand, throttled, 10, fault.Throttled, "slow down"},
		{"a service fault on a read, three times", read, broken, 3, fault.Service, "x"},
		{"a lost answer to a read, three times", read, cut, 3, fault.Failed, "connection"},
		{"a closed port, three times also for a write", sendCommand, closed, 3, fault.Failed, "refuses"},
		{"a denial, once", read, denied, 1, fault.Auth, "not allowed: ssm:DescribeInstanceInformation"},
		{"a lost answer to SendCommand, once", sendCommand, cut, 1, fault.Failed, "may have been carried out"},
		{"a service fault on SendCommand, once", sendCommand, broken, 1, fault.Failed, "may have been carried out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &wire{do: func(int, *http.Request) (*http.Response, error) { return tt.fail() }}
			s := wired(t, Options{}, w)
			synctest.Test(t, func(t *testing.T) {
				wantFault(t, tt.send(t.Context(), s), tt.kind, tt.text, "")
			})
			if w.sent() != tt.want {
				t.Errorf("%d requests, want %d", w.sent(), tt.want)
			}
		})
	}
}

// TestAFaultAfterThrottlesIsTriedAgain: throttles from which a rate is learned use up none
// of the attempts of what fails otherwise.
func TestAFaultAfterThrottlesIsTriedAgain(t *testing.T) {
	w := &wire{do: func(n int, _ *http.Request) (*http.Response, error) {
		switch {
		case n <= 5:
			return answer(400, throttle), nil
		case n <= 7:
			return answer(500, `{"__type":"InternalServerError","message":"x"}`), nil
		}
		return answer(200, `{}`), nil
	}}
	s := wired(t, Options{}, w)
	synctest.Test(t, func(t *testing.T) {
		if _, err := s.SSM().GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/a"}}); err != nil {
			t.Error(err)
		}
	})
	if w.sent() != 8 {
		t.Errorf("%d requests, want 8", w.sent())
	}
}

func read(ctx context.Context, s *Scope) error {
	_, err := s.SSM().DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{})
	return Explain("list nodes", err)
}

func TestUnansweredSendCommandSaysWhereToLook(t *testing.T) {
	w := &wire{do: func(int, *http.Request) (*http.Response, error) { return nil, lost() }}
	s := wired(t, Options{}, w)
	wantFault(t, sendCommand(context.Background(), s), fault.Failed, "sent once", "ssmdeck command list")
}

func TestMaxAttemptsOfTheUserIsObeyed(t *testing.T) {
	w := &wire{do: func(int, *http.Request) (*http.Response, error) { return answer(400, throttle), nil }}
	isolate(t)
	keys(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "2")
	s := open(t, Options{Region: "us-east-1"})
	s.cfg.HTTPClient = w
	synctest.Test(t, func(t *testing.T) {
		wantFault(t, read(t.Context(), s), fault.Throttled, "slow down", "")
	})
	if w.sent() != 2 {
		t.Errorf("%d requests, want 2", w.sent())
	}
}

func TestThrottlingSlowsLaterCallsDown(t *testing.T) {
	w := &wire{do: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 1 {
			return answer(400, throttle), nil
		}
		return answer(200, `{}`), nil
	}}
	s := wired(t, Options{}, w)
	synctest.Test(t, func(t *testing.T) {
		if err := read(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 10 {
			if err := read(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 300*time.Millisecond {
			t.Errorf("ten more calls took %v: the burst should be gone after a throttle", took)
		}
	})
	stats := s.Meter().Stats().Operations[0]
	if stats.Calls != 11 || stats.Retries != 1 || stats.Throttles != 1 || stats.Failures != 0 {
		t.Errorf("meter %+v", stats)
	}
}

func TestReadOnlySendsNothingThatWrites(t *testing.T) {
	w := &wire{do: func(int, *http.Request) (*http.Response, error) { return answer(200, `{}`), nil }}
	s := wired(t, Options{ReadOnly: true}, w)
	ctx := context.Background()
	_, err := s.SSM().StartSession(ctx, &ssm.StartSessionInput{Target: aws.String("i-0123456789abcdef0")})
	wantFault(t, Explain("start session", err), fault.Refused, "start session: StartSession changes something", "--read-only")
	wantFault(t, sendCommand(ctx, s), fault.Refused, "run: SendCommand", "")
	// A call whose input is not even valid is refused all the same.
	_, err = s.SSM().PutParameter(ctx, &ssm.PutParameterInput{})
	wantFault(t, Explain("", err), fault.Refused, "PutParameter", "")
	cfg := s.Config()
	_, err = kms.NewFromConfig(cfg).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: aws.String("k")})
	wantFault(t, Explain("", err), fault.Refused, "ScheduleKeyDeletion", "")
	if w.sent() != 0 {
		t.Fatalf("%d requests were sent", w.sent())
	}
	if err := read(ctx, s); err != nil || w.sent() != 1 {
		t.Errorf("a read gave %v after %d requests", err, w.sent())
	}
}

func TestDebugLogNamesCallsNeverValues(t *testing.T) {
	var buf bytes.Buffer
	w := &wire{do: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 1 {
			return answer(200, `{"Command":{"CommandId":"c"}}`), nil
		}
		return answer(400, `{"__type":"ValidationException","message":"Value 'hunter2' at 'value' failed"}`), nil
	}}
	s := wired(t, Options{Debug: slog.New(slog.NewJSONHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))}, w)
	if err := sendCommand(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	_, err := s.SSM().PutParameter(context.Background(), &ssm.PutParameterInput{
		Name: aws.String("/a"), Value: aws.String("hunter2"), Type: types.ParameterTypeSecureString,
	})
	if err == nil {
		t.Fatal("want an error")
	}
	if strings.Contains(buf.String(), "hunter2") {
		t.Errorf("the log holds a value:\n%s", &buf)
	}
	lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2:\n%s", len(lines), &buf)
	}
	want := []map[string]any{
		{"operation": "SSM.SendCommand", "attempts": 1.0, "request_id": "req-9", "error": nil},
		{"operation": "SSM.PutParameter", "attempts": 1.0, "request_id": "req-9", "error": "ValidationException"},
	}
	for i, line := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		for k, v := range want[i] {
			if got[k] != v {
				t.Errorf("line %d: %s is %v, want %v", i, k, got[k], v)
			}
		}
	}
}

func TestMeterPerMinute(t *testing.T) {
	m, now := newMeter(), time.Unix(1_000_000, 0)
	for i := range 90 { // one request a second for a minute and a half
		m.sent(now.Add(time.Duration(i) * time.Second))
	}
	end := now.Add(89 * time.Second)
	if got := m.statsAt(end).PerMinute; got != 60 {
		t.Errorf("%d requests in the last minute, want 60", got)
	}
	if got := m.statsAt(end.Add(50 * time.Second)).PerMinute; got != 10 {
		t.Errorf("%d requests 50 s later, want 10", got)
	}
	if got := m.statsAt(end.Add(time.Hour)).PerMinute; got != 0 {
		t.Errorf("%d requests an hour later, want 0", got)
	}
}

// What may be sent goes by the calls of the last 60 s, and a call counts in each of them.
func TestMeterMinuteHasNoGap(t *testing.T) {
	m, now := newMeter(), time.Unix(1_000_000, 900_000_000)
	m.sent(now)
	for after, want := range map[time.Duration]int{time.Minute - time.Millisecond: 1, time.Minute: 1, 61 * time.Second: 0} {
		if got := m.since(now.Add(after), minute); got != want {
			t.Errorf("%d calls %s later, want %d", got, after, want)
		}
	}
	m.sent(time.Now())
	if m.Minute() != 1 {
		t.Errorf("%d calls at once, want 1", m.Minute())
	}
}

// A call that waits at its gate takes no turn of its operation: one without a gate passes
// it. Each attempt goes through, and says when it has been counted.
func TestACallAtItsGateHoldsUpNoOther(t *testing.T) {
	w := &wire{do: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 2 {
			return answer(500, `{"__type":"InternalServerError"}`), nil
		}
		return answer(200, `{}`), nil
	}}
	s := wired(t, Options{}, w)
	open, waits := make(chan struct{}), make(chan struct{}, 10)
	var mu sync.Mutex
	asked, counted := 0, 0
	gated := Gated(t.Context(), func(ctx context.Context) (func(), error) {
		waits <- struct{}{}
		select {
		case <-open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		mu.Lock()
		defer mu.Unlock()
		asked++
		return sync.OnceFunc(func() {
			mu.Lock()
			defer mu.Unlock()
			counted++
		}), nil
	})
	ended := make(chan error, 1)
	go func() { ended <- read(gated, s) }()
	<-waits
	if err := read(t.Context(), s); err != nil || w.sent() != 1 {
		t.Fatalf("a call beside one that waits gave %v after %d requests", err, w.sent())
	}
	close(open)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if asked != 2 || counted != 2 || w.sent() != 3 {
		t.Errorf("%d attempts went through the gate and %d said that they were counted, of %d requests", asked, counted, w.sent())
	}
	closed, cancel := context.WithCancel(gated)
	cancel()
	open = nil
	if err := read(closed, s); err == nil || w.sent() != 3 {
		t.Errorf("a call that was given up at its gate gave %v after %d requests", err, w.sent())
	}
}

func TestDataKey(t *testing.T) {
	var sent string
	reply := `{"Plaintext":"` + strings.Repeat("QUFB", 21) + `QQ==","CiphertextBlob":"c2VhbGVk","KeyId":"k"}`
	status := 200
	w := &wire{do: func(_ int, r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		return answer(status, reply), nil
	}}
	s := wired(t, Options{ReadOnly: true}, w)
	plain, sealed, err := s.DataKey(context.Background(), "alias/k", map[string]string{"aws:ssm:SessionId": "s"})
	if err != nil || len(plain) != 64 || string(sealed) != "sealed" {
		t.Fatalf("got %d bytes, %q, %v", len(plain), sealed, err)
	}
	var in struct {
		KeyID             string `json:"KeyId"`
		NumberOfBytes     int
		EncryptionContext map[string]string
	}
	if err := json.Unmarshal([]byte(sent), &in); err != nil {
		t.Fatal(err)
	}
	if in.KeyID != "alias/k" || in.NumberOfBytes != 64 || in.EncryptionContext["aws:ssm:SessionId"] != "s" {
		t.Errorf("sent %s", sent)
	}
	reply = `{"Plaintext":"QUFB","CiphertextBlob":"c2VhbGVk"}`
	_, _, err = s.DataKey(context.Background(), "k", nil)
	wantFault(t, err, fault.Failed, "a key of 3 bytes", "")
	status, reply = 400, `{"__type":"AccessDeniedException","message":"The ciphertext refers to a key that does not exist"}`
	_, _, err = s.DataKey(context.Background(), "k", nil)
	wantFault(t, err, fault.Auth, "not allowed: kms:GenerateDataKey", "kms:GenerateDataKey")
	reply = `{"__type":"NotFoundException","message":"Alias x is not found."}`
	_, _, err = s.DataKey(context.Background(), "k", nil)
	wantFault(t, err, fault.NotFound, "Alias x is not found", "SSM-SessionManagerRunShell")
}

func TestCancelledCallIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &wire{do: func(_ int, r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	}}
	s := wired(t, Options{}, w)
	err := read(ctx, s)
	wantFault(t, err, fault.Interrupted, "interrupted", "")
	if !errors.Is(err, context.Canceled) {
		t.Error("context.Canceled is not in the chain")
	}
}
