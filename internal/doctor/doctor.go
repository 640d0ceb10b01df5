// Package doctor finds out why a machine is not managed, or can not be reached:
// whether it has what Systems Manager needs of it (an agent, rights, a network)
// and what the caller needs.
//
// Facts are collected in parallel; rules, which are pure, turn them into checks;
// each check has its evidence, and a finding has a cause with a stable name
// (Causes) and the commands that repair it. What may not be read is a check that
// was skipped and says which right is missing: it is never taken for good.
//
// Evidence beats inference. What the configuration says against an agent that is
// connected right now is a warning, not a failure.
package doctor

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/iam"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
)

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	Pass Status = "PASS"
	Warn Status = "WARN" // works, or may; worth knowing
	Fail Status = "FAIL"
	Skip Status = "SKIP" // not looked at, or not allowed to
)

// The groups of checks: the three requirements, and the caller's own side.
const (
	Agent   = "agent"
	IAM     = "iam"
	Network = "network"
	Self    = "self"
)

// Check is the result of one check. The JSON names are part of the output
// contract, and so are the values of group, check, status and cause.
type Check struct {
	Target   string   `json:"target"` // i-…, mi-…, vpc-…, subnet-…, or self
	Group    string   `json:"group"`
	ID       string   `json:"check"`
	Title    string   `json:"title"`
	Status   Status   `json:"status"`
	Cause    string   `json:"cause,omitempty"` // of a WARN or FAIL; see Causes
	Evidence string   `json:"evidence"`
	Fix      []string `json:"fix,omitempty"` // commands, one after the other

	// Repairs are what --fix can do about it.
	Repairs []Repair `json:"-"`
	// Err is why a check was skipped: something may not be, or could not be, read.
	Err error `json:"-"`
}

// Found reports whether a check found something wrong.
func (c Check) Found() bool { return c.Status == Fail || c.Status == Warn }

// Parts are the services that a Service asks. All are for one account and Region.
type Parts struct {
	SSM         *ssm.Client
	Fleet       *fleet.Service
	Network     *network.Service
	IAM         *iam.Service
	Preferences *preferences.Service
	// Identity says who the caller is: account and ARN.
	Identity func(ctx context.Context) (account, arn string, err error)
	Region   string
}

// Service examines the machines of one account and Region. It is safe for
// concurrent use. What it has read it keeps: a new look needs a new Service.
type Service struct {
	api         api
	fleet       registry
	ec2         surroundings
	iam         identities
	preferences func(ctx context.Context) (preferences.Preferences, error)
	identity    func(ctx context.Context) (account, arn string, err error)
	region      string
	now         func() time.Time

	// Profile is the instance profile to attach where there is none; "" is the
	// one that Quick Setup makes, if there is one.
	Profile string

	kept kept
	slot chan struct{} // bounds the calls under way
}

// atOnce is how many calls are under way at most. The pace of each operation is
// kept elsewhere.
const atOnce = 8

// New returns a Service.
func New(p Parts) *Service {
	s := &Service{
		api: p.SSM, fleet: everything{p.Fleet}, ec2: p.Network, iam: p.IAM, identity: p.Identity, region: p.Region,
		now: time.Now, slot: make(chan struct{}, atOnce),
	}
	s.preferences = func(ctx context.Context) (preferences.Preferences, error) {
		return p.Preferences.Get(ctx, preferences.Account)
	}
	return s
}

// everything is a fleet as registry wants it.
type everything struct{ *fleet.Service }

// Everything returns all managed nodes.
func (e everything) Everything(ctx context.Context) ([]fleet.Node, error) {
	return fleet.All(e.List(ctx, fleet.Query{}))
}
