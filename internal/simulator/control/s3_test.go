package control

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const storage = `
nodes: [{id: i-00000000000000001}]
buckets: [{name: logs}, {name: far, region: eu-west-1}]
log_groups: [{name: /g}]
`

// get sends a signed request to S3. path is escaped as it goes on the wire.
func (f *fixture) get(method, path, query, region string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1"+path+"?"+query, nil)
	date := f.world.Now().UTC().Format("20060102T150405Z")
	empty := fmt.Sprintf("%x", sha256.Sum256(nil))
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("X-Amz-Content-Sha256", empty)
	values, _ := url.ParseQuery(query)
	canonical := method + "\n" + path + "\n" + strings.ReplaceAll(values.Encode(), "+", "%20") + "\nhost:" + r.Host + "\nx-amz-content-sha256:" + empty +
		"\nx-amz-date:" + date + "\n\nhost;x-amz-content-sha256;x-amz-date\n" + empty
	scope := date[:8] + "/" + region + "/s3/aws4_request"
	text := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", date, scope, sha256.Sum256([]byte(canonical)))
	key := []byte("AWS4" + f.creds.SecretAccessKey)
	for _, s := range append(strings.Split(scope, "/"), text) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=%x", f.creds.AccessKeyID, scope, key))
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	f.ServeHTTP(rec, r)
	return rec
}

func TestObjects(t *testing.T) {
	f := newFixture(t, storage, nil)
	f.world.PutObject("logs", "a b/me@x+1.log", []byte("0123456789"))
	const path = "/logs/a%20b/me%40x%2B1.log"
	rec := f.get(http.MethodGet, path, "x-id=GetObject", "us-east-1")
	etag := rec.Header().Get("ETag")
	if rec.Code != http.StatusOK || rec.Body.String() != "0123456789" || etag == "" {
		t.Fatalf("%d %q", rec.Code, rec.Body)
	}
	part := f.get(http.MethodGet, path, "", "us-east-1", func(r *http.Request) { r.Header.Set("Range", "bytes=7-"); r.Header.Set("If-Match", etag) })
	if part.Code != http.StatusPartialContent || part.Body.String() != "789" || part.Header().Get("Content-Range") != "bytes 7-9/10" {
		t.Errorf("a range: %d %q %v", part.Code, part.Body, part.Header())
	}
	f.world.PutObject("logs", "a b/me@x+1.log", []byte("changed"))
	if rec := f.get(http.MethodGet, path, "", "us-east-1", func(r *http.Request) { r.Header.Set("If-Match", etag) }); rec.Code != http.StatusPreconditionFailed {
		t.Errorf("a changed object: %d", rec.Code)
	}
	if rec := f.get(http.MethodHead, path, "", "us-east-1"); rec.Code != http.StatusOK || rec.Header().Get("Content-Length") != "7" || rec.Body.Len() != 0 {
		t.Errorf("HEAD: %d %v", rec.Code, rec.Header())
	}
}

func TestRefusalsOfS3(t *testing.T) {
	f := newFixture(t, storage+"denied: [\"s3:ListBuckets\"]\n", nil)
	f.world.PutObject("far", "x", []byte("far"))
	for _, tt := range []struct {
		name, method, path, region string
		status                     int
		code                       string
	}{
		{"no bucket", http.MethodGet, "/nosuch/x", "us-east-1", 404, "NoSuchBucket"},
		{"no object", http.MethodGet, "/logs/x", "us-east-1", 404, "NoSuchKey"},
		{"another Region", http.MethodGet, "/far/x", "us-east-1", 301, "PermanentRedirect"},
		{"the right Region", http.MethodGet, "/far/x", "eu-west-1", 200, ""},
		{"a denied call", http.MethodGet, "/", "us-east-1", 403, "AccessDenied"},
		{"a write to no bucket", http.MethodPut, "/nosuch/x", "us-east-1", 404, "NoSuchBucket"},
		{"an end", http.MethodDelete, "/logs/x", "us-east-1", 405, "MethodNotAllowed"},
	} {
		rec := f.get(tt.method, tt.path, "", tt.region)
		var e s3Error
		if tt.code != "" {
			if err := xml.Unmarshal(rec.Body.Bytes(), &e); err != nil {
				t.Errorf("%s: %v in %q", tt.name, err, rec.Body)
			}
		}
		if rec.Code != tt.status || e.Code != tt.code {
			t.Errorf("%s: %d %s", tt.name, rec.Code, e.Code)
		}
		if tt.code == "PermanentRedirect" && rec.Header().Get("X-Amz-Bucket-Region") != "eu-west-1" {
			t.Errorf("%s: it does not say where to: %v", tt.name, rec.Header())
		}
	}
	f.creds.SecretAccessKey = "wrong"
	if rec := f.get(http.MethodGet, "/logs/x", "", "us-east-1"); rec.Code != 403 || !strings.Contains(rec.Body.String(), "<Code>SignatureDoesNotMatch</Code>") {
		t.Errorf("a wrong signature: %d %s", rec.Code, rec.Body)
	}
	if rec := f.get(http.MethodHead, "/nosuch", "", "us-east-1"); rec.Code != 403 || rec.Body.Len() != 0 {
		t.Errorf("HEAD has no body: %d %q", rec.Code, rec.Body)
	}
}

func TestListObjects(t *testing.T) {
	f := newFixture(t, storage, nil)
	for _, key := range []string{"a/1", "a/2", "b", "c/x/1", "c/x/2", "d"} {
		f.world.PutObject("logs", key, []byte(key))
	}
	list := func(query string) (got string, l s3Listing) {
		t.Helper()
		rec := f.get(http.MethodGet, "/logs", strings.TrimSuffix("list-type=2&"+query, "&"), "us-east-1")
		if err := xml.Unmarshal(rec.Body.Bytes(), &l); rec.Code != http.StatusOK || err != nil {
			t.Fatalf("%s: %d %q %v", query, rec.Code, rec.Body, err)
		}
		var keys []string
		for _, c := range l.Contents {
			keys = append(keys, c.Key)
		}
		for _, p := range l.CommonPrefixes {
			keys = append(keys, p.Prefix)
		}
		return strings.Join(keys, " "), l
	}
	for query, want := range map[string]string{
		"": "a/1 a/2 b c/x/1 c/x/2 d", "prefix=c%2F": "c/x/1 c/x/2", "delimiter=%2F": "b d a/ c/",
		"prefix=c%2F&delimiter=%2F": "c/x/", "prefix=zz": "", "start-after=b": "c/x/1 c/x/2 d",
	} {
		if got, _ := list(query); got != want {
			t.Errorf("%q: %s", query, got)
		}
	}
	// Page by page nothing is left out and nothing comes twice.
	var all []string
	token := ""
	for range 10 {
		got, l := list("delimiter=%2F&max-keys=1&continuation-token=" + url.QueryEscape(token))
		all = append(all, got)
		if token = l.NextToken; !l.IsTruncated {
			break
		}
	}
	if strings.Join(all, " ") != "a/ b c/ d" {
		t.Errorf("pages: %v", all)
	}
	if got, _ := list("max-keys=2"); got != "a/1 a/2" {
		t.Errorf("a page: %s", got)
	}
}

func TestPutObject(t *testing.T) {
	f := newFixture(t, storage, nil)
	if rec := f.get(http.MethodPut, "/logs/a/b", "", "us-east-1"); rec.Code != 200 || rec.Header().Get("ETag") == "" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if o, ok := f.world.Object("logs", "a/b"); !ok || len(o.Data) != 0 {
		t.Errorf("%v, %v", o, ok)
	}
	for in, want := range map[string]string{
		"5;chunk-signature=x\r\nhello\r\n0;chunk-signature=y\r\n\r\n": "hello",
		"2\r\nab\r\n1\r\nc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n": "abc",
		"0\r\n\r\n": "",
	} {
		if got, ok := unchunk([]byte(in)); !ok || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "5", "5\r\nhell", "5\r\nhelloo\r\n", "-1\r\n", "fffffffff\r\nx", "x\r\n"} {
		if got, ok := unchunk([]byte(in)); ok {
			t.Errorf("%q: %q", in, got)
		}
	}
}
