package inventory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
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
type Options struct {
	Scheme pkgversion.Scheme
	// Told, unless nil, is told how many nodes are read, where they are read one by one.
	Told func(done, total int)
}

// Search finds, among nodes, those for which all terms of q hold, and the entries
// for which they do. Of the types that the service gives Together all is read, 50
// nodes a call. Of the others the nodes that may match are found by the service, 50 a
// call, and their entries are read node by node; where a name begins with a * or
// there is none, so are those of all nodes.
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
		for id := range known {
			matched := in.found[id]
			switch {
			case in.silent[id]:
				unknown[id] = true
			case t.Not && len(matched) == 0:
				holds[id]++
			case !t.Not && len(matched) > 0:
				holds[id]++
				before := found[id]
				for _, m := range matched { // an entry may fit several terms
					if !slices.ContainsFunc(before, func(o Match) bool { return o.Type == m.Type && maps.Equal(o.Entry, m.Entry) }) {
						found[id] = append(found[id], m)
					}
				}
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

// allSilent takes nodes for silent, until they are heard.
func (in *inquiry) allSilent(ids []string) {
	for _, id := range ids {
		in.silent[id] = true
	}
}

func (in *inquiry) taken(_ string, r report) { in.take(r) }

// take looks at what a node reported.
func (in *inquiry) take(r report) {
	n, asked := in.nodes[r.node]
	if !asked || !r.reported {
		return
	}
	delete(in.silent, r.node)
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
	if Together(in.Type) {
		in.allSilent(ids)
		for filters := range s.chosen(ids) {
			for r, err := range s.sweep(ctx, in.Type, filters) {
				if err != nil {
					return err
				}
				in.take(r)
			}
		}
		return nil
	}
	narrow, exact, narrows := in.serviceFilter()
	if !narrows { // the service cannot find what is asked for: all is read
		in.allSilent(ids)
		return eachNode(ctx, ids, in.options.Told, func(ctx context.Context, id string) (report, error) { return s.list(ctx, id, in.Type, nil) }, in.taken)
	}
	with, err := s.carrying(ctx, narrow, ids)
	if err != nil {
		return err
	}
	if in.Not && exact && in.measure == "" { // that they have it is all that counts
		for _, id := range with {
			in.found[id] = []Match{{Node: in.nodes[id]}}
		}
	} else {
		err = eachNode(ctx, with, in.options.Told, func(ctx context.Context, id string) (report, error) { return s.list(ctx, id, in.Type, &narrow) }, in.taken)
		if err != nil {
			return err
		}
	}
	return s.tellSilence(ctx, in, ids, with)
}

// tellSilence finds out which of the nodes that the service did not find have
// reported nothing of the type, or for many how many there are.
func (s *Service) tellSilence(ctx context.Context, in *inquiry, ids, with []string) error {
	has := make(map[string]bool, len(with))
	for _, id := range with {
		has[id] = true
	}
	rest := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return has[id] })
	if len(rest) == 0 {
		return nil
	}
	without, known, err := s.silent(ctx, in.Type)
	switch {
	case err != nil, known && without == 0:
		return err
	case known && len(ids) > fewNodes && !in.Not:
		in.without = without
		return nil
	}
	in.allSilent(rest)
	return eachNode(ctx, rest, in.options.Told, func(ctx context.Context, id string) (Coverage, error) { return s.first(ctx, id, in.Type) },
		func(id string, c Coverage) {
			if c.Reported {
				delete(in.silent, id)
			}
		})
}

// serviceFilter is the filter with which the service finds nodes that may match.
// exact says that all that it finds has a fitting name; ok is false when there is no
// such filter.
func (t Term) serviceFilter() (f types.InventoryFilter, exact, ok bool) {
	start, rest := t.name, ""
	if i := strings.IndexAny(t.name, "*?"); i >= 0 {
		start, rest = t.name[:i], t.name[i:]
	}
	if start == "" {
		return f, false, false
	}
	f = types.InventoryFilter{Key: aws.String(t.Type + "." + t.attribute), Values: []string{start}, Type: types.InventoryQueryOperatorTypeEqual}
	if rest != "" {
		f.Type = types.InventoryQueryOperatorTypeBeginWith
	}
	return f, rest == "" || rest == "*", true
}

// silent counts the nodes of the account that reported nothing of a type. known is
// false where the service does not count that.
func (s *Service) silent(ctx context.Context, kind string) (n int, known bool, err error) {
	const group = "reported"
	rows, err := s.aggregate(ctx, types.InventoryAggregator{Groups: []types.InventoryGroup{{
		Name: aws.String(group), Filters: []types.InventoryFilter{{Key: aws.String("TypeName"), Values: []string{kind}, Type: types.InventoryQueryOperatorTypeExists}},
	}}}, nil)
	if err != nil {
		if fault.KindOf(err) == fault.Usage {
			err = nil
		}
		return 0, false, err
	}
	for _, r := range rows {
		if v, ok := r["notMatchingCount"]; ok {
			n, err = number(v)
			return n, err == nil, err
		}
	}
	return 0, false, nil
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
