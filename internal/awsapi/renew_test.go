package awsapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// credentialsFile writes a shared credentials file with one key.
func credentialsFile(t *testing.T, home, key string) {
	t.Helper()
	write(t, filepath.Join(home, "credentials"), "[default]\naws_access_key_id = "+key+"\naws_secret_access_key = s\n")
}

func TestRefusedKeysAreReadAnew(t *testing.T) {
	home := isolate(t)
	t.Setenv("AWS_REGION", "us-east-1")
	srv := newService(t, httptest.NewServer)
	srv.serveEverything(t)
	srv.answer = func(w http.ResponseWriter, r request) bool {
		if r.key == "AKIDOLD" && r.operation == "AssumeRole" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>invalid</Message></Error></ErrorResponse>`)
			return true
		}
		return r.key == "AKIDOLD" && fail(w, 400, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	for _, role := range []string{"", "arn:aws:iam::123456789012:role/r"} {
		credentialsFile(t, home, "AKIDOLD")
		s := open(t, Options{RoleARN: role})
		call := func() error { return describe(s) }
		wantFault(t, call(), fault.Auth, "does not know these credentials", "")
		wantFault(t, call(), fault.Auth, "does not know these credentials", "")
		credentialsFile(t, home, "AKIDNEW")
		if err := call(); err != nil {
			t.Errorf("role %q: with new keys on disk: %v", role, err)
		}
		want := "AKIDNEW"
		if role != "" {
			want = "AKIDROLE"
		}
		if r := srv.requests[len(srv.requests)-1]; r.key != want {
			t.Errorf("role %q: called with %s, want %s", role, r.key, want)
		}
	}
}

func TestKeysThatWorkAreNotReadAnew(t *testing.T) {
	home := isolate(t)
	t.Setenv("AWS_REGION", "us-east-1")
	srv := newService(t, httptest.NewServer)
	srv.serveEverything(t)
	credentialsFile(t, home, "AKIDOLD")
	s := open(t, Options{})
	for _, answer := range []func(w http.ResponseWriter, r request) bool{
		nil,
		func(w http.ResponseWriter, _ request) bool { return fail(w, 400, "AccessDeniedException", "no") },
		nil,
	} {
		srv.answer = answer
		_ = describe(s)
		credentialsFile(t, home, "AKIDNEW")
	}
	for _, r := range srv.requests {
		if r.key != "AKIDOLD" {
			t.Errorf("called with %s", r.key)
		}
	}
}

func TestAChainThatCannotBeResolvedLeavesTheOldOne(t *testing.T) {
	home := isolate(t)
	t.Setenv("AWS_REGION", "us-east-1")
	srv := newService(t, httptest.NewServer)
	srv.serveEverything(t)
	refuse := true
	srv.answer = func(w http.ResponseWriter, _ request) bool {
		return refuse && fail(w, 400, "ExpiredTokenException", "expired")
	}
	credentialsFile(t, home, "AKIDOLD")
	s := open(t, Options{})
	wantFault(t, describe(s), fault.Auth, "have expired", "")
	write(t, filepath.Join(home, "config"), "[default\nnonsense")
	wantFault(t, describe(s), fault.Auth, "have expired", "")
	write(t, filepath.Join(home, "config"), "")
	credentialsFile(t, home, "AKIDNEW")
	refuse = false
	if err := describe(s); err != nil {
		t.Error(err)
	}
	if r := srv.requests[len(srv.requests)-1]; r.key != "AKIDNEW" {
		t.Errorf("called with %s", r.key)
	}
}
