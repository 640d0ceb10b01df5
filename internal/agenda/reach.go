package agenda

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// Set is a set of the nodes of a Reach.
type Set []uint64

func (s Set) add(i int) { s[i/64] |= 1 << (i % 64) }

// Has reports whether node i is in the set.
func (s Set) Has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

// Len is how many nodes are in the set.
func (s Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Shared are the nodes that are in both.
func (s Set) Shared(other Set) Set {
	both := make(Set, min(len(s), len(other)))
	for i := range both {
		both[i] = s[i] & other[i]
	}
	return both
}

// without are the nodes that are not in the other.
func (s Set) without(other Set) Set {
	left := slices.Clone(s)
	for i := range other {
		left[i] &^= other[i]
	}
	return left
}

// Join adds the nodes of another set of the same Reach.
func (s Set) Join(other Set) {
	for i := range other {
		s[i] |= other[i]
	}
}

// Reach is which nodes windows, their targets and their tasks mean.
type Reach struct {
	Nodes []fleet.Node

	windows, targets, tasks, strays map[string]Set
	// Blind are the nodes whose tags are not known, when tags choose.
	Blind Set
	// Groups are the resource groups that could not be looked up.
	Groups []string

	index  map[string]int            // of nodes by id
	tags   map[string]map[string]Set // of the keys that were asked for
	groups map[string]map[string]bool
	byTag  bool
}

// GroupsOf lists the resource groups that windows choose nodes by.
func GroupsOf(entries []Entry) []string {
	var names []string
	for _, e := range entries {
		for _, list := range selectorsOf(e.Whole) {
			for _, s := range list {
				if s.Key == groupName {
					names = append(names, s.Values...)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func selectorsOf(w window.Whole) [][]window.Selector {
	var all [][]window.Selector
	for _, t := range w.Targets {
		all = append(all, t.Selectors)
	}
	for _, t := range w.Tasks {
		all = append(all, t.Selectors)
	}
	return all
}

const (
	groupName  = "resource-groups:Name"
	groupTypes = "resource-groups:ResourceTypeFilters"
)

// NeedsTags reports whether a window chooses nodes by tags.
func NeedsTags(entries []Entry) bool {
	return slices.ContainsFunc(entries, func(e Entry) bool {
		return slices.ContainsFunc(selectorsOf(e.Whole), func(list []window.Selector) bool {
			return slices.ContainsFunc(list, func(s window.Selector) bool { return strings.HasPrefix(s.Key, "tag") })
		})
	})
}

// NewReach works out which nodes windows mean. groups are the ids of the members of
// resource groups; one that is not in it could not be looked up.
func NewReach(entries []Entry, nodes []fleet.Node, groups map[string]map[string]bool) *Reach {
	r := &Reach{
		Nodes: nodes, windows: map[string]Set{}, targets: map[string]Set{}, tasks: map[string]Set{}, strays: map[string]Set{},
		index: make(map[string]int, len(nodes)), tags: map[string]map[string]Set{}, groups: groups,
	}
	r.Blind = r.none()
	r.byTag = NeedsTags(entries)
	for i, n := range nodes {
		r.index[n.ID] = i
		if r.byTag && (n.Lacks(fleet.PartTags) || n.Instance() && n.Lacks(fleet.PartEC2)) {
			r.Blind.add(i)
		}
	}
	for _, name := range GroupsOf(entries) {
		if _, known := groups[name]; !known {
			r.Groups = append(r.Groups, name)
		}
	}
	for _, e := range entries {
		registered := r.none()
		for _, t := range e.Targets {
			r.targets[t.ID] = r.choose(t.Selectors)
			registered.Join(r.targets[t.ID])
		}
		all := r.none()
		for _, t := range e.Tasks {
			nodes := r.choose(t.Selectors)
			if e.AllowUnassociated != nil && !*e.AllowUnassociated {
				r.strays[t.ID] = nodes.without(registered)
				nodes = nodes.Shared(registered)
			}
			r.tasks[t.ID] = nodes
			all.Join(nodes)
		}
		r.windows[e.ID] = all
	}
	return r
}

func (r *Reach) none() Set { return make(Set, (len(r.Nodes)+63)/64) }

// Window are the nodes that a task of the window means.
func (r *Reach) Window(id string) Set { return r.windows[id] }

// Task are the nodes of a task.
func (r *Reach) Task(id string) Set { return r.tasks[id] }

// Strays are the nodes that a task names and that are in no target of its window,
// which wants them to be: nothing runs on them. Task is without them.
func (r *Reach) Strays(id string) Set { return r.strays[id] }

// Of lists the nodes of a set.
func (r *Reach) Of(s Set) []fleet.Node {
	var all []fleet.Node
	for i, n := range r.Nodes {
		if s.Has(i) {
			all = append(all, n)
		}
	}
	return all
}

// Only is the set of the nodes that are listed.
func (r *Reach) Only(nodes []fleet.Node) Set {
	s := r.none()
	for _, n := range nodes {
		if i, ok := r.index[n.ID]; ok {
			s.add(i)
		}
	}
	return s
}

// Replace puts nodes of the Reach, read anew, in the place of those it has.
func (r *Reach) Replace(nodes []fleet.Node) {
	for _, n := range nodes {
		if i, ok := r.index[n.ID]; ok {
			r.Nodes[i] = n
		}
	}
}

// choose finds the nodes that selectors mean. Ids and targets of the window add up;
// tags narrow each other, as in Run Command.
func (r *Reach) choose(selectors []window.Selector) Set {
	chosen := r.none()
	var narrow Set // nil: nothing narrows
	within := func(s Set) {
		if narrow == nil {
			narrow = s
			return
		}
		narrow = narrow.Shared(s)
	}
	for _, s := range selectors {
		switch {
		case s.Key == "InstanceIds":
			for _, id := range s.Values {
				if i, ok := r.index[id]; ok {
					chosen.add(i)
				}
			}
		case s.Key == window.ByWindowTarget:
			for _, id := range s.Values {
				chosen.Join(r.targets[id])
			}
		case s.Key == "tag-key":
			for _, key := range s.Values {
				within(r.tagged(key, nil))
			}
		case strings.HasPrefix(s.Key, "tag:"):
			within(r.tagged(strings.TrimPrefix(s.Key, "tag:"), s.Values))
		case s.Key == groupName:
			within(r.members(s.Values))
		case s.Key == groupTypes && !slices.ContainsFunc(s.Values, isNode):
			within(r.none())
		}
	}
	chosen.Join(narrow)
	return chosen
}

// isNode reports whether a type of resource can be a managed node.
func isNode(kind string) bool {
	return strings.EqualFold(kind, "AWS::EC2::Instance") || strings.EqualFold(kind, "AWS::SSM::ManagedInstance") || kind == "AWS::AllSupported"
}

// tagged are the nodes with a tag and one of its values; any value when values is
// nil.
func (r *Reach) tagged(key string, values []string) Set {
	by, known := r.tags[key]
	if !known {
		by = map[string]Set{}
		for i, n := range r.Nodes {
			v, has := n.Tags[key]
			if !has {
				continue
			}
			if by[v] == nil {
				by[v] = r.none()
			}
			by[v].add(i)
		}
		r.tags[key] = by
	}
	found := r.none()
	for v, nodes := range by {
		if values == nil || slices.Contains(values, v) {
			found.Join(nodes)
		}
	}
	return found
}

func (r *Reach) members(names []string) Set {
	found := r.none()
	for _, name := range names {
		for id := range r.groups[name] {
			if i, ok := r.index[id]; ok {
				found.add(i)
			}
		}
	}
	return found
}
