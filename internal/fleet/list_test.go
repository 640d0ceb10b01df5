package fleet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	idA = "i-0000000000000000a"
	idB = "i-0000000000000000b"
	idC = "mi-0000000000000000c"
)

func property(id, name string) types.InstanceProperty {
	return types.InstanceProperty{InstanceId: &id, Name: &name, PingStatus: types.PingStatusOnline, PlatformType: types.PlatformTypeLinux}
}

func information(id, computer string) types.InstanceInformation {
	return types.InstanceInformation{
		InstanceId: &id, ComputerName: &computer, PingStatus: types.PingStatusOnline, IsLatestVersion: aws.Bool(true),
	}
}

func properties(token string, ps ...types.InstanceProperty) *ssm.DescribeInstancePropertiesOutput {
	return &ssm.DescribeInstancePropertiesOutput{InstanceProperties: ps, NextToken: aws.String(token)}
}

func informations(token string, is ...types.InstanceInformation) *ssm.DescribeInstanceInformationOutput {
	return &ssm.DescribeInstanceInformationOutput{InstanceInformationList: is, NextToken: aws.String(token)}
}

func failure(code string) error {
	return &smithy.OperationError{ServiceID: "SSM", OperationName: "X", Err: &smithy.GenericAPIError{Code: code, Message: code}}
}

// mocked returns a service on a mock, with a clock that stands still.
func mocked(t testing.TB) (*Service, *MockapiMockRecorder) {
	t.Helper()
	m := NewMockapi(gomock.NewController(t))
	s := New(m, nil)
	s.now = func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }
	return s, m.EXPECT()
}

// input matches a call whose input satisfies ok.
type input[T any] struct {
	what string
	ok   func(*T) bool
}

func (m input[T]) Matches(x any) bool { in, is := x.(*T); return is && m.ok(in) }
func (m input[T]) String() string     { return m.what }

func propertiesAt(token string) gomock.Matcher {
	return input[ssm.DescribeInstancePropertiesInput]{"all properties at " + token, func(in *ssm.DescribeInstancePropertiesInput) bool {
		return aws.ToString(in.NextToken) == token && *in.MaxResults == 1000 && in.InstancePropertyFilterList == nil
	}}
}

func propertiesOf(ids ...string) gomock.Matcher {
	return input[ssm.DescribeInstancePropertiesInput]{fmt.Sprint("properties of ", ids), func(in *ssm.DescribeInstancePropertiesInput) bool {
		f := in.InstancePropertyFilterList
		return len(f) == 1 && f[0].Key == "InstanceIds" && slices.Equal(f[0].ValueSet, ids)
	}}
}

// informationBy matches a call with these filters, written "Key=v,v".
func informationBy(token string, filters ...string) gomock.Matcher {
	return input[ssm.DescribeInstanceInformationInput]{fmt.Sprint("information by ", filters, " at ", token), func(in *ssm.DescribeInstanceInformationInput) bool {
		var got []string
		for _, f := range in.Filters {
			got = append(got, *f.Key+"="+strings.Join(f.Values, ","))
		}
		return aws.ToString(in.NextToken) == token && *in.MaxResults == 50 && slices.Equal(got, filters)
	}}
}

func names(nodes []Node) string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return strings.Join(out, " ")
}

func TestListPagesLazily(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), propertiesAt("")).Return(properties("2", property(idA, "a")), nil).Times(2)
	m.DescribeInstanceProperties(gomock.Any(), propertiesAt("2")).Return(properties("3"), nil) // empty, yet not the last
	m.DescribeInstanceProperties(gomock.Any(), propertiesAt("3")).Return(properties("", property(idB, "b")), nil)
	for n, err := range s.List(t.Context(), Query{}) {
		if err != nil || n.Name != "a" {
			t.Fatalf("got %v, %v", n, err)
		}
		break // the second page must not be asked for
	}
	nodes, err := All(s.List(t.Context(), Query{}))
	if err != nil || names(nodes) != "a b" {
		t.Errorf("got %q, %v", names(nodes), err)
	}
}

func TestListFallsBackAndRemembers(t *testing.T) {
	for _, code := range []string{"AccessDeniedException", "UnknownOperationException", "UnsupportedOperationException", "ValidationException"} {
		t.Run(code, func(t *testing.T) {
			s, m := mocked(t)
			m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure(code)) // once, though two lists are made
			m.DescribeInstanceInformation(gomock.Any(), informationBy("")).Return(informations("2", information(idA, "a")), nil).Times(2)
			m.DescribeInstanceInformation(gomock.Any(), informationBy("2")).Return(informations("", information(idB, "b")), nil).Times(2)
			for range 2 {
				if nodes, err := All(s.List(t.Context(), Query{})); err != nil || names(nodes) != "a b" {
					t.Errorf("got %q, %v", names(nodes), err)
				}
			}
		})
	}
}

func TestListErrors(t *testing.T) {
	t.Run("throttled to the end", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("ThrottlingException"))
		_, err := All(s.List(t.Context(), Query{}))
		if fault.KindOf(err) != fault.Throttled || !strings.HasPrefix(err.Error(), "list nodes: ") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a list that breaks off is no list", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), propertiesAt("")).Return(properties("2", property(idA, "a")), nil)
		m.DescribeInstanceProperties(gomock.Any(), propertiesAt("2")).Return(nil, failure("AccessDeniedException"))
		nodes, err := All(s.List(t.Context(), Query{}))
		if fault.KindOf(err) != fault.Auth || nodes != nil {
			t.Errorf("got %v, %v", nodes, err)
		}
	})
	t.Run("both descriptions denied", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException"))
		m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException"))
		if _, err := All(s.List(t.Context(), Query{})); fault.KindOf(err) != fault.Auth {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a page that comes again", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(properties("2", property(idA, "a")), nil).Times(2)
		if _, err := All(s.List(t.Context(), Query{})); err == nil || !strings.Contains(err.Error(), "same page twice") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a cancelled context", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, context.Canceled)
		if _, err := All(s.List(t.Context(), Query{})); fault.KindOf(err) != fault.Interrupted {
			t.Errorf("got %v", err)
		}
	})
}

func TestListToleratesMissingFields(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(&ssm.DescribeInstancePropertiesOutput{
		InstanceProperties: []types.InstanceProperty{{}, {InstanceId: aws.String(idA)}, {InstanceId: aws.String(idB), PingStatus: "Dozing"}},
	}, nil)
	nodes, err := All(s.List(t.Context(), Query{}))
	want := []Node{{ID: idA}, {ID: idB, Ping: "dozing"}}
	if err != nil || !reflect.DeepEqual(nodes, want) {
		t.Errorf("got %+v, %v; want %+v", nodes, err, want)
	}
}

func TestListByID(t *testing.T) {
	t.Run("in chunks of 40", func(t *testing.T) {
		s, m := mocked(t)
		var all []string
		for i := range 45 {
			all = append(all, fmt.Sprintf("i-%017x", i))
		}
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(all[:40]...)).Return(properties("", property(all[0], "a")), nil)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(all[40:]...)).Return(properties("", property(all[44], "b")), nil)
		if nodes, err := All(s.List(t.Context(), Query{IDs: all})); err != nil || names(nodes) != "a b" {
			t.Errorf("got %q, %v", names(nodes), err)
		}
	})
	t.Run("a rejected id does not hide the others", func(t *testing.T) {
		s, m := mocked(t)
		bad := &types.InvalidInstanceId{}
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idA, idB, idC)).Return(nil, bad)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idA)).Return(properties("", property(idA, "a")), nil)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idB, idC)).Return(nil, bad)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idB)).Return(nil, bad)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idC)).Return(properties("", property(idC, "c")), nil)
		if nodes, err := All(s.List(t.Context(), Query{IDs: []string{idA, idB, idC}})); err != nil || names(nodes) != "a c" {
			t.Errorf("got %q, %v", names(nodes), err)
		}
	})
	t.Run("none", func(t *testing.T) {
		s, _ := mocked(t)
		if nodes, err := All(s.List(t.Context(), Query{IDs: []string{}})); err != nil || len(nodes) != 0 {
			t.Errorf("got %v, %v", nodes, err)
		}
	})
}

func target(t *testing.T, exprs ...string) []Target {
	t.Helper()
	var out []Target
	for _, e := range exprs {
		tg, err := ParseTarget(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tg)
	}
	return out
}

func TestListByTag(t *testing.T) {
	t.Run("takes names from the other description", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", "tag:env=prod,dev", "tag:role=web")).
			Return(informations("", information(idA, "host-a"), information(idB, "host-b")), nil)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idA, idB)).Return(properties("", property(idA, "web-1")), nil)
		nodes, err := All(s.List(t.Context(), Query{Tags: target(t, "tag:env=prod,dev", "tag:role=web")}))
		if err != nil || names(nodes) != "web-1 host-b" || nodes[0].AgentLatest == nil {
			t.Errorf("got %q, %v", names(nodes), err)
		}
	})
	t.Run("asks for the fleet once when there are more pages", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", "tag:env=prod")).Return(informations("2", information(idA, "")), nil)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("2", "tag:env=prod")).Return(informations("3", information(idB, "")), nil)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("3", "tag:env=prod")).Return(informations("", information(idC, "")), nil)
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idA)).Return(properties("", property(idA, "a")), nil)
		m.DescribeInstanceProperties(gomock.Any(), propertiesAt("")).Return(properties("", property(idA, "a"), property(idB, "b"), property(idC, "c")), nil)
		nodes, err := All(s.List(t.Context(), Query{Tags: target(t, "tag:env=prod")}))
		if err != nil || names(nodes) != "a b c" {
			t.Errorf("got %q, %v", names(nodes), err)
		}
	})
	t.Run("does without names where they are refused", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(informations("", information(idA, "host-a")), nil).Times(2)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException")).Times(1)
		for range 2 {
			if nodes, err := All(s.List(t.Context(), Query{Tags: target(t, "tag:env")})); err != nil || names(nodes) != "host-a" {
				t.Errorf("got %q, %v", names(nodes), err)
			}
		}
	})
	t.Run("two keys without values are two calls", func(t *testing.T) {
		s, m := mocked(t)
		s.noProperties.Store(true)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", "tag-key=env")).Return(informations("", information(idA, "a"), information(idB, "b")), nil)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", "tag-key=role")).Return(informations("", information(idB, "b"), information(idC, "c")), nil)
		if nodes, err := All(s.List(t.Context(), Query{Tags: target(t, "tag:env", "tag:role")})); err != nil || names(nodes) != "b" {
			t.Errorf("got %q, %v", names(nodes), err)
		}
	})
	t.Run("the second filter is applied here", func(t *testing.T) {
		s, m := mocked(t)
		s.noProperties.Store(true)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", "tag:env=prod")).Return(informations("", information(idA, "a"), information(idB, "b")), nil)
		f, err := ParseFilter("name=b")
		if err != nil {
			t.Fatal(err)
		}
		q := Query{Tags: target(t, "tag:env=prod"), Filter: f, IDs: []string{idA, idB}}
		if nodes, err := All(s.List(t.Context(), q)); err != nil || names(nodes) != "b" {
			t.Errorf("got %q, %v", names(nodes), err)
		}
	})
}

func TestGet(t *testing.T) {
	t.Run("merges both descriptions", func(t *testing.T) {
		s, m := mocked(t)
		p := property(idA, "web-1")
		p.InstanceType = aws.String("t3.small")
		m.DescribeInstanceProperties(gomock.Any(), propertiesOf(idA)).Return(properties("", p), nil)
		m.DescribeInstanceInformation(gomock.Any(), informationBy("", "InstanceIds="+idA)).Return(informations("", information(idA, "host-a")), nil)
		n, err := s.Get(t.Context(), idA)
		if err != nil || n.Name != "web-1" || n.ComputerName != "host-a" || n.InstanceType != "t3.small" || n.AgentLatest == nil || !*n.AgentLatest {
			t.Errorf("got %+v, %v", n, err)
		}
	})
	t.Run("a hybrid node brings its tags", func(t *testing.T) {
		s, m := mocked(t)
		s.noProperties.Store(true)
		m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(informations("", information(idC, "c")), nil)
		m.ListTagsForResource(gomock.Any(), input[ssm.ListTagsForResourceInput]{"tags of " + idC, func(in *ssm.ListTagsForResourceInput) bool {
			return *in.ResourceId == idC && in.ResourceType == types.ResourceTypeForTaggingManagedInstance
		}}).Return(&ssm.ListTagsForResourceOutput{TagList: []types.Tag{{Key: aws.String("env"), Value: aws.String("prod")}, {}}}, nil)
		n, err := s.Get(t.Context(), idC)
		if err != nil || n.Tags["env"] != "prod" {
			t.Errorf("got %+v, %v", n, err)
		}
	})
	t.Run("its tags may be denied", func(t *testing.T) {
		s, m := mocked(t)
		s.noProperties.Store(true)
		m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(informations("", information(idC, "c")), nil)
		m.ListTagsForResource(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException"))
		if n, err := s.Get(t.Context(), idC); err != nil || n.Tags != nil || n.Name != "c" {
			t.Errorf("got %+v, %v", n, err)
		}
	})
	t.Run("an unknown id", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidInstanceId{})
		_, err := s.Get(t.Context(), idA)
		if fault.KindOf(err) != fault.NotFound || !strings.Contains(fault.HintOf(err), "--region") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an error says what it was for", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("ExpiredTokenException"))
		if _, err := s.Get(t.Context(), idA); err == nil || !strings.HasPrefix(err.Error(), "get node "+idA+": the credentials") {
			t.Errorf("got %v", err)
		}
	})
}

func TestTagsOfEC2InstancesAreNotAskedFor(t *testing.T) {
	s, _ := mocked(t) // any call fails the test
	if tags, err := s.Tags(t.Context(), idA); err != nil || tags != nil {
		t.Errorf("got %v, %v", tags, err)
	}
}

func TestConnected(t *testing.T) {
	s, m := mocked(t)
	m.GetConnectionStatus(gomock.Any(), gomock.Any()).Return(&ssm.GetConnectionStatusOutput{Status: types.ConnectionStatusConnected}, nil)
	m.GetConnectionStatus(gomock.Any(), gomock.Any()).Return(&ssm.GetConnectionStatusOutput{Status: "notconnected"}, nil)
	m.GetConnectionStatus(gomock.Any(), gomock.Any()).Return(nil, errors.New("x"))
	for i, want := range []bool{true, false, false} {
		got, err := s.Connected(t.Context(), idA)
		if got != want || (err != nil) != (i == 2) {
			t.Errorf("call %d: %v, %v", i, got, err)
		}
	}
}

func BenchmarkList10000(b *testing.B) {
	var outs []*ssm.DescribeInstancePropertiesOutput
	for page := range 10 {
		var ps []types.InstanceProperty
		for i := range 1000 {
			ps = append(ps, property(fmt.Sprintf("i-%017x", page*1000+i), fmt.Sprintf("web-%d", page*1000+i)))
		}
		outs = append(outs, properties(fmt.Sprint(page+1), ps...))
	}
	outs[9].NextToken = nil
	s, m := mocked(b)
	next := 0
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).DoAndReturn(
		func(context.Context, *ssm.DescribeInstancePropertiesInput, ...func(*ssm.Options)) (*ssm.DescribeInstancePropertiesOutput, error) {
			next++
			return outs[(next-1)%10], nil
		}).AnyTimes()
	b.ReportAllocs()
	for b.Loop() {
		nodes, err := All(s.List(b.Context(), Query{}))
		if err != nil || len(nodes) != 10000 {
			b.Fatal(len(nodes), err)
		}
	}
}

// A service that does not look at the filter must not make another node of the one asked for.
func TestOnlyTheNodesAskedForAreTaken(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(properties("", property(idB, "b"), property(idA, "a")), nil)
	m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).AnyTimes().Return(informations("", information(idB, "b"), information(idA, "a")), nil)
	if n, err := s.Get(t.Context(), idA); err != nil || n.ID != idA {
		t.Errorf("got %s, %v", n.ID, err)
	}
}
