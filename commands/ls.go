package commands

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// lsOptions are those of `ls` and `node list`, which are one command.
type lsOptions struct {
	tags   []string
	filter string
}

func newLsCmd(env *Env) *cobra.Command {
	cmd := newNodeListCmd(env)
	cmd.Use = "ls"
	cmd.Aliases = nil
	cmd.Example = strings.ReplaceAll(cmd.Example, "node list", "ls")
	return cmd
}

func newNodeListCmd(env *Env) *cobra.Command {
	var o lsOptions
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List managed nodes",
		Long: `List managed nodes with the state of their agents.

On a terminal this is a table; in a pipe, one tab-separated line a node, with
full values and no header. -o name prints bare ids.

With --regions, --all-regions, --accounts or several profiles the lists of all of
them are one, each row with its account and Region (see ` + "`ssmdeck help regions`" + `).`,
		Example: `  # All nodes, then those of production
  $ ssmdeck node list
  $ ssmdeck node list --tag env=prod

  # Nodes that need attention
  $ ssmdeck node list --filter 'ping=lost'
  $ ssmdeck node list --filter 'platform=linux agent<3.3' -o wide

  # Names of all online nodes, as JSON
  $ ssmdeck node list --filter ping=online -o json --query '[].name'

  # In every Region; in two Regions of all accounts of the organization
  $ ssmdeck node list --all-regions
  $ ssmdeck node list --accounts org --role ReadOnly --regions eu-west-1,us-east-1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	cmd.Flags().StringArrayVar(&o.tags, "tag", nil, "only nodes with the tag `KEY=VALUE`; several narrow")
	cmd.Flags().StringVar(&o.filter, "filter", "", "only nodes for which all `terms` hold (see `ssmdeck help targets`)")
	completeFlag(cmd, "filter", func() []string {
		words := fleet.FilterKeys()
		for i := range words {
			words[i] += "="
		}
		return words
	})
	return spans(cmd)
}

func (o *lsOptions) run(ctx context.Context, env *Env) error {
	q, err := o.query()
	if err != nil {
		return err
	}
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	return writeGrid(ctx, env, nodeTable, ro, func(ctx context.Context, env *Env) (iter.Seq2[fleet.Node, error], error) {
		svc, err := env.Fleet(ctx)
		if err != nil {
			return nil, err
		}
		nodes, err := fleet.All(svc.List(ctx, q))
		if err != nil {
			return nil, err
		}
		fleet.Sort(nodes)
		if len(o.tags) == 0 && o.filter == "" {
			s, err := env.Settings()
			if err != nil {
				return nil, err
			}
			env.remember(s, nodes)
		}
		return each(nodes), nil
	})
}

func (o *lsOptions) query() (fleet.Query, error) {
	var q fleet.Query
	for _, t := range o.tags {
		target, err := fleet.ParseTagFlag(t)
		if err != nil {
			return q, err
		}
		q.Tags = append(q.Tags, target)
	}
	var err error
	q.Filter, err = fleet.ParseFilter(o.filter)
	return q, err
}

// pingLevel is what a ping state means to the reader.
func pingLevel(ping string) theme.Level {
	switch ping {
	case fleet.Online:
		return theme.Good
	case fleet.Lost:
		return theme.Bad
	case fleet.Inactive:
		return theme.Idle
	default:
		return theme.Unknown
	}
}

// nodeTable is the fleet as people and pipes see it.
func nodeTable(o render.Options) render.Table[fleet.Node] {
	return render.Table[fleet.Node]{
		ID:    func(n fleet.Node) string { return n.ID },
		Empty: "no managed nodes match",
		Columns: []render.Column[fleet.Node]{
			{
				Name: "PING", Text: func(n fleet.Node) string { return n.Ping },
				Human: func(n fleet.Node) string { return o.Styles.Status(pingLevel(n.Ping), n.Ping) },
			},
			{Name: "NODE ID", ID: true, Text: func(n fleet.Node) string { return n.ID }},
			{Name: "NAME", Text: func(n fleet.Node) string { return n.Name }},
			{Name: "PLATFORM", Text: func(n fleet.Node) string { return strings.TrimSpace(n.PlatformName + " " + n.PlatformVersion) }},
			{Name: "AGENT", Text: func(n fleet.Node) string { return n.AgentVersion }},
			{Name: "IP", Text: func(n fleet.Node) string { return n.IP }},
			{
				Name: "LAST PING", Text: func(n fleet.Node) string { return render.Timestamp(n.LastPing) },
				Human: func(n fleet.Node) string { return render.Ago(o.Now, n.LastPing) },
				Less:  func(a, b fleet.Node) bool { return a.LastPing.Before(b.LastPing) },
			},
			{Name: "COMPUTER NAME", Wide: true, Text: func(n fleet.Node) string { return n.ComputerName }},
			{Name: "TYPE", Wide: true, Text: func(n fleet.Node) string { return n.ResourceType }},
			{Name: "INSTANCE TYPE", Wide: true, Text: func(n fleet.Node) string { return n.InstanceType }},
			{Name: "ROLE", Wide: true, Text: func(n fleet.Node) string { return n.IAMRole }},
			{Name: "ASSOCIATION", Wide: true, Text: func(n fleet.Node) string { return n.AssociationStatus }},
		},
	}
}

// completeFlag completes a flag's value from a fixed list.
func completeFlag(cmd *cobra.Command, flag string, words func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	if err != nil {
		panic(fmtErr(fault.New(fault.Failed, "complete --"+flag, "%w", err))) // a flag that does not exist: our bug
	}
}

func fmtErr(err error) string { return "commands: " + err.Error() }
