package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newNodeCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "node <command>",
		Aliases: []string{"nodes", "instance"},
		Short:   "Managed nodes: EC2 instances, hybrid and edge machines",
		Example: `  $ ssmdeck node list
  $ ssmdeck node get web-1
  $ ssmdeck node summary --by platform,ping
  $ ssmdeck node agents --outdated`,
		Args: cobra.ArbitraryArgs,
		RunE: runGroup,
	}
	env.subcommands(cmd, newNodeListCmd, newNodeGetCmd, newNodeSummaryCmd, newNodePingCmd,
		newNodeTagCmd, newNodeDeregisterCmd, newNodeAgentsCmd)
	return cmd
}

func newNodeGetCmd(env *Env) *cobra.Command {
	return spans(&cobra.Command{
		Use:     "get <node>",
		Aliases: []string{"show"},
		Short:   "Show everything about one node",
		Long: `Show everything about one node: what its agent reports, where EC2 says it is,
its tags, its associations, and what the last patching found. With --regions,
--all-regions or --accounts it is looked for in all of them.`,
		Example: `  $ ssmdeck node get web-1
  $ ssmdeck node get web-1 --all-regions
  $ ssmdeck node get i-0123456789abcdef0 -o yaml`,
		Args:              env.pickable(exactArgs("the node")),
		ValidArgsFunction: env.completeNode,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, err := env.orPick(cmd.Context(), args)
			if err != nil {
				return err
			}
			return nodeGet(cmd.Context(), env, args[0])
		},
	})
}

func nodeGet(ctx context.Context, env *Env, expr string) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	return showFound(ctx, env, ro, expr, nodeDetails, func(ctx context.Context, env *Env) (fleet.Node, error) {
		n, err := env.findNodeHere(ctx, expr)
		if err != nil {
			return n, err
		}
		svc, err := env.Fleet(ctx)
		if err != nil {
			return n, err
		}
		n, gaps, err := svc.Facts(ctx, n.ID)
		if err == nil {
			noteGaps(env, gaps)
		}
		return n, err
	})
}

func nodeDetails(d *render.Detail, o render.Options, n fleet.Node) {
	d.ID(n.ID)
	d.Field("Node", n.ID)
	d.Field("Name", n.Name)
	d.Field("Computer name", n.ComputerName)
	d.Human("Ping", n.Ping, o.Styles.Status(pingLevel(n.Ping), render.Visible(n.Ping)))
	moment(d, o, "Last ping", n.LastPing)
	d.Field("Platform", strings.TrimSpace(n.PlatformName+" "+n.PlatformVersion))
	d.Field("IP address", n.IP)
	d.Field("Type", n.ResourceType)
	d.Field("Role", n.IAMRole)
	d.Field("Activation", n.ActivationID)
	moment(d, o, "Registered", n.Registered)
	d.Field("Associations", n.AssociationStatus)
	d.Section("Agent")
	d.Field("Version", n.AgentVersion)
	if n.AgentLatest != nil {
		d.Field("Latest", fmt.Sprint(*n.AgentLatest))
	}
	if n.Instance() {
		d.Section("Instance")
		part := func(text string) string {
			if n.Lacks(fleet.PartEC2) {
				return unknown
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
			d.Field("Launched", unknown)
		} else {
			moment(d, o, "Launched", n.Launched)
		}
	}
	nodePatches(d, o, n)
	switch {
	case lacks(n, fleet.PartTags):
		d.Section("Tags")
		d.Field("Tags", unknown)
	case len(n.Tags) > 0:
		d.Section("Tags")
		for _, k := range slices.Sorted(maps.Keys(n.Tags)) {
			d.Field(k, n.Tags[k])
		}
	}
}

func nodePatches(d *render.Detail, o render.Options, n fleet.Node) {
	d.Section("Patches")
	switch p := n.Patch; {
	case n.Lacks(fleet.PartPatch):
		d.Field("Patches", unknown)
	case p == nil:
		d.Field("Patches", "never scanned")
	default:
		moment(d, o, p.Operation, p.Ended)
		d.Field("Baseline", p.Baseline)
		d.Field("Patch group", p.Group)
		d.Field("Installed", strconv.Itoa(p.Installed))
		d.Field("Missing", fmt.Sprintf("%d (%d critical, %d security)", p.Missing, p.Critical, p.Security))
		d.Field("Failed", strconv.Itoa(p.Failed))
		d.Field("Pending reboot", strconv.Itoa(p.PendingReboot))
	}
}

// moment adds a time: exact for machines, local and relative for people.
func moment(d *render.Detail, o render.Options, key string, t time.Time) {
	if t.IsZero() {
		d.Field(key, "")
		return
	}
	d.Human(key, render.Timestamp(t), render.Local(t, o.Location)+", "+render.Ago(o.Now, t))
}
