package awsapi

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// describe makes the cheapest call there is.
func describe(s *Scope) error {
	_, err := s.SSM().DescribeInstanceInformation(context.Background(), &ssm.DescribeInstanceInformationInput{})
	return Explain("list nodes", err)
}

func TestEnvironmentKeysAndEndpoint(t *testing.T) {
	isolate(t)
	keys(t)
	srv := newService(t, httptest.NewServer)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") // must lose against the next
	t.Setenv("AWS_ENDPOINT_URL_SSM", srv.URL)
	s := open(t, Options{AppVersion: "1.2.3"})
	if err := describe(s); err != nil {
		t.Fatal(err)
	}
	if s.Region() != "eu-west-1" || len(srv.requests) != 1 || srv.requests[0].key != "AKIDENV" {
		t.Errorf("region %q, requests %+v", s.Region(), srv.requests)
	}
	if agent := srv.requests[0].agent; !strings.Contains(agent, "ssmdeck/1.2.3") {
		t.Errorf("User-Agent %q, want ssmdeck/1.2.3 in it", agent)
	}
}

func TestIdentityIsAskedOnce(t *testing.T) {
	isolate(t)
	keys(t)
	srv := newService(t, httptest.NewServer)
	s := open(t, Options{Region: "us-east-1", EndpointURL: srv.URL})
	for range 2 {
		if account, err := s.Account(context.Background()); err != nil || account != "123456789012" {
			t.Fatalf("account %q, %v", account, err)
		}
	}
	if len(srv.requests) != 1 {
		t.Errorf("%d calls, want 1", len(srv.requests))
	}
}

func TestEndpointServesAllServicesOnlyOnLoopback(t *testing.T) {
	isolate(t)
	keys(t)
	tests := []struct {
		url string
		all bool
	}{
		{"http://127.0.0.1:4599", true},
		{"http://localhost:4599", true},
		{"http://[::1]:4599", true},
		{"https://vpce-1.ssm.us-east-1.vpce.amazonaws.com", false},
	}
	for _, tt := range tests {
		s := open(t, Options{Region: "us-east-1", EndpointURL: tt.url})
		if got := aws.ToString(s.SSM().Options().BaseEndpoint); got != tt.url {
			t.Errorf("%s: SSM goes to %q", tt.url, got)
		}
		if got := s.KMS().Options().BaseEndpoint != nil; got != tt.all {
			t.Errorf("%s: KMS follows: %v, want %v", tt.url, got, tt.all)
		}
		if got := s.Config().BaseEndpoint != nil; got != tt.all {
			t.Errorf("%s: other services follow: %v, want %v", tt.url, got, tt.all)
		}
		if got := s.STS().Options().BaseEndpoint != nil; got != tt.all {
			t.Errorf("%s: STS follows: %v, want %v", tt.url, got, tt.all)
		}
	}
}

func TestOpenRefusesBadSettings(t *testing.T) {
	home := isolate(t)
	keys(t)
	write(t, filepath.Join(home, "config"), "[default]\nregion = us-east-1\n[profile production]\n[profile staging]\n[sso-session corp]\n")
	t.Run("no Region", func(t *testing.T) {
		t.Setenv("AWS_PROFILE", "production")
		_, err := Open(context.Background(), Options{})
		wantFault(t, err, fault.Usage, "no Region", "--region")
	})
	t.Run("an unknown profile by flag", func(t *testing.T) {
		_, err := Open(context.Background(), Options{Profile: "producton"})
		wantFault(t, err, fault.Usage, `no profile "producton"`, "did you mean --profile production")
	})
	t.Run("an unknown profile by environment", func(t *testing.T) {
		t.Setenv("AWS_PROFILE", "zebra")
		_, err := Open(context.Background(), Options{})
		wantFault(t, err, fault.Usage, `no profile "zebra"`, "choose one of: default, production, staging")
	})
	for _, bad := range []string{"127.0.0.1:4599", "ftp://x", "http://", "://"} {
		_, err := Open(context.Background(), Options{Region: "us-east-1", EndpointURL: bad})
		wantFault(t, err, fault.Usage, "not an endpoint URL", "http://127.0.0.1")
	}
	t.Run("a CA bundle that is not there", func(t *testing.T) {
		t.Setenv("AWS_CA_BUNDLE", filepath.Join(home, "no.pem"))
		_, err := Open(context.Background(), Options{})
		wantFault(t, err, fault.Usage, "no.pem", "AWS_CA_BUNDLE")
	})
	t.Run("a CA bundle without certificates", func(t *testing.T) {
		write(t, filepath.Join(home, "empty.pem"), "nothing")
		t.Setenv("AWS_CA_BUNDLE", filepath.Join(home, "empty.pem"))
		_, err := Open(context.Background(), Options{})
		wantFault(t, err, fault.Usage, "PEM", "AWS_CA_BUNDLE")
	})
	t.Run("a broken config file", func(t *testing.T) {
		write(t, filepath.Join(home, "broken"), "[default]\nregion = us-east-1\naws_access_key_id = only half\n[profile x]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = nobody\n")
		t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "broken"))
		_, err := Open(context.Background(), Options{Profile: "x", Region: "us-east-1"})
		wantFault(t, err, fault.Usage, "nobody", "profile")
	})
}

func TestNoCredentials(t *testing.T) {
	home := isolate(t)
	write(t, filepath.Join(home, "config"), "[profile empty]\nregion = us-east-1\n")
	srv := newService(t, httptest.NewServer)
	t.Run("nowhere", func(t *testing.T) {
		err := describe(open(t, Options{Region: "us-east-1", EndpointURL: srv.URL}))
		wantFault(t, err, fault.Auth, "list nodes: no AWS credentials were found", "ssmdeck demo")
	})
	t.Run("in the profile", func(t *testing.T) {
		err := describe(open(t, Options{Profile: "empty", EndpointURL: srv.URL}))
		wantFault(t, err, fault.Auth, "profile empty has no credentials", "aws configure --profile empty")
	})
	t.Run("for the websocket", func(t *testing.T) {
		s := open(t, Options{Region: "us-east-1"})
		req := httptest.NewRequest(http.MethodGet, "https://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/x", nil)
		wantFault(t, s.SignUpgrade(context.Background(), req), fault.Auth, "no AWS credentials", "aws configure")
	})
	if len(srv.requests) != 0 {
		t.Errorf("something was sent: %+v", srv.requests)
	}
}

func TestCredentialProcess(t *testing.T) {
	home := isolate(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "config"), "[profile proc]\nregion = us-east-1\ncredential_process = \""+self+"\"\n")
	srv := newService(t, httptest.NewServer)
	t.Run("gives keys", func(t *testing.T) {
		t.Setenv("AWSAPI_TEST_CREDENTIAL_PROCESS", `{"Version":1,"AccessKeyId":"AKIDPROC","SecretAccessKey":"s"}`)
		if err := describe(open(t, Options{Profile: "proc", EndpointURL: srv.URL})); err != nil {
			t.Fatal(err)
		}
		if srv.requests[0].key != "AKIDPROC" {
			t.Errorf("signed with %q", srv.requests[0].key)
		}
	})
	t.Run("its output never shows in an error", func(t *testing.T) {
		t.Setenv("AWSAPI_TEST_CREDENTIAL_PROCESS", `{"SecretAccessKey":"hunter2", oops`)
		err := describe(open(t, Options{Profile: "proc", EndpointURL: srv.URL}))
		wantFault(t, err, fault.Auth, "credential_process", "by hand")
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "hunter2") {
				t.Errorf("leaks the key: %v", e)
			}
		}
	})
}

func TestAssumedRoles(t *testing.T) {
	home := isolate(t)
	write(t, filepath.Join(home, "credentials"), "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n")
	write(t, filepath.Join(home, "config"), "[profile role]\nregion = us-east-1\nsource_profile = base\nrole_arn = arn:aws:iam::123456789012:role/r\n"+
		"[profile mfa]\nregion = us-east-1\nsource_profile = base\nrole_arn = arn:aws:iam::123456789012:role/r\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n")
	srv := newService(t, httptest.NewServer)
	srv.serveEverything(t)
	ask := func(code string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return code, nil }
	}
	tests := []struct {
		name string
		o    Options
		sts  string // in the request for the role
	}{
		{"of the profile", Options{Profile: "role"}, "RoleSessionName=ssmdeck"},
		{"of the profile, with MFA", Options{Profile: "mfa", MFA: ask(" 123456\n")}, "TokenCode=123456"},
		{"of the flag", Options{Profile: "base", Region: "us-east-1", RoleARN: "arn:aws:iam::123456789012:role/x"}, "role%2Fx"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv.requests = nil
			if err := describe(open(t, tt.o)); err != nil {
				t.Fatal(err)
			}
			if len(srv.requests) != 2 || srv.requests[0].key != "AKIDBASE" || !strings.Contains(srv.requests[0].form, tt.sts) {
				t.Fatalf("requests %+v, want AssumeRole with %s first", srv.requests, tt.sts)
			}
			if r := srv.requests[1]; r.key != "AKIDROLE" || r.token != "roletoken" {
				t.Errorf("SSM was called with %q, %q", r.key, r.token)
			}
		})
	}
	t.Run("with MFA and nobody to ask", func(t *testing.T) {
		err := describe(open(t, Options{Profile: "mfa"}))
		wantFault(t, err, fault.Auth, "MFA code", "terminal")
	})
	t.Run("denied by STS", func(t *testing.T) {
		srv.answer = func(w http.ResponseWriter, r request) bool {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/r</Message></Error></ErrorResponse>`))
			return true
		}
		err := describe(open(t, Options{Profile: "role", ReadOnly: true}))
		wantFault(t, err, fault.Auth, "not allowed: sts:AssumeRole on arn:aws:iam::123456789012:role/r", "sts:AssumeRole")
	})
}

func TestWebIdentity(t *testing.T) {
	home := isolate(t)
	srv := newService(t, httptest.NewServer)
	srv.serveEverything(t)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", filepath.Join(home, "token"))
	t.Run("without its file", func(t *testing.T) {
		wantFault(t, describe(open(t, Options{})), fault.Auth, "web identity", "AWS_WEB_IDENTITY_TOKEN_FILE")
	})
	t.Run("with its file", func(t *testing.T) {
		write(t, filepath.Join(home, "token"), "jwt")
		if err := describe(open(t, Options{})); err != nil {
			t.Fatal(err)
		}
		if r := srv.requests[len(srv.requests)-1]; r.key != "AKIDROLE" {
			t.Errorf("signed with %q", r.key)
		}
	})
}

func TestSSO(t *testing.T) {
	home := isolate(t)
	write(t, filepath.Join(home, "config"), "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n"+
		"[profile prod]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Ops\n"+
		"[profile old]\nregion = us-east-1\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = Ops\n")
	srv := newService(t, httptest.NewServer)
	srv.serveEverything(t)
	token := func(name, expires string) {
		sum := sha1.Sum([]byte(name))
		write(t, filepath.Join(home, ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json"),
			`{"accessToken":"tok","expiresAt":"`+expires+`","region":"us-east-1","startUrl":"https://corp.awsapps.com/start"}`)
	}
	t.Run("never logged in", func(t *testing.T) {
		err := describe(open(t, Options{Profile: "prod"}))
		wantFault(t, err, fault.Auth, "SSO session has expired or was never begun", "`aws sso login --profile prod`")
	})
	t.Run("never logged in, legacy profile", func(t *testing.T) {
		err := describe(open(t, Options{Profile: "old"}))
		wantFault(t, err, fault.Auth, "SSO session", "`aws sso login --profile old`")
	})
	t.Run("expired", func(t *testing.T) {
		token("corp", "2020-01-01T00:00:00Z")
		err := describe(open(t, Options{Profile: "prod"}))
		wantFault(t, err, fault.Auth, "SSO session", "`aws sso login --profile prod`")
	})
	token("corp", "2099-01-01T00:00:00Z")
	t.Run("a cached token is used", func(t *testing.T) {
		if err := describe(open(t, Options{Profile: "prod"})); err != nil {
			t.Fatal(err)
		}
		if r := srv.requests[len(srv.requests)-1]; r.key != "AKIDSSO" || r.token != "ssotoken" {
			t.Errorf("SSM was called with %+v", r)
		}
	})
	t.Run("the service calls the token expired", func(t *testing.T) {
		srv.answer = func(w http.ResponseWriter, r request) bool {
			return r.operation != "GetRoleCredentials" && fail(w, 400, "ExpiredTokenException", "The security token included in the request is expired")
		}
		err := describe(open(t, Options{Profile: "prod"}))
		e := wantFault(t, err, fault.Auth, "the credentials have expired", "`aws sso login --profile prod`")
		if e.Code != "ExpiredTokenException" || e.RequestID != "req-1" {
			t.Errorf("code %q, request id %q", e.Code, e.RequestID)
		}
	})
	t.Run("the role is not given", func(t *testing.T) {
		srv.answer = func(w http.ResponseWriter, r request) bool {
			w.Header().Set("X-Amzn-Errortype", "ForbiddenException")
			return fail(w, 403, "ForbiddenException", "No access")
		}
		err := describe(open(t, Options{Profile: "prod"}))
		wantFault(t, err, fault.Auth, "does not give you this account or role", "sso_role_name")
	})
}

func TestCABundle(t *testing.T) {
	home := isolate(t)
	keys(t)
	srv := newService(t, func(h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.Config.ErrorLog = discardLog()
		s.StartTLS()
		return s
	})
	o := Options{Region: "us-east-1", EndpointURL: srv.URL}
	t.Run("missing", func(t *testing.T) {
		wantFault(t, describe(open(t, o)), fault.Failed, "unknown authority", "AWS_CA_BUNDLE")
	})
	bundle := filepath.Join(home, "ca.pem")
	write(t, bundle, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	t.Setenv("AWS_CA_BUNDLE", bundle)
	s := open(t, o)
	t.Run("serves the SDK", func(t *testing.T) {
		if err := describe(s); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("serves the websocket, which speaks HTTP/1.1", func(t *testing.T) {
		resp, err := s.HTTPClient().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.ProtoMajor != 1 {
			t.Errorf("got %s, want HTTP/1.1", resp.Proto)
		}
		if first, second := s.HTTPClient(), s.HTTPClient(); first != second {
			t.Error("each call makes a new client, so connections are not shared")
		}
	})
}

// The proxy settings are read once in a process, so each case runs in its own.
func TestProxy(t *testing.T) {
	if os.Getenv("AWSAPI_TEST_PROXY_CHILD") != "" {
		isolate(t)
		keys(t)
		s := open(t, Options{Region: "us-east-1"})
		wantFault(t, describe(s), fault.Failed, "the proxy does not let the call through: Forbidden", "HTTPS_PROXY")
		if _, err := s.HTTPClient().Get("https://ssmmessages.us-east-1.amazonaws.com/"); err == nil {
			t.Error("the websocket's client went past the proxy")
		}
		return
	}
	var hosts []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Method+" "+r.Host)
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$")
	cmd.Env = append(os.Environ(), "AWSAPI_TEST_PROXY_CHILD=1", "HTTPS_PROXY="+proxy.URL, "https_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.Join(hosts, "\n")
	for _, want := range []string{"CONNECT ssm.us-east-1.amazonaws.com:443", "CONNECT ssmmessages.us-east-1.amazonaws.com:443"} {
		if !strings.Contains(got, want) {
			t.Errorf("the proxy saw\n%s\nwant %s", got, want)
		}
	}
}

func TestLoginSession(t *testing.T) {
	home := isolate(t)
	t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", filepath.Join(home, "login"))
	write(t, filepath.Join(home, "config"), "[profile me]\nregion = us-east-1\nlogin_session = arn:aws:iam::123456789012:user/me\n")
	err := describe(open(t, Options{Profile: "me"}))
	wantFault(t, err, fault.Auth, "the login session has expired or was never begun", "`aws login --profile me`")
}

func TestContainerCredentialsThatFail(t *testing.T) {
	isolate(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"code":"NoRole","message":"no role for this task"}`, http.StatusBadRequest)
	}))
	defer srv.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", srv.URL)
	s := open(t, Options{Region: "us-east-1"})
	wantFault(t, describe(s), fault.Auth, "no role for this task", "aws sso login")
	if s.Profile() != "" || s.Endpoint() != "" {
		t.Errorf("profile %q, endpoint %q; want none", s.Profile(), s.Endpoint())
	}
}

func TestStaticLooksAtNothingElse(t *testing.T) {
	home := isolate(t)
	keys(t)
	write(t, filepath.Join(home, "config"), "[default]\nregion = us-west-2\n")
	elsewhere := newService(t, httptest.NewServer)
	elsewhere.serveEverything(t)
	t.Setenv("AWS_PROFILE", "not-there")
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(home, "no.pem"))
	srv := newService(t, httptest.NewServer)
	s := open(t, Options{
		Profile: "production", Region: "us-west-2", RoleARN: "arn:aws:iam::123456789012:role/r", EndpointURL: elsewhere.URL,
		Static: &Static{Endpoint: srv.URL, Region: "eu-west-1", AccessKeyID: "AKIDSIM", SecretAccessKey: "s"},
	})
	if err := describe(s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(elsewhere.requests) != 0 || len(srv.requests) != 2 || srv.requests[0].key != "AKIDSIM" || srv.requests[1].key != "AKIDSIM" {
		t.Errorf("here %+v, elsewhere %+v", srv.requests, elsewhere.requests)
	}
	if s.Region() != "eu-west-1" || s.Profile() != "" {
		t.Errorf("region %q, profile %q", s.Region(), s.Profile())
	}
	_, err := Open(t.Context(), Options{Region: "us-east-1", Static: &Static{Endpoint: "https://ssm.us-east-1.amazonaws.com"}})
	wantFault(t, err, fault.Usage, "loopback", "")
	_, err = Open(t.Context(), Options{Region: "us-east-1", Static: &Static{}})
	wantFault(t, err, fault.Usage, "loopback", "")
}

func TestWithSignsWithOtherCredentialsAndSharesTheMeter(t *testing.T) {
	isolate(t)
	var signed []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = append(signed, r.Header.Get("Authorization")+" "+r.Header.Get("X-Amz-Security-Token"))
		_, _ = w.Write([]byte("{}"))
	}))
	defer srv.Close()
	s, err := Open(context.Background(), Options{Static: &Static{Endpoint: srv.URL, Region: "eu-central-1", AccessKeyID: "AKIDOWN", SecretAccessKey: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	with := s.With(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		asked++
		// Within five minutes of their end they are not good enough.
		return aws.Credentials{AccessKeyID: "ASIAOTHER", SecretAccessKey: "s", SessionToken: "tok", CanExpire: true, Expires: time.Now().Add(4 * time.Minute)}, nil
	}))
	for _, scope := range []*Scope{s, with, with} {
		if _, err := scope.SSM().TerminateSession(context.Background(), &ssm.TerminateSessionInput{SessionId: aws.String("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if len(signed) != 3 || !strings.Contains(signed[0], "AKIDOWN") || !strings.Contains(signed[1], "ASIAOTHER") || !strings.HasSuffix(signed[2], " tok") {
		t.Errorf("signed by %q", signed)
	}
	if asked != 2 {
		t.Errorf("credentials were fetched %d times", asked)
	}
	if with.Meter() != s.Meter() {
		t.Error("the meter is not shared")
	}
}

func TestOnceSentACallIsAnswered(t *testing.T) {
	isolate(t)
	ctx, leave := context.WithCancel(t.Context())
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		leave() // while the call is under way
		_, _ = w.Write([]byte(`{"SessionId":"me-1"}`))
	}))
	defer srv.Close()
	s, err := Open(t.Context(), Options{Static: &Static{Endpoint: srv.URL, Region: "eu-central-1", AccessKeyID: "AKIDOWN", SecretAccessKey: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	in := &ssm.StartSessionInput{Target: aws.String("i-0123456789abcdef0")}
	if out, err := s.SSM().StartSession(OnceSent(ctx), in); err != nil || aws.ToString(out.SessionId) != "me-1" {
		t.Errorf("the answer was not waited for: %v", err)
	}
	if _, err := s.SSM().StartSession(OnceSent(ctx), in); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("a call was sent when everything had ended: %v, %d calls", err, calls)
	}
}
