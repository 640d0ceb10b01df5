package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Sizes from the API model.
const (
	propertiesPage  = 1000 // DescribeInstanceProperties MaxResults
	informationPage = 50   // DescribeInstanceInformation MaxResults
	propertiesIDs   = 40   // values in one InstanceIds filter of DescribeInstanceProperties
)

// Query narrows a list. Its parts are combined: a node must satisfy them all.
type Query struct {
	IDs    []string // these nodes; nil means all
	Tags   []Target // tag terms (KindTag, KindTagKey), all of which must hold
	Filter Filter   // applied here, not by the service
}

// List yields the nodes that match q, in the order of the service, asking for
// a page when the one before is used up. It ends after the first error.
//
// Without tags it uses DescribeInstanceProperties, which gives 1000 nodes a
// page and EC2 Name tags; where that is refused or unknown, it and all later
// lists of s use DescribeInstanceInformation. Tags are known to the latter, which
// takes no other filter beside them, and to EC2: IDs and Filter are applied here
// then.
//
// A filter that needs more than these calls tell is applied to a Table.
func (s *Service) List(ctx context.Context, q Query) iter.Seq2[Node, error] {
	if q.Filter.Parts() != 0 {
		return s.joinedList(ctx, q)
	}
	nodes := s.everything(ctx)
	var wanted map[string]bool // nil: any
	switch {
	case len(q.Tags) > 0:
		nodes = s.tagged(ctx, q.Tags)
		if q.IDs != nil {
			wanted = make(map[string]bool, len(q.IDs))
			for _, id := range q.IDs {
				wanted[id] = true
			}
		}
	case q.IDs != nil:
		nodes = s.byID(ctx, q.IDs)
	}
	return func(yield func(Node, error) bool) {
		filter, err := s.located(ctx, q.Filter)
		if err != nil {
			yield(Node{}, err)
			return
		}
		for n, err := range nodes {
			if err != nil {
				yield(Node{}, err)
				return
			}
			if (wanted == nil || wanted[n.ID]) && filter.Match(n) && !yield(n, nil) {
				return
			}
		}
	}
}

func (s *Service) joinedList(ctx context.Context, q Query) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		nodes, _, err := s.Table(ctx, q, 0)
		if err != nil {
			yield(Node{}, err)
			return
		}
		for _, n := range nodes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// All collects a list. On an error it returns no nodes: half a fleet must not
// pass for a whole one.
func All(nodes iter.Seq2[Node, error]) ([]Node, error) {
	var all []Node
	for n, err := range nodes {
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// everything yields all nodes.
func (s *Service) everything(ctx context.Context) iter.Seq2[Node, error] {
	return s.either(s.properties(ctx, nil), s.withNames(ctx, s.information(ctx, nil)))
}

// byID yields the nodes with the given ids, in the order of the service within
// each chunk; unknown ids are left out.
func (s *Service) byID(ctx context.Context, ids []string) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		for chunk := range slices.Chunk(ids, propertiesIDs) {
			if !forward(s.chunk(ctx, chunk), yield) {
				return
			}
		}
	}
}

// chunk yields the nodes of up to 40 ids. An id the service rejects would hide
// the others: then each half is asked for by itself.
func (s *Service) chunk(ctx context.Context, ids []string) iter.Seq2[Node, error] {
	nodes := s.either(
		s.properties(ctx, []types.InstancePropertyFilter{{Key: types.InstancePropertyFilterKeyInstanceIds, ValueSet: ids}}),
		s.withNames(ctx, s.information(ctx, []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: ids}})),
	)
	return func(yield func(Node, error) bool) {
		for n, err := range nodes {
			switch {
			case rejectedID(err) && len(ids) == 1:
				return
			case err == nil && !slices.Contains(ids, n.ID): // of a service that has not looked at the filter
			case rejectedID(err):
				half := len(ids) / 2
				_ = forward(s.chunk(ctx, ids[:half]), yield) && forward(s.chunk(ctx, ids[half:]), yield)
				return
			case !yield(n, err) || err != nil:
				return
			}
		}
	}
}

// forward passes nodes on and reports whether more are wanted.
func forward(nodes iter.Seq2[Node, error], yield func(Node, error) bool) bool {
	for n, err := range nodes {
		if !yield(n, err) || err != nil {
			return false
		}
	}
	return true
}

// either yields what properties does, unless its first answer is that we may
// not use it; then information's.
func (s *Service) either(properties, information iter.Seq2[Node, error]) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		if s.noProperties.Load() {
			forward(information, yield)
			return
		}
		first := true
		for n, err := range properties {
			if first && unusable(err) {
				s.noProperties.Store(true)
				forward(information, yield)
				return
			}
			first = false
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// withNames gives instances that DescribeInstanceInformation listed the names that
// EC2 knows. Names are a comfort: where they cannot be had, the computer name
// stays.
func (s *Service) withNames(ctx context.Context, information iter.Seq2[Node, error]) iter.Seq2[Node, error] {
	return func(yield func(Node, error) bool) {
		if s.ec2 == nil {
			s.noNames.Store(true)
			forward(information, yield)
			return
		}
		nodes, err := All(information)
		if err != nil {
			yield(Node{}, err)
			return
		}
		s.askNames(ctx, nodes)
		for _, n := range nodes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// askNames takes the names and types of instances over from EC2, where it may be
// asked.
func (s *Service) askNames(ctx context.Context, nodes []Node) {
	at := map[string]int{}
	var instances []string
	for i, n := range nodes {
		if n.Instance() {
			at[n.ID] = i
			instances = append(instances, n.ID)
		}
	}
	if len(instances) == 0 {
		return
	}
	if s.ec2 == nil || s.noEC2.Load() {
		s.noNames.Store(true)
		return
	}
	if len(instances) >= sweepFrom {
		instances = nil
	}
	found, err := s.ec2.Described(ctx, instances)
	if err != nil {
		s.noEC2.Store(true)
		s.noNames.Store(true)
	}
	for _, i := range found {
		if k, ok := at[i.ID]; ok {
			nodes[k].Name = cmp.Or(i.Tags["Name"], nodes[k].Name)
			nodes[k].InstanceType = cmp.Or(i.Type, nodes[k].InstanceType)
		}
	}
}

// unusable reports whether an endpoint or a policy keeps us from
// DescribeInstanceProperties, which is documented for the console only.
func unusable(err error) bool {
	var api smithy.APIError
	var resp *awshttp.ResponseError
	switch {
	case errors.As(err, &resp) && (resp.HTTPStatusCode() >= http.StatusInternalServerError || resp.HTTPStatusCode() == http.StatusNotFound):
		// Emulators answer 404, 500 or 501 to what they do not know. If it is the
		// service that is in trouble, the other call will say so.
		return true
	case errors.As(err, &api):
		code := api.ErrorCode()
		return strings.HasPrefix(code, "AccessDenied") || strings.HasPrefix(code, "UnknownOperation") ||
			strings.HasPrefix(code, "UnsupportedOperation") || code == "InvalidAction" || code == "ValidationException"
	default:
		return false
	}
}

func rejectedID(err error) bool {
	var id *types.InvalidInstanceId
	var info *types.InvalidInstanceInformationFilterValue
	var prop *types.InvalidInstancePropertyFilterValue
	return errors.As(err, &id) || errors.As(err, &info) || errors.As(err, &prop)
}

func (s *Service) properties(ctx context.Context, filters []types.InstancePropertyFilter) iter.Seq2[Node, error] {
	return pages(func(token *string) ([]Node, *string, error) {
		out, err := s.api.DescribeInstanceProperties(ctx, &ssm.DescribeInstancePropertiesInput{
			InstancePropertyFilterList: filters, MaxResults: aws.Int32(propertiesPage), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		nodes := make([]Node, len(out.InstanceProperties))
		for i, p := range out.InstanceProperties {
			nodes[i] = fromProperty(p)
		}
		return nodes, out.NextToken, nil
	})
}

func (s *Service) information(ctx context.Context, filters []types.InstanceInformationStringFilter) iter.Seq2[Node, error] {
	return pages(func(token *string) ([]Node, *string, error) { return s.informationPage(ctx, filters, token) })
}

func (s *Service) informationPage(ctx context.Context, filters []types.InstanceInformationStringFilter, token *string) ([]Node, *string, error) {
	out, err := s.api.DescribeInstanceInformation(ctx, &ssm.DescribeInstanceInformationInput{
		Filters: filters, MaxResults: aws.Int32(informationPage), NextToken: token,
	})
	if err != nil {
		return nil, nil, err
	}
	nodes := make([]Node, len(out.InstanceInformationList))
	for i, p := range out.InstanceInformationList {
		nodes[i] = fromInformation(p)
	}
	return nodes, out.NextToken, nil
}

// pages yields the nodes of all pages, skipping entries without an id. A page
// may be empty and still have a successor.
func pages(page func(token *string) ([]Node, *string, error)) iter.Seq2[Node, error] {
	all := awsapi.Pages("list nodes", page, func(n Node) Node { return n })
	return func(yield func(Node, error) bool) {
		for n, err := range all {
			if err == nil && n.ID == "" {
				continue
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

// tagged yields the nodes that carry all tags. Where they do not fit one page of
// 50, EC2 is swept instead, 1000 instances a page, if it may be.
func (s *Service) tagged(ctx context.Context, tags []Target) iter.Seq2[Node, error] {
	slow := s.taggedPages(ctx, tags)
	if s.ec2 == nil {
		return slow
	}
	return func(yield func(Node, error) bool) {
		filters, more := tagFilters(tags)
		if len(more) == 0 {
			nodes, next, err := s.informationPage(ctx, filters, nil)
			switch {
			case err != nil:
				yield(Node{}, awsapi.Explain("list nodes", err))
				return
			case aws.ToString(next) == "":
				names := namer{s: s}
				if err := names.join(ctx, nodes); err != nil {
					yield(Node{}, err)
					return
				}
				for _, n := range nodes {
					if !yield(n, nil) {
						return
					}
				}
				return
			}
		}
		nodes, ok, err := s.taggedSweep(ctx, tags)
		switch {
		case err != nil:
			yield(Node{}, err)
		case !ok:
			forward(slow, yield)
		default:
			for _, n := range nodes {
				if !yield(n, nil) {
					return
				}
			}
		}
	}
}

// taggedSweep is tagged by what EC2 says of all instances. ok is false where it
// may not be asked, does not know all of them, or there are too many hybrid nodes.
func (s *Service) taggedSweep(ctx context.Context, tags []Target) (found []Node, ok bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sweep := s.sweep(ctx)
	defer sweep.wait()
	nodes, err := All(s.everything(ctx))
	if err != nil {
		cancel()
		return nil, false, err
	}
	hybrids := 0
	for _, n := range nodes {
		if n.Hybrid() {
			hybrids++
		}
	}
	if hybrids > fewHybrids {
		cancel()
		return nil, false, nil
	}
	gap, err := s.joinEC2(ctx, nodes, sweep)
	if err != nil || gap.Err != nil {
		return nil, false, err
	}
	if gap, err = s.joinTags(ctx, nodes); err != nil || gap.Err != nil {
		return nil, false, err
	}
	return slices.DeleteFunc(nodes, func(n Node) bool { return !n.carries(tags) }), true, nil
}

// carries reports whether the tags of n, which are known, are all of these.
func (n Node) carries(tags []Target) bool {
	for _, t := range tags {
		v, has := n.Tags[t.Key]
		if !has || t.Kind == KindTag && !slices.Contains(t.Values, v) {
			return false
		}
	}
	return true
}

// taggedPages is tagged by DescribeInstanceInformation, with the names that only
// DescribeInstanceProperties knows. A filter holds one tag-key term: its values
// would be alternatives. Further ones are asked for apart and intersected.
func (s *Service) taggedPages(ctx context.Context, tags []Target) iter.Seq2[Node, error] {
	filters, more := tagFilters(tags)
	return func(yield func(Node, error) bool) {
		var within []map[string]bool
		for _, f := range more {
			ids := map[string]bool{}
			for n, err := range s.information(ctx, f) {
				if err != nil {
					yield(Node{}, err)
					return
				}
				ids[n.ID] = true
			}
			within = append(within, ids)
		}
		names := namer{s: s}
		named := pages(func(token *string) ([]Node, *string, error) {
			nodes, next, err := s.informationPage(ctx, filters, token)
			if err == nil {
				err = names.join(ctx, nodes)
			}
			return nodes, next, err
		})
		for n, err := range named {
			in := !slices.ContainsFunc(within, func(ids map[string]bool) bool { return !ids[n.ID] })
			if (err != nil || in) && (!yield(n, err) || err != nil) {
				return
			}
		}
	}
}

// tagFilters turns tag terms into the filters of one call, and those of the
// calls whose results must be intersected with it.
func tagFilters(tags []Target) (filters []types.InstanceInformationStringFilter, more [][]types.InstanceInformationStringFilter) {
	keyTerms := 0
	for _, t := range tags {
		f := types.InstanceInformationStringFilter{Key: aws.String("tag:" + t.Key), Values: t.Values}
		if t.Kind == KindTagKey {
			f = types.InstanceInformationStringFilter{Key: aws.String("tag-key"), Values: []string{t.Key}}
			if keyTerms++; keyTerms > 1 {
				more = append(more, []types.InstanceInformationStringFilter{f})
				continue
			}
		}
		filters = append(filters, f)
	}
	return filters, more
}

// namer adds EC2 Name tags to nodes listed by tag. Names are a comfort: where
// they cannot be had, the computer name stays.
type namer struct {
	s     *Service
	pages int
	all   map[string]Node // the fleet, fetched when one page was not enough
}

func (j *namer) join(ctx context.Context, nodes []Node) error {
	j.pages++
	if len(nodes) == 0 {
		return nil
	}
	known, err := j.all, error(nil)
	switch {
	case j.s.noProperties.Load():
	case j.pages == 1:
		known, err = j.fetch(ctx, ids(nodes))
	case known == nil:
		j.all, err = j.fetch(ctx, nil)
		known = j.all
	}
	if err != nil {
		return err
	}
	for i, n := range nodes {
		if p, ok := known[n.ID]; ok {
			nodes[i] = n.named(p)
		}
	}
	if j.s.noProperties.Load() {
		j.s.askNames(ctx, nodes)
	}
	return nil
}

// fetch looks ids up, or everything (1000 nodes a call) when ids is nil. That it is
// not allowed to is no error.
func (j *namer) fetch(ctx context.Context, ids []string) (map[string]Node, error) {
	known := map[string]Node{}
	list := j.s.properties(ctx, nil)
	if ids != nil {
		list = func(yield func(Node, error) bool) {
			for chunk := range slices.Chunk(ids, propertiesIDs) {
				f := []types.InstancePropertyFilter{{Key: types.InstancePropertyFilterKeyInstanceIds, ValueSet: chunk}}
				if !forward(j.s.properties(ctx, f), yield) {
					return
				}
			}
		}
	}
	for n, err := range list {
		if unusable(err) {
			j.s.noProperties.Store(true)
			break
		}
		if err != nil {
			return nil, err
		}
		known[n.ID] = n
	}
	return known, nil
}

func ids(nodes []Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.ID
	}
	return out
}

// Get returns everything known about one node: both descriptions merged, and
// the tags of a hybrid node. Its error is NotFound when SSM does not know it.
func (s *Service) Get(ctx context.Context, id string) (Node, error) {
	op := "get node " + id
	found, err := All(s.byID(ctx, []string{id}))
	if err != nil {
		return Node{}, reword(op, err)
	}
	if len(found) == 0 {
		return Node{}, unknownID(op, id)
	}
	n := found[0]
	if n.AgentLatest == nil { // it was DescribeInstanceProperties that answered
		more, _, err := s.informationPage(ctx, []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: []string{id}}}, nil)
		switch {
		case err == nil && len(more) == 1 && more[0].ID == id:
			n = more[0].named(n)
		case err != nil && !unusable(err) && !rejectedID(err):
			return Node{}, awsapi.Explain(op, err)
		}
	}
	if n.Hybrid() { // its tags may be denied: the rest is worth having without them
		tags, err := s.Tags(ctx, id)
		switch {
		case err == nil:
			n.Tags = tags
		case fault.KindOf(err) == fault.Auth:
			n.unknown(PartTags)
		default:
			return Node{}, err
		}
	}
	return n, nil
}

// Facts is Get joined with all parts.
func (s *Service) Facts(ctx context.Context, id string) (Node, []Gap, error) {
	n, err := s.Get(ctx, id)
	if err != nil {
		return Node{}, nil, err
	}
	nodes := []Node{n}
	gaps, err := s.Join(ctx, nodes, PartEC2|PartTags|PartPatch)
	if err != nil {
		return Node{}, nil, reword("get node "+id, err)
	}
	return nodes[0], gaps, nil
}

// Tags returns the tags of a hybrid node (mi-…). Those of EC2 instances belong
// to EC2 and are not to be had here; for them the answer is nil.
func (s *Service) Tags(ctx context.Context, id string) (map[string]string, error) {
	if !strings.HasPrefix(id, "mi-") {
		return nil, nil
	}
	out, err := s.api.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceId: aws.String(id), ResourceType: types.ResourceTypeForTaggingManagedInstance,
	})
	if err != nil {
		return nil, awsapi.Explain("get the tags of "+id, err)
	}
	tags := make(map[string]string, len(out.TagList))
	for _, t := range out.TagList {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// Connected asks the message gateway, rather than the last ping, whether a
// session to the node can be opened now.
func (s *Service) Connected(ctx context.Context, id string) (bool, error) {
	out, err := s.api.GetConnectionStatus(ctx, &ssm.GetConnectionStatusInput{Target: aws.String(id)})
	if err != nil {
		return false, awsapi.Explain("check the connection of "+id, err)
	}
	return out.Status == types.ConnectionStatusConnected, nil
}

// reword gives a list's error the operation it served.
func reword(op string, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", op, err)
	}
	c := *e
	c.Op = op
	return &c
}
