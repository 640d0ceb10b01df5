package param

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// NewCmd is `ssmdeck param`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "param <command>",
		Aliases: []string{"params", "parameter"},
		Short:   "Parameter Store: configuration and secrets",
		Long: `Parameters of Parameter Store: read, written, compared, moved between environments,
and given to programs. Values are never changed on their way, and never shown without
being asked for: a SecureString is read only with --decrypt.`,
		Example: `  $ ssmdeck param list /app/prod`,
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd,
		newListCmd,
		newExportCmd,
		newDiffCmd,
		newBackupCmd,
		newRestoreCmd,
		newExecCmd,
		newRenderCmd,
		newRedactCmd,
		newTreeCmd,
		newGetCmd,
		newSearchCmd,
		newHistoryCmd,
		newImportCmd,
		newPlanCmd,
		newApplyCmd,
		newPromoteCmd,
		newScaffoldCmd,
		newSetCmd,
		newEditCmd,
		newCopyCmd,
		newMoveCmd,
		newDeleteCmd,
		newRollbackCmd,
		newLabelCmd,
		newUnlabelCmd,
		newAdviseCmd,
		newExpiringCmd,
		newCostCmd,
		newShareCmd,
		newUnshareCmd,
		newSharedCmd,
	)
	return cmd
}

// openParameters returns the service that knows parameters.
func openParameters(ctx context.Context, env *cli.Env) (*parameter.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return parameter.New(scope.SSM()), nil
}

// faultList is what is wrong with what was typed, told all at once; see cli.AllFaults.
type faultList []error

func (l *faultList) add(err error) {
	if err != nil {
		*l = append(*l, err)
	}
}
