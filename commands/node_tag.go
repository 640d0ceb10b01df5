package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func newNodeTagCmd(env *Env) *cobra.Command {
	var (
		choice nodeChoice
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "tag <target> <key=value | key->...",
		Short: "Set and remove tags of nodes",
		Long: `Set tags with KEY=VALUE and remove them with KEY-. Those of EC2 instances are
changed with EC2 (ec2:CreateTags, ec2:DeleteTags), those of hybrid nodes with
Systems Manager. Several nodes are asked about first.

Tags may decide who may open sessions, what is patched and what costs are booked
on: look at --dry-run first.`,
		Example: `  $ ssmdeck node tag web-1 team=shop owner-
  $ ssmdeck node tag 'web-[1-3]' stage=canary --dry-run
  $ ssmdeck node tag warehouse 'Patch Group=nightly'`,
		Args: minArgs("the node", "the tag"),
		RunE: func(cmd *cobra.Command, args []string) error { return nodeTag(cmd, env, choice, args, dryRun) },
	}
	choice.bindNarrow(cmd)
	cmd.ValidArgsFunction = env.completeNode
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the nodes that would be changed and change nothing")
	return cmd
}

func nodeTag(cmd *cobra.Command, env *Env, choice nodeChoice, args []string, dryRun bool) error {
	ctx := cmd.Context()
	change, err := fleet.ParseTagChange(args[1:])
	if err != nil {
		return err
	}
	targets, filter, err := choice.parse(cmd.CommandPath(), args[:1])
	if err != nil {
		return err
	}
	ro, svc, nodes, err := chosenNodes(ctx, env, nodeOutcomeTable, targets, filter)
	if err != nil {
		return err
	}
	what := tagWords(change)
	if dryRun {
		env.note("would %s on %s; nothing was changed", what, plural(len(nodes), "node"))
		return writeList(env, nodeOutcomeTable, ro, outcomes(nodes, "would change", nil))
	}
	if len(nodes) > 1 {
		if err := env.confirm(ctx, fmt.Sprintf("%s on %s: %s", what, plural(len(nodes), "node"), someNames(nodes))); err != nil {
			return err
		}
	}
	failed := svc.ChangeTags(ctx, nodes, change)
	err = writeOutcomes(env, ro, "tag nodes", nodes, "changed", failed)
	if interrupted := ctx.Err(); interrupted != nil && len(failed) > 0 {
		return interrupted // those that were changed before are in the list
	}
	return err
}

// tagWords says what is done to tags: "set env=prod, remove owner".
func tagWords(c fleet.TagChange) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(c.Set)) {
		words = append(words, "set "+k+"="+c.Set[k])
	}
	for _, k := range c.Remove {
		words = append(words, "remove "+k)
	}
	return strings.Join(words, ", ")
}

func newNodeDeregisterCmd(env *Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "deregister <node>...",
		Short: "Have Systems Manager forget hybrid nodes",
		Long: `Have Systems Manager forget hybrid nodes (mi-…). Their agents can do nothing from
then on, until they are registered with an activation again, under a new id. The
nodes themselves are not touched. It always asks.

EC2 instances cannot be deregistered.`,
		Example: `  $ ssmdeck node deregister warehouse
  $ ssmdeck node deregister mi-0c5d6e7f8a9b0c1d2 mi-0d6e7f8a9b0c1d2e3 --yes`,
		Args:              env.pickable(minArgs("the node")),
		ValidArgsFunction: env.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := env.orPickMany(cmd.Context(), args)
			if err != nil {
				return err
			}
			return nodeDeregister(cmd, env, args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the nodes that would be deregistered and do nothing")
	return cmd
}

func nodeDeregister(cmd *cobra.Command, env *Env, args []string, dryRun bool) error {
	ctx := cmd.Context()
	targets, filter, err := (&nodeChoice{}).parse(cmd.CommandPath(), args)
	if err != nil {
		return err
	}
	for _, t := range targets { // an id says it all, and needs no call
		if t.Kind == fleet.KindID {
			if err := fleet.Deregisterable(fleet.Node{ID: t.Value}); err != nil {
				return err
			}
		}
	}
	ro, svc, nodes, err := chosenNodes(ctx, env, nodeOutcomeTable, targets, filter)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := fleet.Deregisterable(n); err != nil {
			return err
		}
	}
	if dryRun {
		env.note("would deregister %s; nothing was done", plural(len(nodes), "node"))
		return writeList(env, nodeOutcomeTable, ro, outcomes(nodes, "would deregister", nil))
	}
	if err := env.confirm(ctx, fmt.Sprintf("deregister %s: %s", plural(len(nodes), "node"), someNames(nodes))); err != nil {
		return err
	}
	failed := map[string]error{}
	for i, n := range nodes {
		if err := ctx.Err(); err != nil {
			for _, rest := range nodes[i:] {
				failed[rest.ID] = fault.New(fault.Interrupted, "deregister "+rest.String(), "not begun: interrupted")
			}
			break
		}
		if err := svc.Deregister(ctx, n); err != nil {
			failed[n.ID] = err
		}
	}
	return writeOutcomes(env, ro, "deregister nodes", nodes, "deregistered", failed)
}
