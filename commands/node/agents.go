package node

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		Long: `Count the versions of the agents by platform. An agent is outdated when it is
older than --latest, or else than the newest of its platform in this fleet.
Whether AWS has a newer one still is asked once, of Linux: then that one is
outdated, too. --outdated lists the nodes that are behind.`,
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

// agentVersion is how many nodes of a platform have an agent.
type agentVersion struct {
	Version  string `json:"version"`
	Platform string `json:"platform"`
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
	behind, err := o.behind(ctx, env, svc, nodes)
	if err != nil {
		return err
	}
	if o.outdated {
		nodes = slices.DeleteFunc(nodes, func(n fleet.Node) bool { return !behind(&n) })
		slices.SortStableFunc(nodes, fleet.CompareAgents)
		return cli.WriteList(env, nodechoice.Table, ro, nodes)
	}
	return cli.WriteList(env, agentTable, ro, agentVersions(nodes, behind))
}

// behind says of a node whether there is a newer agent.
func (o *agentsOptions) behind(ctx context.Context, env *cli.Env, svc *fleet.Service, nodes []fleet.Node) (func(*fleet.Node) bool, error) {
	if o.latest != "" {
		return func(n *fleet.Node) bool { return fleet.CompareVersions(n.AgentVersion, o.latest) < 0 }, nil
	}
	agents, err := knownAgents(ctx, env, svc, nodes)
	return func(n *fleet.Node) bool { return agents.Behind(n) }, err
}

// knownAgents finds the newest agents among nodes, asks whether AWS has newer ones, and
// tells both.
func knownAgents(ctx context.Context, env *cli.Env, svc *fleet.Service, nodes []fleet.Node) (fleet.Agents, error) {
	var news fleet.AgentNews
	agents := fleet.AgentsOf(each(nodes), news)
	platforms := maps.Collect(agents.All())
	for platform, newest := range agents.All() {
		of := ""
		if len(platforms) > 1 {
			of = " of " + platform
		}
		latest, known := false, false
		if platform == fleet.Linux { // of others the service does not say
			var err error
			if latest, known, err = svc.IsLatest(ctx, newest); err != nil {
				return agents, err
			}
		}
		switch {
		case !known:
			env.Note("ssmdeck: the newest agent%s here is %s; whether there is a newer one is not known", of, newest)
		case latest:
			env.Note("ssmdeck: the newest agent%s is %s", of, newest)
		default:
			env.Note("ssmdeck: the newest agent%s here is %s, and AWS has a newer one", of, newest)
			news.Learn(fleet.Node{Platform: platform, AgentVersion: newest, AgentLatest: &latest})
		}
	}
	return fleet.AgentsOf(each(nodes), news), nil
}

// each goes over nodes without a copy of them.
func each(nodes []fleet.Node) iter.Seq[*fleet.Node] {
	return func(yield func(*fleet.Node) bool) {
		for i := range nodes {
			if !yield(&nodes[i]) {
				return
			}
		}
	}
}

// agentVersions counts versions by platform, the newest first.
func agentVersions(nodes []fleet.Node, behind func(*fleet.Node) bool) []agentVersion {
	at := map[agentVersion]int{}
	var rows []agentVersion
	for i := range nodes {
		n := &nodes[i]
		key := agentVersion{Version: n.AgentVersion, Platform: n.Platform}
		row, seen := at[key]
		if !seen {
			row, at[key] = len(rows), len(rows)
			rows = append(rows, key)
			rows[row].Outdated = behind(n)
		}
		rows[row].Nodes++
		if n.Online() {
			rows[row].Online++
		}
	}
	slices.SortFunc(rows, func(a, b agentVersion) int {
		return cmp.Or(fleet.CompareVersions(b.Version, a.Version), strings.Compare(a.Platform, b.Platform))
	})
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
			{Name: "PLATFORM", Text: func(v agentVersion) string { return v.Platform }},
		},
	}
}
