// Package agentupdate updates the agents of a wave of nodes and finds out whether
// they are well afterwards: the command AWS-UpdateSSMAgent succeeded, the agent
// came back with the version wanted, and a check of the user's passes. See
// package waves for what is around a wave.
package agentupdate

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Document is the command that updates an agent.
const Document = "AWS-UpdateSSMAgent"

const (
	settlePoll = 5 * time.Second
	// atOnce is how many nodes of a wave are updated at a time.
	atOnce = 50
)

// runner is Run Command, a *run.Service.
type runner interface {
	Start(ctx context.Context, req run.Request, emit func(run.Event)) error
}

// lister is the fleet, a *fleet.Service.
type lister interface {
	List(ctx context.Context, q fleet.Query) iter.Seq2[fleet.Node, error]
}

// Updater updates waves. Its fields are set before the first.
type Updater struct {
	Run   runner
	Fleet lister

	Version string        // to install; "" is the newest there is
	Want    string        // what agents must be at afterwards, at least; "": what they were at
	Health  string        // script that must succeed on each node; "": none
	Settle  time.Duration // how long agents may take to come back
	Step    func(what string, done, total int)
}

// Phases that Step is told of.
const (
	Updating = "updating"
	Settling = "waiting for agents"
	Checking = "checking health"
)

// Wave updates the agents of nodes and returns, by node, why they are not well.
// An error means that it is not known what became of them.
func (u *Updater) Wave(ctx context.Context, ids []string) (map[string]string, error) {
	failures := map[string]string{}
	nodes, err := u.online(ctx, ids, failures)
	if err != nil {
		return nil, err
	}
	was := map[string]string{}
	for _, n := range nodes {
		was[n.ID] = n.AgentVersion
	}
	req := run.Request{Document: Document, Comment: "update agents", Concurrency: strconv.Itoa(atOnce), MaxErrors: "100%"}
	if u.Version != "" {
		req.Params = map[string][]string{"version": {u.Version}}
	}
	if nodes, err = u.command(ctx, Updating, req, nodes, failures); err != nil {
		return nil, err
	}
	if nodes, err = u.settle(ctx, nodes, was, failures); err != nil {
		return nil, err
	}
	if u.Health != "" {
		req := run.Request{Script: u.Health, Comment: "health after the update", Concurrency: strconv.Itoa(atOnce), MaxErrors: "100%"}
		if _, err = u.command(ctx, Checking, req, nodes, failures); err != nil {
			return nil, err
		}
	}
	return failures, nil
}

func (u *Updater) step(what string, done, total int) {
	if u.Step != nil {
		u.Step(what, done, total)
	}
}

// online are the nodes of ids that a command can be sent to.
func (u *Updater) online(ctx context.Context, ids []string, failures map[string]string) ([]fleet.Node, error) {
	found, err := fleet.All(u.Fleet.List(ctx, fleet.Query{IDs: ids}))
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

// command runs req on nodes and returns those on which it succeeded.
func (u *Updater) command(ctx context.Context, what string, req run.Request, nodes []fleet.Node, failures map[string]string) ([]fleet.Node, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	req.Selection.Nodes = nodes
	for _, n := range nodes {
		req.Selection.InstanceIDs = append(req.Selection.InstanceIDs, n.ID)
	}
	var board run.Board
	u.step(what, 0, len(nodes))
	err := u.Run.Start(ctx, req, func(e run.Event) {
		board.Apply(e)
		u.step(what, board.Finished(), len(nodes))
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
			why := cmp.Or(row.Reason, row.Detail, string(row.State))
			if row.ExitCode > 0 {
				why = fmt.Sprintf("exit status %d", row.ExitCode)
			}
			failures[row.NodeID] = what + ": " + why
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

// settle waits until the agents are back with the version wanted, and returns
// those that are.
func (u *Updater) settle(ctx context.Context, nodes []fleet.Node, was, failures map[string]string) ([]fleet.Node, error) {
	var well []fleet.Node
	waiting := map[string]bool{}
	var ids []string
	for _, n := range nodes {
		waiting[n.ID] = true
		ids = append(ids, n.ID)
	}
	last := map[string]fleet.Node{}
	for end := time.Now().Add(u.Settle); len(ids) > 0; {
		u.step(Settling, len(well), len(nodes))
		found, err := fleet.All(u.Fleet.List(ctx, fleet.Query{IDs: ids}))
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && (fault.KindOf(err) == fault.Auth || !time.Now().Before(end)):
			return nil, err
		}
		for _, n := range found {
			last[n.ID] = n
			if n.Online() && fleet.CompareVersions(n.AgentVersion, cmp.Or(u.Want, was[n.ID])) >= 0 {
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
			return nil, err
		}
	}
	for _, id := range ids {
		switch n, seen := last[id]; {
		case !seen || !n.Online():
			failures[id] = fmt.Sprintf("its agent did not come back within %s", u.Settle)
		default:
			failures[id] = fmt.Sprintf("its agent is still at %s after %s", n.AgentVersion, u.Settle)
		}
	}
	return well, nil
}
