package awsapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
	token, err := connectToken(ctx, creds, s.Region(), service, host, query, time.Now())
	return token, Explain(op, err)
}

func connectToken(ctx context.Context, creds aws.Credentials, region, service, host string, query url.Values, now time.Time) (string, error) {
	q := url.Values{"Action": {"connect"}, "X-Amz-Expires": {strconv.Itoa(int(TokenLife.Seconds()))}}
	maps.Copy(q, query)
	// Without a scheme it would be no URL to the signer; the token goes without.
	u := url.URL{Scheme: "https", Host: host, Path: "/", RawQuery: q.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	nothing := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, creds, req, hex.EncodeToString(nothing[:]), service, region, now.UTC())
	return strings.TrimPrefix(signed, "https://"), err
}
