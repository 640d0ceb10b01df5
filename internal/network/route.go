package network

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// RouteTable says where packets that leave a subnet go.
type RouteTable struct {
	ID      string
	Main    bool // that of all subnets that name none
	Subnets []string
	Routes  []Route
}

// Route leads an address range to a target.
type Route struct {
	To        netip.Prefix // invalid for a prefix list
	Target    string       // igw-…, nat-…, tgw-…, eni-…, pcx-…, local, …
	Blackhole bool         // the target is gone, or a NAT gateway that failed
}

// Exit is what leads from a subnet to the internet.
type Exit int

// The exits.
const (
	NoExit    Exit = iota // there is no default route
	Gateway               // an internet gateway: works with a public address alone
	NAT                   // a NAT gateway or NAT instance's interface
	Blackhole             // the target of the route does not exist any more
	Elsewhere             // a transit gateway, peering, firewall, …: what is behind is not known
)

// RouteTables returns those of a VPC.
func (s *Service) RouteTables(ctx context.Context, vpc string) ([]RouteTable, error) {
	var found []RouteTable
	pages := ec2.NewDescribeRouteTablesPaginator(s.api, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{filter("vpc-id", vpc)}})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("read the route tables of "+vpc, err)
		}
		for _, t := range out.RouteTables {
			found = append(found, fromRouteTable(t))
		}
	}
	return found, nil
}

func fromRouteTable(t types.RouteTable) RouteTable {
	table := RouteTable{ID: aws.ToString(t.RouteTableId)}
	for _, a := range t.Associations {
		if aws.ToBool(a.Main) {
			table.Main = true
		}
		if a.SubnetId != nil {
			table.Subnets = append(table.Subnets, *a.SubnetId)
		}
	}
	for _, r := range t.Routes {
		route := Route{Blackhole: r.State == types.RouteStateBlackhole}
		route.To, _ = netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock)) // invalid for IPv6 and lists
		for _, target := range []*string{
			r.GatewayId, r.NatGatewayId, r.TransitGatewayId, r.VpcPeeringConnectionId, r.NetworkInterfaceId,
			r.InstanceId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn, r.EgressOnlyInternetGatewayId,
		} {
			if target != nil {
				route.Target = *target
				break
			}
		}
		table.Routes = append(table.Routes, route)
	}
	return table
}

// TableOf returns the route table in effect for a subnet; ok is false when it is
// not among tables.
func TableOf(tables []RouteTable, subnet string) (t RouteTable, ok bool) {
	i := slices.IndexFunc(tables, func(t RouteTable) bool { return slices.Contains(t.Subnets, subnet) })
	if i < 0 {
		i = slices.IndexFunc(tables, func(t RouteTable) bool { return t.Main })
	}
	if i < 0 {
		return t, false
	}
	return tables[i], true
}

// Exit says how packets to the internet leave: the default route, and its
// target.
func (t RouteTable) Exit() (Exit, Route) {
	for _, r := range t.Routes {
		if !r.To.IsValid() || r.To.Bits() != 0 {
			continue
		}
		kind, _, _ := strings.Cut(r.Target, "-")
		switch {
		case r.Blackhole:
			return Blackhole, r
		case kind == "igw":
			return Gateway, r
		case kind == "nat":
			return NAT, r
		default:
			return Elsewhere, r
		}
	}
	return NoExit, Route{}
}
