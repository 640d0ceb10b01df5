package commands

import (
	"context"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/history"
)

// bindNoHistory declares the flag of commands that count a whole scope.
func bindNoHistory(cmd *cobra.Command, off *bool) {
	cmd.Flags().BoolVar(off, "no-history", false, "do not keep what was counted (see `ssmdeck patch history`)")
}

// lookStore is where looks at patching are kept.
func (e *Env) lookStore() (history.Store, error) {
	dir, err := config.StateDir(e.Lookup, runtime.GOOS)
	if err != nil {
		return history.Store{}, fault.New(fault.Failed, "find the folder for state", "%w", err)
	}
	return history.Store{Dir: filepath.Join(dir, "history")}, nil
}

// keepLook writes down what a look at a scope of this account and Region counted,
// unless history is off or this is a demo. l.Account and l.Region are filled in, and
// l.Time when it is zero. What goes wrong is said and nothing else: the numbers are
// on the screen already.
func (e *Env) keepLook(ctx context.Context, l history.Look, off bool) {
	s, err := e.Settings()
	if err != nil || off || !s.History || e.Local != nil {
		return
	}
	if err := e.tryLook(ctx, l); err != nil {
		e.note("warning: %v", err)
	}
}

func (e *Env) tryLook(ctx context.Context, l history.Look) error {
	scope, err := e.Scope(ctx)
	if err != nil {
		return err
	}
	if l.Account, err = scope.Account(ctx); err != nil {
		return err
	}
	l.Region = scope.Region()
	if l.Time.IsZero() {
		l.Time = time.Now()
	}
	store, err := e.lookStore()
	if err != nil {
		return err
	}
	return store.Append(l)
}
