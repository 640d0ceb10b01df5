package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// APITarget is one entry of the Targets parameter of the API.
type APITarget struct {
	Key    string   `json:"key"` // tag:K, tag-key, resource-groups:Name
	Values []string `json:"values"`
}

// Selection is what several targets and a filter come to. Either InstanceIDs or
// Targets is what to send, never both.
type Selection struct {
	// Nodes are all nodes that match, online or not, each once, sorted. They are
	// unknown (nil) for a group, whose members the service looks up.
	Nodes []Node
	// Offline are those of Nodes that are not connected. The service refuses a
	// command that names one by id, so InstanceIDs leaves them out; as members
	// of Targets they are tried and time out. Report them.
	Offline []Node
	// InstanceIDs are the online nodes. The caller cuts them into the 50 that
	// one call takes.
	InstanceIDs []string
	// Targets are the tags or the group, when nothing else was asked for.
	Targets []APITarget
	// Note says what the user should know about how this is sent; may be empty.
	Note string
}

// Select finds the nodes that targets and filter mean, for a command on many.
//
// Tags narrow: with several, a node must carry all of them. Ids, names,
// patterns and files add up: each names nodes of its own. Both together are the
// named nodes within the tags. "all" stands for every online node. Expressions
// with operators are names of their own.
//
// Tags without a filter are sent as tags, a group alone as a group whose members
// the service looks up, and everything else as ids. The nodes are
// always looked up first, so that a target that fits nothing, or one name that
// fits two nodes, is a NotFound fault before anything is sent. Only where
// looking up is not allowed or not possible do ids pass as they were given, and
// the Note says so.
func (s *Service) Select(ctx context.Context, targets []Target, filter Filter) (Selection, error) {
	return s.choose(ctx, targets, filter, false)
}

// Members is Select for what must know every node: the members of a group are
// looked up here, also when it stands alone. When none is online the Selection
// comes with the Offline fault, for those to whom that is no obstacle.
func (s *Service) Members(ctx context.Context, targets []Target, filter Filter) (Selection, error) {
	return s.choose(ctx, targets, filter, true)
}

func (s *Service) choose(ctx context.Context, targets []Target, filter Filter, members bool) (Selection, error) {
	const op = "choose nodes"
	if len(targets) == 0 {
		return Selection{}, fault.New(fault.Usage, op, "no target is given").
			WithHint("name nodes with --target or --tag, or write --target all")
	}
	p, err := s.plan(targets, filter.Empty() && !members)
	if err != nil {
		return Selection{}, err
	}
	if p.group != nil {
		return p.selectGroup(), nil
	}
	q := p.query()
	nodes, err := All(s.List(ctx, q))
	blind := len(q.IDs) > 0 && filter.Empty() && unusable(err)
	switch {
	case blind:
		for _, id := range q.IDs {
			nodes = append(nodes, Node{ID: id})
		}
	case err != nil:
		return Selection{}, reword(op, err)
	}
	if len(p.tags) > 0 && len(nodes) == 0 {
		return Selection{}, noNode("choose nodes by "+p.describe(), p.tags[0], nil)
	}
	m, err := s.membersOf(ctx, p.named)
	if err != nil {
		return Selection{}, err
	}
	if nodes, err = p.pick(nodes, m); err != nil {
		return Selection{}, err
	}
	if nodes, err = s.joined(ctx, nodes, filter); err != nil {
		return Selection{}, err
	}
	if nodes, err = s.Narrow(ctx, nodes, filter); err != nil {
		return Selection{}, err
	}
	if len(nodes) == 0 {
		return Selection{}, p.nothing(filter)
	}
	Sort(nodes)
	sel, err := p.selection(nodes, filter)
	if s.noNames.Load() && slices.ContainsFunc(leaves(p.named), Target.named) {
		sel.Note = strings.TrimPrefix(sel.Note+"; names of instances cannot be read here: their computer names were looked at", "; ")
	}
	if blind {
		sel.Note = "the nodes cannot be looked up here, and their ids are sent as they are"
	}
	return sel, err
}

// plan is targets sorted by what they do.
type plan struct {
	tags  []Target // merged: one entry for each key
	named []Target // ids, names, patterns, ranges, blocks, expressions
	group *Target  // alone
	all   bool
}

// plan sorts targets. A group alone may be left to the service where that is
// wanted.
func (s *Service) plan(targets []Target, leave bool) (plan, error) {
	var p plan
	if leave && len(targets) == 1 && targets[0].Kind == KindGroup {
		p.group = &targets[0]
		return p, nil
	}
	if err := s.groupable(targets); err != nil {
		return p, err
	}
	for _, t := range targets {
		switch t.Kind {
		case KindID, KindName, KindGlob, KindRange, KindCIDR, KindGroup:
			p.named = append(p.named, t)
		case KindSet:
			set, err := s.readSet(t)
			if err != nil {
				return p, err
			}
			p.named = append(p.named, set)
		case KindAll:
			p.all = true
		case KindFile:
			listed, err := s.read(t)
			if err != nil {
				return p, err
			}
			p.named = append(p.named, listed...)
		case KindTag, KindTagKey:
			if err := p.addTag(t); err != nil {
				return p, err
			}
		case KindECS:
			return p, fault.Usagef("%s is a container, and takes no commands from Run Command", t.Expr).
				WithHint("open a session: `ssmdeck exec %s -- COMMAND`", t.Expr)
		default:
			return p, fault.Usagef("%q is not a target", t.Expr).WithHint(targetForms)
		}
	}
	if len(p.tags) > maxTagKeys {
		return p, fault.Usagef("%d tag keys are given, and %d are allowed", len(p.tags), maxTagKeys).
			WithHint("leave some out, or narrow with --filter")
	}
	return p, nil
}

// readSet replaces the files of an expression by what stands in them.
func (s *Service) readSet(t Target) (Target, error) {
	set := t
	set.Set = nil
	for _, o := range t.Set {
		if o.Target.Kind == KindFile {
			listed, err := s.read(o.Target)
			if err != nil {
				return t, err
			}
			o.Target.listed = listed
		}
		set.Set = append(set.Set, o)
	}
	return set, nil
}

// addTag merges t with the terms of the same key. A node has one value of a
// key, so two terms leave the values they share.
func (p *plan) addTag(t Target) error {
	for i, had := range p.tags {
		switch {
		case had.Key != t.Key:
			continue
		case t.Kind == KindTagKey:
		case had.Kind == KindTagKey:
			p.tags[i] = t
		default:
			shared := slices.DeleteFunc(slices.Clone(had.Values), func(v string) bool { return !slices.Contains(t.Values, v) })
			if len(shared) == 0 {
				return fault.Usagef("no node can be in both %s and %s", had.Expr, t.Expr).
					WithHint("for either write tag:%s=%s", t.Key, strings.Join(append(slices.Clone(had.Values), t.Values...), ","))
			}
			p.tags[i].Values = shared
		}
		return nil
	}
	p.tags = append(p.tags, t)
	return nil
}

// read reads the targets of a file or of standard input.
func (s *Service) read(t Target) ([]Target, error) {
	if t.Value == "-" {
		if s.stdin == nil {
			return nil, fault.Usagef("there is no standard input to read nodes from").WithHint("use file:PATH")
		}
		return ReadTargets(s.stdin, "standard input")
	}
	f, err := s.open(t.Value)
	if err != nil {
		return nil, fault.New(fault.Usage, "read the targets", "%w", err)
	}
	defer f.Close()
	return ReadTargets(f, t.Value)
}

// query asks for as few nodes as will do: for ids alone, those.
func (p *plan) query() Query {
	q := Query{Tags: p.tags}
	if len(p.tags) > 0 || p.all {
		return q
	}
	for _, t := range p.named {
		if t.Kind != KindID {
			return q
		}
	}
	for _, t := range p.named {
		if !slices.Contains(q.IDs, t.Value) {
			q.IDs = append(q.IDs, t.Value)
		}
	}
	return q
}

// pick keeps the named nodes, each once; beside all those that are online. Every
// name must fit: all that do not are in one error.
func (p *plan) pick(nodes []Node, m members) ([]Node, error) {
	if len(p.named) == 0 && !p.all {
		return nodes, nil
	}
	op := "choose nodes"
	if len(p.tags) > 0 {
		op += " within " + p.describe()
	}
	x := newIndex(nodes)
	seen := map[string]bool{}
	var out []Node
	var wrong []string
	var first error
	for _, t := range p.named {
		found, err := x.evaluate(t, m)
		if err != nil {
			first = cmp.Or(first, err)
			wrong = append(wrong, t.Expr)
			continue
		}
		for _, n := range found {
			if !seen[n.ID] {
				seen[n.ID] = true
				out = append(out, n)
			}
		}
	}
	if p.all {
		out = slices.DeleteFunc(slices.Clone(nodes), func(n Node) bool { return !n.Online() && !seen[n.ID] })
	}
	switch {
	case len(wrong) == 0:
		return out, nil
	case len(wrong) == 1:
		return nil, first
	}
	e := fault.New(fault.NotFound, op, "%d of %d targets fit no node or several: %s", len(wrong), len(p.named), some(wrong))
	e.Hint = fault.HintOf(first)
	return nil, e
}

// selection decides how the nodes are sent.
func (p *plan) selection(nodes []Node, filter Filter) (Selection, error) {
	sel := Selection{Nodes: nodes}
	for _, n := range nodes {
		if n.Offline() {
			sel.Offline = append(sel.Offline, n)
		} else {
			sel.InstanceIDs = append(sel.InstanceIDs, n.ID)
		}
	}
	if len(sel.InstanceIDs) == 0 {
		var names []string
		for _, n := range nodes {
			names = append(names, n.String())
		}
		return sel, fault.New(fault.Offline, "choose nodes", "none of the %d nodes is connected: %s", len(nodes), some(names)).
			WithHint("%s", nodes[0].OfflineHint())
	}
	var notes []string
	if n := len(sel.Offline); n > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d nodes are offline", n, len(nodes)))
	}
	switch {
	case len(p.tags) == 0:
	case p.asTags() && filter.Empty():
		sel.Targets, sel.InstanceIDs = p.apiTargets(), nil
	default:
		notes = append(notes, fmt.Sprintf("the ids of %d nodes are sent in place of the tags", len(sel.InstanceIDs)))
	}
	sel.Note = strings.Join(notes, "; ")
	return sel, nil
}

// asTags reports whether the service can be left to find the same nodes by tag.
// Of terms without a value it takes one: several would be alternatives.
func (p *plan) asTags() bool {
	keys := 0
	for _, t := range p.tags {
		if t.Kind == KindTagKey {
			keys++
		}
	}
	return len(p.named) == 0 && !p.all && keys <= 1
}

func (p *plan) apiTargets() []APITarget {
	var out []APITarget
	for _, t := range p.tags {
		if t.Kind == KindTagKey {
			out = append(out, APITarget{Key: "tag-key", Values: []string{t.Key}})
		} else {
			out = append(out, APITarget{Key: "tag:" + t.Key, Values: t.Values})
		}
	}
	return out
}

func (p *plan) selectGroup() Selection {
	return Selection{
		Targets: []APITarget{{Key: "resource-groups:Name", Values: []string{p.group.Value}}},
		Note:    fmt.Sprintf("the members of %s are looked up by the service when it starts", p.group.Expr),
	}
}

// nothing is the error when nodes were found and none is left.
func (p *plan) nothing(filter Filter) error {
	e := fault.New(fault.NotFound, "choose nodes", "no node matches")
	switch {
	case !filter.Empty():
		e.Err = errors.New("no node is left after the filter")
		return e.WithHint("try `ssmdeck ls --filter …` to see what it leaves")
	case p.all:
		e.Err = errors.New("no node is online")
	}
	return e.WithHint("`ssmdeck ls` lists the nodes of this account and Region")
}

func (p *plan) describe() string {
	var exprs []string
	for _, t := range p.tags {
		exprs = append(exprs, t.Expr)
	}
	return strings.Join(exprs, " and ")
}

// some lists the first few words.
func some(words []string) string {
	if len(words) <= candidates {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(words[:candidates], ", "), len(words)-candidates)
}

// count returns "1 node" or "3 nodes".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
