package awsapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// signCase is a case of testdata/sigv4_channels.json, which was produced by
// the signer of the official agent.
type signCase struct {
	Name, URL, Region, Service, Body string
	AccessKeyID                      string `json:"accessKeyId"`
	SecretAccessKey                  string
	Time                             time.Time
	HeadersAdded                     map[string]string
}

func signCases(t *testing.T) []signCase {
	t.Helper()
	raw, err := os.ReadFile("testdata/sigv4_channels.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []signCase }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 6 {
		t.Fatalf("%d cases, want 6", len(file.Cases))
	}
	return file.Cases
}

func TestSignChannelAgainstVectors(t *testing.T) {
	for _, c := range signCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			u, err := url.Parse(c.URL)
			if err != nil {
				t.Fatal(err)
			}
			method, contentType := http.MethodGet, c.HeadersAdded["Content-Type"]
			creds := aws.Credentials{
				// The POST case leaves the keys out; they are those of the others.
				AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				SessionToken: c.HeadersAdded["X-Amz-Security-Token"],
			}
			if c.Body != "" {
				method = http.MethodPost
			} else if c.AccessKeyID != creds.AccessKeyID || c.SecretAccessKey != creds.SecretAccessKey {
				t.Fatalf("unexpected keys in the case: %q", c.AccessKeyID)
			}
			req := &http.Request{Method: method, URL: u, Header: http.Header{
				"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Key": {"x"}, "User-Agent": {"y"}, "Origin": {"z"},
			}}
			if err := signChannel(context.Background(), creds, c.Region, req, contentType, []byte(c.Body), c.Time); err != nil {
				t.Fatal(err)
			}
			for name, want := range c.HeadersAdded {
				if name == "Content-Type" {
					continue
				}
				if got := req.Header.Get(name); got != want {
					t.Errorf("%s:\n got %s\nwant %s", name, got, want)
				}
			}
			if _, has := c.HeadersAdded["X-Amz-Security-Token"]; !has && req.Header.Get("X-Amz-Security-Token") != "" {
				t.Error("a token header for keys without a token")
			}
			if got := req.URL.String(); got != c.URL {
				t.Errorf("the URL became %s, want %s", got, c.URL)
			}
			if req.Header.Get("Sec-Websocket-Key") != "x" {
				t.Error("the headers of the upgrade were lost")
			}
		})
	}
}

func TestSignUpgrade(t *testing.T) {
	isolate(t)
	keys(t)
	t.Setenv("AWS_SESSION_TOKEN", "tok")
	s := open(t, Options{Region: "us-east-1"})
	upgrade := func(rawURL string) *http.Request {
		u, err := url.Parse(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}
	}
	t.Run("adds the three headers", func(t *testing.T) {
		req := upgrade("wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/s?role=publish_subscribe")
		if err := s.SignUpgrade(context.Background(), req); err != nil {
			t.Fatal(err)
		}
		if req.Header.Get("Authorization") == "" || req.Header.Get("X-Amz-Date") == "" || req.Header.Get("X-Amz-Security-Token") != "tok" {
			t.Errorf("headers %v", req.Header)
		}
	})
	for _, key := range presigned {
		req := upgrade("wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/s?role=publish_subscribe&" + key + "=x")
		if err := s.SignUpgrade(context.Background(), req); err != nil || len(req.Header) != 0 {
			t.Errorf("with %s in the query: %v, headers %v; want none", key, err, req.Header)
		}
	}
}
