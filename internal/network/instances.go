package network

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// Described returns the instances with these ids, 200 a call; with nil all of
// the account and Region, 1000 a page. Ids that do not exist are left out: a
// filter passes over them where naming them would be an error.
func (s *Service) Described(ctx context.Context, ids []string) ([]fleet.Instance, error) {
	if ids == nil {
		return s.described(ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1000)})
	}
	var found []fleet.Instance
	for chunk := range slices.Chunk(ids, mostValues) {
		some, err := s.described(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("instance-id", chunk...)}, MaxResults: aws.Int32(1000)})
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func (s *Service) described(ctx context.Context, in *ec2.DescribeInstancesInput) ([]fleet.Instance, error) {
	var found []fleet.Instance
	pages := ec2.NewDescribeInstancesPaginator(s.api, in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awsapi.Explain("read the EC2 instances", err)
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				found = append(found, fleetInstance(i))
			}
		}
	}
	return found, nil
}

func fleetInstance(i types.Instance) fleet.Instance {
	n := fleet.Instance{
		ID: aws.ToString(i.InstanceId), Type: string(i.InstanceType), VPC: aws.ToString(i.VpcId), Subnet: aws.ToString(i.SubnetId),
		Image: aws.ToString(i.ImageId), IP: aws.ToString(i.PrivateIpAddress), Launched: aws.ToTime(i.LaunchTime), Platform: "linux",
		Tags: make(map[string]string, len(i.Tags)),
	}
	if i.Platform == types.PlatformValuesWindows {
		n.Platform = "windows"
	}
	if i.State != nil {
		n.State = string(i.State.Name)
	}
	if i.Placement != nil {
		n.AZ = aws.ToString(i.Placement.AvailabilityZone)
	}
	for _, t := range i.Tags {
		n.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return n
}

// SetTags sets tags of instances, of 1000 at most.
func (s *Service) SetTags(ctx context.Context, ids []string, tags map[string]string) error {
	list := make([]types.Tag, 0, len(tags))
	for k, v := range tags {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if _, err := s.api.CreateTags(ctx, &ec2.CreateTagsInput{Resources: ids, Tags: list}); err != nil {
		return awsapi.Explain("tag the instances", err)
	}
	return nil
}

// RemoveTags removes tags of instances, of 1000 at most, whatever their values.
func (s *Service) RemoveTags(ctx context.Context, ids, keys []string) error {
	list := make([]types.Tag, 0, len(keys))
	for _, k := range keys {
		list = append(list, types.Tag{Key: aws.String(k)})
	}
	if _, err := s.api.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: ids, Tags: list}); err != nil {
		return awsapi.Explain("remove tags of the instances", err)
	}
	return nil
}
