package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// NewCmd is `ssmdeck node`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "node <command>",
		Aliases: []string{"nodes", "instance"},
		Short:   "Managed nodes: EC2 instances, hybrid and edge machines",
		Example: `  $ ssmdeck node list
  $ ssmdeck node get web-1
  $ ssmdeck node summary --by platform,ping
  $ ssmdeck node agents --outdated`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newListCmd, newGetCmd, newSummaryCmd, newPingCmd,
		newTagCmd, newDeregisterCmd, newAgentsCmd)
	return cmd
}

func newGetCmd(env *cli.Env) *cobra.Command {
	return cli.Spans(&cobra.Command{
		Use:     "get <node>",
		Aliases: []string{"show"},
		Short:   "Show everything about one node",
		Long: `Show everything about one node: what its agent reports, where EC2 says it is,
its tags, its associations, and what the last patching found. With --regions,
--all-regions or --accounts it is looked for in all of them.`,
		Example: `  $ ssmdeck node get web-1
  $ ssmdeck node get web-1 --all-regions
  $ ssmdeck node get i-0123456789abcdef0 -o yaml`,
		Args:              nodechoice.Pickable(env, cli.ExactArgs("the node")),
		ValidArgsFunction: nodechoice.CompleteNode(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := nodechoice.OrPick(cmd.Context(), env, args)
			if err != nil {
				return err
			}
			return nodeGet(cmd.Context(), env, args[0])
		},
	})
}

func nodeGet(ctx context.Context, env *cli.Env, expr string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	return nodechoice.ShowFound(ctx, env, ro, expr, details, func(ctx context.Context, env *cli.Env) (fleet.Node, error) {
		n, err := nodechoice.FindNodeHere(ctx, env, expr)
		if err != nil {
			return n, err
		}
		svc, err := env.Fleet(ctx)
		if err != nil {
			return n, err
		}
		n, gaps, err := svc.Facts(ctx, n.ID)
		if err == nil {
			nodechoice.NoteGaps(env, gaps)
		}
		return n, err
	})
}

func details(d *render.Detail, o render.Options, n fleet.Node) {
	d.ID(n.ID)
	d.Field("Node", n.ID)
	d.Field("Name", n.Name)
	d.Field("Computer name", n.ComputerName)
	d.Human("Ping", n.Ping, o.Styles.Status(levels.Ping(n.Ping), render.Visible(n.Ping)))
	cli.Moment(d, o, "Last ping", n.LastPing)
	d.Field("Platform", strings.TrimSpace(n.PlatformName+" "+n.PlatformVersion))
	d.Field("IP address", n.IP)
	d.Field("Type", n.ResourceType)
	d.Field("Role", n.IAMRole)
	d.Field("Activation", n.ActivationID)
	cli.Moment(d, o, "Registered", n.Registered)
	d.Human("Associations", n.AssociationStatus, nodechoice.AssociationWord(o, n.AssociationStatus))
	d.Section("Agent")
	d.Field("Version", n.AgentVersion)
	if n.AgentLatest != nil {
		d.Field("Latest", fmt.Sprint(*n.AgentLatest))
	}
	if n.Instance() {
		d.Section("Instance")
		part := func(text string) string {
			if n.Lacks(fleet.PartEC2) {
				return nodechoice.Unknown
			}
			return text
		}
		d.Field("Instance type", n.InstanceType)
		d.Field("State", part(n.State))
		d.Field("Zone", part(n.AZ))
		d.Field("VPC", part(n.VPC))
		d.Field("Subnet", part(n.Subnet))
		d.Field("Image", part(n.Image))
		if n.Lacks(fleet.PartEC2) {
			d.Field("Launched", nodechoice.Unknown)
		} else {
			cli.Moment(d, o, "Launched", n.Launched)
		}
	}
	patches(d, o, n)
	switch {
	case nodechoice.Lacks(n, fleet.PartTags):
		d.Section("Tags")
		d.Field("Tags", nodechoice.Unknown)
	case len(n.Tags) > 0:
		d.Section("Tags")
		for _, k := range slices.Sorted(maps.Keys(n.Tags)) {
			d.Field(k, n.Tags[k])
		}
	}
}

func patches(d *render.Detail, o render.Options, n fleet.Node) {
	d.Section("Patches")
	switch p := n.Patch; {
	case n.Lacks(fleet.PartPatch):
		d.Field("Patches", nodechoice.Unknown)
	case p == nil:
		d.Field("Patches", "never scanned")
	default:
		cli.Moment(d, o, p.Operation, p.Ended)
		d.Field("Baseline", p.Baseline)
		d.Field("Patch group", p.Group)
		d.Field("Installed", strconv.Itoa(p.Installed))
		d.Field("Missing", fmt.Sprintf("%d (%d critical, %d security)", p.Missing, p.Critical, p.Security))
		d.Field("Failed", strconv.Itoa(p.Failed))
		d.Field("Pending reboot", strconv.Itoa(p.PendingReboot))
	}
}
