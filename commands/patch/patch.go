package patch

import (
	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// NewCmd is `ssmdeck patch`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "patch <command>",
		Aliases: []string{"patches"},
		Short:   "Patch Manager: what is missing where, and installing it",
		Long: `Patch Manager keeps, for each node, what its last scan or installation found, held
against the patch baseline of the node's patch group.`,
		Example: `  $ ssmdeck patch status
  $ ssmdeck patch missing --cve CVE-2026-1000
  $ ssmdeck patch node web-1
  $ ssmdeck patch scan --tag env=prod
  $ ssmdeck patch install --tag env=prod --reboot if-needed --dry-run`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd,
		newStatusCmd, newMissingCmd, newNodeCmd, newExplainCmd, newPlanCmd,
		newScanCmd, newInstallCmd, newBaselineCmd, newGroupCmd, newAvailableCmd,
		newEffectiveCmd, newPropertiesCmd, newReportCmd, newHistoryCmd, newMetricsCmd,
		newAlarmCmd, newConfigCmd,
	)
	return cmd
}
