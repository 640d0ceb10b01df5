package nodechoice

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Choice are the nodes that a command of `node` is for: targets as arguments
// or with -t, narrowed by --tag and --filter.
type Choice struct {
	Targets []string
	Tags    []string
	Filter  string
}

// Bind declares --target, --tag and --filter, and completes targets as arguments too.
func (o *Choice) Bind(env *cli.Env, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.Targets, "target", "t", nil, "nodes, as a `target`: id, name, pattern, tag:K=V, @group, all (see ssmdeck help targets)")
	o.BindNarrow(cmd)
	_ = cmd.RegisterFlagCompletionFunc("target", CompleteTargets(env))
	cmd.ValidArgsFunction = CompleteTargets(env)
}

// BindNarrow declares --tag and --filter alone.
func (o *Choice) BindNarrow(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&o.Tags, "tag", nil, "only nodes with the tag `KEY=VALUE`; several narrow")
	cmd.Flags().StringVar(&o.Filter, "filter", "", "only nodes for which all `terms` hold (see `ssmdeck help targets`)")
}

// CompleteTargets completes targets: names and ids of nodes, all, tags and groups.
func CompleteTargets(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		words := append(Words(cmd.Context(), env), "all\tevery online node", "tag:\tnodes with a tag")
		return Beginning(words, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// Parse reads the targets without a call. None at all is an error.
func (o *Choice) Parse(path string, args []string) (targets []fleet.Target, filter fleet.Filter, err error) {
	if targets, err = ParseTargets(slices.Concat(args, o.Targets), o.Tags); err != nil {
		return nil, filter, err
	}
	if len(targets) == 0 {
		return nil, filter, fault.Usagef("%s: no node is named", path).WithHint("name nodes, or choose them with --tag, for instance --tag env=prod; all is every online node")
	}
	filter, err = fleet.ParseFilter(o.Filter)
	return targets, filter, err
}

// ParseSome reads targets and filter without a call, of which there may be none.
func (o *Choice) ParseSome(args []string) (targets []fleet.Target, filter fleet.Filter, err error) {
	if targets, err = ParseTargets(append(args, o.Targets...), o.Tags); err != nil {
		return nil, filter, err
	}
	filter, err = fleet.ParseFilter(o.Filter)
	return targets, filter, err
}

// Query is the list of nodes that --tag and --filter ask for.
func Query(tags []string, filter string) (fleet.Query, error) {
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

// Members finds the nodes, online or not.
func Members(ctx context.Context, svc *fleet.Service, targets []fleet.Target, filter fleet.Filter) ([]fleet.Node, error) {
	sel, err := svc.Members(ctx, targets, filter)
	if err != nil && (fault.KindOf(err) != fault.Offline || len(sel.Nodes) == 0) {
		return nil, err
	}
	return sel.Nodes, nil
}

// NodesOrAll finds the nodes that are chosen, online or not; without a choice all.
func NodesOrAll(ctx context.Context, svc *fleet.Service, targets []fleet.Target, filter fleet.Filter) ([]fleet.Node, error) {
	if len(targets) > 0 {
		return Members(ctx, svc, targets, filter)
	}
	nodes, err := fleet.All(svc.List(ctx, fleet.Query{Filter: filter}))
	fleet.Sort(nodes)
	return nodes, err
}

// JoinedNodes finds the nodes that are chosen, online or not, and without a choice
// those of q; with parts of what is known of them.
func JoinedNodes(ctx context.Context, svc *fleet.Service, targets []fleet.Target, q fleet.Query, parts fleet.Part) ([]fleet.Node, []fleet.Gap, error) {
	if len(targets) == 0 {
		return svc.Table(ctx, q, parts)
	}
	nodes, err := Members(ctx, svc, targets, q.Filter)
	if err != nil {
		return nil, nil, err
	}
	gaps, err := svc.Join(ctx, nodes, parts)
	return nodes, gaps, err
}

// ChosenNodes checks how a command will print what it did, before any call, and
// then finds the nodes that it is for.
func ChosenNodes[T any](ctx context.Context, env *cli.Env, table func(render.Options) render.Table[T], targets []fleet.Target, filter fleet.Filter) (
	ro render.Options, svc *fleet.Service, nodes []fleet.Node, err error,
) {
	if ro, err = env.RenderOptions(); err != nil {
		return ro, nil, nil, err
	}
	if err = table(ro).Check(ro); err != nil {
		return ro, nil, nil, err
	}
	if svc, err = env.Fleet(ctx); err != nil {
		return ro, nil, nil, err
	}
	nodes, err = Members(ctx, svc, targets, filter)
	return ro, svc, nodes, err
}

// ParseTargets reads expressions and the values of --tag.
func ParseTargets(exprs, tags []string) (targets []fleet.Target, err error) {
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
