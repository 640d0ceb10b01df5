package network

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Endpoint is a VPC endpoint: a way to a service of AWS that needs no internet.
type Endpoint struct {
	ID         string
	Service    string // ssm, ssmmessages, ec2messages, s3, logs, kms, …
	State      string // available, pending, pendingAcceptance, rejected, failed, …
	Gateway    bool   // of type Gateway (s3): by routes, without interfaces
	PrivateDNS bool   // the service's public name leads here
	Subnets    []string
	Tables     []string // route tables, of a Gateway
	Groups     []string
	Policy     string // JSON
}

// Available reports whether the endpoint takes connections.
func (e Endpoint) Available() bool { return strings.EqualFold(e.State, "available") }

// Endpoints returns those of a VPC to services of AWS.
func (s *Service) Endpoints(ctx context.Context, vpc string) ([]Endpoint, error) {
	var found []Endpoint
	pages := ec2.NewDescribeVpcEndpointsPaginator(s.api, &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{filter("vpc-id", vpc)}})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("read the VPC endpoints of "+vpc, err)
		}
		for _, e := range out.VpcEndpoints {
			found = append(found, fromEndpoint(e))
		}
	}
	return found, nil
}

func fromEndpoint(e types.VpcEndpoint) Endpoint {
	name := aws.ToString(e.ServiceName)
	to := Endpoint{
		ID: aws.ToString(e.VpcEndpointId), Service: name[strings.LastIndexByte(name, '.')+1:], State: string(e.State),
		Gateway: e.VpcEndpointType == types.VpcEndpointTypeGateway, PrivateDNS: aws.ToBool(e.PrivateDnsEnabled),
		Subnets: e.SubnetIds, Tables: e.RouteTableIds, Policy: aws.ToString(e.PolicyDocument),
	}
	for _, g := range e.Groups {
		to.Groups = append(to.Groups, aws.ToString(g.GroupId))
	}
	return to
}

// EndpointTo returns the endpoints to a service, usable ones first.
func EndpointTo(all []Endpoint, service string) []Endpoint {
	var found []Endpoint
	for _, e := range all {
		if e.Service == service {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b Endpoint) int {
		rank := func(e Endpoint) int {
			switch {
			case e.Available() && (e.PrivateDNS || e.Gateway):
				return 0
			case e.Available():
				return 1
			}
			return 2
		}
		return rank(a) - rank(b)
	})
	return found
}
