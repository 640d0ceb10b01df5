package awsapi

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// renewable is the provider of a scope's credentials. The SDK reads the shared
// files once, so that a long-lived process never sees keys that were rotated
// there; after the service has refused the credentials, or there were none to be
// had, this one resolves the whole chain anew before they are used again.
type renewable struct {
	build func() (aws.CredentialsProvider, error)

	mu      sync.Mutex
	current aws.CredentialsProvider
	refused bool
}

// Retrieve returns the present credentials.
func (r *renewable) Retrieve(ctx context.Context) (aws.Credentials, error) {
	p := r.provider()
	creds, err := p.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		r.refuse()
	}
	return creds, err
}

// provider returns the present provider, a new one after a refusal. A chain that
// cannot be resolved, because a file is being written, say, leaves the old one.
func (r *renewable) provider() aws.CredentialsProvider {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused {
		if p, err := r.build(); err == nil {
			r.current, r.refused = p, false
		}
	}
	return r.current
}

// refuse notes that the present credentials are of no use.
func (r *renewable) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = true
}

// refusesCredentials reports whether a service does not take the credentials
// themselves, whatever they are allowed.
func refusesCredentials(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure",
		"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException":
		return true
	default:
		return false
	}
}
