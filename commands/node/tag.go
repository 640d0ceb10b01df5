package node

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func newTagCmd(env *cli.Env) *cobra.Command {
	var (
		choice nodechoice.Choice
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
		Args: cli.MinArgs("the node", "the tag"),
		RunE: func(cmd *cobra.Command, args []string) error { return tag(cmd, env, choice, args, dryRun) },
	}
	choice.BindNarrow(cmd)
	cmd.ValidArgsFunction = nodechoice.CompleteNode(env)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the nodes that would be changed and change nothing")
	return cmd
}

func tag(cmd *cobra.Command, env *cli.Env, choice nodechoice.Choice, args []string, dryRun bool) error {
	ctx := cmd.Context()
	change, err := fleet.ParseTagChange(args[1:])
	if err != nil {
		return err
	}
	targets, filter, err := choice.Parse(cmd.CommandPath(), args[:1])
	if err != nil {
		return err
	}
	ro, svc, nodes, err := nodechoice.ChosenNodes(ctx, env, outcomeTable, targets, filter)
	if err != nil {
		return err
	}
	what := tagWords(change)
	if dryRun {
		env.Note("would %s on %s; nothing was changed", what, cli.Plural(len(nodes), "node"))
		return cli.WriteList(env, outcomeTable, ro, outcomes(nodes, "would change", nil))
	}
	if len(nodes) > 1 {
		if err := env.Confirm(ctx, fmt.Sprintf("%s on %s: %s", what, cli.Plural(len(nodes), "node"), cli.SomeNames(nodes))); err != nil {
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

func newDeregisterCmd(env *cli.Env) *cobra.Command {
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
		Args:              nodechoice.Pickable(env, cli.MinArgs("the node")),
		ValidArgsFunction: nodechoice.CompleteTargets(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := nodechoice.OrPickMany(cmd.Context(), env, args)
			if err != nil {
				return err
			}
			return deregister(cmd, env, args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show the nodes that would be deregistered and do nothing")
	return cmd
}

func deregister(cmd *cobra.Command, env *cli.Env, args []string, dryRun bool) error {
	ctx := cmd.Context()
	targets, filter, err := (&nodechoice.Choice{}).Parse(cmd.CommandPath(), args)
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
	ro, svc, nodes, err := nodechoice.ChosenNodes(ctx, env, outcomeTable, targets, filter)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := fleet.Deregisterable(n); err != nil {
			return err
		}
	}
	if dryRun {
		env.Note("would deregister %s; nothing was done", cli.Plural(len(nodes), "node"))
		return cli.WriteList(env, outcomeTable, ro, outcomes(nodes, "would deregister", nil))
	}
	if err := env.Confirm(ctx, fmt.Sprintf("deregister %s: %s", cli.Plural(len(nodes), "node"), cli.SomeNames(nodes))); err != nil {
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
