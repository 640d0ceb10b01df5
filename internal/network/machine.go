package network

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Machine is an EC2 instance with what decides whether its agent can work.
type Machine struct {
	Instance
	Name     string // its Name tag
	State    string // pending, running, stopping, stopped, shutting-down, terminated
	Platform string // windows, or "" for all others
	Zone     string
	Launched time.Time
	PublicIP netip.Addr // invalid when it has none
	Profile  string     // ARN of the instance profile; "" for none
	// MetadataOff: the instance metadata service is switched off, so that nothing
	// on the instance gets credentials. TokensRequired: it answers IMDSv2 only.
	MetadataOff, TokensRequired bool
}

// String is the instance as people name it: "web-1 (i-0123456789abcdef0)".
func (m Machine) String() string {
	if m.Name == "" {
		return m.ID
	}
	return m.Name + " (" + m.ID + ")"
}

// Running reports whether the instance runs.
func (m Machine) Running() bool { return m.State == string(types.InstanceStateNameRunning) }

// Machine returns the instance with an id; ok is false when there is none.
// Terminated instances are known for about an hour.
func (s *Service) Machine(ctx context.Context, id string) (m Machine, ok bool, err error) {
	found, err := s.machines(ctx, "find instance "+id, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "InvalidInstanceID.NotFound" || api.ErrorCode() == "InvalidInstanceID.Malformed") {
		return m, false, nil
	}
	if err != nil || len(found) == 0 {
		return m, false, err
	}
	return found[0], true, nil
}

// Named returns the instances, in any state, whose Name tag or private address
// is word.
func (s *Service) Named(ctx context.Context, word string) ([]Machine, error) {
	by := "tag:Name"
	if _, err := netip.ParseAddr(word); err == nil {
		by = "private-ip-address"
	}
	return s.machines(ctx, "find instance "+word, &ec2.DescribeInstancesInput{Filters: []types.Filter{filter(by, word)}})
}

// Running returns all instances that run.
func (s *Service) Running(ctx context.Context) ([]Machine, error) {
	return s.machines(ctx, "list the running instances", &ec2.DescribeInstancesInput{
		Filters: []types.Filter{filter("instance-state-name", "running")}, MaxResults: aws.Int32(1000),
	})
}

func (s *Service) machines(ctx context.Context, op string, in *ec2.DescribeInstancesInput) ([]Machine, error) {
	var found []Machine
	pages := ec2.NewDescribeInstancesPaginator(s.api, in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain(op, err)
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				found = append(found, toMachine(i))
			}
		}
	}
	return found, nil
}

func toMachine(i types.Instance) Machine {
	m := Machine{Instance: fromInstance(i), Platform: strings.ToLower(string(i.Platform)), Launched: aws.ToTime(i.LaunchTime)}
	for _, t := range i.Tags {
		if aws.ToString(t.Key) == "Name" {
			m.Name = aws.ToString(t.Value)
		}
	}
	if i.State != nil {
		m.State = string(i.State.Name)
	}
	if i.Placement != nil {
		m.Zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	m.PublicIP, _ = netip.ParseAddr(aws.ToString(i.PublicIpAddress)) // invalid when there is none
	if i.IamInstanceProfile != nil {
		m.Profile = aws.ToString(i.IamInstanceProfile.Arn)
	}
	if o := i.MetadataOptions; o != nil {
		m.MetadataOff = o.HttpEndpoint == types.InstanceMetadataEndpointStateDisabled
		m.TokensRequired = o.HttpTokens == types.HttpTokensStateRequired
	}
	return m
}

// Impaired returns what the status checks of a running instance find wrong:
// "instance: impaired"; "" when nothing.
func (s *Service) Impaired(ctx context.Context, id string) (string, error) {
	out, err := s.api.DescribeInstanceStatus(ctx, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}})
	if err != nil {
		return "", awsapi.Explain("read the status checks of "+id, err)
	}
	for _, st := range out.InstanceStatuses {
		for what, sum := range map[string]*types.InstanceStatusSummary{"system": st.SystemStatus, "instance": st.InstanceStatus} {
			if sum != nil && sum.Status == types.SummaryStatusImpaired {
				return what + ": " + string(sum.Status), nil
			}
		}
	}
	return "", nil
}

// EnabledRegions returns the Regions that the account may use, in order.
func (s *Service) EnabledRegions(ctx context.Context) ([]string, error) {
	out, err := s.api.DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, awsapi.Explain("list the Regions", err)
	}
	var names []string
	for _, r := range out.Regions {
		names = append(names, aws.ToString(r.RegionName))
	}
	slices.Sort(names)
	return names, nil
}
