// Package awsapi is the only door to AWS: it opens a Scope (one account and
// Region), builds its clients, paces and meters their calls, and turns SDK
// errors into *fault.Error (see Explain).
//
// What it promises for every call made through a Scope's clients:
//
//   - calls are paced per operation and slow down when the service asks for it;
//   - throttles are retried up to ten times, other passing faults twice, and a
//     call that may not be repeated (SendCommand has no client token) is never
//     sent again after an answer was lost;
//   - a read-only scope sends nothing that writes;
//   - credentials that a service refuses are resolved anew before the next
//     call, so that a long-lived command sees keys that were renewed on disk;
//   - debug logs name operations, times and codes, never values.
//
// Profiles, SSO, roles, credential processes, endpoints, CA bundles and proxies
// are the SDK's business; this package only translates what it says about them.
//
// # Instance metadata
//
// The last link of the SDK's credential chain asks the EC2 metadata address.
// On a laptop nobody answers there and the call hangs, so the lookup is off
// unless this machine looks like EC2 (firmware strings and files of Amazon's
// images, no network) or the user configured it: AWS_EC2_METADATA_DISABLED=false,
// AWS_EC2_METADATA_SERVICE_ENDPOINT, credential_source=Ec2InstanceMetadata or
// ec2_metadata_service_endpoint in the profile. AWS_EC2_METADATA_DISABLED=true
// always switches it off.
package awsapi

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Options says which scope to open. Zero fields mean the SDK's own defaults.
type Options struct {
	Profile string // shared config profile; "" = AWS_PROFILE or default
	Region  string // "" = AWS_REGION or the profile's

	// EndpointURL replaces the address of SSM. A loopback address is taken to
	// be a simulator that serves KMS and STS too; any other (a VPC endpoint)
	// serves SSM alone, and the other services keep their own addresses.
	EndpointURL string

	// RoleARN is assumed with the credentials of Profile.
	RoleARN string

	// ReadOnly refuses, before anything is sent, every operation that writes.
	ReadOnly bool

	// Debug receives one line per API call; nil means none.
	Debug *slog.Logger

	// MFA asks the user for the code of an MFA device. It is called with the
	// context given to Open, while credentials are fetched. Nil means that no
	// one can be asked.
	MFA func(ctx context.Context) (string, error)

	// AppVersion is added to the User-Agent as ssmdeck/<version>.
	AppVersion string

	// Paces are shared by the scopes of a process; nil means paces of its own.
	Paces *Paces

	// Static, when set, is all there is: no profile, file, variable or role is
	// looked at, so that a simulator in this process can never be mistaken for
	// the account of whoever runs it.
	Static *Static

	// Lookup reads environment variables; nil means os.LookupEnv. It serves the
	// decisions made here; the SDK reads the real environment by itself.
	Lookup func(string) (string, bool)
}

// Static is a place to go to with fixed keys, such as the embedded simulator.
type Static struct {
	Endpoint                                   string // serves SSM, KMS and STS; must be a loopback URL
	Region                                     string // "" = that of Options
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Scope is one account and Region: its clients, its pace and its meter. It is
// safe for concurrent use.
type Scope struct {
	cfg      aws.Config
	bare     aws.Config // cfg before pace and meter were put in
	options  Options
	origin   origin
	role     string // ARN of the role that was assumed, "" for none
	endpoint string // EndpointURL as given
	local    bool   // endpoint is a loopback address
	meter    *Meter
	creds    *renewable

	ssm  func() *ssm.Client
	kms  func() *kms.Client
	sts  func() *sts.Client
	http func() *http.Client

	mu       sync.Mutex
	identity Identity // zero until STS has answered
}

// Identity is who the scope's credentials belong to.
type Identity struct {
	Account string // twelve digits
	ARN     string
	UserID  string
}

// Open resolves the profile, Region and credentials provider of a scope. It
// makes no call: credentials are fetched when first needed. Its errors are
// *fault.Error: Usage for a missing Region, an unknown profile or a bad
// setting, Auth for credentials that cannot work.
func Open(ctx context.Context, o Options) (*Scope, error) {
	o = o.withDefaults()
	if o.Static != nil {
		o.Profile, o.RoleARN, o.EndpointURL = "", "", o.Static.Endpoint
	}
	local, err := checkEndpoint(o.EndpointURL)
	if err != nil {
		return nil, err
	}
	if o.Static != nil && !local {
		return nil, fault.Usagef("fixed keys are for loopback endpoints, not for %q", o.EndpointURL)
	}
	cfg, org, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		return nil, fault.New(fault.Usage, "choose a Region", "no Region is configured").
			WithHint("name one with --region, AWS_REGION or `aws configure`")
	}
	s := &Scope{cfg: cfg, origin: org, role: o.RoleARN, endpoint: o.EndpointURL, local: local, meter: newMeter()}
	if local {
		s.cfg.BaseEndpoint = aws.String(o.EndpointURL) // for the clients others build from Config
	}
	s.bare, s.options = s.cfg.Copy(), o
	s.creds = s.renewable(ctx, cfg, o)
	s.cfg.Credentials = s.creds
	s.instrument(o)
	s.clients()
	return s, nil
}

// clients makes the clients of s when they are first asked for.
func (s *Scope) clients() {
	s.ssm = sync.OnceValue(func() *ssm.Client {
		return ssm.NewFromConfig(s.cfg, func(c *ssm.Options) { s.override(&c.BaseEndpoint, true) })
	})
	s.kms = sync.OnceValue(func() *kms.Client {
		return kms.NewFromConfig(s.cfg, func(c *kms.Options) { s.override(&c.BaseEndpoint, s.local) })
	})
	s.sts = sync.OnceValue(func() *sts.Client {
		return sts.NewFromConfig(s.cfg, func(c *sts.Options) { s.override(&c.BaseEndpoint, s.local) })
	})
	s.http = sync.OnceValue(func() *http.Client { return &http.Client{Transport: http1Transport(s.cfg)} })
}

// With returns the same scope with other credentials, which are cached and
// renewed five minutes before they end. Pace and meter are shared.
func (s *Scope) With(credentials aws.CredentialsProvider) *Scope {
	t := &Scope{cfg: s.cfg.Copy(), bare: s.bare, options: s.options, origin: s.origin, endpoint: s.endpoint, local: s.local, meter: s.meter}
	t.cfg.Credentials = aws.NewCredentialsCache(credentials, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewBefore })
	t.clients()
	return t
}

// renewBefore is how long before their end credentials are renewed.
const renewBefore = 5 * time.Minute

// override points a client at the endpoint of Options when it is meant for it.
func (s *Scope) override(base **string, meant bool) {
	if meant && s.endpoint != "" {
		*base = aws.String(s.endpoint)
	}
}

// Region returns the scope's Region.
func (s *Scope) Region() string { return s.cfg.Region }

// Profile returns the name of the profile in use, "" for none.
func (s *Scope) Profile() string { return s.origin.profile }

// Role returns the ARN of the role that the scope's credentials are of, as far as
// it was given in Options or to As.
func (s *Scope) Role() string { return s.role }

// Endpoint returns the endpoint given in Options, "" for none.
func (s *Scope) Endpoint() string { return s.endpoint }

// Config returns a copy of the SDK configuration, for clients of services that
// this package does not know. They are paced, metered and guarded as well.
func (s *Scope) Config() aws.Config { return s.cfg.Copy() }

// SSM returns the scope's Systems Manager client.
func (s *Scope) SSM() *ssm.Client { return s.ssm() }

// KMS returns the scope's Key Management Service client.
func (s *Scope) KMS() *kms.Client { return s.kms() }

// STS returns the scope's Security Token Service client.
func (s *Scope) STS() *sts.Client { return s.sts() }

// Meter returns the counters of the calls made through the scope.
func (s *Scope) Meter() *Meter { return s.meter }

// HTTPClient returns the client for websocket upgrades: the CA bundle and the
// proxy of the SDK's transport, HTTP/1.1 only, no time limit.
func (s *Scope) HTTPClient() *http.Client { return s.http() }

// Login gets the credentials now, which may ask for an MFA code, so that nothing is
// asked later. It makes no call where they are at hand.
func (s *Scope) Login(ctx context.Context) error {
	if _, err := s.cfg.Credentials.Retrieve(ctx); err != nil {
		return explain("log in", fmt.Errorf("get credentials: %w", err), s.origin)
	}
	return nil
}

// Identity asks STS, once, whose credentials these are. A failure is not
// remembered.
func (s *Scope) Identity(ctx context.Context) (Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.identity.Account != "" {
		return s.identity, nil
	}
	out, err := s.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, Explain("identify the caller", err)
	}
	id := Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), UserID: aws.ToString(out.UserId)}
	s.identity = id
	return id, nil
}

// Account returns the scope's account id; see Identity.
func (s *Scope) Account(ctx context.Context) (string, error) {
	id, err := s.Identity(ctx)
	return id.Account, err
}

// checkEndpoint reports whether raw is a loopback address, or a Usage error
// when it is no http(s) URL. The empty string is fine.
func checkEndpoint(raw string) (local bool, err error) {
	if raw == "" {
		return false, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return false, fault.Usagef("%q is not an endpoint URL", raw).
			WithHint("write it like https://ssm.eu-central-1.amazonaws.com or http://127.0.0.1:4599")
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback()), nil
}

// http1Transport clones the SDK's transport and takes HTTP/2 out of it: a
// websocket upgrade exists in HTTP/1.1 only, and a server that is offered h2
// may choose it.
func http1Transport(cfg aws.Config) *http.Transport {
	client, ok := cfg.HTTPClient.(interface{ GetTransport() *http.Transport })
	if !ok {
		client = awshttp.NewBuildableClient()
	}
	t := client.GetTransport().Clone()
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return t
}
