package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

func TestVerifierAgainstSigningVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/sigv4_channels.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name, URL, Region, Body string
			Time                    time.Time
			HeadersAdded            map[string]string
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			u, err := url.Parse(c.URL)
			if err != nil {
				t.Fatal(err)
			}
			creds := Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: c.HeadersAdded["X-Amz-Security-Token"]}
			v := NewVerifier(Require, c.Region, func() time.Time { return c.Time.Add(10 * time.Minute) }, creds)
			r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
			if c.Body != "" {
				r.Method = http.MethodPost
			}
			for k, val := range c.HeadersAdded {
				r.Header.Set(k, val)
			}
			if _, err := v.Verify(r, []byte(c.Body), "ssmmessages"); err != nil {
				t.Errorf("a good signature: %v", err)
			}
			r.URL.RawQuery += "&more=1"
			if _, err := v.Verify(r, []byte(c.Body), "ssmmessages"); errorCode2(err) != "InvalidSignatureException" {
				t.Errorf("another query: %v", err)
			}
		})
	}
}

func errorCode2(err error) string {
	if err == nil {
		return ""
	}
	return errorCode(err)
}

func TestRefusedSignatures(t *testing.T) {
	f := newFixture(t, "", func() time.Time { return noon })
	header := func(k, v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(k, v) }
	}
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), old, with))
		}
	}
	resign := func(c Credentials, at time.Time) func(*http.Request) {
		return func(r *http.Request) { sign(r, "{}", "ssm", c, at) }
	}
	wrongSecret := f.creds
	wrongSecret.SecretAccessKey += "x"
	expired := temporary("123456789012", "r", "me", noon.Add(-time.Second))
	live := temporary("123456789012", "r", "me", noon.Add(time.Hour))
	f.verifier.Issue(expired)
	f.verifier.Issue(live)
	noToken := live
	noToken.SessionToken = ""
	tests := []struct {
		name    string
		change  func(*http.Request)
		code    string
		message string
	}{
		{"a good one", func(*http.Request) {}, "", ""},
		{"temporary credentials", resign(live, noon), "", ""},
		{"none at all", func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"another algorithm", header("Authorization", "Bearer x"), "IncompleteSignatureException", "algorithm"},
		{"no signature", replace("Signature=", "Sig="), "IncompleteSignatureException", "requires 'Signature'"},
		{"a short scope", replace("/aws4_request", ""), "IncompleteSignatureException", "exactly 5"},
		{"an unknown key", replace(f.creds.AccessKeyID, "AKIAOTHER"), "UnrecognizedClientException", "security token"},
		{"a wrong secret", resign(wrongSecret, noon), "InvalidSignatureException", "does not match"},
		{"a token that is missing", resign(noToken, noon), "UnrecognizedClientException", "security token"},
		{"expired credentials", resign(expired, noon), "ExpiredTokenException", "expired"},
		{"a clock 16 minutes slow", resign(f.creds, noon.Add(-16*time.Minute)), "InvalidSignatureException", "Signature expired: 20260301T114400Z is now earlier than 20260301T114500Z (20260301T120000Z - 15 min.)"},
		{"a clock 16 minutes fast", resign(f.creds, noon.Add(16*time.Minute)), "InvalidSignatureException", "Signature not yet current"},
		{"a clock 14 minutes slow", resign(f.creds, noon.Add(-14*time.Minute)), "", ""},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException", "X-Amz-Date"},
		{"another region", replace("us-east-1", "eu-west-1"), "InvalidSignatureException", "eu-west-1"},
		{"another service", replace("/ssm/", "/s3/"), "InvalidSignatureException", "correct service: 'ssm'"},
		{"the host is not signed", replace("host;", ""), "InvalidSignatureException", "'host'"},
		{"another host", func(r *http.Request) { r.Host = "elsewhere" }, "InvalidSignatureException", "does not match"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := f.post("AmazonSSM.DescribeInstanceInformation", "{}", tt.change)
			var e struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			if e.Type != tt.code || !strings.Contains(e.Message, tt.message) {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestABodyChangedOnTheWayIsRefused(t *testing.T) {
	f := newFixture(t, "", nil)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(`{"MaxResults":6}`))
	r.Header.Set("X-Amz-Target", "AmazonSSM.DescribeInstanceInformation")
	sign(r, `{"MaxResults":5}`, "ssm", f.creds, time.Now())
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	if rec.Header().Get("x-amzn-ErrorType") != "InvalidSignatureException" {
		t.Errorf("got %s", rec.Body)
	}
}

func TestModes(t *testing.T) {
	creds := NewCredentials("123456789012", "me")
	unsigned := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/x", nil)
	forged := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/x", nil)
	sign(forged, "", "ssmmessages", NewCredentials("123456789012", "you"), noon)
	tests := []struct {
		mode             string
		unsigned, forged bool
	}{{"require", false, false}, {"accept", true, false}, {"ignore", true, true}}
	for _, tt := range tests {
		mode, err := ParseMode(tt.mode)
		if err != nil {
			t.Fatal(err)
		}
		v := NewVerifier(mode, "us-east-1", func() time.Time { return noon }, creds)
		if _, err := v.VerifyUpgrade(unsigned); (err == nil) != tt.unsigned {
			t.Errorf("%s, unsigned: %v", tt.mode, err)
		}
		if _, err := v.VerifyUpgrade(forged); (err == nil) != tt.forged {
			t.Errorf("%s, forged: %v", tt.mode, err)
		}
	}
	if _, err := ParseMode("maybe"); err == nil {
		t.Error("an unknown mode is taken")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20241010/us-east-1/ssmmessages/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20241010T163726Z", "a=b&c")
	f.Add("AWS4-HMAC-SHA256 ,=,Credential=////", "", "%zz")
	f.Fuzz(func(t *testing.T, auth, date, query string) {
		v := NewVerifier(Require, "us-east-1", time.Now, Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "s"})
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/x", RawQuery: query}, Header: http.Header{"Authorization": {auth}, "X-Amz-Date": {date}}}
		if _, err := v.Verify(r, nil, "ssmmessages"); err == nil {
			t.Errorf("%q was believed", auth)
		}
	})
}

// TestIgnoredSignaturesStillSayWhoItIs: agents prove nothing then, and are the nodes
// that they are.
func TestIgnoredSignaturesStillSayWhoItIs(t *testing.T) {
	base := NewCredentials("123456789012", "admin")
	v := NewVerifier(Ignore, "us-east-1", time.Now, base)
	node := temporary("123456789012", "role", "mi-0123456789abcdef0", time.Now().Add(time.Hour))
	node.Caller.Node = "mi-0123456789abcdef0"
	v.Issue(node)
	for auth, want := range map[string]string{
		"": "",
		algorithm + " Credential=" + node.AccessKeyID + "/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0": node.Caller.Node,
		algorithm + " Credential=unknown/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0":                  "",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", auth)
		if got, err := v.Verify(r, nil, "ssm"); err != nil || got.Node != want {
			t.Errorf("%q is from node %q, %v; want %q", auth, got.Node, err, want)
		}
	}
}
