package patch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patch"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// install does the waves that are left, and prints what became of them. The state is
// locked.
func (o *installOptions) install(ctx context.Context, env *cli.Env, ro render.Options, svc *fleet.Service, st *patching.State) error {
	view := &runview.View{ViewOptions: runview.ViewOptions{OutDir: o.outDir}, Env: env, Options: ro, Names: map[string]string{}}
	if err := view.Prepare(); err != nil {
		return err
	}
	if err := o.waves.Keep(st); err != nil {
		return err
	}
	if o.own && o.waves.State != "" {
		env.Note("ssmdeck: how far it is is kept in %s", o.waves.State)
	}
	driveErr := o.drive(ctx, env, svc, st, view)
	if view.Dir != nil {
		runner, err := env.Runner(ctx)
		if err != nil {
			return err
		}
		if err := view.Save(context.WithoutCancel(ctx), runner); err != nil {
			return err
		}
	}
	return o.end(env, ro, st, driveErr)
}

// drive does the waves.
func (o *installOptions) drive(ctx context.Context, env *cli.Env, svc *fleet.Service, st *patching.State, view *runview.View) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	schedules := patching.NewSchedules(scope.SSM())
	progress, err := env.Progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	for id, n := range st.Nodes {
		view.Names[id] = n.Name
	}
	keep := func() error { return o.waves.Keep(st) }
	d := rolling.Drive{
		Options: &o.waves, State: st.Waves, Progress: progress, Keep: keep,
		Before: func(ctx context.Context, _ int) error { return schedules.Open(ctx, o.calendars) },
	}
	installer := &patching.Installer{
		Run: runner, Fleet: svc, Patches: patch.New(scope.SSM()), State: st, Concurrency: o.concurrency, Timeout: o.delivery,
		MaxFailures: o.waves.Limit.Of(st.Waves.Total()), Settle: o.waves.Settle, Keep: keep, Step: d.Step,
		Event: func(e run.Event) {
			if i := e.Invocation; i != nil {
				named := *i
				named.NodeName = cmp.Or(view.Names[i.NodeID], i.NodeName)
				e.Invocation = &named
				if i.State.Final() {
					progress.Event(runview.NodeLabel(named.NodeName, i.NodeID)+" "+render.Visible(runview.StateWords(named)), i)
				}
			}
			if e.Kind != run.Done && e.Kind != run.Planned { // the board is of all waves
				view.Board.Apply(e)
			}
		},
	}
	return d.Run(ctx, installer.Wave)
}

// end prints what became of the nodes and says how to go on.
func (o *installOptions) end(env *cli.Env, ro render.Options, st *patching.State, err error) error {
	if printErr := cli.WriteList(env, installTable, ro, installRows(st)); printErr != nil {
		return printErr
	}
	if ro.Terminal() {
		sayFailures(env, st)
	}
	o.waves.SayLeft(env, st.Waves, err, "patched", "", installPath)
	if o.own && len(st.Waves.Left()) == 0 {
		_ = os.Remove(o.waves.File()) // nothing is left to take up
	}
	if st.Options.BaselineOverride != "" {
		env.Note("ssmdeck: with a baseline override nodes report no patch states: that nothing failed is what the command itself says")
	}
	if err = rolling.Error(err); err != nil {
		return o.explained(st, err)
	}
	if len(st.Offline) > 0 {
		return fault.New(fault.RemoteFailed, "install patches", "%s offline: nothing was done there", cli.PluralAre(len(st.Offline), "node")).
			WithHint("run it again when they are back; `ssmdeck doctor NODE` says why")
	}
	return nil
}

// explained says in the error of nodes that failed where all that they printed is.
func (o *installOptions) explained(st *patching.State, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.RemoteFailed || e.Op != "" {
		return err
	}
	out := *e
	out.Op = "install patches"
	for id, r := range rolling.Nodes(st.Waves) {
		if result := st.Nodes[id].Result; out.Hint == "" && o.outDir == "" && r.Status == waves.Failed && result != nil && result.CommandID != "" {
			out.Hint = fmt.Sprintf("`ssmdeck command output %s %s` has all that the first of them printed", result.CommandID, id)
		}
	}
	return &out
}
