package network

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// VPC is a virtual network.
type VPC struct {
	ID, Name string
	Blocks   []netip.Prefix // its IPv4 address ranges
	// DNSSupport: names are resolved at all. DNSHostnames: private names of
	// endpoints are. Private DNS of endpoints needs both.
	DNSSupport, DNSHostnames bool
}

// VPC reads a VPC and its two DNS attributes. The error is NotFound when there
// is none with that id.
func (s *Service) VPC(ctx context.Context, id string) (VPC, error) {
	op := "read VPC " + id
	out, err := s.api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("vpc-id", id)}})
	if err != nil {
		return VPC{}, awsapi.Explain(op, err)
	}
	if len(out.Vpcs) == 0 {
		return VPC{}, fault.New(fault.NotFound, op, "there is no such VPC in this account and Region").WithHint("check --profile and --region")
	}
	v := VPC{ID: id}
	for _, t := range out.Vpcs[0].Tags {
		if aws.ToString(t.Key) == "Name" {
			v.Name = aws.ToString(t.Value)
		}
	}
	blocks := []string{aws.ToString(out.Vpcs[0].CidrBlock)}
	for _, a := range out.Vpcs[0].CidrBlockAssociationSet {
		blocks = append(blocks, aws.ToString(a.CidrBlock))
	}
	seen := map[netip.Prefix]bool{}
	for _, b := range blocks {
		if p, err := netip.ParsePrefix(b); err == nil && !seen[p] {
			seen[p] = true
			v.Blocks = append(v.Blocks, p)
		}
	}
	if v.DNSSupport, err = s.attribute(ctx, id, types.VpcAttributeNameEnableDnsSupport); err != nil {
		return VPC{}, err
	}
	v.DNSHostnames, err = s.attribute(ctx, id, types.VpcAttributeNameEnableDnsHostnames)
	return v, err
}

func (s *Service) attribute(ctx context.Context, vpc string, name types.VpcAttributeName) (bool, error) {
	out, err := s.api.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: aws.String(vpc), Attribute: name})
	if err != nil {
		return false, awsapi.Explain("read the DNS attributes of "+vpc, err)
	}
	for _, a := range []*types.AttributeBooleanValue{out.EnableDnsSupport, out.EnableDnsHostnames} {
		if a != nil {
			return aws.ToBool(a.Value), nil
		}
	}
	return false, nil
}

// Subnet is a part of a VPC in one Availability Zone.
type Subnet struct {
	ID, Name, Zone string
	Block          netip.Prefix
}

// Subnets returns those of a VPC, by id.
func (s *Service) Subnets(ctx context.Context, vpc string) (map[string]Subnet, error) {
	found := map[string]Subnet{}
	pages := ec2.NewDescribeSubnetsPaginator(s.api, &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("vpc-id", vpc)}})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("read the subnets of "+vpc, err)
		}
		for _, n := range out.Subnets {
			sub := Subnet{ID: aws.ToString(n.SubnetId), Zone: aws.ToString(n.AvailabilityZone)}
			sub.Block, _ = netip.ParsePrefix(aws.ToString(n.CidrBlock)) // invalid in a subnet that has IPv6 alone
			for _, t := range n.Tags {
				if aws.ToString(t.Key) == "Name" {
					sub.Name = aws.ToString(t.Value)
				}
			}
			found[sub.ID] = sub
		}
	}
	return found, nil
}
