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

func TestMachine(t *testing.T) {
	s, m := service(t)
	m.EXPECT().DescribeInstances(gomock.Any(), gomock.Any(), gomock.Any()).Return(&ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: []types.Instance{{
		InstanceId: aws.String("i-1"), VpcId: aws.String("vpc-1"), SubnetId: aws.String("subnet-1"), PublicIpAddress: aws.String("203.0.113.1"),
		State: &types.InstanceState{Name: types.InstanceStateNameStopped}, Platform: types.PlatformValuesWindows,
		Placement: &types.Placement{AvailabilityZone: aws.String("eu-west-1a")}, IamInstanceProfile: &types.IamInstanceProfile{Arn: aws.String("arn:aws:iam::1:instance-profile/a")},
		MetadataOptions: &types.InstanceMetadataOptionsResponse{HttpEndpoint: types.InstanceMetadataEndpointStateDisabled, HttpTokens: types.HttpTokensStateRequired},
		Tags:            []types.Tag{{Key: aws.String("env"), Value: aws.String("x")}, {Key: aws.String("Name"), Value: aws.String("web")}},
	}}}}}, nil)
	got, ok, err := s.Machine(t.Context(), "i-1")
	want := Machine{
		Instance: Instance{ID: "i-1", VPC: "vpc-1", Subnet: "subnet-1"}, Name: "web", State: "stopped", Platform: "windows", Zone: "eu-west-1a",
		PublicIP: netip.MustParseAddr("203.0.113.1"), Profile: "arn:aws:iam::1:instance-profile/a", MetadataOff: true, TokensRequired: true,
	}
	if err != nil || !ok || !reflect.DeepEqual(got, want) || got.Running() || got.String() != "web (i-1)" {
		t.Errorf("got %#v, %v, %v", got, ok, err)
	}
	if (Machine{Instance: Instance{ID: "i-2"}}).String() != "i-2" {
		t.Error("a machine without a name is its id")
	}
}

func TestMachineThatIsNot(t *testing.T) {
	for code, wantErr := range map[string]bool{"InvalidInstanceID.NotFound": false, "InvalidInstanceID.Malformed": false, "UnauthorizedOperation": true} {
		s, m := service(t)
		m.EXPECT().DescribeInstances(gomock.Any(), gomock.Any(), gomock.Any()).Return(nil, &smithy.GenericAPIError{Code: code})
		if _, ok, err := s.Machine(t.Context(), "i-1"); ok || (err != nil) != wantErr {
			t.Errorf("%s: %v, %v", code, ok, err)
		}
	}
}

func TestNamedAsksForAddressesAndNames(t *testing.T) {
	for word, filter := range map[string]string{"web-1": "tag:Name", "10.0.0.1": "private-ip-address"} {
		s, m := service(t)
		m.EXPECT().DescribeInstances(gomock.Any(), gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, in *ec2.DescribeInstancesInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
				if *in.Filters[0].Name != filter || in.Filters[0].Values[0] != word {
					t.Errorf("%s: asked %+v", word, in.Filters)
				}
				return &ec2.DescribeInstancesOutput{}, nil
			})
		if got, err := s.Named(t.Context(), word); err != nil || got != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestImpaired(t *testing.T) {
	status := func(s types.SummaryStatus) *types.InstanceStatusSummary {
		return &types.InstanceStatusSummary{Status: s}
	}
	for _, tt := range []struct {
		system, instance types.SummaryStatus
		want             string
	}{{"ok", "ok", ""}, {"ok", "impaired", "instance: impaired"}, {"impaired", "initializing", "system: impaired"}} {
		s, m := service(t)
		m.EXPECT().DescribeInstanceStatus(gomock.Any(), gomock.Any()).Return(&ec2.DescribeInstanceStatusOutput{
			InstanceStatuses: []types.InstanceStatus{{SystemStatus: status(tt.system), InstanceStatus: status(tt.instance)}},
		}, nil)
		if got, err := s.Impaired(t.Context(), "i-1"); err != nil || got != tt.want {
			t.Errorf("got %q, %v, want %q", got, err, tt.want)
		}
	}
}

func TestVPC(t *testing.T) {
	s, m := service(t)
	m.EXPECT().DescribeVpcs(gomock.Any(), gomock.Any()).Return(&ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{
		CidrBlock: aws.String("10.0.0.0/16"), Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("prod")}},
		CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{CidrBlock: aws.String("10.0.0.0/16")}, {CidrBlock: aws.String("10.1.0.0/16")}},
	}}}, nil)
	m.EXPECT().DescribeVpcAttribute(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *ec2.DescribeVpcAttributeInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcAttributeOutput, error) {
			if in.Attribute == types.VpcAttributeNameEnableDnsSupport {
				return &ec2.DescribeVpcAttributeOutput{EnableDnsSupport: &types.AttributeBooleanValue{Value: aws.Bool(true)}}, nil
			}
			return &ec2.DescribeVpcAttributeOutput{EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(false)}}, nil
		})
	got, err := s.VPC(t.Context(), "vpc-1")
	want := VPC{ID: "vpc-1", Name: "prod", DNSSupport: true, Blocks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.1.0.0/16")}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	s, m = service(t)
	m.EXPECT().DescribeVpcs(gomock.Any(), gomock.Any()).Return(&ec2.DescribeVpcsOutput{}, nil)
	if _, err := s.VPC(t.Context(), "vpc-2"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a VPC that is not there: %v", err)
	}
}

func TestExit(t *testing.T) {
	all := netip.MustParsePrefix("0.0.0.0/0")
	local := Route{To: netip.MustParsePrefix("10.0.0.0/16"), Target: "local"}
	tables := []RouteTable{
		{ID: "rtb-main", Main: true, Routes: []Route{local}},
		{ID: "rtb-nat", Subnets: []string{"subnet-nat"}, Routes: []Route{local, {To: all, Target: "nat-1"}}},
		{ID: "rtb-igw", Subnets: []string{"subnet-igw"}, Routes: []Route{{To: all, Target: "igw-1"}}},
		{ID: "rtb-gone", Subnets: []string{"subnet-gone"}, Routes: []Route{{To: all, Target: "nat-2", Blackhole: true}}},
		{ID: "rtb-tgw", Subnets: []string{"subnet-tgw"}, Routes: []Route{{To: all, Target: "tgw-1"}}},
		{ID: "rtb-list", Subnets: []string{"subnet-list"}, Routes: []Route{{Target: "vpce-1"}}},
	}
	for subnet, want := range map[string]Exit{
		"subnet-nat": NAT, "subnet-igw": Gateway, "subnet-gone": Blackhole, "subnet-tgw": Elsewhere, "subnet-other": NoExit, "subnet-list": NoExit,
	} {
		table, ok := TableOf(tables, subnet)
		if got, _ := table.Exit(); !ok || got != want {
			t.Errorf("%s: %v, want %v", subnet, got, want)
		}
	}
	if _, ok := TableOf(nil, "subnet-1"); ok {
		t.Error("a table out of nothing")
	}
}

func TestRouteTablesTakeWhicheverTargetThereIs(t *testing.T) {
	s, m := service(t)
	m.EXPECT().DescribeRouteTables(gomock.Any(), gomock.Any(), gomock.Any()).Return(&ec2.DescribeRouteTablesOutput{RouteTables: []types.RouteTable{{
		RouteTableId: aws.String("rtb-1"), Associations: []types.RouteTableAssociation{{Main: aws.Bool(true)}, {SubnetId: aws.String("subnet-1")}},
		Routes: []types.Route{
			{DestinationCidrBlock: aws.String("10.0.0.0/16"), GatewayId: aws.String("local")},
			{DestinationCidrBlock: aws.String("0.0.0.0/0"), TransitGatewayId: aws.String("tgw-1"), State: types.RouteStateBlackhole},
			{DestinationPrefixListId: aws.String("pl-1"), GatewayId: aws.String("vpce-1")},
		},
	}}}, nil)
	got, err := s.RouteTables(t.Context(), "vpc-1")
	want := []RouteTable{{ID: "rtb-1", Main: true, Subnets: []string{"subnet-1"}, Routes: []Route{
		{To: netip.MustParsePrefix("10.0.0.0/16"), Target: "local"}, {To: netip.MustParsePrefix("0.0.0.0/0"), Target: "tgw-1", Blackhole: true}, {Target: "vpce-1"},
	}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestACLsKeepTheOrderOfTheirRules(t *testing.T) {
	s, m := service(t)
	entry := func(n int32, egress bool, action types.RuleAction, protocol, block string, ports *types.PortRange) types.NetworkAclEntry {
		return types.NetworkAclEntry{RuleNumber: aws.Int32(n), Egress: aws.Bool(egress), RuleAction: action, Protocol: aws.String(protocol), CidrBlock: aws.String(block), PortRange: ports}
	}
	m.EXPECT().DescribeNetworkAcls(gomock.Any(), gomock.Any(), gomock.Any()).Return(&ec2.DescribeNetworkAclsOutput{NetworkAcls: []types.NetworkAcl{{
		NetworkAclId: aws.String("acl-1"), Associations: []types.NetworkAclAssociation{{SubnetId: aws.String("subnet-1")}},
		Entries: []types.NetworkAclEntry{
			entry(32767, false, types.RuleActionDeny, "-1", "0.0.0.0/0", nil),
			entry(100, false, types.RuleActionAllow, "6", "10.0.0.0/8", &types.PortRange{From: aws.Int32(443), To: aws.Int32(443)}),
			entry(50, false, types.RuleActionAllow, "17", "0.0.0.0/0", nil),
			entry(100, true, types.RuleActionAllow, "-1", "0.0.0.0/0", nil),
		},
	}}}, nil)
	acls, err := s.ACLs(t.Context(), "vpc-1")
	if err != nil || len(acls) != 1 {
		t.Fatal(acls, err)
	}
	a, ok := ACLOf(acls, "subnet-1")
	if !ok || len(a.In) != 2 || a.In[0].Number != 100 || a.In[0].From != 443 || a.In[1].Allow || len(a.Out) != 1 || a.Out[0].To != 65535 {
		t.Errorf("got %+v", a)
	}
	if _, ok := ACLOf(acls, "subnet-2"); ok {
		t.Error("subnet-2 has none")
	}
}

func TestPasses(t *testing.T) {
	prefix := netip.MustParsePrefix
	allow := func(from, to int, block string) ACLRule {
		return ACLRule{Allow: true, From: from, To: to, Block: prefix(block)}
	}
	deny := func(from, to int, block string) ACLRule { return ACLRule{From: from, To: to, Block: prefix(block)} }
	for _, tt := range []struct {
		name     string
		rules    []ACLRule
		from, to int
		peer     netip.Prefix
		want     bool
	}{
		{"no rule", nil, 443, 443, Internet, false},
		{"everything", []ACLRule{allow(0, 65535, "0.0.0.0/0")}, 443, 443, Internet, true},
		{"a denial before", []ACLRule{deny(443, 443, "0.0.0.0/0"), allow(0, 65535, "0.0.0.0/0")}, 443, 443, Internet, false},
		{"a denial after", []ACLRule{allow(0, 65535, "0.0.0.0/0"), deny(443, 443, "0.0.0.0/0")}, 443, 443, Internet, true},
		{"a denial of others", []ACLRule{deny(443, 443, "198.51.100.0/24"), allow(0, 65535, "0.0.0.0/0")}, 443, 443, Internet, true},
		{"ranges of AWS alone", []ACLRule{allow(443, 443, "52.94.0.0/16")}, 443, 443, Internet, true},
		{"private ranges are no internet", []ACLRule{allow(443, 443, "10.0.0.0/8")}, 443, 443, Internet, false},
		{"a peer within", []ACLRule{allow(443, 443, "10.0.0.0/8")}, 443, 443, prefix("10.1.0.0/24"), true},
		{"a peer that is larger", []ACLRule{allow(443, 443, "10.1.0.0/25")}, 443, 443, prefix("10.1.0.0/24"), false},
		{"a part of the peer is shut out", []ACLRule{deny(443, 443, "10.1.0.0/25"), allow(443, 443, "10.0.0.0/8")}, 443, 443, prefix("10.1.0.0/24"), false},
		{"a range", []ACLRule{allow(1024, 65535, "0.0.0.0/0")}, 32768, 60999, Internet, true},
		{"a hole in the range", []ACLRule{deny(40000, 40010, "0.0.0.0/0"), allow(1024, 65535, "0.0.0.0/0")}, 32768, 60999, Internet, false},
		{"the end of the range", []ACLRule{allow(1024, 50000, "0.0.0.0/0")}, 32768, 60999, Internet, false},
		{"two rules together", []ACLRule{allow(1024, 40000, "0.0.0.0/0"), allow(40001, 65535, "0.0.0.0/0")}, 32768, 60999, Internet, true},
	} {
		if got := Passes(tt.rules, tt.from, tt.to, tt.peer); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestLetsOutTo(t *testing.T) {
	block := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	peer := netip.MustParsePrefix("10.0.1.0/24")
	for _, tt := range []struct {
		name           string
		out            []Rule
		internet, peer bool
	}{
		{"nothing", nil, false, false},
		{"everything", []Rule{{Protocol: "-1", Blocks: block("0.0.0.0/0")}}, true, true},
		{"another port", []Rule{{Protocol: "tcp", From: 80, To: 80, Blocks: block("0.0.0.0/0")}}, false, false},
		{"the VPC", []Rule{{Protocol: "tcp", From: 443, To: 443, Blocks: block("10.0.0.0/16")}}, false, true},
		{"the endpoints' group", []Rule{{Protocol: "tcp", From: 443, To: 443, Groups: []string{"sg-ep"}}}, false, true},
		{"a prefix list", []Rule{{Protocol: "tcp", From: 443, To: 443, Lists: []string{"pl-1"}}}, true, true},
		{"IPv6 alone", []Rule{{Protocol: "-1", Blocks: block("::/0")}}, false, false},
	} {
		groups := []Group{{Out: tt.out}}
		if got := LetsOutTo(groups, 443, Internet, nil); got != tt.internet {
			t.Errorf("%s: internet %v", tt.name, got)
		}
		if got := LetsOutTo(groups, 443, peer, []string{"sg-ep"}); got != tt.peer {
			t.Errorf("%s: peer %v", tt.name, got)
		}
	}
}

func TestEndpoints(t *testing.T) {
	s, m := service(t)
	m.EXPECT().DescribeVpcEndpoints(gomock.Any(), gomock.Any(), gomock.Any()).Return(&ec2.DescribeVpcEndpointsOutput{VpcEndpoints: []types.VpcEndpoint{
		{VpcEndpointId: aws.String("vpce-1"), ServiceName: aws.String("com.amazonaws.eu-west-1.ssm"), State: "available", VpcEndpointType: types.VpcEndpointTypeInterface},
		{VpcEndpointId: aws.String("vpce-2"), ServiceName: aws.String("com.amazonaws.eu-west-1.ssm"), State: "pending", PrivateDnsEnabled: aws.Bool(true)},
		{
			VpcEndpointId: aws.String("vpce-3"), ServiceName: aws.String("com.amazonaws.eu-west-1.ssm"), State: "Available", PrivateDnsEnabled: aws.Bool(true),
			SubnetIds: []string{"subnet-1"}, Groups: []types.SecurityGroupIdentifier{{GroupId: aws.String("sg-1")}}, PolicyDocument: aws.String("{}"),
		},
		{VpcEndpointId: aws.String("vpce-4"), ServiceName: aws.String("com.amazonaws.eu-west-1.s3"), State: "available", VpcEndpointType: types.VpcEndpointTypeGateway, RouteTableIds: []string{"rtb-1"}},
	}}, nil)
	all, err := s.Endpoints(t.Context(), "vpc-1")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range EndpointTo(all, "ssm") {
		ids = append(ids, e.ID)
	}
	if !slices.Equal(ids, []string{"vpce-3", "vpce-1", "vpce-2"}) {
		t.Errorf("in the order %v", ids)
	}
	want := Endpoint{ID: "vpce-3", Service: "ssm", State: "Available", PrivateDNS: true, Subnets: []string{"subnet-1"}, Groups: []string{"sg-1"}, Policy: "{}"}
	if !reflect.DeepEqual(all[2], want) || !all[3].Gateway || all[3].Tables[0] != "rtb-1" {
		t.Errorf("got %+v", all)
	}
}

func TestChanges(t *testing.T) {
	s, m := service(t)
	var peers []string
	m.EXPECT().AuthorizeSecurityGroupIngress(gomock.Any(), gomock.Any()).Times(3).DoAndReturn(
		func(_ context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
			p := in.IpPermissions[0]
			if *in.GroupId != "sg-1" || *p.FromPort != 443 || *p.ToPort != 443 || *p.IpProtocol != "tcp" {
				t.Errorf("asked %+v", in)
			}
			for _, x := range p.UserIdGroupPairs {
				peers = append(peers, *x.GroupId)
			}
			for _, x := range p.IpRanges {
				peers = append(peers, *x.CidrIp)
			}
			for _, x := range p.Ipv6Ranges {
				peers = append(peers, *x.CidrIpv6)
			}
			return nil, &smithy.GenericAPIError{Code: "InvalidPermission.Duplicate"}
		})
	for _, peer := range []string{"sg-2", "10.0.0.0/8", "2001:db8::/32"} {
		if err := s.LetIn(t.Context(), "sg-1", peer); err != nil { // it is let in already
			t.Error(err)
		}
	}
	if !slices.Equal(peers, []string{"sg-2", "10.0.0.0/8", "2001:db8::/32"}) {
		t.Errorf("peers %v", peers)
	}
	m.EXPECT().AuthorizeSecurityGroupEgress(gomock.Any(), gomock.Any()).Return(nil, &smithy.GenericAPIError{Code: "InvalidGroup.NotFound"})
	if err := s.LetOut(t.Context(), "sg-1", "0.0.0.0/0"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	for _, hostnames := range []bool{false, true} {
		m.EXPECT().ModifyVpcAttribute(gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, in *ec2.ModifyVpcAttributeInput, _ ...func(*ec2.Options)) (*ec2.ModifyVpcAttributeOutput, error) {
				if (in.EnableDnsHostnames != nil) != hostnames || (in.EnableDnsSupport != nil) == hostnames {
					t.Errorf("asked %+v", in) // one at a time
				}
				return &ec2.ModifyVpcAttributeOutput{}, nil
			})
		if err := s.EnableDNS(t.Context(), "vpc-1", hostnames); err != nil {
			t.Error(err)
		}
	}
	m.EXPECT().CreateVpcEndpoint(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ec2.CreateVpcEndpointInput, _ ...func(*ec2.Options)) (*ec2.CreateVpcEndpointOutput, error) {
			if in.VpcEndpointType != types.VpcEndpointTypeInterface || !*in.PrivateDnsEnabled || in.SubnetIds[0] != "subnet-1" || in.SecurityGroupIds[0] != "sg-1" {
				t.Errorf("asked %+v", in)
			}
			return &ec2.CreateVpcEndpointOutput{VpcEndpoint: &types.VpcEndpoint{VpcEndpointId: aws.String("vpce-9")}}, nil
		})
	if id, err := s.CreateEndpoint(t.Context(), "vpc-1", "com.amazonaws.eu-west-1.ssm", []string{"subnet-1"}, []string{"sg-1"}); id != "vpce-9" || err != nil {
		t.Errorf("got %s, %v", id, err)
	}
}
