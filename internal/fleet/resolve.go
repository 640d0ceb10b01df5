package fleet

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// candidates is how many nodes or names an error lists.
const candidates = 5

// Ambiguous is the cause of an error about a target that fits several nodes.
type Ambiguous struct {
	Expr  string
	Nodes []Node // sorted
}

func (e *Ambiguous) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d nodes fit: ", len(e.Nodes))
	for i, n := range e.Nodes {
		if i == candidates {
			fmt.Fprintf(&b, ", and %d more", len(e.Nodes)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s %s", n.ID, n.Name, n.Ping)
	}
	return b.String()
}

// Resolve finds the one node that expr means and wants it online, for a session
// or a forward. An id costs one call, whatever the size of the fleet. The
// errors are faults: Usage for a malformed expr, NotFound when no node fits
// (with the closest names) or several do (the cause is an *Ambiguous), Offline
// when the node is not connected.
//
// A container (ecs:CLUSTER_TASK_RUNTIME) passes as a Node that has an ID alone:
// SSM keeps no list of them.
func (s *Service) Resolve(ctx context.Context, expr string) (Node, error) {
	n, err := s.Find(ctx, expr)
	if err != nil || !n.Offline() {
		return n, err
	}
	return n, fault.New(fault.Offline, "reach "+n.String(), "%s", n.Absence(s.now())).
		WithHint("%s", n.OfflineHint())
}

// Find is Resolve for what also works on a node that is offline.
func (s *Service) Find(ctx context.Context, expr string) (Node, error) {
	t, err := ParseTarget(expr)
	if err != nil {
		return Node{}, err
	}
	op := "find node " + t.Expr
	q := Query{}
	switch t.Kind {
	case KindECS:
		return Node{ID: t.Value, Name: t.Value}, nil
	case KindID:
		q.IDs = []string{t.Value}
	case KindTag, KindTagKey:
		q.Tags = []Target{t}
	case KindName, KindGlob, KindRange, KindCIDR:
	case KindSet, KindGroup:
		if err := s.groupable([]Target{t}); err != nil {
			return Node{}, err
		}
		if t, err = s.readSet(t); err != nil {
			return Node{}, err
		}
	default:
		return Node{}, fault.New(fault.Usage, op, "this needs one node").WithHint("name it by its id or name")
	}
	all, err := All(s.List(ctx, q))
	if t.Kind == KindID && unusable(err) {
		return Node{ID: t.Value}, nil
	}
	if err != nil {
		return Node{}, reword(op, err)
	}
	found := all
	if q.IDs == nil && q.Tags == nil {
		m, err := s.membersOf(ctx, []Target{t})
		if err != nil {
			return Node{}, err
		}
		if found, err = newIndex(all).evaluate(t, m); err != nil {
			return Node{}, err
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Node{}, noNode(op, t, all)
	}
	return Node{}, ambiguous(op, t, found)
}

func ambiguous(op string, t Target, found []Node) error {
	found = slices.Clone(found)
	Sort(found)
	return (&fault.Error{Kind: fault.NotFound, Op: op, Err: &Ambiguous{Expr: t.Expr, Nodes: found}}).
		WithHint("use the id, for example %s", found[0].ID)
}

// noNode is the error for a target that fits none of nodes.
func noNode(op string, t Target, nodes []Node) error {
	switch t.Kind {
	case KindID:
		return unknownID(op, t.Value)
	case KindTag, KindTagKey:
		return fault.New(fault.NotFound, op, "no node has this tag").
			WithHint("check its spelling, upper and lower case too; `ssmdeck ls` lists the nodes")
	}
	switch t.Kind {
	case KindCIDR:
		return fault.New(fault.NotFound, op, "no node has an address in it").WithHint("`ssmdeck ls --columns ip,name` shows the addresses")
	case KindGroup:
		return fault.New(fault.NotFound, op, "the group has no member that is a managed node").
			WithHint("check the group's query, and --region")
	case KindAll:
		return fault.New(fault.NotFound, op, "no node is online").WithHint("`ssmdeck ls` lists the nodes")
	}
	e := fault.New(fault.NotFound, op, "no node has this name, computer name or address")
	names := make([]string, 0, 2*len(nodes))
	for _, n := range nodes {
		names = append(names, n.Name, n.ComputerName)
	}
	if near := fault.Closest(strings.Trim(t.Value, "*?"), names, candidates); len(near) > 0 {
		return e.WithHint("did you mean %s", strings.Join(near, ", "))
	}
	return e.WithHint("`ssmdeck ls` lists the nodes of this account and Region")
}

func unknownID(op, id string) error {
	return fault.New(fault.NotFound, op, "Systems Manager does not know this node in this account and Region").
		WithHint("check --profile and --region; `ssmdeck ls` lists the nodes, and %s is not one of them", id)
}

// index finds nodes by what people call them.
type index struct {
	nodes            []Node
	id, exact, lower map[string][]int
}

func newIndex(nodes []Node) *index {
	x := &index{nodes: nodes, id: map[string][]int{}, exact: map[string][]int{}, lower: map[string][]int{}}
	for i, n := range nodes {
		put(x.id, n.ID, i)
		for _, word := range []string{n.Name, n.ComputerName, n.IP} {
			put(x.exact, word, i)
			put(x.lower, strings.ToLower(word), i)
		}
	}
	return x
}

// put notes node i under word, once.
func put(m map[string][]int, word string, i int) {
	if had := m[word]; word != "" && (len(had) == 0 || had[len(had)-1] != i) {
		m[word] = append(had, i)
	}
}

// find returns the nodes t names. An id is an id, also when some other node
// bears it as a name. A name is looked for as written, else in any case. A
// pattern looks at names and computer names, and case counts.
func (x *index) find(t Target) []Node {
	var hits []int
	switch t.Kind {
	case KindID:
		hits = x.id[t.Value]
	case KindGlob:
		for i, n := range x.nodes {
			if Glob(t.Value, n.Name) || Glob(t.Value, n.ComputerName) {
				hits = append(hits, i)
			}
		}
	case KindCIDR:
		for i, n := range x.nodes {
			if a, err := netip.ParseAddr(n.IP); err == nil && t.Block.Contains(a) {
				hits = append(hits, i)
			}
		}
	default:
		if hits = x.exact[t.Value]; len(hits) == 0 {
			hits = x.lower[strings.ToLower(t.Value)]
		}
	}
	var out []Node
	for _, i := range hits {
		out = append(out, x.nodes[i])
	}
	return out
}
