package commands

import "github.com/spf13/cobra"

func newInventoryCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "inventory <command>",
		Aliases: []string{"inventories"},
		Short:   "Inventory: what is installed where",
		Long:    `What the agents of nodes have gathered: applications, services, files, and types of your own.`,
		Args:    cobra.ArbitraryArgs,
		RunE:    runGroup,
	}
	return cmd
}
