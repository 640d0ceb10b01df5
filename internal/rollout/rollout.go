// Package rollout is what waves over nodes have in common, whatever is done to
// them: which nodes can be reached, a command brought to its end on each, agents
// that come back. See package waves for what is around a wave.
package rollout

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// settlePoll is how often it is looked whether agents are back.
const settlePoll = 5 * time.Second

// Runner is Run Command, a *run.Service.
type Runner interface {
	Start(ctx context.Context, req run.Request, emit func(run.Event)) error
}

// Lister is the fleet, a *fleet.Service.
type Lister interface {
	List(ctx context.Context, q fleet.Query) iter.Seq2[fleet.Node, error]
}

// Crew does the work. Step, which may be nil, is told what is being done, to how
// many nodes it is done, and to how many it is to be.
type Crew struct {
	Run   Runner
	Fleet Lister
	Step  func(what string, done, total int)
}

// Tell calls Step.
func (c Crew) Tell(what string, done, total int) {
	if c.Step != nil {
		c.Step(what, done, total)
	}
}

// Online returns the nodes of ids that a command can be sent to, in their order. Of
// the others failures gets why not.
func (c Crew) Online(ctx context.Context, ids []string, failures map[string]string) ([]fleet.Node, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := fleet.All(c.Fleet.List(ctx, fleet.Query{IDs: ids}))
	if err != nil {
		return nil, err
	}
	at := map[string]fleet.Node{}
	for _, n := range found {
		at[n.ID] = n
	}
	var nodes []fleet.Node
	for _, id := range ids {
		switch n, known := at[id]; {
		case !known:
			failures[id] = "Systems Manager does not know it any more"
		case !n.Online():
			failures[id] = "its agent is not connected"
		default:
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// Selected is the selection of nodes by their ids.
func Selected(nodes []fleet.Node) fleet.Selection {
	sel := fleet.Selection{Nodes: nodes}
	for _, n := range nodes {
		sel.InstanceIDs = append(sel.InstanceIDs, n.ID)
	}
	return sel
}

// Command runs req on nodes and returns those on which it succeeded. Of the others
// failures gets what, and why not.
func (c Crew) Command(ctx context.Context, what string, req run.Request, nodes []fleet.Node, failures map[string]string) ([]fleet.Node, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	req.Selection = Selected(nodes)
	var board run.Board
	c.Tell(what, 0, len(nodes))
	err := c.Run.Start(ctx, req, func(e run.Event) {
		board.Apply(e)
		c.Tell(what, board.Finished(), len(nodes))
	})
	if err != nil {
		return nil, err
	}
	if err := board.Err(); err != nil && fault.KindOf(err) != fault.RemoteFailed {
		return nil, err
	}
	good := map[string]bool{}
	for row := range board.Rows() {
		if row.State == run.Success {
			good[row.NodeID] = true
		} else {
			failures[row.NodeID] = what + ": " + Why(row)
		}
	}
	var left []fleet.Node
	for _, n := range nodes {
		switch {
		case good[n.ID]:
			left = append(left, n)
		case failures[n.ID] == "":
			failures[n.ID] = what + ": nothing was heard of it"
		}
	}
	return left, nil
}

// Why says in words why a command did not succeed on a node.
func Why(row run.Row) string {
	if row.ExitCode > 0 {
		return fmt.Sprintf("exit status %d", row.ExitCode)
	}
	return cmp.Or(row.Reason, row.Detail, string(row.State))
}

// Settle waits until nodes are back, which back says of a node as it is listed, for
// as long as within. It returns those that are, and all as they were last seen.
func (c Crew) Settle(ctx context.Context, what string, nodes []fleet.Node, within time.Duration, back func(fleet.Node) bool) (well []fleet.Node, last map[string]fleet.Node, err error) {
	waiting := map[string]bool{}
	var ids []string
	for _, n := range nodes {
		waiting[n.ID] = true
		ids = append(ids, n.ID)
	}
	last = map[string]fleet.Node{}
	for end := time.Now().Add(within); len(ids) > 0; {
		c.Tell(what, len(well), len(nodes))
		found, err := fleet.All(c.Fleet.List(ctx, fleet.Query{IDs: ids}))
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil && (fault.KindOf(err) == fault.Auth || !time.Now().Before(end)):
			return nil, nil, err
		}
		for _, n := range found {
			last[n.ID] = n
			if back(n) {
				well = append(well, n)
				delete(waiting, n.ID)
			}
		}
		ids = ids[:0:0]
		for _, n := range nodes {
			if waiting[n.ID] {
				ids = append(ids, n.ID)
			}
		}
		if len(ids) == 0 || !time.Now().Before(end) {
			break
		}
		if err := wait.Sleep(ctx, settlePoll); err != nil {
			return nil, nil, err
		}
	}
	return well, last, nil
}
