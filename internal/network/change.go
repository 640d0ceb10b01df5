package network

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// AttachProfile gives an instance that has none an instance profile, by name.
func (s *Service) AttachProfile(ctx context.Context, instance, profile string) error {
	_, err := s.api.AssociateIamInstanceProfile(ctx, &ec2.AssociateIamInstanceProfileInput{
		InstanceId: aws.String(instance), IamInstanceProfile: &types.IamInstanceProfileSpecification{Name: aws.String(profile)},
	})
	return awsapi.Explain("attach instance profile "+profile+" to "+instance, err)
}

// EnableDNS switches on one of a VPC's DNS attributes: name resolution, or, with
// hostnames, private names.
func (s *Service) EnableDNS(ctx context.Context, vpc string, hostnames bool) error {
	in := &ec2.ModifyVpcAttributeInput{VpcId: aws.String(vpc)}
	on := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	if in.EnableDnsSupport = on; hostnames {
		in.EnableDnsSupport, in.EnableDnsHostnames = nil, on
	}
	_, err := s.api.ModifyVpcAttribute(ctx, in)
	return awsapi.Explain("enable DNS in "+vpc, err)
}

// EnablePrivateDNS leads a service's public name to an endpoint.
func (s *Service) EnablePrivateDNS(ctx context.Context, endpoint string) error {
	_, err := s.api.ModifyVpcEndpoint(ctx, &ec2.ModifyVpcEndpointInput{VpcEndpointId: aws.String(endpoint), PrivateDnsEnabled: aws.Bool(true)})
	return awsapi.Explain("enable private DNS of "+endpoint, err)
}

// CreateEndpoint makes an interface endpoint with private DNS and returns its id.
// service is its full name: com.amazonaws.eu-west-1.ssm.
func (s *Service) CreateEndpoint(ctx context.Context, vpc, service string, subnets, groups []string) (string, error) {
	out, err := s.api.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{
		VpcId: aws.String(vpc), ServiceName: aws.String(service), VpcEndpointType: types.VpcEndpointTypeInterface,
		SubnetIds: subnets, SecurityGroupIds: groups, PrivateDnsEnabled: aws.Bool(true),
	})
	if err != nil {
		return "", awsapi.Explain("create an endpoint to "+service+" in "+vpc, err)
	}
	if out.VpcEndpoint == nil {
		return "", nil
	}
	return aws.ToString(out.VpcEndpoint.VpcEndpointId), nil
}

// CreateGroup makes a security group and returns its id.
func (s *Service) CreateGroup(ctx context.Context, vpc, name, description string) (string, error) {
	out, err := s.api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		VpcId: aws.String(vpc), GroupName: aws.String(name), Description: aws.String(description),
	})
	if err != nil {
		return "", awsapi.Explain("create security group "+name+" in "+vpc, err)
	}
	return aws.ToString(out.GroupId), nil
}

// LetIn lets a peer, a security group or an address range, in on TCP port 443.
// That it is let in already is no error.
func (s *Service) LetIn(ctx context.Context, group, peer string) error {
	_, err := s.api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(group), IpPermissions: https(peer)})
	return unlessDuplicate(awsapi.Explain("let "+peer+" into "+group, err))
}

// LetOut lets the members of a group out to a peer on TCP port 443.
func (s *Service) LetOut(ctx context.Context, group, peer string) error {
	_, err := s.api.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: aws.String(group), IpPermissions: https(peer)})
	return unlessDuplicate(awsapi.Explain("let "+group+" out to "+peer, err))
}

func unlessDuplicate(err error) error {
	var e *fault.Error
	if errors.As(err, &e) && e.Code == "InvalidPermission.Duplicate" {
		return nil
	}
	return err
}

func https(peer string) []types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443)}
	block, err := netip.ParsePrefix(peer)
	switch {
	case err != nil:
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: aws.String(peer)}}
	case strings.Contains(peer, ":"):
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(block.String())}}
	default:
		p.IpRanges = []types.IpRange{{CidrIp: aws.String(block.String())}}
	}
	return []types.IpPermission{p}
}
