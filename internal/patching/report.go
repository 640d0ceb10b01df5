package patching

import (
	"context"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

const (
	// lag is how long a report may come after the command that made it has ended, and
	// reportPoll how often it is looked for meanwhile.
	lag        = 45 * time.Second
	reportPoll = 3 * time.Second
	// skew allows for clocks of nodes that are behind.
	skew = 5 * time.Minute
)

// A reporter reads what nodes report after an operation, 50 nodes in a call. Each
// report overwrites the last one: whether it is that of the operation is told by the
// snapshot that the operation was given, and by when it ended.
type reporter struct {
	fleet    states
	snapshot string
}

// of reports whether s was written by an operation begun at that time under the
// snapshot. One of another snapshot, or of none, counts when no better one is to be
// expected, which late says, and when it certainly ended after that: what a scan found
// shortly before an installation is never the result of the installation.
func (r reporter) of(s *fleet.PatchState, began time.Time, late bool) bool {
	switch {
	case s == nil:
		return false
	case s.Snapshot == r.snapshot && r.snapshot != "":
		return !s.Ended.Before(began.Add(-skew))
	}
	return (late || s.Snapshot == "") && !s.Ended.Before(began)
}

// read reads the states of nodes once and returns those of the operation.
func (r reporter) read(ctx context.Context, nodes []fleet.Node, began func(id string) time.Time, late bool) (map[string]*fleet.PatchState, error) {
	fresh := make([]fleet.Node, len(nodes))
	for i, n := range nodes {
		fresh[i] = fleet.Node{ID: n.ID}
	}
	if err := Read(ctx, r.fleet, fresh); err != nil {
		return nil, err
	}
	found := map[string]*fleet.PatchState{}
	for _, n := range fresh {
		if r.of(n.Patch, began(n.ID), late) {
			found[n.ID] = n.Patch
		}
	}
	return found, nil
}

// wait reads the states of nodes until all have reported, or the time for that has
// run out. What is in have is not read again.
func (r reporter) wait(ctx context.Context, nodes []fleet.Node, began func(id string) time.Time, have map[string]*fleet.PatchState) (map[string]*fleet.PatchState, error) {
	all := map[string]*fleet.PatchState{}
	for id, s := range have {
		all[id] = s
	}
	end := time.Now().Add(lag)
	for {
		var open []fleet.Node
		for _, n := range nodes {
			if all[n.ID] == nil {
				open = append(open, n)
			}
		}
		if len(open) == 0 {
			return all, nil
		}
		late := !time.Now().Before(end)
		found, err := r.read(ctx, open, began, late)
		if err != nil {
			return nil, err
		}
		for id, s := range found {
			all[id] = s
		}
		if late || len(found) == len(open) {
			return all, nil
		}
		if err := wait.Sleep(ctx, reportPoll); err != nil {
			return nil, err
		}
	}
}
