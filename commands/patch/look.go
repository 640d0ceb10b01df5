package patch

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patchreport"
)

// bindNoHistory declares the flag of commands that count all nodes that are chosen.
func bindNoHistory(o *nodechoice.Scanned, cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.NoHistory, "no-history", false, "do not keep what was counted, see ssmdeck patch history")
}

// scope says which nodes are chosen, in the words of the history.
func scope(o *nodechoice.Scanned, args []string) string {
	return history.Scope(slices.Concat(args, o.Choice.Targets), o.Choice.Tags, o.Choice.Filter)
}

// lookStore is where looks at patching are kept.
func lookStore(env *cli.Env) (history.Store, error) {
	dir, err := config.StateDir(env.Lookup, runtime.GOOS)
	if err != nil {
		return history.Store{}, fault.New(fault.Failed, "find the folder for state", "%w", err)
	}
	return history.Store{Dir: filepath.Join(dir, "history")}, nil
}

// keep writes down what a look at the nodes of this account and Region counted,
// unless history is off or this is a demo. What goes wrong is said and nothing
// else: the numbers are on the screen already.
func keep(ctx context.Context, o *nodechoice.Scanned, env *cli.Env, l look, scope string) {
	s, err := env.Settings()
	if err != nil || o.NoHistory || !s.History || env.Local != nil || l.report.Total.Nodes == 0 {
		return
	}
	record := patchreport.LookOf(l.report.Total, l.report.Made, scope)
	if record.Account, record.Region, err = env.Whereabouts(ctx); err == nil {
		var store history.Store
		if store, err = lookStore(env); err == nil {
			err = store.Append(record)
		}
	}
	if err != nil {
		env.Note("ssmdeck: warning: what was counted is not kept: %v", err)
	}
}
