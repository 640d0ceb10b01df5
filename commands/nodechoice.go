package commands

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// nodeChoice are the nodes that a command of `node` is for: targets as arguments
// or with -t, narrowed by --tag and --filter.
type nodeChoice struct {
	targets []string
	tags    []string
	filter  string
}

func (o *nodeChoice) bind(env *Env, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.targets, "target", "t", nil, "nodes, as a `target`: id, name, pattern, tag:K=V, @group, all (see ssmdeck help targets)")
	o.bindNarrow(cmd)
	_ = cmd.RegisterFlagCompletionFunc("target", env.completeTargets)
	cmd.ValidArgsFunction = env.completeTargets
}

func (o *nodeChoice) bindNarrow(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.tags, "tag", nil, "only nodes with the tag `KEY=VALUE`; several narrow")
	cmd.Flags().StringVar(&o.filter, "filter", "", "only nodes for which all `terms` hold (see `ssmdeck help targets`)")
}

func (e *Env) completeTargets(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	words := append(e.nodeWords(cmd.Context()), "all\tevery online node", "tag:\tnodes with a tag")
	return beginning(words, typed), cobra.ShellCompDirectiveNoFileComp
}

// parse reads the targets without a call. None at all is an error.
func (o *nodeChoice) parse(path string, args []string) (targets []fleet.Target, filter fleet.Filter, err error) {
	if targets, err = parseTargets(slices.Concat(args, o.targets), o.tags); err != nil {
		return nil, filter, err
	}
	if len(targets) == 0 {
		return nil, filter, fault.Usagef("%s: no node is named", path).WithHint("name nodes, or choose them with --tag, for instance --tag env=prod; all is every online node")
	}
	filter, err = fleet.ParseFilter(o.filter)
	return targets, filter, err
}

// parseSome reads targets and filter without a call, of which there may be none.
func (o *nodeChoice) parseSome(args []string) (targets []fleet.Target, filter fleet.Filter, err error) {
	if targets, err = parseTargets(append(args, o.targets...), o.tags); err != nil {
		return nil, filter, err
	}
	filter, err = fleet.ParseFilter(o.filter)
	return targets, filter, err
}

// nodeQuery is the list of nodes that --tag and --filter ask for.
func nodeQuery(tags []string, filter string) (fleet.Query, error) {
	var q fleet.Query
	for _, t := range tags {
		target, err := fleet.ParseTagFlag(t)
		if err != nil {
			return q, err
		}
		q.Tags = append(q.Tags, target)
	}
	var err error
	q.Filter, err = fleet.ParseFilter(filter)
	return q, err
}

// members finds the nodes, online or not.
func members(ctx context.Context, svc *fleet.Service, targets []fleet.Target, filter fleet.Filter) ([]fleet.Node, error) {
	sel, err := svc.Members(ctx, targets, filter)
	if err != nil && (fault.KindOf(err) != fault.Offline || len(sel.Nodes) == 0) {
		return nil, err
	}
	return sel.Nodes, nil
}

// nodesOrAll finds the nodes that are chosen, online or not; without a choice all.
func nodesOrAll(ctx context.Context, svc *fleet.Service, targets []fleet.Target, filter fleet.Filter) ([]fleet.Node, error) {
	if len(targets) > 0 {
		return members(ctx, svc, targets, filter)
	}
	nodes, err := fleet.All(svc.List(ctx, fleet.Query{Filter: filter}))
	fleet.Sort(nodes)
	return nodes, err
}

// joinedNodes finds the nodes that are chosen, online or not, and without a choice
// those of q; with parts of what is known of them.
func joinedNodes(ctx context.Context, svc *fleet.Service, targets []fleet.Target, q fleet.Query, parts fleet.Part) ([]fleet.Node, []fleet.Gap, error) {
	if len(targets) == 0 {
		return svc.Table(ctx, q, parts)
	}
	nodes, err := members(ctx, svc, targets, q.Filter)
	if err != nil {
		return nil, nil, err
	}
	gaps, err := svc.Join(ctx, nodes, parts)
	return nodes, gaps, err
}

// chosenNodes checks how a command will print what it did, before any call, and
// then finds the nodes that it is for.
func chosenNodes[T any](ctx context.Context, env *Env, table func(render.Options) render.Table[T], targets []fleet.Target, filter fleet.Filter) (
	ro render.Options, svc *fleet.Service, nodes []fleet.Node, err error,
) {
	if ro, err = env.renderOptions(); err != nil {
		return ro, nil, nil, err
	}
	if err = table(ro).Check(ro); err != nil {
		return ro, nil, nil, err
	}
	if svc, err = env.Fleet(ctx); err != nil {
		return ro, nil, nil, err
	}
	nodes, err = members(ctx, svc, targets, filter)
	return ro, svc, nodes, err
}

// parseTargets reads expressions and the values of --tag.
func parseTargets(exprs, tags []string) (targets []fleet.Target, err error) {
	for _, expr := range exprs {
		t, err := fleet.ParseTarget(expr)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	for _, tag := range tags {
		t, err := fleet.ParseTagFlag(tag)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}
