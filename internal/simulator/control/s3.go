package control

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what ETags are made of
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// s3Codes are the error codes of S3 where they differ from those of JSON 1.1.
var s3Codes = map[string]string{
	"InvalidSignatureException":           "SignatureDoesNotMatch",
	"UnrecognizedClientException":         "InvalidAccessKeyId",
	"MissingAuthenticationTokenException": "AccessDenied",
	"ExpiredTokenException":               "ExpiredToken",
	"IncompleteSignatureException":        "AuthorizationHeaderMalformed",
	"ThrottlingException":                 "SlowDown",
	"AccessDeniedException":               "AccessDenied",
}

// isS3 tells requests to S3, which has its own protocol, by whom they are
// signed for. Unsigned ones are S3's when they read a bucket.
func isS3(r *http.Request) bool {
	if r.Header.Get("X-Amz-Target") != "" {
		return false
	}
	if a := r.Header.Get("Authorization"); a != "" {
		return strings.Contains(a, "/s3/aws4_request")
	}
	return r.URL.Path != "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Bucket    string `xml:"BucketName,omitempty"`
	Key       string `xml:"Key,omitempty"`
	Region    string `xml:"Region,omitempty"`
	RequestID string `xml:"RequestId"`
}

// s3Request is a request to S3 with path-style addresses: /bucket/key.
type s3Request struct {
	*Handler
	w           http.ResponseWriter
	r           *http.Request
	id          string
	caller      Caller
	bucket, key string
}

// serveS3 answers the requests that read, ListBuckets, ListObjectsV2, HeadBucket,
// GetBucketLocation, HeadObject and GetObject, and PutObject.
func (h *Handler) serveS3(w http.ResponseWriter, r *http.Request, body []byte, id string) {
	q := &s3Request{Handler: h, w: w, r: r, id: id}
	q.bucket, q.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("x-amz-request-id", id)
	if _, known := h.world.Bucket(q.bucket); !known && q.bucket != "" && r.Header.Get("Authorization") == "" {
		q.fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist") // as AWS's own ones, of agents and packages
		return
	}
	caller, err := h.verifier.Verify(r, body, "s3")
	if err != nil {
		q.refuse(err)
		return
	}
	q.caller = caller
	if put := r.Method == http.MethodPut && q.key != ""; !put && r.Method != http.MethodGet && r.Method != http.MethodHead {
		q.fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "The simulator's buckets take objects and give them; nothing else changes them.")
		return
	}
	if q.bucket == "" {
		q.listBuckets()
		return
	}
	b, ok := h.world.Bucket(q.bucket)
	switch {
	case !ok:
		q.fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case signedRegion(r, b.Region) != b.Region:
		w.Header().Set("x-amz-bucket-region", b.Region)
		q.fail(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	case r.Method == http.MethodPut:
		q.putObject(body)
	case q.key != "":
		q.object()
	case r.Method == http.MethodHead:
		if q.admitted("HeadBucket") {
			w.Header().Set("x-amz-bucket-region", b.Region)
		}
	case r.URL.Query().Has("location"):
		q.location(b)
	default:
		q.listObjects()
	}
}

// signedRegion is the Region a request is signed for; def when it is not signed.
func signedRegion(r *http.Request, def string) string {
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return def
	}
	return a.region
}

func (q *s3Request) fail(status int, code, message string) {
	if q.r.Method == http.MethodHead { // no body to say more in
		q.w.WriteHeader(status)
		return
	}
	e := s3Error{Code: code, Message: message, Bucket: q.bucket, Key: q.key, RequestID: q.id}
	e.Region = q.w.Header().Get("x-amz-bucket-region")
	q.write(status, e)
}

// refuse answers with what is said in the codes of JSON 1.1.
func (q *s3Request) refuse(err error) {
	e := asAPIError(err)
	status, code := http.StatusForbidden, e.Code
	if c, ok := s3Codes[code]; ok {
		code = c
	}
	if code == "SlowDown" {
		status = http.StatusServiceUnavailable
	}
	q.fail(status, code, e.Message)
}

// admitted counts an operation, and refuses it when the scenario says so.
func (q *s3Request) admitted(operation string) bool {
	if err := q.admit(q.caller, "s3", operation); err != nil {
		q.refuse(err)
		return false
	}
	return true
}

func (q *s3Request) write(status int, v any) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(v); err != nil {
		http.Error(q.w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(b.Bytes())
}

// object answers HeadObject and GetObject, with ranges and conditions.
func (q *s3Request) object() {
	operation := "GetObject"
	if q.r.Method == http.MethodHead {
		operation = "HeadObject"
	}
	if !q.admitted(operation) {
		return
	}
	o, ok := q.world.Object(q.bucket, q.key)
	if !ok {
		q.fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	q.w.Header().Set("ETag", etag(o))
	q.w.Header().Set("Content-Type", "binary/octet-stream")
	http.ServeContent(q.w, q.r, "", o.Modified, bytes.NewReader(o.Data))
}

func etag(o world.Object) string {
	sum := md5.Sum(o.Data) //nolint:gosec // see above
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// s3Time is the form of dates in S3's XML.
const s3Time = "2006-01-02T15:04:05.000Z"

type s3Bucket struct {
	Name         string
	CreationDate string
	BucketRegion string
}

func (q *s3Request) listBuckets() {
	if !q.admitted("ListBuckets") {
		return
	}
	out := struct {
		XMLName xml.Name   `xml:"ListAllMyBucketsResult"`
		XMLNS   string     `xml:"xmlns,attr"`
		Owner   string     `xml:"Owner>ID"`
		Buckets []s3Bucket `xml:"Buckets>Bucket"`
	}{XMLNS: s3Namespace, Owner: q.world.Account()}
	for _, b := range q.world.Buckets() {
		out.Buckets = append(out.Buckets, s3Bucket{b.Name, q.world.Now().UTC().Format(s3Time), b.Region})
	}
	q.write(http.StatusOK, out)
}

func (q *s3Request) location(b world.BucketSpec) {
	if !q.admitted("GetBucketLocation") {
		return
	}
	region := b.Region
	if region == "us-east-1" {
		region = "" // the first Region has no constraint
	}
	q.write(http.StatusOK, struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		XMLNS   string   `xml:"xmlns,attr"`
		Region  string   `xml:",chardata"`
	}{XMLNS: s3Namespace, Region: region})
}

type s3Content struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
	StorageClass string
}

type s3Prefix struct{ Prefix string }

type s3Listing struct {
	XMLName        xml.Name `xml:"ListBucketResult"`
	XMLNS          string   `xml:"xmlns,attr"`
	Name           string
	Prefix         string
	Delimiter      string `xml:",omitempty"`
	EncodingType   string `xml:",omitempty"`
	MaxKeys        int
	KeyCount       int
	IsTruncated    bool
	StartAfter     string      `xml:",omitempty"`
	NextToken      string      `xml:"NextContinuationToken,omitempty"`
	Contents       []s3Content `xml:",omitempty"`
	CommonPrefixes []s3Prefix  `xml:",omitempty"`
}

// listObjects answers ListObjectsV2. A continuation token is the last key.
func (q *s3Request) listObjects() {
	if !q.admitted("ListObjectsV2") {
		return
	}
	args := q.r.URL.Query()
	out := s3Listing{
		XMLNS: s3Namespace, Name: q.bucket, Prefix: args.Get("prefix"), Delimiter: args.Get("delimiter"),
		EncodingType: args.Get("encoding-type"), MaxKeys: 1000, StartAfter: args.Get("start-after"),
	}
	if n, err := strconv.Atoi(args.Get("max-keys")); err == nil && n >= 0 && n < 1000 {
		out.MaxKeys = n
	}
	text := func(s string) string { return s }
	if out.EncodingType == "url" {
		text = func(s string) string { return escape(s, true) }
	}
	after := max(out.StartAfter, args.Get("continuation-token"))
	group := ""
	for _, o := range q.world.Objects(q.bucket, out.Prefix) {
		if o.Key <= after || group != "" && strings.HasPrefix(o.Key, group) {
			continue
		}
		if out.KeyCount == out.MaxKeys {
			out.IsTruncated, out.NextToken = true, after
			break
		}
		out.KeyCount++
		after = o.Key
		if i := strings.Index(o.Key[len(out.Prefix):], out.Delimiter); out.Delimiter != "" && i >= 0 {
			group = o.Key[:len(out.Prefix)+i+len(out.Delimiter)]
			after = group + "\U0010ffff" // past everything in it
			out.CommonPrefixes = append(out.CommonPrefixes, s3Prefix{text(group)})
			continue
		}
		out.Contents = append(out.Contents, s3Content{
			Key: text(o.Key), LastModified: o.Modified.UTC().Truncate(time.Second).Format(s3Time), ETag: etag(o),
			Size: len(o.Data), StorageClass: "STANDARD",
		})
	}
	out.Prefix = text(out.Prefix)
	q.write(http.StatusOK, out)
}
