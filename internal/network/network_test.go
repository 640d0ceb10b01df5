package network

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func service(t *testing.T) (*Service, *Mockapi) {
	t.Helper()
	m := NewMockapi(gomock.NewController(t))
	return &Service{api: m}, m
}

func TestInstancesReadsAllPagesAndAllInterfaces(t *testing.T) {
	s, m := service(t)
	var asked []*ec2.DescribeInstancesInput
	pages := []*ec2.DescribeInstancesOutput{
		{NextToken: aws.String("more"), Reservations: []types.Reservation{{Instances: []types.Instance{{
			InstanceId: aws.String("i-1"), VpcId: aws.String("vpc-1"), SubnetId: aws.String("subnet-1"), PrivateIpAddress: aws.String("10.0.0.1"),
			SecurityGroups: []types.GroupIdentifier{{GroupId: aws.String("sg-1")}},
			NetworkInterfaces: []types.InstanceNetworkInterface{
				{PrivateIpAddress: aws.String("10.0.0.1"), Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-1")}}},
				{PrivateIpAddress: aws.String("10.0.0.2"), Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-2")}}, Ipv6Addresses: []types.InstanceIpv6Address{{Ipv6Address: aws.String("2001:db8::1")}}},
			},
		}}}}},
		{Reservations: []types.Reservation{{Instances: []types.Instance{{InstanceId: aws.String("i-2")}}}}},
	}
	m.EXPECT().DescribeInstances(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ec2.DescribeInstancesInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
			asked = append(asked, in)
			return pages[len(asked)-1], nil
		})
	got, err := s.Instances(t.Context(), []string{"vpc-1"})
	want := []Instance{
		{
			ID: "i-1", VPC: "vpc-1", Subnet: "subnet-1", Groups: []string{"sg-1", "sg-2"},
			Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::1")},
		},
		{ID: "i-2"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if aws.ToString(asked[1].NextToken) != "more" || asked[0].Filters[0].Values[0] != "vpc-1" {
		t.Errorf("asked %+v", asked[1])
	}
}

func TestGroupsAsksForNoMoreThanOneFilterTakes(t *testing.T) {
	s, m := service(t)
	ids := make([]string, 450)
	for i := range ids {
		ids[i] = "sg-" + string(rune('a'+i%26))
	}
	var sizes []int
	m.EXPECT().DescribeSecurityGroups(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
			sizes = append(sizes, len(in.Filters[0].Values))
			return &ec2.DescribeSecurityGroupsOutput{SecurityGroups: []types.SecurityGroup{{
				GroupId: aws.String("sg-a"), GroupName: aws.String("db"), VpcId: aws.String("vpc-1"),
				IpPermissions: []types.IpPermission{{
					IpProtocol: aws.String("tcp"), FromPort: aws.Int32(5432), ToPort: aws.Int32(5433),
					IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}}, Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String("2001:db8::/32")}},
					UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: aws.String("sg-web")}}, PrefixListIds: []types.PrefixListId{{PrefixListId: aws.String("pl-1")}},
				}},
			}}}, nil
		})
	got, err := s.Groups(t.Context(), ids)
	if err != nil || !slices.Equal(sizes, []int{200, 200, 50}) {
		t.Fatalf("sizes %v, %v", sizes, err)
	}
	want := Group{ID: "sg-a", Name: "db", VPC: "vpc-1", Out: []Rule{}, In: []Rule{{
		Protocol: "tcp", From: 5432, To: 5433, Groups: []string{"sg-web"}, Lists: []string{"pl-1"},
		Blocks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
	}}}
	if !reflect.DeepEqual(got["sg-a"], want) {
		t.Errorf("got %+v", got["sg-a"])
	}
}

func TestPeersLookFromBothSides(t *testing.T) {
	s, m := service(t)
	m.EXPECT().DescribeVpcPeeringConnections(gomock.Any(), gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
			p := types.VpcPeeringConnection{RequesterVpcInfo: &types.VpcPeeringConnectionVpcInfo{VpcId: aws.String("vpc-1")}, AccepterVpcInfo: &types.VpcPeeringConnectionVpcInfo{VpcId: aws.String("vpc-2")}}
			if *in.Filters[0].Name == "accepter-vpc-info.vpc-id" {
				p.RequesterVpcInfo.VpcId, p.AccepterVpcInfo.VpcId = aws.String("vpc-3"), aws.String("vpc-1")
			}
			return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []types.VpcPeeringConnection{p, {}}}, nil
		})
	got, err := s.Peers(t.Context(), []string{"vpc-1"})
	if err != nil || !slices.Equal(got["vpc-1"], []string{"vpc-2", "vpc-3"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestErrorsSayWhatIsMissing(t *testing.T) {
	denied := &smithy.OperationError{ServiceID: "EC2", OperationName: "DescribeSecurityGroups", Err: &smithy.GenericAPIError{
		Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation.",
	}}
	for _, tt := range []struct {
		err  error
		kind fault.Kind
		want string
	}{
		{denied, fault.Auth, "read the security groups: not allowed: ec2:DescribeSecurityGroups"},
		{&smithy.GenericAPIError{Code: "RequestLimitExceeded"}, fault.Throttled, "read the security groups: AWS asks to slow down, also after several tries"},
	} {
		s, m := service(t)
		m.EXPECT().DescribeSecurityGroups(gomock.Any(), gomock.Any(), gomock.Any()).Return(nil, tt.err)
		_, err := s.Groups(t.Context(), []string{"sg-1"})
		if fault.KindOf(err) != tt.kind || err.Error() != tt.want {
			t.Errorf("got %v (%v), want %s", err, fault.KindOf(err), tt.want)
		}
	}
}

func TestAdmits(t *testing.T) {
	node := Instance{ID: "i-1", Groups: []string{"sg-web"}, Addresses: []netip.Addr{netip.MustParseAddr("10.0.1.5"), netip.MustParseAddr("2001:db8::5")}}
	block := func(s ...string) (all []netip.Prefix) {
		for _, b := range s {
			all = append(all, netip.MustParsePrefix(b))
		}
		return all
	}
	for _, tt := range []struct {
		name string
		in   []Rule
		want string
	}{
		{"nothing", nil, ""},
		{"its group", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Groups: []string{"sg-web"}}}, "sg-web"},
		{"another group", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Groups: []string{"sg-app"}}}, ""},
		{"another port", []Rule{{Protocol: "tcp", From: 3306, To: 3306, Groups: []string{"sg-web"}}}, ""},
		{"a range of ports", []Rule{{Protocol: "tcp", From: 5000, To: 6000, Blocks: block("10.0.0.0/16")}}, "10.0.0.0/16"},
		{"all protocols", []Rule{{Protocol: "-1", Blocks: block("10.0.0.0/16")}}, "10.0.0.0/16"},
		{"by number", []Rule{{Protocol: "6", From: 5432, To: 5432, Groups: []string{"sg-web"}}}, "sg-web"},
		{"UDP is not TCP", []Rule{{Protocol: "udp", From: 5432, To: 5432, Groups: []string{"sg-web"}}}, ""},
		{"another block", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Blocks: block("10.1.0.0/16")}}, ""},
		{"IPv6", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Blocks: block("2001:db8::/64")}}, "2001:db8::/64"},
		{"a group before an address", []Rule{{Protocol: "-1", Blocks: block("0.0.0.0/0")}, {Protocol: "-1", Groups: []string{"sg-web"}}}, "sg-web"},
		{"a prefix list is not known", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Lists: []string{"pl-1"}}}, ""},
	} {
		if got := (Group{In: tt.in}).Admits(node, 5432); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLetsOut(t *testing.T) {
	anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	for _, tt := range []struct {
		name string
		out  []Rule
		want bool
	}{
		{"nothing", nil, false},
		{"everything", []Rule{{Protocol: "-1", Blocks: anywhere}}, true},
		{"web only", []Rule{{Protocol: "tcp", From: 443, To: 443, Blocks: anywhere}}, false},
		{"to the database's group", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Groups: []string{"sg-db"}}}, true},
		{"to another group", []Rule{{Protocol: "tcp", From: 5432, To: 5432, Groups: []string{"sg-x"}}}, false},
	} {
		if got := (Group{Out: tt.out}).LetsOut([]string{"sg-db"}, 5432); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
