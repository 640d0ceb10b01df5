package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/golang/mock/gomock"
)

// cloud is EC2 in memory.
type cloud struct {
	instances []Instance
	err       error
	asked     atomic.Int32
	ids       []string // of the last call
	set       map[string]string
	removed   []string
}

func (c *cloud) Described(_ context.Context, ids []string) ([]Instance, error) {
	c.asked.Add(1)
	c.ids = ids
	if c.err != nil {
		return nil, c.err
	}
	return slices.DeleteFunc(slices.Clone(c.instances), func(i Instance) bool { return ids != nil && !slices.Contains(ids, i.ID) }), nil
}

func (c *cloud) SetTags(_ context.Context, ids []string, tags map[string]string) error {
	c.ids, c.set = ids, tags
	return c.err
}

func (c *cloud) RemoveTags(_ context.Context, ids, keys []string) error {
	c.ids, c.removed = ids, keys
	return c.err
}

func TestTableJoinsEC2TagsAndPatches(t *testing.T) {
	s, m := mocked(t)
	c := &cloud{instances: []Instance{{ID: idA, VPC: "vpc-1", State: "running", Tags: map[string]string{"Name": "new", "env": "prod"}}}}
	s.Joining(c, Clients{})
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(properties("", property(idA, "old"), property(idB, "gone"), property(idC, "rack")), nil)
	m.ListTagsForResource(gomock.Any(), gomock.Any()).Return(&ssm.ListTagsForResourceOutput{TagList: []types.Tag{{Key: aws.String("env"), Value: aws.String("lab")}}}, nil)
	m.DescribeInstancePatchStates(gomock.Any(), gomock.Any()).Return(&ssm.DescribeInstancePatchStatesOutput{InstancePatchStates: []types.InstancePatchState{
		{InstanceId: aws.String(idA), MissingCount: 3, BaselineId: aws.String("pb-1"), Operation: types.PatchOperationTypeScan},
	}}, nil)
	nodes, gaps, err := s.Table(t.Context(), Query{}, PartEC2|PartTags|PartPatch)
	if err != nil || len(nodes) != 3 {
		t.Fatalf("got %+v, %v", nodes, err)
	}
	if n := nodes[0]; n.Name != "new" || n.VPC != "vpc-1" || n.Tags["env"] != "prod" || n.Patch == nil || n.Patch.Missing != 3 || n.Unknown != nil {
		t.Errorf("joined: %+v", n)
	}
	if n := nodes[1]; !n.Lacks(PartEC2) || n.Name != "gone" || n.Patch != nil {
		t.Errorf("an instance that EC2 does not show: %+v", n)
	}
	if n := nodes[2]; n.Tags["env"] != "lab" || n.VPC != "" || n.Unknown != nil {
		t.Errorf("a hybrid node: %+v", n)
	}
	if len(gaps) != 1 || gaps[0].Nodes != 1 || c.ids != nil {
		t.Errorf("gaps %+v, asked for %v", gaps, c.ids)
	}
}

func TestWhatMayNotBeReadIsUnknownOnce(t *testing.T) {
	s, m := mocked(t)
	c := &cloud{err: failure("UnauthorizedOperation")}
	s.Joining(c, Clients{})
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(properties("", property(idA, "a"), property(idB, "b"), property(idC, "c")), nil)
	m.DescribeInstancePatchStates(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, failure("AccessDeniedException"))
	m.ListTagsForResource(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.ListTagsForResourceOutput{}, nil)
	nodes, gaps, err := s.Table(t.Context(), Query{}, PartEC2|PartPatch)
	if err != nil || len(gaps) != 2 || gaps[0].Nodes != 2 || gaps[1].Nodes != 3 {
		t.Fatalf("gaps %+v, %v", gaps, err)
	}
	if !nodes[0].Lacks(PartEC2) || nodes[2].Lacks(PartEC2) || !nodes[2].Lacks(PartPatch) {
		t.Errorf("unknown: %+v", nodes)
	}
	// A filter on it can be neither true nor false.
	for _, expr := range []string{"vpc=vpc-1", "vpc!=vpc-1", "missing>0", "tag:env=prod"} {
		f, err := ParseFilter(expr)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Table(t.Context(), Query{Filter: f}, 0); err == nil || !strings.Contains(err.Error(), "unknown of") {
			t.Errorf("%s: %v", expr, err)
		}
		if _, err := All(s.List(t.Context(), Query{Filter: f})); err == nil {
			t.Errorf("%s: a list ignored the filter", expr)
		}
		if _, err := s.Select(t.Context(), target(t, "a", "b"), f); err == nil {
			t.Errorf("%s: a selection ignored the filter", expr)
		}
	}
	// What is not about rights is an error.
	c.err = failure("ExpiredTokenException")
	if _, _, err := s.Table(t.Context(), Query{}, PartEC2); err == nil {
		t.Error("an expired token passed for a lack of rights")
	}
}

// Networks with VPC endpoints for Systems Manager alone, and emulators without EC2.
func TestNodesAreKnownWhereEC2IsNotThere(t *testing.T) {
	for name, err := range map[string]error{
		"not reached":  &smithy.OperationError{ServiceID: "EC2", OperationName: "DescribeInstances", Err: &smithyhttp.RequestSendError{Err: errors.New("no route")}},
		"another one":  failure("UnknownError"),
		"not its call": failure("InvalidAction"),
	} {
		s, m := mocked(t)
		s.Joining(&cloud{err: err}, Clients{})
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(properties("", property(idA, "a")), nil)
		nodes, gaps, err := s.Table(t.Context(), Query{}, PartEC2)
		if err != nil || len(gaps) != 1 || gaps[0].Part != PartEC2 || len(nodes) != 1 || !nodes[0].Lacks(PartEC2) {
			t.Errorf("%s: %+v, gaps %+v, %v", name, nodes, gaps, err)
		}
	}
}

func TestJoinAsksForFewIdsOrForAll(t *testing.T) {
	for n, all := range map[int]bool{3: false, sweepFrom: true} {
		s, _ := mocked(t)
		c := &cloud{}
		s.Joining(c, Clients{})
		nodes := make([]Node, n)
		for i := range nodes {
			nodes[i].ID = fmt.Sprintf("i-%017x", i)
		}
		if _, err := s.Join(t.Context(), nodes, PartEC2); err != nil || c.asked.Load() != 1 || (c.ids == nil) != all {
			t.Errorf("%d nodes: asked %d times for %d, %v", n, c.asked.Load(), len(c.ids), err)
		}
	}
}

// A patch state that says of no scan is not one in which nothing is missing.
func TestAPatchStateThatSaysNothing(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstancePatchStates(gomock.Any(), gomock.Any()).Return(&ssm.DescribeInstancePatchStatesOutput{InstancePatchStates: []types.InstancePatchState{
		{InstanceId: aws.String(idA)},
		{InstanceId: aws.String(idB), Operation: types.PatchOperationTypeScan, MissingCount: 2},
	}}, nil)
	nodes := []Node{{ID: idA}, {ID: idB}}
	gaps, err := s.Join(t.Context(), nodes, PartPatch)
	if err != nil || len(gaps) != 1 || gaps[0].Nodes != 1 || !strings.Contains(gaps[0].Err.Error(), "says of no scan") {
		t.Errorf("gaps %+v, %v", gaps, err)
	}
	if a, b := nodes[0], nodes[1]; a.Patch != nil || !a.Lacks(PartPatch) || b.Patch == nil || b.Patch.Missing != 2 || b.Lacks(PartPatch) {
		t.Errorf("%+v", nodes)
	}
}

func TestPatchStatesAreAskedForFiftyAtATime(t *testing.T) {
	s, m := mocked(t)
	var most atomic.Int32
	m.DescribeInstancePatchStates(gomock.Any(), gomock.Any()).Times(3).DoAndReturn(
		func(_ context.Context, in *ssm.DescribeInstancePatchStatesInput, _ ...func(*ssm.Options)) (*ssm.DescribeInstancePatchStatesOutput, error) {
			most.Store(max(most.Load(), int32(len(in.InstanceIds))))
			return &ssm.DescribeInstancePatchStatesOutput{}, nil
		})
	nodes := make([]Node, 120)
	for i := range nodes {
		nodes[i].ID = fmt.Sprintf("i-%017x", i)
	}
	if gaps, err := s.Join(t.Context(), nodes, PartPatch); err != nil || gaps != nil || most.Load() != 50 {
		t.Errorf("%v, %v, %d at most", gaps, err, most.Load())
	}
}

func TestUnmanaged(t *testing.T) {
	s, m := mocked(t)
	c := &cloud{instances: []Instance{
		{ID: idA, State: "running"},
		{ID: "i-00000000000000001", State: "running", Tags: map[string]string{"Name": "dark"}},
		{ID: "i-00000000000000002", State: "stopped"},
	}}
	s.Joining(c, Clients{})
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(properties("", property(idA, "a")), nil)
	got, err := s.Unmanaged(t.Context())
	if err != nil || len(got) != 1 || got[0].Name != "dark" || got[0].State != "running" {
		t.Errorf("got %+v, %v", got, err)
	}
	c.err = failure("UnauthorizedOperation")
	if _, err := s.Unmanaged(t.Context()); err == nil {
		t.Error("no right to EC2 passes for no instance")
	}
}

func TestTagsOfManyHybridNodesAreReadAtOnce(t *testing.T) {
	nodes := make([]Node, bulkFrom+1)
	for i := range nodes {
		nodes[i].ID = fmt.Sprintf("mi-%017x", i)
	}
	mapping := func(i int) tagtypes.ResourceTagMapping {
		return tagtypes.ResourceTagMapping{
			ResourceARN: aws.String("arn:aws:ssm:us-east-1:123456789012:managed-instance/" + nodes[i].ID),
			Tags:        []tagtypes.Tag{{Key: aws.String("n"), Value: aws.String(fmt.Sprint(i))}},
		}
	}
	s, m := mocked(t)
	b := NewMocktagsAPI(gomock.NewController(t))
	s.bulk = func() tagsAPI { return b }
	b.EXPECT().GetResources(gomock.Any(), gomock.Any()).Times(2).DoAndReturn(
		func(_ context.Context, in *resourcegroupstaggingapi.GetResourcesInput, _ ...func(*resourcegroupstaggingapi.Options)) (*resourcegroupstaggingapi.GetResourcesOutput, error) {
			if aws.ToString(in.PaginationToken) == "" {
				return &resourcegroupstaggingapi.GetResourcesOutput{ResourceTagMappingList: []tagtypes.ResourceTagMapping{mapping(0)}, PaginationToken: aws.String("more")}, nil
			}
			return &resourcegroupstaggingapi.GetResourcesOutput{ResourceTagMappingList: []tagtypes.ResourceTagMapping{mapping(1)}, PaginationToken: aws.String("")}, nil
		})
	if gaps, err := s.Join(t.Context(), nodes, PartTags); err != nil || gaps != nil || nodes[0].Tags["n"] != "0" || nodes[1].Tags["n"] != "1" || nodes[2].Tags != nil {
		t.Errorf("%v, %v, %+v", gaps, err, nodes[:3])
	}
	// Where that may not be, they are read one by one.
	b.EXPECT().GetResources(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException"))
	m.ListTagsForResource(gomock.Any(), gomock.Any()).Times(len(nodes)).Return(&ssm.ListTagsForResourceOutput{}, nil)
	for i := range nodes {
		nodes[i].Tags = nil
	}
	if gaps, err := s.Join(t.Context(), nodes, PartTags); err != nil || gaps != nil {
		t.Errorf("%v, %v", gaps, err)
	}
}

func TestManyTaggedNodesAreFoundByASweep(t *testing.T) {
	for name, tt := range map[string]struct {
		denied bool
		hybrid int
		pages  int // of DescribeInstanceInformation
	}{
		"all of EC2":       {false, 0, 1},
		"few hybrid nodes": {false, 2, 1},
		"denied":           {true, 0, 3},
		"many hybrids":     {false, fewHybrids + 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := mocked(t)
			c := &cloud{instances: []Instance{{ID: idA, Tags: map[string]string{"env": "prod"}}, {ID: idB, Tags: map[string]string{"env": "dev"}}}}
			if tt.denied {
				c.err = failure("UnauthorizedOperation")
			}
			s.Joining(c, Clients{})
			all := []types.InstanceProperty{property(idA, "a"), property(idB, "b")}
			for i := range tt.hybrid {
				all = append(all, property(fmt.Sprintf("mi-%017x", i), "h"))
			}
			m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(properties("", all...), nil)
			m.ListTagsForResource(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.ListTagsForResourceOutput{}, nil)
			asked := 0
			m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
				func(_ context.Context, in *ssm.DescribeInstanceInformationInput, _ ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error) {
					asked++
					if in.NextToken == nil {
						return informations("more", information(idA, "x")), nil
					}
					return informations(""), nil
				})
			nodes, err := All(s.List(t.Context(), Query{Tags: target(t, "tag:env=prod")}))
			if err != nil || len(nodes) != 1 || nodes[0].ID != idA || asked != tt.pages {
				t.Errorf("%+v, %v, after %d pages", nodes, err, asked)
			}
		})
	}
}

// A role that may not use DescribeInstanceProperties still finds nodes by the
// names that EC2 knows.
func TestNamesComeFromEC2WherePropertiesAreDenied(t *testing.T) {
	s, m := mocked(t)
	c := &cloud{instances: []Instance{{ID: idA, Tags: map[string]string{"Name": "web-1"}}}}
	s.Joining(c, Clients{})
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException"))
	m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).AnyTimes().Return(informations("", information(idA, "ip-1"), information(idC, "rack")), nil)
	if n, err := s.Find(t.Context(), "web-1"); err != nil || n.ID != idA {
		t.Errorf("got %v, %v", n, err)
	}
	c.err = failure("UnauthorizedOperation")
	if n, err := s.Find(t.Context(), "ip-1"); err != nil || n.ID != idA {
		t.Errorf("without EC2: %v, %v", n, err)
	}
}

// Each thousand instances are changed by themselves: what a later call says is not
// said of those of an earlier one.
func TestTagsOfManyInstances(t *testing.T) {
	s, _ := mocked(t)
	c := &failingCloud{after: 1}
	s.Joining(c, Clients{})
	nodes := make([]Node, 2*taggedAtOnce+1)
	for i := range nodes {
		nodes[i].ID = fmt.Sprintf("i-%017x", i)
	}
	failed := s.ChangeTags(t.Context(), nodes, TagChange{Set: map[string]string{"a": "b"}})
	if len(failed) != taggedAtOnce+1 || failed[nodes[0].ID] != nil || failed[nodes[taggedAtOnce].ID] == nil || c.calls != 3 {
		t.Errorf("%d failed, after %d calls", len(failed), c.calls)
	}
	s, _ = mocked(t)
	s.Joining(&failingCloud{after: 1}, Clients{})
	failed = s.ChangeTags(t.Context(), nodes[:1], TagChange{Set: map[string]string{"a": "b"}, Remove: []string{"c"}})
	if err := failed[nodes[0].ID]; err == nil || !strings.Contains(err.Error(), "after the others were set") {
		t.Errorf("got %v", err)
	}
}

// failingCloud is EC2 that does not change any more tags after some calls.
type failingCloud struct {
	cloud
	after, calls int
}

func (c *failingCloud) change() error {
	if c.calls++; c.calls > c.after {
		return failure("RequestLimitExceeded")
	}
	return nil
}

func (c *failingCloud) SetTags(context.Context, []string, map[string]string) error { return c.change() }

func (c *failingCloud) RemoveTags(context.Context, []string, []string) error { return c.change() }
