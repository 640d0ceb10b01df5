package fleet

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroups"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroups/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// shop is a service over five nodes: web-1 to web-3, of which the last is lost,
// db-1, and R&D. web-1 and db-1 have the tag env=prod, the group g holds web-2
// and an instance that is not managed.
func shop(t *testing.T) *Service {
	t.Helper()
	s, m := mocked(t)
	nodes := []ssmtypes.InstanceProperty{
		property("i-0000000000000000a", "web-1"), property("i-0000000000000000b", "web-2"), property("i-0000000000000000c", "web-3"),
		property("i-0000000000000000d", "db-1"), property("i-0000000000000000e", "R&D"),
	}
	for i, ip := range []string{"10.0.0.1", "10.0.0.2", "10.0.1.3", "10.1.0.1", "10.1.0.2"} {
		nodes[i].IPAddress = &ip
	}
	nodes[2].PingStatus = ssmtypes.PingStatusConnectionLost
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(properties("", nodes...), nil)
	m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *ssm.DescribeInstanceInformationInput, _ ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error) {
			if aws.ToString(in.Filters[0].Key) == "tag:env" {
				return informations("", information("i-0000000000000000a", "x"), information("i-0000000000000000d", "y")), nil
			}
			return informations(""), nil
		})
	g := NewMockgroupsAPI(gomock.NewController(t))
	s.groups = func() groupsAPI { return g }
	g.EXPECT().ListGroupResources(gomock.Any(), gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *resourcegroups.ListGroupResourcesInput, _ ...func(*resourcegroups.Options)) (*resourcegroups.ListGroupResourcesOutput, error) {
			if aws.ToString(in.Group) != "g" {
				return nil, &types.NotFoundException{Message: aws.String("no")}
			}
			member := func(kind, id string) types.ListGroupResourcesItem {
				return types.ListGroupResourcesItem{Identifier: &types.ResourceIdentifier{
					ResourceType: &kind, ResourceArn: aws.String("arn:aws:ec2:us-east-1:123456789012:instance/" + id),
				}}
			}
			return &resourcegroups.ListGroupResourcesOutput{Resources: []types.ListGroupResourcesItem{
				member("AWS::EC2::Instance", "i-0000000000000000b"), member("AWS::EC2::Instance", "i-000000000000000ff"),
				member("AWS::EC2::Volume", "i-0000000000000000a"),
			}}, nil
		})
	s.stdin = strings.NewReader("web-2\ni-0000000000000000d\n")
	return s
}

func TestSelectByExpressions(t *testing.T) {
	for expr, want := range map[string]string{
		"web-[1-3]":                          "web-1 web-2 web-3",
		"web-*!web-3":                        "web-1 web-2",
		"web-*&tag:env=prod":                 "web-1",
		"web-*&tag:env=prod,db-1":            "web-1", // the comma is of the tag's values
		"db-1,web-*&tag:env=prod":            "db-1 web-1",
		"web-*&tag:env=prod|db-1":            "db-1 web-1",
		"web-1,web-2!web-1":                  "web-2", // from left to right
		"all!db-*":                           "R&D web-1 web-2",
		"10.0.0.0/24":                        "web-1 web-2",
		"10.0.0.0/8!10.0.0.0/16":             "R&D db-1",
		"ip:10.1.0.2":                        "R&D",
		`R\&D|web-1`:                         "R&D web-1",
		"@g|db-1":                            "db-1 web-2",
		"web-*!@g":                           "web-1 web-3",
		"all!-":                              "R&D web-1",
		"i-0000000000000000a,10.0.0.2,WEB-3": "web-1 web-2 web-3",
	} {
		sel, err := shop(t).Select(t.Context(), target(t, expr), Filter{})
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		names := map[string]bool{}
		var got []string
		for _, n := range sel.Nodes {
			names[n.Name] = true
		}
		for _, name := range []string{"R&D", "db-1", "web-1", "web-2", "web-3"} {
			if names[name] {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want || len(sel.Targets) != 0 || len(sel.InstanceIDs)+len(sel.Offline) != len(sel.Nodes) {
			t.Errorf("%s: %v (%+v), want %s", expr, got, sel, want)
		}
	}
}

func TestExpressionsRefuse(t *testing.T) {
	for expr, want := range map[string]string{
		"web-[1-5]":        "2 of 5 names fit no node: web-4, web-5",
		"web-*!web-9":      "find node web-9",
		"all!cache-*":      "find node cache-*",
		"web-*&db-1":       "no node is left",
		"web-1!web-1":      "no node is left",
		"web-*&tag:team=x": "no node has this tag",
		"web-*|@none":      "there is no resource group none",
		"192.168.0.0/16":   "no node has an address in it",
	} {
		_, err := shop(t).Select(t.Context(), target(t, expr), Filter{})
		if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}

func TestFindByExpressions(t *testing.T) {
	for expr, want := range map[string]string{"web-*&tag:env=prod": "web-1", "@g": "web-2", "10.1.0.1/32": "db-1", "web-[2]": "web-2"} {
		if n, err := shop(t).Find(t.Context(), expr); err != nil || n.Name != want {
			t.Errorf("%s: %v, %v", expr, n, err)
		}
	}
	if _, err := shop(t).Find(t.Context(), "web-*!web-1"); fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "2 nodes fit") {
		t.Errorf("got %v", err)
	}
}

func TestGroupsWithOthers(t *testing.T) {
	f, err := ParseFilter("ping=online")
	if err != nil {
		t.Fatal(err)
	}
	sel, err := shop(t).Select(t.Context(), target(t, "@g"), f)
	if err != nil || strings.Join(sel.InstanceIDs, " ") != "i-0000000000000000b" || len(sel.Targets) != 0 {
		t.Errorf("with a filter: %+v, %v", sel, err)
	}
	sel, err = shop(t).Select(t.Context(), target(t, "@g", "db-1"), Filter{})
	if err != nil || len(sel.InstanceIDs) != 2 {
		t.Errorf("with a name: %+v, %v", sel, err)
	}
}
