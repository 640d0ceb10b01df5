package control

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// noon is the time of all tests with a fixed clock.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is a handler with a world behind it and a client that signs.
type fixture struct {
	*Handler
	t     testing.TB
	gate  *fakeSessions
	creds Credentials
}

type machine struct{}

func (machine) Run(ctx context.Context, c shell.Command, io shell.IO) (int, error) {
	switch {
	case strings.HasPrefix(c.Script, "sleep "):
		d, err := time.ParseDuration(strings.TrimPrefix(c.Script, "sleep "))
		if err != nil {
			return 1, err
		}
		if shell.Sleep(ctx, d) != nil {
			return shell.StatusKilled, nil
		}
		return 0, nil
	case strings.HasPrefix(c.Script, "fail"):
		_, _ = io.Stderr.Write([]byte("bad\n"))
		return 2, nil
	case strings.HasPrefix(c.Script, "flood"):
		_, err := io.Stdout.Write([]byte(strings.Repeat("0123456789", 5000)))
		return 0, err
	}
	_, err := io.Stdout.Write([]byte("ran " + c.Script + "\n"))
	return 0, err
}

func (machine) Start(context.Context, shell.TTYOptions) (shell.TTY, error) {
	return nil, errors.New("not in this test")
}

// fakeSessions is a gateway without a network.
type fakeSessions struct {
	mu     sync.Mutex
	opened []world.SessionSpec
	status map[string]string
}

func (f *fakeSessions) Open(_ context.Context, s world.SessionSpec) (string, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened = append(f.opened, s)
	f.status[s.ID] = world.SessionConnected
	return "token", "ws://127.0.0.1:1/v1/data-channel/" + s.ID + "?role=publish_subscribe", nil
}

func (f *fakeSessions) Resume(id string) (string, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status[id] != world.SessionConnected {
		return "", "", world.ErrNoSession
	}
	return "token-2", "ws://127.0.0.1:1/v1/data-channel/" + id, nil
}

func (f *fakeSessions) Terminate(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.status[id]; ok {
		f.status[id] = world.SessionTerminated
	}
	return nil
}

func (f *fakeSessions) Status(id string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.status[id]
	return s, ok
}

// newFixture makes a fixture of a YAML scenario; nil now is the real clock.
func newFixture(t testing.TB, scenario string, now func() time.Time) *fixture {
	t.Helper()
	sc := world.Demo()
	if scenario != "demo" {
		var err error
		if sc, err = world.ParseScenario("test", []byte(scenario)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := world.New(sc, world.Config{Now: now, Machine: func(world.Node, world.NodeSpec, world.DialFunc) (shell.Machine, error) { return machine{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	f := &fixture{t: t, creds: NewCredentials(w.Account(), "tester"), gate: &fakeSessions{status: map[string]string{}}}
	f.Handler = New(Config{World: w, Sessions: f.gate, Verifier: NewVerifier(Require, w.Region(), w.Clock().Real, f.creds)})
	return f
}

// post sends a signed request and returns the answer.
func (f *fixture) post(target, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
	service := "ssm"
	switch {
	case target == "":
		service = "sts"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	case strings.HasPrefix(target, "TrentService"):
		service = "kms"
	case strings.HasPrefix(target, "Logs_20140328"):
		service = "logs"
	case strings.HasPrefix(target, "AWSEC2InstanceConnectService"):
		service = "ec2-instance-connect"
	}
	if target != "" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", target)
	}
	sign(r, body, service, f.creds, f.world.Clock().Real())
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return rec
}

// sign is a signer for POST of its own, independent of the verifier: fixed
// headers, in their order.
func sign(r *http.Request, body, service string, c Credentials, now time.Time) {
	date := now.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", date)
	headers, names := "host:"+r.Host+"\nx-amz-date:"+date+"\n", "host;x-amz-date"
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
		headers += "x-amz-security-token:" + c.SessionToken + "\n"
		names += ";x-amz-security-token"
	}
	canonical := fmt.Sprintf("POST\n%s\n\n%s\n%s\n%x", r.URL.Path, headers, names, sha256.Sum256([]byte(body)))
	scope := date[:8] + "/us-east-1/" + service + "/aws4_request"
	text := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", date, scope, sha256.Sum256([]byte(canonical)))
	key := []byte("AWS4" + c.SecretAccessKey)
	for _, s := range append(strings.Split(scope, "/"), text) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", c.AccessKeyID, scope, names, key))
}

// ssm calls an operation and decodes its answer; code is the error's, or empty.
func (f *fixture) ssm(op, body string) (answer map[string]any, code string) {
	f.t.Helper()
	return f.json("AmazonSSM."+op, body)
}

func (f *fixture) json(target, body string) (answer map[string]any, code string) {
	f.t.Helper()
	rec := f.post(target, body)
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
		f.t.Fatalf("%s: %v in %q", target, err, rec.Body)
	}
	code, _ = answer["__type"].(string)
	if (rec.Code == http.StatusOK) != (code == "") {
		f.t.Fatalf("%s: status %d with %q", target, rec.Code, rec.Body)
	}
	f.conforms(target, rec)
	if rec.Header().Get("x-amzn-ErrorType") != code || len(rec.Header().Get("x-amzn-RequestId")) != 36 || rec.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
		f.t.Fatalf("%s: headers %v", target, rec.Header())
	}
	return answer, code
}

// conforms holds an answer of Systems Manager against the model, in whatever test
// it comes.
func (f *fixture) conforms(target string, rec *httptest.ResponseRecorder) {
	f.t.Helper()
	o, ok := model.SSM()[strings.TrimPrefix(target, "AmazonSSM.")]
	if !ok {
		return
	}
	a, err := readAnswer(rec)
	if err != nil {
		f.t.Fatalf("%s: %v", target, err)
	}
	for _, fault := range a.faultsOf(o) {
		f.t.Errorf("%s: %s", target, fault)
	}
}

// must is ssm for calls that succeed.
func (f *fixture) must(op, body string) map[string]any {
	f.t.Helper()
	answer, code := f.ssm(op, body)
	if code != "" {
		f.t.Fatalf("%s: %v", op, answer)
	}
	return answer
}

// at walks into a decoded answer by keys and indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// column collects one member of every item of a list.
func column(list any, member string) string {
	items, _ := list.([]any)
	var out []string
	for _, i := range items {
		out = append(out, fmt.Sprint(at(i, member)))
	}
	return strings.Join(out, " ")
}
