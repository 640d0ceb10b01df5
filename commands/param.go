package commands

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

func newParamCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "param <command>",
		Aliases: []string{"params", "parameter"},
		Short:   "Parameter Store: configuration and secrets",
		Long: `Parameters of Parameter Store: read, written, compared, moved between environments,
and given to programs. Values are never changed on their way, and never shown without
being asked for: a SecureString is read only with --decrypt.`,
		Example: `  $ ssmdeck param list /app/prod`,
		Args:    cobra.ArbitraryArgs,
		RunE:    runGroup,
	}
	env.subcommands(cmd,
		newParamListCmd,
		newParamExportCmd,
		newParamExecCmd,
		newParamRenderCmd,
		newParamRedactCmd,
		newParamTreeCmd,
		newParamGetCmd,
		newParamSearchCmd,
		newParamHistoryCmd,
		newParamImportCmd,
		newParamPlanCmd,
		newParamApplyCmd,
		newParamPromoteCmd,
		newParamScaffoldCmd,
		newParamSetCmd,
		newParamEditCmd,
		newParamCopyCmd,
		newParamMoveCmd,
		newParamDeleteCmd,
		newParamRollbackCmd,
		newParamLabelCmd,
		newParamUnlabelCmd,
		newParamAdviseCmd,
		newParamExpiringCmd,
		newParamCostCmd,
		newParamShareCmd,
		newParamUnshareCmd,
		newParamSharedCmd,
	)
	return cmd
}

// Parameters returns the service that knows parameters.
func (e *Env) Parameters(ctx context.Context) (*parameter.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return parameter.New(scope.SSM()), nil
}
