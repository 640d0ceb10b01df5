package commands

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/patchreport"
)

// bindNoHistory declares the flag of commands that count all nodes that are chosen.
func (o *patchNodes) bindNoHistory(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noHistory, "no-history", false, "do not keep what was counted, see ssmdeck patch history")
}

// scope says which nodes are chosen, in the words of the history.
func (o *patchNodes) scope(args []string) string {
	return history.Scope(slices.Concat(args, o.choice.targets), o.choice.tags, o.choice.filter)
}

// lookStore is where looks at patching are kept.
func (e *Env) lookStore() (history.Store, error) {
	dir, err := config.StateDir(e.Lookup, runtime.GOOS)
	if err != nil {
		return history.Store{}, fault.New(fault.Failed, "find the folder for state", "%w", err)
	}
	return history.Store{Dir: filepath.Join(dir, "history")}, nil
}

// keep writes down what a look at the nodes of this account and Region counted,
// unless history is off or this is a demo. What goes wrong is said and nothing
// else: the numbers are on the screen already.
func (o *patchNodes) keep(ctx context.Context, env *Env, l look, scope string) {
	s, err := env.Settings()
	if err != nil || o.noHistory || !s.History || env.Local != nil || l.report.Total.Nodes == 0 {
		return
	}
	record := patchreport.LookOf(l.report.Total, l.report.Made, scope)
	if record.Account, record.Region, err = env.whereabouts(ctx); err == nil {
		var store history.Store
		if store, err = env.lookStore(); err == nil {
			err = store.Append(record)
		}
	}
	if err != nil {
		env.note("ssmdeck: warning: what was counted is not kept: %v", err)
	}
}

// askAccount is how long STS may take to say whose account it is: behind a VPC
// endpoint of Systems Manager alone nobody may answer at all.
const askAccount = 5 * time.Second

// whereabouts are the account and the Region that this works in.
func (e *Env) whereabouts(ctx context.Context) (account, region string, err error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return "", "", err
	}
	if at := e.placed(); at != nil && at.Account != "" {
		return at.Account, scope.Region(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, askAccount)
	defer cancel()
	account, err = scope.Account(ctx)
	return account, scope.Region(), err
}
