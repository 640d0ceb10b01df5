package commands

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newInventoryCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "inventory <command>",
		Aliases: []string{"inventories"},
		Short:   "Inventory: what is installed where",
		Long: `What the agents of nodes have gathered: applications, services, files, updates, and
types of the account's own. It is as old as the last time that an agent gathered
it, which stands beside every answer.

` + "`ssmdeck inventory enable` makes agents gather it, and `ssmdeck sync` writes it to S3.",
		Example: `  # Who has an old OpenSSL?
  $ ssmdeck inventory query 'app:openssl<3.0.7 platform:linux'

  # Who has no agent of the intrusion detection?
  $ ssmdeck inventory query '!app:falcon-sensor' --tag env=prod

  $ ssmdeck inventory get web-1 AWS:Application
  $ ssmdeck inventory count AWS:InstanceInformation.PlatformName`,
		Args: cobra.ArbitraryArgs,
		RunE: runGroup,
	}
	env.subcommands(cmd, newInventoryQueryCmd, newInventoryListCmd, newInventoryGetCmd, newInventoryCountCmd,
		newInventoryTypesCmd, newInventoryStatusCmd, newInventoryEnableCmd, newInventoryPutCmd,
		newInventoryDeleteCmd, newInventoryDeletionsCmd)
	return cmd
}

// Inventory returns the service for inventory.
func (e *Env) Inventory(ctx context.Context) (*inventory.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return inventory.New(scope.SSM()), nil
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

// parseSome reads targets and filter without a call, of which there may be none.
func (o *nodeChoice) parseSome(args []string) (targets []fleet.Target, filter fleet.Filter, err error) {
	if targets, err = parseTargets(append(args, o.targets...), o.tags); err != nil {
		return nil, filter, err
	}
	filter, err = fleet.ParseFilter(o.filter)
	return targets, filter, err
}

// inventoryTypeNames completes the names of types of inventory.
func inventoryTypeNames(own bool) func() []string {
	return func() []string {
		if own {
			return []string{"Custom:"}
		}
		return append(inventory.Known(), "Custom:")
	}
}

// attributeHeader writes InstalledTime as a header: INSTALLED TIME.
func attributeHeader(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if lower && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToUpper(r))
	}
	return render.Visible(b.String())
}

// capturedColumn says how old a row is.
func capturedColumn[T any](o render.Options, at func(T) time.Time) render.Column[T] {
	return render.Column[T]{
		Name:  "CAPTURED",
		Text:  func(r T) string { return render.Timestamp(at(r)) },
		Human: func(r T) string { return render.Ago(o.Now, at(r)) },
		Less:  func(a, b T) bool { return at(a).Before(at(b)) },
	}
}
