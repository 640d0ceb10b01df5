package commands

import "github.com/spf13/cobra"

func newComplianceCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compliance <command>",
		Short: "Compliance of nodes: patches, associations, types of your own",
		Long:  `What nodes comply with: patches, associations, and types of your own.`,
		Args:  cobra.ArbitraryArgs,
		RunE:  runGroup,
	}
	return cmd
}
