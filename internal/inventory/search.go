package inventory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/pkgversion"
)

// Match is an entry of a node for which all terms hold that fits one of them; for
// terms with ! alone there is one without an entry for each node.
type Match struct {
	Node     fleet.Node
	Type     string
	Entry    Entry
	Captured time.Time
}

// Answer is what a question came to.
type Answer struct {
	Matches []Match
	// Unknown are the nodes that were asked about and of which it cannot be said,
	// because they reported nothing of a type; sorted. Nodes of a large fleet are
	// only counted, see Without.
	Unknown []fleet.Node
	// Without is how many nodes of the whole account reported nothing of a type,
	// where the nodes asked about are too many to look at each. It is empty when
	// Unknown is exact.
	Without map[string]int
}

// Options say how versions compare. The zero value goes by each node's system.
type Options struct{ Scheme pkgversion.Scheme }

// Search finds, among nodes, those for which all terms of q hold, and the entries
// for which they do. Up to fewNodes nodes are read whole. Of more, those that may
// match are found by the service, 50 a call; for a term with ! all are read.
func (s *Service) Search(ctx context.Context, q Query, nodes []fleet.Node, o Options) (Answer, error) {
	var a Answer
	known := map[string]fleet.Node{}
	ids := make([]string, 0, len(nodes))
	for _, n := range nodes {
		known[n.ID] = n
		ids = append(ids, n.ID)
	}
	holds := map[string]int{} // by node: terms that hold
	unknown := map[string]bool{}
	found := map[string][]Match{}
	for _, t := range q.Terms {
		in := inquiry{Term: t, options: o, nodes: known, found: map[string][]Match{}, silent: map[string]bool{}}
		if err := s.ask(ctx, &in, ids); err != nil {
			return a, err
		}
		for id, n := range known {
			matched := in.found[id]
			switch {
			case in.silent[id]:
				unknown[id] = true
			case t.Not && len(matched) == 0:
				holds[id]++
			case !t.Not && len(matched) > 0:
				holds[id]++
				found[n.ID] = append(found[n.ID], matched...)
			}
		}
		if in.without > 0 {
			if a.Without == nil {
				a.Without = map[string]int{}
			}
			a.Without[t.Type] = in.without
		}
	}
	for _, n := range nodes {
		switch {
		case unknown[n.ID]:
			a.Unknown = append(a.Unknown, n)
		case holds[n.ID] < len(q.Terms):
		case len(found[n.ID]) == 0:
			a.Matches = append(a.Matches, Match{Node: n})
		default:
			a.Matches = append(a.Matches, found[n.ID]...)
		}
	}
	return a, nil
}

// inquiry is one term being asked about.
type inquiry struct {
	Term
	options Options
	nodes   map[string]fleet.Node
	found   map[string][]Match
	silent  map[string]bool // reported nothing of the type
	without int             // how many such there are in the account, where they are only counted
}

// take looks at what a node reported.
func (in *inquiry) take(r report) {
	n, asked := in.nodes[r.node]
	if !asked {
		return
	}
	scheme := in.options.Scheme
	if scheme == "" {
		scheme = SchemeOf(n, in.Type)
	}
	for _, e := range r.entries {
		if in.matches(e, scheme) {
			in.found[r.node] = append(in.found[r.node], Match{Node: n, Type: in.Type, Entry: e, Captured: r.captured})
		}
	}
}

// ask finds the matches of a term.
func (s *Service) ask(ctx context.Context, in *inquiry, ids []string) error {
	// Whole, where few are asked about, where silence must be told from absence,
	// and where the service cannot find what is asked for by its beginning.
	narrow, narrows := in.serviceFilter()
	if len(ids) <= fewNodes || in.Not || !narrows {
		for _, id := range ids {
			in.silent[id] = true
		}
		for filters := range s.chosen(ids) {
			for r, err := range s.sweep(ctx, in.Type, filters) {
				if err != nil {
					return err
				}
				if r.reported {
					delete(in.silent, r.node)
					in.take(r)
				}
			}
		}
		return nil
	}
	for r, err := range s.sweep(ctx, in.Type, []types.InventoryFilter{narrow}) {
		if err != nil {
			return err
		}
		if n, asked := in.nodes[r.node]; asked && !slices.ContainsFunc(r.entries, func(e Entry) bool { return fleet.Glob(in.name, e[in.attribute]) }) {
			// The service found it there and did not send it along.
			if r, err = s.whole(ctx, n, in.Type, narrow); err != nil {
				return err
			}
		}
		in.take(r)
	}
	var err error
	in.without, err = s.silent(ctx, in.Type)
	return err
}

// serviceFilter is the filter with which the service finds nodes that may match.
// ok is false when there is none.
func (t Term) serviceFilter() (f types.InventoryFilter, ok bool) {
	start, rest, globbed := t.name, "", false
	if i := strings.IndexAny(t.name, "*?"); i >= 0 {
		start, rest, globbed = t.name[:i], t.name[i:], true
	}
	if start == "" {
		return f, false
	}
	f = types.InventoryFilter{Key: aws.String(t.Type + "." + t.attribute), Values: []string{start}, Type: types.InventoryQueryOperatorTypeEqual}
	if globbed && rest != "" {
		f.Type = types.InventoryQueryOperatorTypeBeginWith
	}
	return f, true
}

// whole reads the entries of a node that match a filter from the list that is
// never cut.
func (s *Service) whole(ctx context.Context, n fleet.Node, kind string, narrow types.InventoryFilter) (report, error) {
	l := Listing{}
	r := report{node: n.ID, reported: true}
	for e, err := range s.entries(ctx, n.ID, kind, []types.InventoryFilter{narrow}, &l) {
		if err != nil {
			return r, err
		}
		r.entries = append(r.entries, e)
	}
	r.captured = l.Captured
	return r, nil
}

// silent counts the nodes of the account that reported nothing of a type.
func (s *Service) silent(ctx context.Context, kind string) (int, error) {
	const group = "reported"
	rows, err := s.aggregate(ctx, types.InventoryAggregator{Groups: []types.InventoryGroup{{
		Name: aws.String(group), Filters: []types.InventoryFilter{{Key: aws.String("TypeName"), Values: []string{kind}, Type: types.InventoryQueryOperatorTypeExists}},
	}}}, nil)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if v, ok := r["notMatchingCount"]; ok {
			return number(v)
		}
	}
	return 0, nil
}

// aggregate returns the counts of all pages.
func (s *Service) aggregate(ctx context.Context, a types.InventoryAggregator, filters []types.InventoryFilter) ([]Entry, error) {
	pages, err := awsapi.Collect(awsapi.Pages("count inventory", func(token *string) ([]types.InventoryResultEntity, *string, error) {
		out, err := s.api.GetInventory(ctx, &ssm.GetInventoryInput{
			Aggregators: []types.InventoryAggregator{a}, Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Entities, out.NextToken, nil
	}, func(e types.InventoryResultEntity) []Entry {
		var rows []Entry
		for _, data := range e.Data {
			for _, c := range data.Content {
				rows = append(rows, c)
			}
		}
		return rows
	}))
	return slices.Concat(pages...), err
}
