package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

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
func (o *patchInstallOptions) install(ctx context.Context, env *Env, ro render.Options, svc *fleet.Service, st *patching.State) error {
	view := &runView{viewOptions: viewOptions{outDir: o.outDir}, env: env, options: ro, names: map[string]string{}}
	if err := view.prepare(); err != nil {
		return err
	}
	if err := o.waves.keep(st); err != nil {
		return err
	}
	if o.own && o.waves.state != "" {
		env.note("ssmdeck: how far it is is kept in %s", o.waves.state)
	}
	driveErr := o.drive(ctx, env, svc, st, view)
	if view.dir != nil {
		runner, err := env.Runner(ctx)
		if err != nil {
			return err
		}
		if err := view.save(context.WithoutCancel(ctx), runner); err != nil {
			return err
		}
	}
	return o.end(env, ro, st, driveErr)
}

// drive does the waves.
func (o *patchInstallOptions) drive(ctx context.Context, env *Env, svc *fleet.Service, st *patching.State, view *runView) error {
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	schedules := patching.NewSchedules(scope.SSM())
	progress, err := env.progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	for id, n := range st.Nodes {
		view.names[id] = n.Name
	}
	keep := func() error { return o.waves.keep(st) }
	d := waveDrive{
		options: &o.waves, state: st.Waves, progress: progress, keep: keep,
		before: func(ctx context.Context, _ int) error { return schedules.Open(ctx, o.calendars) },
	}
	installer := &patching.Installer{
		Run: runner, Fleet: svc, Patches: patch.New(scope.SSM()), State: st, Concurrency: o.concurrency, Timeout: o.delivery,
		MaxFailures: o.waves.limit.Of(st.Waves.Total()), Settle: o.waves.settle, Keep: keep, Step: d.step,
		Event: func(e run.Event) {
			if i := e.Invocation; i != nil {
				named := *i
				named.NodeName = cmp.Or(view.names[i.NodeID], i.NodeName)
				e.Invocation = &named
				if i.State.Final() {
					progress.Event(nodeLabel(named.NodeName, i.NodeID)+" "+render.Visible(stateWords(named)), i)
				}
			}
			if e.Kind != run.Done && e.Kind != run.Planned { // the board is of all waves
				view.board.Apply(e)
			}
		},
	}
	return d.run(ctx, installer.Wave)
}

// end prints what became of the nodes and says how to go on.
func (o *patchInstallOptions) end(env *Env, ro render.Options, st *patching.State, err error) error {
	if printErr := writeList(env, patchInstallTable, ro, patchInstallRows(st)); printErr != nil {
		return printErr
	}
	if ro.Terminal() {
		sayFailures(env, st)
	}
	o.waves.sayLeft(env, st.Waves, err, "patched", "", patchInstallPath)
	if o.own && len(st.Waves.Left()) == 0 {
		_ = os.Remove(o.waves.file()) // nothing is left to take up
	}
	if st.Options.BaselineOverride != "" {
		env.note("ssmdeck: with a baseline override nodes report no patch states: that nothing failed is what the command itself says")
	}
	if err = waveError(err); err != nil {
		return o.explained(st, err)
	}
	if len(st.Offline) > 0 {
		return fault.New(fault.RemoteFailed, "install patches", "%s offline: nothing was done there", pluralAre(len(st.Offline), "node")).
			WithHint("run it again when they are back; `ssmdeck doctor NODE` says why")
	}
	return nil
}

// explained says in the error of nodes that failed where all that they printed is.
func (o *patchInstallOptions) explained(st *patching.State, err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.RemoteFailed || e.Op != "" {
		return err
	}
	out := *e
	out.Op = "install patches"
	for id, r := range waveNodes(st.Waves) {
		if result := st.Nodes[id].Result; out.Hint == "" && o.outDir == "" && r.Status == waves.Failed && result != nil && result.CommandID != "" {
			out.Hint = fmt.Sprintf("`ssmdeck command output %s %s` has all that the first of them printed", result.CommandID, id)
		}
	}
	return &out
}
