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

// ACL is a network access list of subnets. It keeps no state: answers need a
// rule of their own.
type ACL struct {
	ID      string
	Subnets []string
	In, Out []ACLRule // in the order they are tried; the first that fits decides
}

// ACLRule allows or denies TCP to ports, from or to an address range.
type ACLRule struct {
	Number   int
	Allow    bool
	From, To int // 0 to 65535 for all protocols
	Block    netip.Prefix
}

// Internet stands for public addresses, whichever they are.
var Internet = netip.MustParsePrefix("0.0.0.0/0")

// ACLs returns the access lists of a VPC, with the rules about TCP over IPv4.
func (s *Service) ACLs(ctx context.Context, vpc string) ([]ACL, error) {
	var found []ACL
	pages := ec2.NewDescribeNetworkAclsPaginator(s.api, &ec2.DescribeNetworkAclsInput{Filters: []types.Filter{filter("vpc-id", vpc)}})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("read the network ACLs of "+vpc, err)
		}
		for _, a := range out.NetworkAcls {
			found = append(found, fromACL(a))
		}
	}
	return found, nil
}

func fromACL(a types.NetworkAcl) ACL {
	acl := ACL{ID: aws.ToString(a.NetworkAclId)}
	for _, s := range a.Associations {
		acl.Subnets = append(acl.Subnets, aws.ToString(s.SubnetId))
	}
	for _, e := range a.Entries {
		r := ACLRule{Number: int(aws.ToInt32(e.RuleNumber)), Allow: e.RuleAction == types.RuleActionAllow, To: 65535}
		block, err := netip.ParsePrefix(aws.ToString(e.CidrBlock))
		protocol := aws.ToString(e.Protocol)
		if err != nil || protocol != "-1" && protocol != "6" {
			continue // IPv6, UDP, ICMP
		}
		if r.Block = block; e.PortRange != nil && protocol == "6" {
			r.From, r.To = int(aws.ToInt32(e.PortRange.From)), int(aws.ToInt32(e.PortRange.To))
		}
		if aws.ToBool(e.Egress) {
			acl.Out = append(acl.Out, r)
		} else {
			acl.In = append(acl.In, r)
		}
	}
	byNumber := func(a, b ACLRule) int { return a.Number - b.Number }
	slices.SortStableFunc(acl.In, byNumber)
	slices.SortStableFunc(acl.Out, byNumber)
	return acl
}

// ACLOf returns the access list of a subnet; ok is false when it is not among
// acls.
func ACLOf(acls []ACL, subnet string) (a ACL, ok bool) {
	i := slices.IndexFunc(acls, func(a ACL) bool { return slices.Contains(a.Subnets, subnet) })
	if i < 0 {
		return a, false
	}
	return acls[i], true
}

// Passes reports whether rules let TCP through on all ports of a range, for a
// peer in block. For the Internet it is enough that some public addresses are
// allowed: lists of AWS's own ranges are usual.
func Passes(rules []ACLRule, from, to int, peer netip.Prefix) bool {
	// What a rule decides changes at the ends of the ranges alone.
	ports := []int{from, to}
	for _, r := range rules {
		for _, p := range []int{r.From, r.To + 1} {
			if p > from && p <= to {
				ports = append(ports, p)
			}
		}
	}
	return !slices.ContainsFunc(ports, func(p int) bool { return !passes(rules, p, peer) })
}

func passes(rules []ACLRule, port int, peer netip.Prefix) bool {
	for _, r := range rules {
		if port < r.From || port > r.To {
			continue
		}
		switch {
		case peer == Internet && r.Allow && !r.Block.Addr().IsPrivate():
			return true
		case r.Block.Bits() <= peer.Bits() && r.Block.Contains(peer.Addr()):
			return r.Allow
		case !r.Allow && r.Block.Overlaps(peer) && peer != Internet:
			return false // a part of the peers is shut out
		}
	}
	return false
}
