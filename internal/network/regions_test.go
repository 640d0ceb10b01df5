package network

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestEnabledRegions(t *testing.T) {
	s, m := service(t)
	m.EXPECT().DescribeRegions(gomock.Any(), &ec2.DescribeRegionsInput{}).Return(&ec2.DescribeRegionsOutput{Regions: []types.Region{
		{RegionName: aws.String("us-east-1")}, {RegionName: aws.String("eu-west-1")},
	}}, nil)
	got, err := s.EnabledRegions(t.Context())
	if err != nil || !slices.Equal(got, []string{"eu-west-1", "us-east-1"}) {
		t.Errorf("got %v, %v", got, err)
	}
	m.EXPECT().DescribeRegions(gomock.Any(), gomock.Any()).Return(nil, &smithy.GenericAPIError{Code: "UnauthorizedOperation"})
	if _, err := s.EnabledRegions(t.Context()); fault.KindOf(err) != fault.Auth {
		t.Errorf("denied: %v", err)
	}
}

func TestDefaultRegionsAreSorted(t *testing.T) {
	for _, p := range []string{"aws", "aws-cn", "aws-us-gov"} {
		if names := DefaultRegions(p); len(names) == 0 || !slices.IsSorted(names) {
			t.Errorf("%s: %v", p, names)
		}
	}
	if names := DefaultRegions("aws-iso"); names != nil {
		t.Errorf("of a partition that is not public: %v", names)
	}
}
