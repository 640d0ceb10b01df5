package awsapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// channelService is the signing name of the message gateway.
const channelService = "ssmmessages"

// presigned lists the query parameters of a URL that already carries a
// signature; one of them is enough.
var presigned = [...]string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
	"X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token",
}

// SignUpgrade signs the request that opens a data channel, with credentials
// fetched now, by adding Authorization, X-Amz-Date and, for temporary
// credentials, X-Amz-Security-Token. The signed headers are exactly
// host;x-amz-date[;x-amz-security-token], whatever else req carries, and the
// URL stays as it is. A URL that brings its own signature is left alone.
//
// Call it anew for each connection; a signature is good for five minutes.
func (s *Scope) SignUpgrade(ctx context.Context, req *http.Request) error {
	query := req.URL.Query()
	for _, key := range presigned {
		if query.Has(key) {
			return nil
		}
	}
	creds, err := s.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return explain("sign the session connection", fmt.Errorf("get credentials: %w", err), s.origin)
	}
	return signChannel(ctx, creds, s.Region(), req, "", nil, time.Now())
}

// signChannel signs req, whose body is body, as the official clients do: the
// SDK's signer on the URL as given, so a raw '+' in the query is read as a
// space. Of req's own headers none is signed; contentType is, unless empty.
func signChannel(ctx context.Context, creds aws.Credentials, region string, req *http.Request, contentType string, body []byte, now time.Time) error {
	u := *req.URL
	switch u.Scheme { // the scheme is no part of a signature, but signers want one they know
	case "wss":
		u.Scheme = "https"
	case "ws":
		u.Scheme = "http"
	}
	bare := (&http.Request{Method: req.Method, URL: &u, Host: req.Host, Header: http.Header{}}).WithContext(ctx)
	if contentType != "" {
		bare.Header.Set("Content-Type", contentType)
	}
	sum := sha256.Sum256(body)
	err := v4.NewSigner().SignHTTP(ctx, creds, bare, hex.EncodeToString(sum[:]), channelService, region, now.UTC())
	if err != nil {
		return fmt.Errorf("sign the session connection: %w", err)
	}
	req.Header.Del("X-Amz-Security-Token") // of an earlier signature
	for _, key := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if v := bare.Header.Get(key); v != "" {
			req.Header.Set(key, v)
		}
	}
	return nil
}
