package automation

import (
	"context"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/automation"
)

// openAutomation returns the service that runs runbooks.
func openAutomation(ctx context.Context, env *cli.Env) (*automation.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return automation.New(scope.SSM()), nil
}
