package node

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

type agentsOptions struct {
	choice   nodechoice.Choice
	latest   string
	outdated bool
}

func newAgentsCmd(env *cli.Env) *cobra.Command {
	var o agentsOptions
	cmd := &cobra.Command{
		Use:   "agents",
		Short: "Count agent versions, and update agents in waves",
		Long: `Count the versions of the agents against the newest one: that of --latest, else
the newest in this fleet. Whether AWS has a newer one still is asked once, and
said. --outdated lists the nodes that are behind.`,
		Example: `  $ ssmdeck node agents
  $ ssmdeck node agents --tag env=prod --outdated
  $ ssmdeck node agents update --tag env=prod --waves 1,10%,50%,100%`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.RunGroup(cmd, args)
			}
			return o.run(cmd.Context(), env)
		},
	}
	o.choice.BindNarrow(cmd)
	cmd.Flags().StringVar(&o.latest, "latest", "", "compare with this `version`")
	cmd.Flags().BoolVar(&o.outdated, "outdated", false, "list the nodes with an older agent")
	cmd.AddCommand(newAgentsUpdateCmd(env))
	return cmd
}

// agentVersion is how many nodes have an agent.
type agentVersion struct {
	Version  string `json:"version"`
	Nodes    int    `json:"nodes"`
	Online   int    `json:"online"`
	Outdated bool   `json:"outdated"`
}

func (o *agentsOptions) run(ctx context.Context, env *cli.Env) error {
	if o.latest != "" && !fleet.IsVersion(o.latest) {
		return fault.Usagef("--latest %q is not a version", o.latest).WithHint("write it like 3.3.4851.0")
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if o.outdated {
		err = nodechoice.Table(ro).Check(ro)
	} else {
		err = agentTable(ro).Check(ro)
	}
	if err != nil {
		return err
	}
	q, err := nodechoice.Query(o.choice.Tags, o.choice.Filter)
	if err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	nodes, gaps, err := svc.Table(ctx, q, nodechoice.NeededParts(ro))
	if err != nil {
		return err
	}
	nodechoice.NoteGaps(env, gaps)
	newest, err := o.newest(ctx, env, svc, nodes)
	if err != nil {
		return err
	}
	if o.outdated {
		nodes = slices.DeleteFunc(nodes, func(n fleet.Node) bool { return !behind(n, newest) })
		slices.SortStableFunc(nodes, fleet.CompareAgents)
		return cli.WriteList(env, nodechoice.Table, ro, nodes)
	}
	return cli.WriteList(env, agentTable, ro, agentVersions(nodes, newest))
}

// newest is the version to compare with, and says where it is from.
func (o *agentsOptions) newest(ctx context.Context, env *cli.Env, svc *fleet.Service, nodes []fleet.Node) (string, error) {
	if o.latest != "" {
		return o.latest, nil
	}
	newest := fleet.NewestAgent(nodes)
	if newest == "" {
		return "", nil
	}
	latest, known, err := svc.IsLatest(ctx, newest)
	switch {
	case err != nil:
		return "", err
	case !known:
		env.Note("ssmdeck: the newest agent here is %s; whether there is a newer one is not known", newest)
	case latest:
		env.Note("ssmdeck: the newest agent is %s", newest)
	default:
		env.Note("ssmdeck: the newest agent here is %s, and AWS has a newer one", newest)
	}
	return newest, nil
}

// behind reports whether a node's agent is older than newest.
func behind(n fleet.Node, newest string) bool {
	return fleet.CompareVersions(n.AgentVersion, newest) < 0
}

// agentVersions counts versions, the newest first.
func agentVersions(nodes []fleet.Node, newest string) []agentVersion {
	at := map[string]*agentVersion{}
	for _, n := range nodes {
		v := at[n.AgentVersion]
		if v == nil {
			v = &agentVersion{Version: n.AgentVersion, Outdated: behind(n, newest)}
			at[n.AgentVersion] = v
		}
		v.Nodes++
		if n.Online() {
			v.Online++
		}
	}
	var rows []agentVersion
	for _, v := range at {
		rows = append(rows, *v)
	}
	slices.SortFunc(rows, func(a, b agentVersion) int { return fleet.CompareVersions(b.Version, a.Version) })
	return rows
}

func agentTable(o render.Options) render.Table[agentVersion] {
	status := func(v agentVersion) string {
		if v.Outdated {
			return "outdated"
		}
		return "newest"
	}
	return render.Table[agentVersion]{
		ID:    func(v agentVersion) string { return v.Version },
		Empty: "no managed nodes match",
		Columns: []render.Column[agentVersion]{
			{
				Name: "STATUS", Text: status,
				Human: func(v agentVersion) string {
					level := theme.Good
					if v.Outdated {
						level = theme.Warn
					}
					return o.Styles.Status(level, status(v))
				},
			},
			{Name: "VERSION", Text: func(v agentVersion) string { return v.Version }},
			{Name: "NODES", Right: true, Text: func(v agentVersion) string { return strconv.Itoa(v.Nodes) }},
			{Name: "ONLINE", Right: true, Text: func(v agentVersion) string { return strconv.Itoa(v.Online) }},
		},
	}
}
