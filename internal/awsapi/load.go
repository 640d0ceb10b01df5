package awsapi

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// dialTimeout bounds the TCP connect of one attempt: on a network without a
// route the SDK's 30 s, three times over, is more than anyone waits.
const dialTimeout = 10 * time.Second

// answerTimeout bounds the wait for the head of an answer: a server that accepts
// and says nothing must not hang a command. No call of ours polls for longer.
const answerTimeout = 20 * time.Second

// idleConnections are kept for the next calls: as many as anything here makes at once.
const idleConnections = 64

// roleSession names the sessions of an assumed role in CloudTrail.
const roleSession = "ssmdeck"

// origin is where the credentials come from, as far as hints need to know.
type origin struct {
	profile string // "" for the default profile and for environment keys
	named   bool   // profile was chosen by flag or AWS_PROFILE
	sso     bool   // profile logs in through IAM Identity Center
	login   bool   // profile logs in through `aws login`
}

func (o Options) withDefaults() Options {
	if o.Lookup == nil {
		o.Lookup = os.LookupEnv
	}
	if o.Paces == nil {
		o.Paces = new(Paces)
	}
	return o
}

// load resolves the SDK configuration. The metadata lookup is first left out,
// and put back when the profile turns out to ask for it.
func load(ctx context.Context, o Options) (aws.Config, origin, error) {
	if o.Static != nil {
		return staticConfig(o), origin{}, nil
	}
	org := origin{profile: profileName(o)}
	org.named = org.profile != ""
	quiet := !metadataWanted(o.Lookup)
	cfg, err := loadWith(ctx, o, quiet)
	if err != nil {
		return cfg, org, explainLoad(o, org, err)
	}
	shared := sharedConfig(cfg)
	if quiet && asksMetadata(shared) {
		if cfg, err = loadWith(ctx, o, false); err != nil {
			return cfg, org, explainLoad(o, org, err)
		}
	}
	org.sso = usesSSO(shared)
	org.login = shared.LoginSession != ""
	return cfg, org, nil
}

// staticConfig is a configuration without sources: nothing from outside can
// point one of its clients elsewhere.
func staticConfig(o Options) aws.Config {
	k := o.Static
	return aws.Config{
		Region:      cmp.Or(k.Region, o.Region),
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
		HTTPClient:  newHTTPClient(),
		Logger:      logging.Nop{},
	}
}

// newHTTPClient is buildable: with a plain *http.Client LoadDefaultConfig fails
// when AWS_CA_BUNDLE is set; this one takes the bundle in.
func newHTTPClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTimeout
			t.MaxIdleConnsPerHost = idleConnections
		})
}

func loadWith(ctx context.Context, o Options, noMetadata bool) (aws.Config, error) {
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(newHTTPClient()),
		config.WithLogger(logging.Nop{}), // the SDK's remarks are not for standard error
		// Without a token provider a profile with mfa_serial fails to load.
		config.WithAssumeRoleCredentialOptions(func(r *stscreds.AssumeRoleOptions) {
			r.TokenProvider = mfaProvider(ctx, o.MFA)
			if r.RoleSessionName == "" {
				r.RoleSessionName = roleSession
			}
		}),
	}
	if o.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		opts = append(opts, config.WithRegion(o.Region))
	}
	if noMetadata {
		opts = append(opts, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	return config.LoadDefaultConfig(ctx, opts...)
}

// provider returns the credentials of a configuration, or those of the role that
// is assumed with them.
func (s *Scope) provider(cfg aws.Config, role string) aws.CredentialsProvider {
	if role == "" {
		return cfg.Credentials
	}
	client := sts.NewFromConfig(cfg, func(c *sts.Options) { s.override(&c.BaseEndpoint, s.local) })
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, role,
		func(r *stscreds.AssumeRoleOptions) { r.RoleSessionName = roleSession }))
}

// renewable returns the scope's credentials; ctx is that of Open.
func (s *Scope) renewable(ctx context.Context, cfg aws.Config, o Options) *renewable {
	return &renewable{
		current: s.provider(cfg, o.RoleARN),
		build: func() (aws.CredentialsProvider, error) {
			fresh, _, err := load(ctx, o)
			if err != nil {
				return nil, err
			}
			return s.provider(fresh, o.RoleARN), nil
		},
	}
}

// mfaProvider adapts Options.MFA, whose context the SDK has no place for.
func mfaProvider(ctx context.Context, ask func(context.Context) (string, error)) func() (string, error) {
	return func() (string, error) {
		if ask == nil {
			return "", fault.New(fault.Auth, "assume the role of the profile", "an MFA code is needed and nobody can be asked").
				WithHint("run the command on a terminal, or put temporary keys into the environment")
		}
		code, err := ask(ctx)
		return strings.TrimSpace(code), err
	}
}

// profileName is the profile in use, "" for the default one.
func profileName(o Options) string {
	if o.Profile != "" {
		return o.Profile
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} { // the SDK's order
		if v, ok := o.Lookup(name); ok && v != "" {
			return v
		}
	}
	return ""
}

// sharedConfig finds the profile among the sources of cfg.
func sharedConfig(cfg aws.Config) config.SharedConfig {
	for _, src := range cfg.ConfigSources {
		switch c := src.(type) {
		case config.SharedConfig:
			return c
		case *config.SharedConfig:
			return *c
		}
	}
	return config.SharedConfig{}
}

// usesSSO reports whether the profile, or the one its role builds on, logs in
// through IAM Identity Center.
func usesSSO(c config.SharedConfig) bool {
	for p := &c; p != nil; p = p.Source {
		if p.SSOSessionName != "" || p.SSOStartURL != "" {
			return true
		}
	}
	return false
}

func asksMetadata(c config.SharedConfig) bool {
	for p := &c; p != nil; p = p.Source {
		if p.CredentialSource == "Ec2InstanceMetadata" || p.EC2IMDSEndpoint != "" {
			return true
		}
	}
	return false
}

// metadataWanted decides, without the network, whether to leave the metadata
// lookup to the SDK; see the package doc.
func metadataWanted(lookup func(string) (string, bool)) bool {
	if v, ok := lookup("AWS_EC2_METADATA_DISABLED"); ok && v != "" {
		return true // the SDK obeys it either way
	}
	if v, ok := lookup("AWS_EC2_METADATA_SERVICE_ENDPOINT"); ok && v != "" {
		return true
	}
	return onEC2(os.ReadFile, os.Stat)
}

// onEC2 looks for traces of EC2 on this machine: the firmware strings Linux
// shows (Nitro and Xen), and the launch agents of Amazon's Windows and macOS
// images. The paths of one system do not exist on the others.
func onEC2(read func(string) ([]byte, error), stat func(string) (os.FileInfo, error)) bool {
	for path, prefix := range map[string]string{
		"/sys/devices/virtual/dmi/id/sys_vendor":   "amazon ec2",
		"/sys/devices/virtual/dmi/id/board_vendor": "amazon ec2",
		"/sys/hypervisor/uuid":                     "ec2",
	} {
		if b, err := read(path); err == nil && strings.HasPrefix(strings.ToLower(string(b)), prefix) {
			return true
		}
	}
	for _, path := range []string{
		`C:\ProgramData\Amazon\EC2Launch`,
		`C:\ProgramData\Amazon\EC2-Windows\Launch`,
		"/usr/local/aws/ec2-macos-init",
	} {
		if _, err := stat(path); err == nil {
			return true
		}
	}
	return false
}

// explainLoad turns an error of LoadDefaultConfig into a *fault.Error.
func explainLoad(o Options, org origin, err error) error {
	const op = "load the AWS configuration"
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		if org.named && missing.Profile != org.profile {
			return fault.New(fault.Usage, op, "profile %s builds on profile %q, which does not exist", org.profile, missing.Profile).
				WithHint("correct source_profile of profile %s in ~/.aws/config", org.profile)
		}
		return unknownProfile(missing.Profile, Profiles(o.Lookup))
	}
	if bundle, ok := o.Lookup("AWS_CA_BUNDLE"); ok && bundle != "" {
		var pathErr *os.PathError
		if strings.Contains(err.Error(), "custom CA bundle") || (errors.As(err, &pathErr) && pathErr.Path == bundle) {
			return fault.New(fault.Usage, op, "AWS_CA_BUNDLE names no readable file of PEM certificates: %s", bundle).
				WithHint("correct or unset AWS_CA_BUNDLE")
		}
	}
	var broken config.SharedConfigLoadError
	if errors.As(err, &broken) {
		return fault.New(fault.Usage, op, "%s cannot be read: %w", broken.Filename, broken.Err).
			WithHint("correct the file, or name another with AWS_CONFIG_FILE")
	}
	if errors.Is(err, context.Canceled) {
		return explain(op, err, org)
	}
	e := fault.New(fault.Usage, op, "%w", said(oneLine(err.Error()), err))
	if org.profile != "" {
		return e.WithHint("check profile %s in ~/.aws/config", org.profile)
	}
	return e.WithHint("check the AWS_ variables of the environment and ~/.aws/config")
}
