package node

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// lsOptions are those of `ls` and `node list`, which are one command.
type lsOptions struct {
	tags      []string
	filter    string
	with      []string
	unmanaged bool
	watch     bool
	poll      time.Duration
}

// NewLsCmd is `ssmdeck ls`: `node list` under its everyday name.
func NewLsCmd(env *cli.Env) *cobra.Command {
	cmd := newListCmd(env)
	cmd.Use = "ls"
	cmd.Aliases = nil
	cmd.Example = strings.ReplaceAll(cmd.Example, "node list", "ls")
	return cmd
}

func newListCmd(env *cli.Env) *cobra.Command {
	var o lsOptions
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List managed nodes",
		Long: `List managed nodes with the state of their agents.

On a terminal this is a table; in a pipe, one tab-separated line a node, with
full values and no header. -o name prints bare ids.

What EC2 knows (state, VPC, subnet, zone, image, launch, tags) is read for -o
wide, csv, json and yaml, and where a column or a filter asks for it; tags of
hybrid nodes and the state of patching cost more calls, and are read where
--with, a column or a filter asks for them. What you may not read is shown as
unknown, and said once.

--watch reads again every --poll and marks what changed. Without a terminal it
prints one line a change.

With --regions, --all-regions, --accounts or several profiles the lists of all of
them are one, each row with its account and Region (see ` + "`ssmdeck help regions`" + `).`,
		Example: `  # All nodes, then those of production
  $ ssmdeck node list
  $ ssmdeck node list --tag env=prod

  # Nodes that need attention
  $ ssmdeck node list --filter 'ping=lost'
  $ ssmdeck node list --filter 'platform=linux agent<3.3' -o wide
  $ ssmdeck node list --filter 'missing>0 tag:env=prod' --with patch

  # By where they are, and since when
  $ ssmdeck node list --columns name,vpc,az,launched,tag:team --sort-by launched

  # Instances that run and that Systems Manager does not know
  $ ssmdeck node list --unmanaged

  # Names of all online nodes, as JSON
  $ ssmdeck node list --filter ping=online -o json --query '[].name'

  # In every Region; in two Regions of all accounts of the organization
  $ ssmdeck node list --all-regions
  $ ssmdeck node list --accounts org --role ReadOnly --regions eu-west-1,us-east-1`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	cmd.Flags().StringArrayVar(&o.tags, "tag", nil, "only nodes with the tag `KEY=VALUE`; several narrow")
	cmd.Flags().StringVar(&o.filter, "filter", "", "only nodes for which all `terms` hold (see `ssmdeck help targets`)")
	cmd.Flags().StringSliceVar(&o.with, "with", nil, "also read these `parts`: ec2, tags, patch")
	cmd.Flags().BoolVar(&o.unmanaged, "unmanaged", false, "EC2 instances that run and that Systems Manager does not know")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "read again and again, and show what changes")
	cmd.Flags().DurationVar(&o.poll, "poll", watchEvery, "how long --watch waits between two reads: `duration` of 1s or more")
	cli.CompleteFlag(cmd, "filter", func() []string {
		words := append(fleet.FilterKeys(), "tag:")
		for i := range words[:len(words)-1] {
			words[i] += "="
		}
		return words
	})
	cli.CompleteFlag(cmd, "with", func() []string { return []string{"ec2", "tags", "patch"} })
	return cli.Spans(cmd)
}

func (o *lsOptions) run(ctx context.Context, env *cli.Env) error {
	q, err := nodechoice.Query(o.tags, o.filter)
	if err != nil {
		return err
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	with, err := parseParts(o.with)
	if err != nil {
		return err
	}
	table := func(ro render.Options) render.Table[fleet.Node] { return nodechoice.FleetTable(ro, with) }
	if o.unmanaged {
		table = nodechoice.UnmanagedTable
	}
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	switch {
	case o.unmanaged && (len(q.Tags) > 0 || o.watch):
		return fault.Usagef("--unmanaged takes neither --tag nor --watch").WithHint("narrow with --filter, as in --filter tag:env=prod")
	case o.unmanaged && q.Filter.Parts()&fleet.PartPatch != 0:
		return fault.Usagef("--unmanaged knows nothing of patches").WithHint("leave the term out of --filter")
	case o.watch && o.poll < time.Second:
		return fault.Usagef("--poll %s is too often", o.poll).WithHint("wait a second or more between two reads")
	case !o.watch && env.Flags.Set != nil && o.poll != watchEvery:
		return fault.Usagef("--poll is for --watch")
	}
	parts := with | nodechoice.NeededParts(ro)
	if o.watch {
		return o.follow(ctx, env, ro, table, q, parts)
	}
	return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[fleet.Node, error], error) {
		svc, err := env.Fleet(ctx)
		if err != nil {
			return nil, err
		}
		if o.unmanaged {
			return o.dark(ctx, env, svc, q.Filter)
		}
		nodes, gaps, err := svc.Table(ctx, q, parts)
		if err != nil {
			return nil, err
		}
		nodechoice.NoteGaps(env, gaps)
		if ro.SortBy == "" {
			fleet.Sort(nodes)
		}
		if len(o.tags) == 0 && o.filter == "" {
			s, err := env.Settings()
			if err != nil {
				return nil, err
			}
			nodechoice.Remember(env, s, nodes)
		}
		return cli.Each(nodes), nil
	})
}

// follow is --watch.
func (o *lsOptions) follow(ctx context.Context, env *cli.Env, ro render.Options, table func(render.Options) render.Table[fleet.Node], q fleet.Query, parts fleet.Part) error {
	spec, err := env.GridSpec()
	if err != nil {
		return err
	}
	if spec.Several() {
		return fault.Usagef("--watch follows one account and Region").WithHint("choose with --region and --profile")
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	return watchNodes(ctx, env, ro, table, o.poll, func(ctx context.Context) ([]fleet.Node, []fleet.Gap, error) { return svc.Table(ctx, q, parts) })
}

// dark lists the instances that nobody manages.
func (o *lsOptions) dark(ctx context.Context, env *cli.Env, svc *fleet.Service, filter fleet.Filter) (iter.Seq2[fleet.Node, error], error) {
	nodes, err := svc.Unmanaged(ctx)
	if err != nil {
		return nil, err
	}
	if nodes, err = svc.Narrow(ctx, nodes, filter); err != nil {
		return nil, err
	}
	if len(nodes) > 0 {
		env.Note("ssmdeck: hint: `ssmdeck doctor %s` says why Systems Manager does not know it", nodes[0].ID)
	}
	return cli.Each(nodes), nil
}

// parseParts reads the value of --with.
func parseParts(words []string) (fleet.Part, error) {
	var parts fleet.Part
	for _, w := range words {
		switch strings.TrimSpace(w) {
		case "ec2":
			parts |= fleet.PartEC2
		case "tags":
			parts |= fleet.PartEC2 | fleet.PartTags
		case "patch":
			parts |= fleet.PartPatch
		default:
			return 0, fault.Usagef("--with %q is not a part", w).WithHint("use ec2, tags or patch")
		}
	}
	return parts, nil
}
