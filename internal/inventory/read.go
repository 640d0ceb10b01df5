package inventory

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Together reports whether GetInventory gives the entries of a type of many nodes at
// once. It does for nodes themselves, the summary of patches, and the account's own
// types; asked for another one it answers InvalidResultAttributeException ("Supported
// type names are: AWS:InstanceInformation, AWS:PatchSummary"). Of all types it finds
// nodes by their entries.
func Together(kind string) bool {
	return kind == Instance || kind == "AWS:PatchSummary" || strings.HasPrefix(kind, "Custom:")
}

// report is what one node reported of one type.
type report struct {
	node     string
	reported bool // it has the type at all
	captured time.Time
	entries  []Entry
}

// sweep reads a type of which the service gives many nodes Together.
func (s *Service) sweep(ctx context.Context, name string, filters []types.InventoryFilter) iter.Seq2[report, error] {
	return s.inventory(ctx, "read "+name, filters, []types.ResultAttribute{{TypeName: aws.String(name)}}, func(e types.InventoryResultEntity) report {
		data, ok := e.Data[name]
		r := report{node: aws.ToString(e.Id), reported: ok, captured: capturedAt(data.CaptureTime)}
		for _, entry := range data.Content {
			r.entries = append(r.entries, entry)
		}
		return r
	})
}

func (s *Service) inventory(
	ctx context.Context, op string, filters []types.InventoryFilter, attributes []types.ResultAttribute, of func(types.InventoryResultEntity) report,
) iter.Seq2[report, error] {
	return awsapi.Pages(op, func(token *string) ([]types.InventoryResultEntity, *string, error) {
		out, err := s.api.GetInventory(ctx, &ssm.GetInventoryInput{
			Filters: filters, ResultAttributes: attributes, MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Entities, out.NextToken, nil
	}, of)
}

// carrying returns those of nodes that have an entry that fits a filter, as the
// service finds them.
func (s *Service) carrying(ctx context.Context, narrow types.InventoryFilter, nodes []string) ([]string, error) {
	has := map[string]bool{}
	for filters := range s.chosen(nodes) {
		list := s.inventory(ctx, "find nodes by "+aws.ToString(narrow.Key), append(filters, narrow), nil, func(e types.InventoryResultEntity) report {
			return report{node: aws.ToString(e.Id)}
		})
		for r, err := range list {
			if err != nil {
				return nil, err
			}
			has[r.node] = true
		}
	}
	var out []string
	for _, id := range nodes {
		if has[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

// byID is the filter for nodes.
func byID(ids []string) types.InventoryFilter {
	return types.InventoryFilter{Key: aws.String(Instance + ".InstanceId"), Values: ids, Type: types.InventoryQueryOperatorTypeEqual}
}

// chosen yields the filters with which a few nodes are read, one after the other;
// for many it is none, once: all are read.
func (s *Service) chosen(nodes []string) iter.Seq[[]types.InventoryFilter] {
	return func(yield func([]types.InventoryFilter) bool) {
		if len(nodes) > fewNodes {
			yield(nil)
			return
		}
		for ids := range slices.Chunk(nodes, maxIDs) {
			if !yield([]types.InventoryFilter{byID(ids)}) {
				return
			}
		}
	}
}

// list reads what a node reported of a type; with narrow, at least all that fits it.
func (s *Service) list(ctx context.Context, node, kind string, narrow *types.InventoryFilter) (report, error) {
	if narrow != nil {
		r, err := s.listWith(ctx, node, kind, []types.InventoryFilter{*narrow})
		// The form of the key of these filters is not documented. Where the service
		// does not take it, or finds nothing on a node that it found itself, all is read.
		if err == nil && len(r.entries) > 0 || err != nil && fault.KindOf(err) != fault.Usage {
			return r, err
		}
	}
	return s.listWith(ctx, node, kind, nil)
}

func (s *Service) listWith(ctx context.Context, node, kind string, filters []types.InventoryFilter) (report, error) {
	l := Listing{}
	r := report{node: node}
	for e, err := range s.entries(ctx, node, kind, filters, &l) {
		if err != nil {
			return r, err
		}
		r.entries = append(r.entries, e)
	}
	r.captured = l.Captured
	r.reported = !r.captured.IsZero() || len(r.entries) > 0
	return r, nil
}

// first reads no more than whether a node has reported a type, and when.
func (s *Service) first(ctx context.Context, node, kind string) (Coverage, error) {
	out, err := s.api.ListInventoryEntries(ctx, &ssm.ListInventoryEntriesInput{
		InstanceId: aws.String(node), TypeName: aws.String(kind), MaxResults: aws.Int32(pageSize),
	})
	if err != nil {
		return Coverage{}, awsapi.Explain("read "+kind+" of "+node, err)
	}
	c := Coverage{Entries: len(out.Entries), More: aws.ToString(out.NextToken) != "", Captured: capturedAt(out.CaptureTime)}
	c.Reported = !c.Captured.IsZero() || c.Entries > 0
	return c, nil
}

// eachNode calls one for nodes, several at a time, and take with its result, one at a
// time. A node that is gone meanwhile is passed over. told is told how many are done.
func eachNode[T any](ctx context.Context, nodes []string, told func(done, total int), one func(context.Context, string) (T, error), take func(string, T)) error {
	var mu sync.Mutex
	done := 0
	return awsapi.Parallel(ctx, len(nodes), func(ctx context.Context, i int) error {
		v, err := one(ctx, nodes[i])
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			take(nodes[i], v)
		}
		if done++; told != nil {
			told(done, len(nodes))
		}
		return nil
	})
}

// Coverage says what a node reported of a type, and when.
type Coverage struct {
	Reported bool
	Entries  int
	More     bool // there are more than Entries
	Captured time.Time
}

// Covered returns, for nodes by id, whether they have reported a type. Nodes that
// have reported nothing at all may not be in it. told, unless nil, is told how many of
// them are read, where they are read one by one.
func (s *Service) Covered(ctx context.Context, name string, nodes []string, told func(done, total int)) (map[string]Coverage, error) {
	found := map[string]Coverage{}
	if !Together(name) {
		err := eachNode(ctx, nodes, told, func(ctx context.Context, id string) (Coverage, error) { return s.first(ctx, id, name) },
			func(id string, c Coverage) { found[id] = c })
		return found, err
	}
	for filters := range s.chosen(nodes) {
		for r, err := range s.sweep(ctx, name, filters) {
			if err != nil {
				return nil, err
			}
			found[r.node] = Coverage{Reported: r.reported, Entries: len(r.entries), Captured: r.captured}
		}
	}
	return found, nil
}
