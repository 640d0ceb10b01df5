package patch

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Wanted says which patches of many nodes are read.
type Wanted struct {
	// States are those wanted; none: Wrong. Only these can be read of many nodes at
	// once, since the others are too many.
	States []State
	// CVEs says that the CVEs of missing and failed patches must be known.
	CVEs bool
	// Whole says that the nodes are all that the account has in the Region, or
	// nearly. Then one sweep over the compliance of all may be cheaper.
	Whole bool
	// Seen, where given, is told how many of the nodes have been read. It is called
	// by several goroutines.
	Seen func(done, total int)
}

// NodePatches are the patches of a node.
type NodePatches struct {
	Row     Row
	Patches []Patch
}

// Reading is what was read of many nodes.
type Reading struct {
	// Nodes are those that have such patches, in the order of the rows.
	Nodes []NodePatches
	// Failed are the nodes that could not be read, by id. What is known of the
	// others is then not all.
	Failed map[string]error
	// Changed is of how many nodes more or fewer patches were found than their
	// states count: they were scanned meanwhile.
	Changed int
	// Way says how they were read, for --debug.
	Way string
}

// fewNodes are so few that each is asked for itself, whatever a sweep would cost.
const fewNodes = 50

// OfNodes reads the patches of the nodes whose rows count some in the wanted
// states. Nodes without any cost no call. What is read of a node is held against
// its row: a sweep that does not agree with it, or leaves CVEs unknown that are
// wanted, is made good with a call for the node. Only an error that ends everything
// is returned; that of a single node is in Failed.
func (s *Service) OfNodes(ctx context.Context, rows []Row, w Wanted) (Reading, error) {
	if len(w.States) == 0 {
		w.States = Wrong
	}
	needed := map[string]Row{}
	calls, items := 0, 0
	for _, r := range rows {
		if n := w.count(r.Numbers); n > 0 {
			needed[r.ID] = r
			calls += (n + int(pageSize) - 1) / int(pageSize)
			items += r.NonCompliant()
		}
	}
	found := map[string][]Patch{}
	way := fmt.Sprintf("%d nodes one by one", len(needed))
	if w.Whole && len(needed) > fewNodes && items/sweepPage < calls {
		swept, pages, err := s.sweep(ctx, needed, w, calls)
		if err != nil {
			return Reading{}, err
		}
		found = swept
		way = fmt.Sprintf("%d nodes in %d pages of a sweep, %d one by one", len(found), pages, len(needed)-len(found))
	}
	out := Reading{Failed: map[string]error{}, Way: way}
	rest := slices.Sorted(maps.Keys(needed))
	rest = slices.DeleteFunc(rest, func(id string) bool { _, done := found[id]; return done })
	var mu sync.Mutex
	err := awsapi.Parallel(ctx, len(rest), func(ctx context.Context, i int) error {
		row := needed[rest[i]]
		patches, same, err := s.exactly(ctx, row, w)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && fault.KindOf(err) == fault.Auth:
			return err // one missing right is missing for all
		case err != nil:
			out.Failed[row.ID] = err
		default:
			found[row.ID] = patches
			if !same {
				out.Changed++
			}
		}
		if w.Seen != nil {
			w.Seen(len(found)+len(out.Failed), len(needed))
		}
		return nil
	})
	if err != nil {
		return Reading{}, err
	}
	for _, r := range rows {
		if p := found[r.ID]; len(p) > 0 {
			out.Nodes = append(out.Nodes, NodePatches{r, p})
		}
	}
	return out, nil
}

// count is how many patches are in the wanted states.
func (w Wanted) count(n Numbers) (sum int) {
	for _, s := range w.States {
		sum += n.In(s)
	}
	return sum
}

// exactly reads the patches of one node. same says whether they are as many as its
// row counts; where they are not, the service is asked again without its filter.
func (s *Service) exactly(ctx context.Context, row Row, w Wanted) (found []Patch, same bool, err error) {
	if found, err = collect(s.OfNode(ctx, row.ID, w.States...)); err != nil || w.agrees(row, found) {
		return found, true, err
	}
	if found, err = collect(s.OfNode(ctx, row.ID)); err != nil {
		return nil, false, err
	}
	found = slices.DeleteFunc(found, func(p Patch) bool { return !slices.Contains(w.States, p.State) })
	return found, w.agrees(row, found), nil
}

// agrees reports whether patches are as many as the row counts, in each state.
func (w Wanted) agrees(row Row, patches []Patch) bool {
	have := map[State]int{}
	for _, p := range patches {
		have[p.State]++
	}
	for _, s := range w.States {
		if have[s] != row.In(s) {
			return false
		}
	}
	return true
}

// collect gathers a list that ends with its first error.
func collect(patches iter.Seq2[Patch, error]) ([]Patch, error) {
	var all []Patch
	for p, err := range patches {
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}
