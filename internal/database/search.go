package database

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/opensearch/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

const (
	// mostDomains is what one DescribeDomains takes.
	mostDomains = 5
	httpsPort   = 443
)

// domains returns the OpenSearch and Elasticsearch domains.
func (s *Service) domains(ctx context.Context) ([]Database, error) {
	list, err := s.search.ListDomainNames(ctx, &opensearch.ListDomainNamesInput{})
	if err != nil {
		return nil, awsapi.Explain("list search domains", err)
	}
	var names []string
	for _, n := range list.DomainNames {
		names = append(names, aws.ToString(n.DomainName))
	}
	var found []Database
	for chunk := range slices.Chunk(names, mostDomains) {
		out, err := s.search.DescribeDomains(ctx, &opensearch.DescribeDomainsInput{DomainNames: chunk})
		if err != nil {
			return nil, awsapi.Explain("describe search domains", err)
		}
		for _, d := range out.DomainStatusList {
			found = append(found, fromDomain(d))
		}
	}
	return found, nil
}

func fromDomain(s types.DomainStatus) Database {
	engine, _, _ := strings.Cut(strings.ToLower(aws.ToString(s.EngineVersion)), "_")
	d := Database{
		Service: Search, Kind: Domain, Name: aws.ToString(s.DomainName), Engine: cmp.Or(engine, "opensearch"), Port: httpsPort, TLS: true,
		Endpoint: cmp.Or(s.Endpoints["vpc"], aws.ToString(s.Endpoint)), Status: "available",
	}
	switch status := strings.ToLower(string(s.DomainProcessingStatus)); {
	case aws.ToBool(s.Deleted):
		d.Status = "deleting"
	case status != "" && status != "active":
		d.Status = status
	}
	if s.VPCOptions != nil {
		d.VPC, d.Groups = aws.ToString(s.VPCOptions.VPCId), s.VPCOptions.SecurityGroupIds
	}
	return d
}
