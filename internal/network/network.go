// Package network knows where instances stand: VPCs, peerings, routes, access
// lists, endpoints, security groups, and what those let through; and it changes
// what keeps an agent from its service. It is the only room that imports the
// SDK's EC2 package, which takes longer to compile than everything else together.
//
// What it answers is what the configuration says. Firewalls and what is behind a
// transit gateway are not looked at: a connection that is allowed here may still
// not come about.
package network

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// mostValues is how many values one filter of EC2 takes.
const mostValues = 200

// Service asks EC2. It is safe for concurrent use.
type Service struct{ api api }

// New returns a Service for the account and Region of cfg.
func New(cfg aws.Config) *Service { return &Service{api: ec2.NewFromConfig(cfg)} }

// Instance is where an EC2 instance stands.
type Instance struct {
	ID        string
	VPC       string
	Subnet    string
	Groups    []string // ids of its security groups, on all interfaces
	Addresses []netip.Addr
}

// Group is a security group.
type Group struct {
	ID, Name, VPC string
	In, Out       []Rule
}

// String is the group as people know it: "web (sg-0123)".
func (g Group) String() string {
	if g.Name == "" {
		return g.ID
	}
	return g.Name + " (" + g.ID + ")"
}

// Rule lets traffic through from, or to, any of its peers.
type Rule struct {
	Protocol string // tcp, udp, icmp, a number, or -1: all
	From, To int    // ports; not looked at when Protocol is -1
	Blocks   []netip.Prefix
	Groups   []string
	Lists    []string // prefix lists, whose content is not known here
}

// Instances returns the instances that run in the given VPCs.
func (s *Service) Instances(ctx context.Context, vpcs []string) ([]Instance, error) {
	const op = "find the instances of the network"
	var found []Instance
	for chunk := range slices.Chunk(vpcs, mostValues) {
		pages := ec2.NewDescribeInstancesPaginator(s.api, &ec2.DescribeInstancesInput{
			Filters: []types.Filter{filter("vpc-id", chunk...), filter("instance-state-name", "running")}, MaxResults: aws.Int32(1000),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return nil, awsapi.Explain(op, err)
			}
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					found = append(found, fromInstance(i))
				}
			}
		}
	}
	return found, nil
}

// Groups returns the security groups with the given ids, by id. Those that do
// not exist are left out.
func (s *Service) Groups(ctx context.Context, ids []string) (map[string]Group, error) {
	const op = "read the security groups"
	found := map[string]Group{}
	for chunk := range slices.Chunk(ids, mostValues) {
		pages := ec2.NewDescribeSecurityGroupsPaginator(s.api, &ec2.DescribeSecurityGroupsInput{
			Filters: []types.Filter{filter("group-id", chunk...)}, MaxResults: aws.Int32(1000),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return nil, awsapi.Explain(op, err)
			}
			for _, g := range out.SecurityGroups {
				found[aws.ToString(g.GroupId)] = fromGroup(g)
			}
		}
	}
	return found, nil
}

// Peers returns, for each of the VPCs, those with an active peering connection
// to it.
func (s *Service) Peers(ctx context.Context, vpcs []string) (map[string][]string, error) {
	const op = "read the VPC peering connections"
	found := map[string][]string{}
	for _, side := range []string{"requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"} {
		for chunk := range slices.Chunk(vpcs, mostValues) {
			pages := ec2.NewDescribeVpcPeeringConnectionsPaginator(s.api, &ec2.DescribeVpcPeeringConnectionsInput{
				Filters: []types.Filter{filter(side, chunk...), filter("status-code", "active")}, MaxResults: aws.Int32(1000),
			})
			for pages.HasMorePages() {
				out, err := pages.NextPage(ctx)
				if err != nil {
					return nil, awsapi.Explain(op, err)
				}
				for _, p := range out.VpcPeeringConnections {
					if p.RequesterVpcInfo == nil || p.AccepterVpcInfo == nil {
						continue
					}
					a, b := aws.ToString(p.RequesterVpcInfo.VpcId), aws.ToString(p.AccepterVpcInfo.VpcId)
					join(found, a, b)
					join(found, b, a)
				}
			}
		}
	}
	return found, nil
}

func join(m map[string][]string, from, to string) {
	if !slices.Contains(m[from], to) {
		m[from] = append(m[from], to)
	}
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

func fromInstance(i types.Instance) Instance {
	n := Instance{ID: aws.ToString(i.InstanceId), VPC: aws.ToString(i.VpcId), Subnet: aws.ToString(i.SubnetId)}
	group := func(list []types.GroupIdentifier) {
		for _, g := range list {
			if id := aws.ToString(g.GroupId); !slices.Contains(n.Groups, id) {
				n.Groups = append(n.Groups, id)
			}
		}
	}
	address := func(s *string) {
		if a, err := netip.ParseAddr(aws.ToString(s)); err == nil && !slices.Contains(n.Addresses, a) {
			n.Addresses = append(n.Addresses, a)
		}
	}
	group(i.SecurityGroups)
	address(i.PrivateIpAddress)
	for _, f := range i.NetworkInterfaces {
		group(f.Groups)
		address(f.PrivateIpAddress)
		for _, a := range f.Ipv6Addresses {
			address(a.Ipv6Address)
		}
	}
	return n
}

func fromGroup(g types.SecurityGroup) Group {
	return Group{
		ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName), VPC: aws.ToString(g.VpcId),
		In: fromPermissions(g.IpPermissions), Out: fromPermissions(g.IpPermissionsEgress),
	}
}

func fromPermissions(list []types.IpPermission) []Rule {
	rules := make([]Rule, 0, len(list))
	for _, p := range list {
		r := Rule{Protocol: aws.ToString(p.IpProtocol), From: int(aws.ToInt32(p.FromPort)), To: int(aws.ToInt32(p.ToPort))}
		block := func(s *string) {
			if b, err := netip.ParsePrefix(aws.ToString(s)); err == nil {
				r.Blocks = append(r.Blocks, b)
			}
		}
		for _, x := range p.IpRanges {
			block(x.CidrIp)
		}
		for _, x := range p.Ipv6Ranges {
			block(x.CidrIpv6)
		}
		for _, x := range p.UserIdGroupPairs {
			r.Groups = append(r.Groups, aws.ToString(x.GroupId))
		}
		for _, x := range p.PrefixListIds {
			r.Lists = append(r.Lists, aws.ToString(x.PrefixListId))
		}
		rules = append(rules, r)
	}
	return rules
}
