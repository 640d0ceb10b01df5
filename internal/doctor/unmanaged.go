package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Unmanaged is a running instance that Systems Manager does not know, and why.
type Unmanaged struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	VPC      string   `json:"vpc"`
	Subnet   string   `json:"subnet"`
	Cause    string   `json:"cause"`  // the first; "" when it could not be found out
	Causes   []string `json:"causes"` // all
	Evidence string   `json:"evidence"`
	Fix      []string `json:"fix,omitempty"`

	Checks []Check `json:"-"`
}

// Unmanaged finds the running instances that Systems Manager does not know, with
// their causes, those of a cause together. progress is told how many of how many
// are examined.
func (s *Service) Unmanaged(ctx context.Context, progress func(done, total int)) ([]Unmanaged, error) {
	nodes, err := s.fleet.Everything(ctx)
	if err != nil {
		return nil, err
	}
	running, err := s.ec2.Running(ctx)
	if err != nil {
		return nil, err
	}
	managed := map[string]bool{}
	for _, n := range nodes {
		managed[n.ID] = true
	}
	machines := slices.DeleteFunc(running, func(m network.Machine) bool { return managed[m.ID] })
	found := make([]Unmanaged, len(machines))
	progress(0, len(machines))
	var (
		group  wait.Group
		mu     sync.Mutex
		done   int
		turn   = make(chan struct{}, atOnce)
		failed error
	)
	for i, m := range machines {
		turn <- struct{}{}
		group.Go(func() {
			defer func() { <-turn }()
			u, err := s.why(ctx, m)
			mu.Lock()
			defer mu.Unlock()
			if found[i] = u; err != nil && failed == nil {
				failed = err
			}
			done++
			progress(done, len(machines))
		})
	}
	group.Wait()
	if failed != nil {
		return nil, failed
	}
	byCause(found)
	return found, nil
}

// why examines one instance that is not managed.
func (s *Service) why(ctx context.Context, m network.Machine) (Unmanaged, error) {
	u := Unmanaged{ID: m.ID, Name: m.Name, VPC: m.VPC, Subnet: m.Subnet, Causes: []string{}}
	k := known{node: &nobody, machine: &fact[*network.Machine]{value: &m}, brief: true}
	checks, err := s.examine(ctx, m.ID, k, nil, func(Check) {})
	if err != nil {
		return u, err
	}
	u.Checks = checks
	for _, c := range checks {
		if c.Status != Fail || c.Cause == "" {
			continue
		}
		if u.Cause == "" {
			u.Cause, u.Evidence = c.Cause, c.Evidence
		}
		u.Causes = append(u.Causes, c.Cause)
		u.Fix = append(u.Fix, c.Fix...)
	}
	if u.Cause == "" {
		u.Evidence = "could not be found out"
		if i := slices.IndexFunc(checks, func(c Check) bool { return c.Err != nil }); i >= 0 {
			u.Evidence += ": " + checks[i].Evidence
		}
	}
	return u, nil
}

// nobody is the fact that Systems Manager does not know a machine.
var nobody nodeFact

// byCause puts instances of the same cause together, the most frequent first.
func byCause(found []Unmanaged) {
	count := map[string]int{}
	for _, u := range found {
		count[u.Cause]++
	}
	slices.SortStableFunc(found, func(a, b Unmanaged) int {
		if c := count[b.Cause] - count[a.Cause]; c != 0 {
			return c
		}
		return strings.Compare(a.Cause+" "+a.Name+" "+a.ID, b.Cause+" "+b.Name+" "+b.ID)
	})
}
