package commands

import "github.com/spf13/cobra"

func newPatchCmd(env *Env) *cobra.Command {
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
		RunE: runGroup,
	}
	env.subcommands(cmd,
		newPatchStatusCmd, newPatchMissingCmd, newPatchNodeCmd, newPatchExplainCmd, newPatchPlanCmd,
		newPatchScanCmd, newPatchInstallCmd, newPatchBaselineCmd, newPatchGroupCmd, newPatchAvailableCmd,
		newPatchEffectiveCmd, newPatchPropertiesCmd, newPatchReportCmd, newPatchHistoryCmd, newPatchMetricsCmd,
		newPatchAlarmCmd, newPatchConfigCmd,
	)
	return cmd
}
