package fleet

import (
	"context"
	"maps"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// members are the nodes of the tags and groups in expressions, by the Expr of
// the term. Only the service knows them.
type members map[string]map[string]bool

// membersOf looks up what the service alone knows of the terms: who carries a
// tag, who is in a group.
func (s *Service) membersOf(ctx context.Context, targets []Target) (members, error) {
	m := members{}
	for _, t := range leaves(targets) {
		if m[t.Expr] != nil {
			continue
		}
		switch t.Kind {
		case KindTag, KindTagKey:
			tagged, err := All(s.tagged(ctx, []Target{t}))
			if err != nil {
				return nil, reword("choose nodes by "+t.Expr, err)
			}
			m[t.Expr] = map[string]bool{}
			for _, n := range tagged {
				m[t.Expr][n.ID] = true
			}
		case KindGroup:
			ids, err := s.groupMembers(ctx, t)
			if err != nil {
				return nil, err
			}
			m[t.Expr] = ids
		}
	}
	return m, nil
}

// leaves are the single terms of targets.
func leaves(targets []Target) []Target {
	var out []Target
	for _, t := range targets {
		if t.Kind != KindSet {
			out = append(out, t)
			continue
		}
		for _, o := range t.Set {
			out = append(out, o.Target)
		}
	}
	return out
}

// evaluate returns the nodes of x that t stands for. A term must fit something:
// one that fits nothing, also one that is to be left out, is a slip. A name, and
// each name of a range, must fit one node.
func (x *index) evaluate(t Target, m members) ([]Node, error) {
	op := "find node " + t.Expr
	var found []Node
	switch t.Kind {
	case KindSet:
		return x.combine(t, m)
	case KindRange:
		return x.each(t)
	case KindFile:
		for _, one := range t.listed {
			nodes, err := x.evaluate(one, m)
			if err != nil {
				return nil, err
			}
			found = append(found, nodes...)
		}
	case KindTag, KindTagKey, KindGroup:
		for _, n := range x.nodes {
			if m[t.Expr][n.ID] {
				found = append(found, n)
			}
		}
	case KindAll:
		for _, n := range x.nodes {
			if n.Online() {
				found = append(found, n)
			}
		}
	default:
		found = x.find(t)
		if len(found) > 1 && (t.Kind == KindName || t.Kind == KindID) {
			return nil, ambiguous(op, t, found)
		}
	}
	if len(found) == 0 {
		return nil, noNode(op, t, x.nodes)
	}
	return found, nil
}

// each finds every name of a range. Those that are missing are in one error.
func (x *index) each(t Target) ([]Node, error) {
	op := "find nodes " + t.Expr
	var out []Node
	var missing []string
	for _, name := range t.Names {
		one := Target{Kind: KindName, Expr: name, Value: name}
		switch found := x.find(one); len(found) {
		case 0:
			missing = append(missing, name)
		case 1:
			out = append(out, found[0])
		default:
			return nil, ambiguous(op, one, found)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	return nil, fault.New(fault.NotFound, op, "%d of %d names fit no node: %s", len(missing), len(t.Names), some(missing)).
		WithHint("write those that exist, as in web-[1-3,5]; `ssmdeck ls` lists the nodes")
}

// combine works an expression out, from left to right.
func (x *index) combine(t Target, m members) ([]Node, error) {
	have := map[string]bool{}
	for _, o := range t.Set {
		found, err := x.evaluate(o.Target, m)
		if err != nil {
			return nil, err
		}
		those := map[string]bool{}
		for _, n := range found {
			those[n.ID] = true
		}
		switch o.Op {
		case opWithin:
			maps.DeleteFunc(have, func(id string, _ bool) bool { return !those[id] })
		case opWithout:
			maps.DeleteFunc(have, func(id string, _ bool) bool { return those[id] })
		default:
			maps.Copy(have, those)
		}
	}
	if len(have) == 0 {
		return nil, fault.New(fault.NotFound, "find nodes "+t.Expr, "no node is left").
			WithHint("it is worked out from left to right; each term alone fits nodes")
	}
	return slices.DeleteFunc(slices.Clone(x.nodes), func(n Node) bool { return !have[n.ID] }), nil
}
