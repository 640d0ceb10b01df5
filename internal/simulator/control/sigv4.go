package control

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mode is how strict a Verifier is.
type Mode int

// The modes. The zero Mode is Require.
const (
	Require Mode = iota // every request must be signed, and rightly
	Accept              // unsigned requests pass, wrongly signed ones do not
	Ignore              // signatures are not looked at
)

// ParseMode reads "require", "accept" or "ignore".
func ParseMode(s string) (Mode, error) {
	i := slices.Index([]string{"require", "accept", "ignore"}, s)
	if i < 0 {
		return 0, fmt.Errorf("%q is not one of require, accept, ignore", s)
	}
	return Mode(i), nil
}

// maxSkew is how far the date of a request may be off.
const maxSkew = 15 * time.Minute

// Verifier checks Signature Version 4 (IAM User Guide, "Create a signed AWS API
// request"). It is safe for concurrent use.
type Verifier struct {
	mode   Mode
	region string
	now    func() time.Time
	base   Credentials
	store  *credentialStore
}

// NewVerifier returns a Verifier that knows base, which is also who unsigned
// requests are taken to be from.
func NewVerifier(mode Mode, region string, now func() time.Time, base Credentials) *Verifier {
	v := &Verifier{mode: mode, region: region, now: now, base: base, store: &credentialStore{}}
	v.store.add(base)
	return v
}

// In returns a Verifier for another Region that knows the same credentials, for
// which unsigned requests are from base.
func (v *Verifier) In(region string, base Credentials) *Verifier {
	return &Verifier{mode: v.mode, region: region, now: v.now, base: base, store: v.store}
}

// Signer returns what the signature of a request claims, unchecked: the account
// of the credentials and the Region. ok is false when there is none that we could
// have issued the credentials of.
func (v *Verifier) Signer(r *http.Request) (account, region string, ok bool) {
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return "", "", false
	}
	c, ok := v.store.find(a.keyID)
	return c.Caller.account(), a.region, ok
}

// Issue makes more credentials valid.
func (v *Verifier) Issue(c Credentials) { v.store.add(c) }

// Revoke makes credentials unknown.
func (v *Verifier) Revoke(c Credentials) { v.store.remove(c.AccessKeyID) }

// VerifyUpgrade checks a request to the message gateway (service ssmmessages):
// the upgrade of a websocket, or an agent's POST, whose body it puts back. node
// is that of a role for nodes, empty for a user. An error means status 403.
func (v *Verifier) VerifyUpgrade(r *http.Request) (node string, err error) {
	var body []byte
	if r.Method == http.MethodPost {
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxBody)); err != nil {
			return "", err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	caller, err := v.Verify(r, body, "ssmmessages")
	return caller.Node, err
}

// Verify checks who sent a request with the given body to a service. Its errors
// are those of the JSON protocol.
func (v *Verifier) Verify(r *http.Request, body []byte, service string) (Caller, error) {
	header := r.Header.Get("Authorization")
	switch {
	case v.mode == Ignore: // who it is from is believed
		if a, err := parseAuthorization(header); err == nil {
			if c, ok := v.store.find(a.keyID); ok {
				return c.Caller, nil
			}
		}
		return v.base.Caller, nil
	case v.mode == Accept && header == "":
		return v.base.Caller, nil
	case header == "":
		return Caller{}, &apiError{Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
	}
	a, err := parseAuthorization(header)
	if err != nil {
		return Caller{}, err
	}
	c, err := v.credentials(r, a)
	if err != nil {
		return Caller{}, err
	}
	date, err := v.checkScope(r, a, service)
	if err != nil {
		return Caller{}, err
	}
	want := a.signature(c.SecretAccessKey, date, canonicalRequest(r, body, a.headers, service))
	if subtle.ConstantTimeCompare([]byte(want), []byte(a.sig)) != 1 {
		return Caller{}, badSignature("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return c.Caller, nil
}

func badSignature(message string) error {
	return &apiError{Code: "InvalidSignatureException", Message: message}
}

// credentials finds whose key signed, and checks the session token.
func (v *Verifier) credentials(r *http.Request, a authorization) (Credentials, error) {
	bad := &apiError{Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}
	c, ok := v.store.find(a.keyID)
	token := r.Header.Get("X-Amz-Security-Token")
	switch {
	case !ok, subtle.ConstantTimeCompare([]byte(c.SessionToken), []byte(token)) != 1:
		return c, bad
	case !c.Expires.IsZero() && v.now().After(c.Expires):
		return c, &apiError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
	}
	return c, nil
}

// dateFormat is the form of X-Amz-Date.
const dateFormat = "20060102T150405Z"

// checkScope checks date, region and service and returns X-Amz-Date.
func (v *Verifier) checkScope(r *http.Request, a authorization, service string) (string, error) {
	date := r.Header.Get("X-Amz-Date")
	t, err := time.Parse(dateFormat, date)
	if err != nil {
		return "", incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	now := v.now().UTC()
	for _, h := range []string{"host", "x-amz-date"} {
		if !slices.Contains(a.headers, h) {
			return "", badSignature("'" + h + "' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	switch {
	case t.Before(now.Add(-maxSkew)):
		return "", badSignature(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", date, now.Add(-maxSkew).Format(dateFormat), now.Format(dateFormat)))
	case t.After(now.Add(maxSkew)):
		return "", badSignature(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", date, now.Add(maxSkew).Format(dateFormat), now.Format(dateFormat)))
	case a.day != date[:8]:
		return "", badSignature(fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", a.day, date[:8], date))
	case a.region != v.region && service != "s3" && service != "iam" && service != organizationsService: // they are where they are
		return "", badSignature(fmt.Sprintf("Credential should be scoped to a valid region, not '%s'; the simulator is in '%s'.", a.region, v.region))
	case service != "" && a.service != service:
		return "", badSignature(fmt.Sprintf("Credential should be scoped to correct service: '%s'.", service))
	}
	return date, nil
}

// authorization is a parsed Authorization header.
type authorization struct {
	keyID, day, region, service string
	headers                     []string // lower case, as listed
	sig                         string
}

const algorithm = "AWS4-HMAC-SHA256"

func incomplete(message string) error {
	return &apiError{Code: "IncompleteSignatureException", Message: message}
}

func parseAuthorization(header string) (a authorization, err error) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return a, incomplete("Unsupported AWS 'algorithm' in the Authorization header.")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		k, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return a, incomplete(fmt.Sprintf("Authorization header has a part that is no key=value pair: %q.", part))
		}
		parts[k] = v
	}
	for _, k := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[k] == "" {
			return a, incomplete("Authorization header requires '" + k + "' parameter.")
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return a, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	return authorization{
		keyID: scope[0], day: scope[1], region: scope[2], service: scope[3],
		headers: strings.Split(parts["SignedHeaders"], ";"), sig: parts["Signature"],
	}, nil
}

// stringToSign is what is signed, with whatever key.
func (a authorization) stringToSign(date, canonical string) string {
	scope := strings.Join([]string{a.day, a.region, a.service, "aws4_request"}, "/")
	return strings.Join([]string{algorithm, date, scope, hashHex([]byte(canonical))}, "\n")
}

// signature computes what a's signature should be.
func (a authorization) signature(secret, date, canonical string) string {
	toSign := a.stringToSign(date, canonical)
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.day, a.region, a.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, toSign))
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

func hashHex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func canonicalRequest(r *http.Request, body []byte, signed []string, service string) string {
	var b strings.Builder
	path := canonicalPath(r.URL)
	if service == "s3" {
		path = escape(r.URL.Path, true) // once: keys are not normalised
	}
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.RawQuery) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + canonicalValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n")
	hash := hashHex(body)
	if r.Header.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD" {
		hash = "UNSIGNED-PAYLOAD"
	}
	b.WriteString(hash)
	return b.String()
}

// canonicalPath escapes the path as it was sent once more, as all services but
// S3 have it.
func canonicalPath(u *url.URL) string {
	p := u.EscapedPath()
	if p == "" {
		p = "/"
	}
	return escape(p, true)
}

// canonicalQuery sorts and escapes the query. A raw '+' is read as a space, as
// the signers of the SDKs for Go do.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	var pairs [][2]string
	for part := range strings.SplitSeq(raw, "&") {
		k, v, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{reescape(k), reescape(v)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}

func reescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s
	}
	return escape(plain, false)
}

// escape percent-encodes all but the unreserved characters of RFC 3986, and
// slashes where they separate.
func escape(s string, slash bool) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0, c == '/' && slash:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// canonicalValue is the value of a header, trimmed and with runs of spaces
// made one.
func canonicalValue(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch name {
	case "host":
		values = []string{r.Host}
	case "content-length":
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.FieldsFunc(v, func(c rune) bool { return c == ' ' }), " ")
	}
	return strings.Join(trimmed, ",")
}
