package awsapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TokenLife is how long a token of ConnectToken opens connections. What was
// opened with it lives on.
const TokenLife = 15 * time.Minute

// ConnectToken makes a password for a database that takes IAM authentication: a
// signed request that the database itself verifies. It is a secret. service is
// rds-db or elasticache, host what the database goes by there (host:port, or the
// name of a cache), query its parameters. It is made here: no call is made but
// for credentials.
func (s *Scope) ConnectToken(ctx context.Context, service, host string, query url.Values) (string, error) {
	const op = "make an authentication token"
	creds, err := s.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return "", explain(op, fmt.Errorf("get credentials: %w", err), s.origin)
	}
	q := url.Values{"Action": {"connect"}, "X-Amz-Expires": {strconv.Itoa(int(TokenLife.Seconds()))}}
	for k, v := range query {
		q[k] = v
	}
	// Without a scheme it would be no URL to the signer; the token goes without.
	u := url.URL{Scheme: "https", Host: host, Path: "/", RawQuery: q.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", Explain(op, err)
	}
	nothing := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, creds, req, hex.EncodeToString(nothing[:]), service, s.Region(), time.Now().UTC())
	if err != nil {
		return "", Explain(op, err)
	}
	return signed[len("https://"):], nil
}
