// Package agentupdate updates the agents of a wave of nodes and finds out whether
// they are well afterwards: the command AWS-UpdateSSMAgent succeeded, the agent
// came back with the version wanted, and a check of the user's passes. See
// package waves for what is around a wave.
package agentupdate

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/rollout"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// Document is the command that updates an agent.
const Document = "AWS-UpdateSSMAgent"

// atOnce is how many nodes of a wave are updated at a time.
const atOnce = 50

// Updater updates waves. Its fields are set before the first.
type Updater struct {
	Run   rollout.Runner
	Fleet rollout.Lister

	Version string            // to install; "" is the newest there is
	Want    map[string]string // what agents must be at afterwards, at least, by platform; none: Version, or what they were at
	Health  string            // script that must succeed on each node; "": none
	Settle  time.Duration     // how long agents may take to come back
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
	crew := rollout.Crew{Run: u.Run, Fleet: u.Fleet, Step: u.Step}
	failures := map[string]string{}
	nodes, err := crew.Online(ctx, ids, failures)
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
	if nodes, err = crew.Command(ctx, Updating, req, nodes, failures); err != nil {
		return nil, err
	}
	if nodes, err = u.settle(ctx, crew, nodes, was, failures); err != nil {
		return nil, err
	}
	if u.Health != "" {
		req := run.Request{Script: u.Health, Comment: "health after the update", Concurrency: strconv.Itoa(atOnce), MaxErrors: "100%"}
		if _, err = crew.Command(ctx, Checking, req, nodes, failures); err != nil {
			return nil, err
		}
	}
	return failures, nil
}

// settle waits until the agents are back with the version wanted, and returns
// those that are.
func (u *Updater) settle(ctx context.Context, crew rollout.Crew, nodes []fleet.Node, was, failures map[string]string) ([]fleet.Node, error) {
	well, last, err := crew.Settle(ctx, Settling, nodes, u.Settle, func(n fleet.Node) bool {
		return n.Online() && fleet.CompareVersions(n.AgentVersion, cmp.Or(u.Want[n.Platform], u.Version, was[n.ID])) >= 0
	})
	if err != nil {
		return nil, err
	}
	back := map[string]bool{}
	for _, n := range well {
		back[n.ID] = true
	}
	for _, was := range nodes {
		switch n, seen := last[was.ID]; {
		case back[was.ID]:
		case !seen || !n.Online():
			failures[was.ID] = fmt.Sprintf("its agent did not come back within %s", u.Settle)
		default:
			failures[was.ID] = fmt.Sprintf("its agent is still at %s after %s", n.AgentVersion, u.Settle)
		}
	}
	return well, nil
}
