package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// TestMain lets the test binary play the credential_process of a profile.
func TestMain(m *testing.M) {
	if out, ok := os.LookupEnv("AWSAPI_TEST_CREDENTIAL_PROCESS"); ok {
		fmt.Print(out)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// isolate hides the AWS settings of whoever runs the tests and returns the
// empty home folder that takes their place.
func isolate(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // the SDK takes empty for unset
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return home
}

// keys puts long-term keys into the environment.
func keys(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// request is what the fake service saw.
type request struct {
	operation, key, agent, token string
	form                         string
}

// service is a fake AWS endpoint. answer may be nil: then JSON operations get
// an empty object and STS operations their usual answers.
type service struct {
	*httptest.Server
	requests []request
	answer   func(w http.ResponseWriter, r request) bool
}

func newService(t *testing.T, start func(http.Handler) *httptest.Server) *service {
	t.Helper()
	s := &service{}
	s.Server = start(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// serveEverything points each service at s. The SDK's clients for credentials
// do not see AWS_ENDPOINT_URL, only their own variables.
func (s *service) serveEverything(t *testing.T) {
	t.Helper()
	for _, name := range []string{"", "_SSM", "_STS", "_SSO", "_SSO_OIDC"} {
		t.Setenv("AWS_ENDPOINT_URL"+name, s.URL)
	}
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	req := request{form: string(body), agent: r.UserAgent(), token: r.Header.Get("X-Amz-Security-Token")}
	if _, after, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		req.key, _, _ = strings.Cut(after, "/")
	}
	_, req.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	for _, part := range strings.Split(string(body), "&") {
		if name, ok := strings.CutPrefix(part, "Action="); ok {
			req.operation = name
		}
	}
	if r.URL.Path == "/federation/credentials" {
		req.operation = "GetRoleCredentials"
	}
	s.requests = append(s.requests, req)
	w.Header().Set("X-Amzn-Requestid", "req-1")
	if s.answer != nil && s.answer(w, req) {
		return
	}
	switch req.operation {
	case "GetCallerIdentity":
		fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::123456789012:user/ops</Arn><UserId>AIDA</UserId><Account>123456789012</Account>`+
			`</GetCallerIdentityResult></GetCallerIdentityResponse>`)
	case "AssumeRole", "AssumeRoleWithWebIdentity":
		fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials>`+
			`<AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>roletoken</SessionToken>`+
			`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`+
			`<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>`+
			`</%[1]sResult></%[1]sResponse>`, req.operation)
	case "GetRoleCredentials":
		fmt.Fprint(w, `{"roleCredentials":{"accessKeyId":"AKIDSSO","secretAccessKey":"s","sessionToken":"ssotoken","expiration":4070908800000}}`)
	default:
		fmt.Fprint(w, `{}`)
	}
}

// fail answers as SSM does with an error.
func fail(w http.ResponseWriter, status int, code, message string) bool {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	return true
}

// open opens a scope that must open.
func open(t *testing.T, o Options) *Scope {
	t.Helper()
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// wantFault checks the kind of err and that its text and hint hold the words.
func wantFault(t *testing.T, err error, kind fault.Kind, text, hint string) *fault.Error {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want a *fault.Error", err, err)
	}
	if e.Kind != kind || !strings.Contains(e.Error(), text) || !strings.Contains(e.Hint, hint) {
		t.Errorf("got kind %v, error %q, hint %q; want %v, %q, %q", e.Kind, e.Error(), e.Hint, kind, text, hint)
	}
	if strings.ContainsAny(e.Error()+e.Hint, "\r\n") || strings.HasSuffix(e.Error(), ".") || strings.HasSuffix(e.Hint, ".") {
		t.Errorf("error %q and hint %q must be one line without a full stop", e.Error(), e.Hint)
	}
	return e
}

// discardLog keeps the complaints of a TLS server out of the test output.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
