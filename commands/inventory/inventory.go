package inventory

import (
	"context"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/inventory"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// NewCmd is `ssmdeck inventory`.
func NewCmd(env *cli.Env) *cobra.Command {
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
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newQueryCmd, newListCmd, newGetCmd, newCountCmd,
		newTypesCmd, newStatusCmd, newEnableCmd, newPutCmd,
		newDeleteCmd, newDeletionsCmd)
	return cmd
}

// openInventory returns the service for inventory.
func openInventory(ctx context.Context, env *cli.Env) (*inventory.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return inventory.New(scope.SSM()), nil
}

// typeNames completes the names of types of inventory.
func typeNames(own bool) func() []string {
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
