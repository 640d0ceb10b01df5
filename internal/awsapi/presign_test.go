package awsapi

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// The wanted signature was made by another implementation: botocore 1.43,
// generate_db_auth_token, with its clock held.
func TestConnectTokenIsWhatOtherSDKsMake(t *testing.T) {
	creds := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "session/token+="}
	const host = "orders.cluster-abc.eu-central-1.rds.amazonaws.com:5432"
	token, err := connectToken(t.Context(), creds, "eu-central-1", "rds-db", host, url.Values{"DBUser": {"app user"}}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	const want = host + "/?Action=connect&DBUser=app%20user&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
		"&X-Amz-Credential=AKIDEXAMPLE%2F20260301%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=900" +
		"&X-Amz-SignedHeaders=host&X-Amz-Security-Token=session%2Ftoken%2B%3D" +
		"&X-Amz-Signature=07e9764eb1344c834ca5e3a3708864109198b41a6ee005f751d9c2c86adb26c3"
	if sorted(token) != sorted(want) { // the order of a query's parts means nothing
		t.Errorf("got\n%s\nwant\n%s", token, want)
	}
}

func sorted(token string) string {
	at, query, _ := strings.Cut(token, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return err.Error()
	}
	return at + "?" + q.Encode()
}

func TestConnectTokenNeedsCredentials(t *testing.T) {
	s := &Scope{cfg: aws.Config{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no EC2 IMDS role found")
	})}}
	token, err := s.ConnectToken(t.Context(), "rds-db", "db:5432", nil)
	if token != "" || fault.KindOf(err) != fault.Auth {
		t.Errorf("token %q, error %v", token, err)
	}
}
