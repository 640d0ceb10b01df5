package network

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Regions returns the Regions that are enabled for the account
// (ec2:DescribeRegions), sorted.
func (s *Service) Regions(ctx context.Context) ([]string, error) {
	out, err := s.api.DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(false)})
	if err != nil {
		return nil, awsapi.Explain("list the Regions of the account", err)
	}
	var names []string
	for _, r := range out.Regions {
		if name := aws.ToString(r.RegionName); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// DefaultRegions are the Regions of a partition that every account has, sorted:
// what is left to try where Regions is not allowed. Those that an account must
// ask for are not among them.
func DefaultRegions(partition string) []string {
	switch partition {
	case "aws":
		return []string{
			"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
			"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
			"us-east-1", "us-east-2", "us-west-1", "us-west-2",
		}
	case "aws-cn":
		return []string{"cn-north-1", "cn-northwest-1"}
	case "aws-us-gov":
		return []string{"us-gov-east-1", "us-gov-west-1"}
	}
	return nil
}
