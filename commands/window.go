package commands

import "github.com/spf13/cobra"

func newWindowCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "window <command>",
		Aliases: []string{"windows", "maintenance-window"},
		Short:   "Maintenance windows: when things may run",
		Long:    `Maintenance windows run their tasks on their targets when their schedule says so.`,
		Args:    cobra.ArbitraryArgs,
		RunE:    runGroup,
	}
	cmd.AddCommand(newWindowScheduleCmd(env), newWindowCalendarCmd(env), newWindowPreviewCmd(env), newWindowCoverageCmd(env))
	return cmd
}
