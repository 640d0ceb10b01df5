package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

// inventories is an API that knows entries by node and type, and gives them as the
// service does: of many nodes only those of some types.
type inventories struct {
	api
	data   map[string]map[string][]map[string]string
	strict bool // it takes no filters of entries, and counts no nodes without a type

	mu    sync.Mutex
	calls map[string]int
}

func (a *inventories) count(op string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls == nil {
		a.calls = map[string]int{}
	}
	a.calls[op]++
}

func fits(entries []map[string]string, f types.InventoryFilter) bool {
	_, attribute, _ := strings.Cut(aws.ToString(f.Key), ".")
	return slices.ContainsFunc(entries, func(e map[string]string) bool {
		v, ok := e[attribute]
		return ok && slices.ContainsFunc(f.Values, func(want string) bool {
			return v == want || f.Type == types.InventoryQueryOperatorTypeBeginWith && strings.HasPrefix(v, want)
		})
	})
}

func (a *inventories) GetInventory(_ context.Context, in *ssm.GetInventoryInput, _ ...func(*ssm.Options)) (*ssm.GetInventoryOutput, error) {
	if len(in.Aggregators) > 0 {
		a.count("aggregate")
		if a.strict {
			return nil, &types.InvalidAggregatorException{}
		}
		group := in.Aggregators[0].Groups[0]
		without := 0
		for _, of := range a.data {
			if _, ok := of[group.Filters[0].Values[0]]; !ok {
				without++
			}
		}
		return &ssm.GetInventoryOutput{Entities: []types.InventoryResultEntity{{Data: map[string]types.InventoryResultItem{
			aws.ToString(group.Name): {Content: []map[string]string{{"notMatchingCount": fmt.Sprint(without)}, {"matchingCount": fmt.Sprint(len(a.data) - without)}}},
		}}}}, nil
	}
	a.count("GetInventory")
	kind := Instance
	if len(in.ResultAttributes) > 0 {
		kind = aws.ToString(in.ResultAttributes[0].TypeName)
	}
	if kind != Instance && kind != "AWS:PatchSummary" && !strings.HasPrefix(kind, "Custom:") {
		return nil, &types.InvalidResultAttributeException{Message: aws.String("Result type name " + kind + " is not supported.")}
	}
	var all []types.InventoryResultEntity
	for _, id := range slices.Sorted(maps.Keys(a.data)) {
		if slices.ContainsFunc(in.Filters, func(f types.InventoryFilter) bool {
			if aws.ToString(f.Key) == "AWS:InstanceInformation.InstanceId" {
				return !slices.Contains(f.Values, id)
			}
			of, _, _ := strings.Cut(aws.ToString(f.Key), ".")
			return !fits(a.data[id][of], f)
		}) {
			continue
		}
		e := types.InventoryResultEntity{Id: aws.String(id), Data: map[string]types.InventoryResultItem{}}
		if content, ok := a.data[id][kind]; ok {
			e.Data[kind] = types.InventoryResultItem{TypeName: aws.String(kind), CaptureTime: aws.String("2026-03-01T10:00:00Z"), Content: content}
		}
		all = append(all, e)
	}
	from, _ := strconv.Atoi(aws.ToString(in.NextToken))
	out := &ssm.GetInventoryOutput{Entities: all[from:min(from+int(*in.MaxResults), len(all))]}
	if to := from + len(out.Entities); to < len(all) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return out, nil
}

func (a *inventories) ListInventoryEntries(_ context.Context, in *ssm.ListInventoryEntriesInput, _ ...func(*ssm.Options)) (*ssm.ListInventoryEntriesOutput, error) {
	a.count("ListInventoryEntries")
	if a.strict && len(in.Filters) > 0 {
		return nil, &types.InvalidFilter{Message: aws.String("no such key")}
	}
	entries, reported := a.data[aws.ToString(in.InstanceId)][aws.ToString(in.TypeName)]
	out := &ssm.ListInventoryEntriesOutput{}
	if !reported {
		return out, nil
	}
	out.CaptureTime = aws.String("2026-03-02T10:00:00Z")
	var all []map[string]string
	for _, e := range entries {
		if len(in.Filters) == 0 || fits([]map[string]string{e}, in.Filters[0]) {
			all = append(all, e)
		}
	}
	from, _ := strconv.Atoi(aws.ToString(in.NextToken))
	out.Entries = all[from:min(from+int(*in.MaxResults), len(all))]
	if to := from + len(out.Entries); to < len(all) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return out, nil
}

// reports makes an API of what nodes reported of applications, name and version each.
func reports(nodes []fleet.Node, of func(i int) []string) *inventories {
	a := &inventories{data: map[string]map[string][]map[string]string{}}
	for i, n := range nodes {
		a.data[n.ID] = map[string][]map[string]string{}
		if apps := of(i); apps != nil {
			a.data[n.ID][Application] = []map[string]string{}
			for _, app := range apps {
				name, version, _ := strings.Cut(app, " ")
				a.data[n.ID][Application] = append(a.data[n.ID][Application], map[string]string{"Name": name, "Version": version})
			}
		}
	}
	return a
}

// gone is an API that does not know a node any more.
type gone struct {
	*inventories
	id string
}

func (g *gone) ListInventoryEntries(ctx context.Context, in *ssm.ListInventoryEntriesInput, o ...func(*ssm.Options)) (*ssm.ListInventoryEntriesOutput, error) {
	if aws.ToString(in.InstanceId) == g.id {
		return nil, &types.InvalidInstanceId{}
	}
	return g.inventories.ListInventoryEntries(ctx, in, o...)
}
