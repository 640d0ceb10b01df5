package database

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// warehouses returns the Redshift clusters.
func (s *Service) warehouses(ctx context.Context) ([]Database, error) {
	var found []Database
	pages := redshift.NewDescribeClustersPaginator(s.redshift, &redshift.DescribeClustersInput{MaxRecords: aws.Int32(mostRecords)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("list Redshift clusters", err)
		}
		for _, c := range out.Clusters {
			d := Database{
				Service: Redshift, Kind: Cluster, Name: aws.ToString(c.ClusterIdentifier), Engine: "redshift", Status: aws.ToString(c.ClusterStatus),
				Database: aws.ToString(c.DBName), VPC: aws.ToString(c.VpcId),
			}
			if c.Endpoint != nil {
				d.Endpoint, d.Port = aws.ToString(c.Endpoint.Address), int(aws.ToInt32(c.Endpoint.Port))
			}
			for _, g := range c.VpcSecurityGroups {
				d.Groups = append(d.Groups, aws.ToString(g.VpcSecurityGroupId))
			}
			found = append(found, d)
		}
	}
	return found, nil
}
