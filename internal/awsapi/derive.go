package awsapi

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// In returns the scope of the same caller in another Region, with a meter
// of its own. Credentials are shared: an MFA code is asked for once. An
// endpoint that is no simulator's belongs to its Region and is not taken along.
func (s *Scope) In(region string) *Scope {
	t := s.derive(region, s.role, s.cfg.Credentials)
	if !s.local && region != s.Region() {
		t.endpoint = ""
		t.clients()
	}
	return t
}

// As returns the scope of a role in the same Region, with a meter of its own.
// The role is assumed, through STS with the credentials of s, when they
// are first needed. externalID may be empty.
func (s *Scope) As(roleARN, externalID string) *Scope {
	provider := stscreds.NewAssumeRoleProvider(s.STS(), roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = roleSession
		if externalID != "" {
			o.ExternalID = aws.String(externalID)
		}
	})
	return s.derive(s.Region(), roleARN, aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewBefore }))
}

func (s *Scope) derive(region, role string, creds aws.CredentialsProvider) *Scope {
	t := &Scope{cfg: s.bare.Copy(), bare: s.bare, options: s.options, origin: s.origin, role: role, endpoint: s.endpoint, local: s.local, meter: newMeter()}
	t.cfg.Region = region
	// A Region that is not enabled refuses good credentials: no reason for all
	// Regions to resolve them anew.
	t.creds = &renewable{current: creds, build: func() (aws.CredentialsProvider, error) { return creds, nil }}
	t.cfg.Credentials = t.creds
	t.instrument(s.options)
	t.clients()
	return t
}

// place is where the scope's calls go and who makes them, for the limits that all
// scopes of one account and Region share.
func (s *Scope) place() string {
	parts := []string{s.options.Profile, s.role, s.cfg.Region, s.endpoint}
	if k := s.options.Static; k != nil {
		parts = append(parts, k.Endpoint, k.AccessKeyID)
	}
	return strings.Join(parts, "\n")
}

// Local reports whether the scope's endpoint is a loopback address, which is
// taken to be a simulator.
func (s *Scope) Local() bool { return s.local }

// Partition returns the partition of a Region, by the prefix of its name.
func Partition(region string) string {
	for _, p := range [...]struct{ prefix, partition string }{
		{"cn-", "aws-cn"},
		{"us-gov-", "aws-us-gov"},
		{"us-iso-", "aws-iso"},
		{"us-isob-", "aws-iso-b"},
		{"eu-isoe-", "aws-iso-e"},
		{"us-isof-", "aws-iso-f"},
		{"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return "aws"
}
