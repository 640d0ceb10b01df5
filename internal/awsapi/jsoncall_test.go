package awsapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

var thingService = JSONService{ID: "Thing Service", Signing: "things", Target: "Things_2026"}

// thingServer answers each request with the next of answers: a status, or 200 and a body.
func thingServer(t *testing.T, answers ...func(w http.ResponseWriter, r *http.Request, body string)) *Scope {
	t.Helper()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if n >= len(answers) {
			t.Errorf("a request too many: %s", body)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		n++
		answers[n-1](w, r, string(body))
	}))
	t.Cleanup(srv.Close)
	s, err := Open(t.Context(), Options{Static: &Static{Endpoint: srv.URL, Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSONCallsAreSignedAndRead(t *testing.T) {
	s := thingServer(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("X-Amz-Target") != "Things_2026.GetThing" || body != `{"Name":"x"}` {
			t.Errorf("got %s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		if a := r.Header.Get("Authorization"); !strings.Contains(a, "/eu-west-1/things/aws4_request") || r.Header.Get("X-Amz-Security-Token") != "token" {
			t.Errorf("signed with %q", a)
		}
		_, _ = io.WriteString(w, `{"Size":3}`)
	})
	var out struct{ Size int }
	if err := NewJSON(s.Config(), thingService).Call(t.Context(), "GetThing", &struct{ Name string }{"x"}, &out); err != nil || out.Size != 3 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestErrorsOfJSONCallsAreExplained(t *testing.T) {
	s := thingServer(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("X-Amzn-RequestId", "r-1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.things#ThingNotFoundException:http://x","Message":"There is no thing."}`)
	})
	err := Explain("get the thing", NewJSON(s.Config(), thingService).Call(t.Context(), "GetThing", &struct{}{}, nil))
	if fault.KindOf(err) != fault.NotFound || requestIDOf(err) != "r-1" {
		t.Errorf("got %v of %v", err, fault.KindOf(err))
	}
}

func requestIDOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.RequestID
	}
	return ""
}

func TestJSONReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	fails := func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(http.StatusInternalServerError) }
	good := func(w http.ResponseWriter, _ *http.Request, _ string) { _, _ = io.WriteString(w, `{}`) }
	if err := NewJSON(thingServer(t, fails, good).Config(), thingService).Call(t.Context(), "GetThing", &struct{}{}, nil); err != nil {
		t.Errorf("a read: %v", err)
	}
	if err := NewJSON(thingServer(t, fails).Config(), thingService).Call(t.Context(), "CreateThing", &struct{}{}, nil); err == nil {
		t.Error("a write that may have been done has no error")
	}
}

func TestAReadOnlyScopeSendsNoJSONWrite(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	defer srv.Close()
	s, err := Open(t.Context(), Options{ReadOnly: true, Static: &Static{Endpoint: srv.URL, Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	err = NewJSON(s.Config(), thingService).Call(t.Context(), "PutRule", &struct{}{}, nil)
	if fault.KindOf(err) != fault.Refused {
		t.Errorf("got %v", err)
	}
}

func TestEndpointsOfJSONServices(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "https://things.eu-west-1.amazonaws.com", "cn-north-1": "https://things.cn-north-1.amazonaws.com.cn", "us-gov-west-1": "https://things.us-gov-west-1.amazonaws.com", "us-isob-east-1": "https://things.us-isob-east-1.sc2s.sgov.gov",
	} {
		c := &JSONClient{service: thingService}
		c.cfg.Region = region
		if got := c.endpoint(); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
}
