package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

func newRunShowCmd(env *Env) *cobra.Command {
	var vo viewOptions
	cmd := &cobra.Command{
		Use:     "show <run>...",
		Aliases: []string{"get"},
		Short:   "Show a run as it stands: its nodes and what they printed",
		Long: `Show runs, or commands by their ids, as they stand. Several are shown as one. What
the nodes printed is read again from the service, which keeps it for 30 days.`,
		Example: `  $ ssmdeck run show k3v9q2m1zt
  $ ssmdeck run show k3v9q2m1zt --diff
  $ ssmdeck run show k3v9q2m1zt --out-dir outputs`,
		Args:              minArgs("the run's id"),
		ValidArgsFunction: env.completeRun,
		RunE:              func(cmd *cobra.Command, args []string) error { return runShow(cmd.Context(), env, args, vo) },
	}
	vo.bind(cmd.Flags())
	return cmd
}

func newRunWatchCmd(env *Env) *cobra.Command {
	var vo viewOptions
	cmd := &cobra.Command{
		Use:   "watch <run>...",
		Short: "Follow a run until it has ended",
		Long: `Follow runs, or commands by their ids, that were sent before, from here or
elsewhere, and show the result as ` + "`ssmdeck run`" + ` does. Several are followed as one.`,
		Example: `  $ ssmdeck run watch k3v9q2m1zt
  $ ssmdeck run watch 2b196342-d7d4-436e-8f09-3883a1116ac3 --follow`,
		Args:              minArgs("the run's id"),
		ValidArgsFunction: env.completeRun,
		RunE:              func(cmd *cobra.Command, args []string) error { return runWatch(cmd.Context(), env, args, vo) },
	}
	vo.bind(cmd.Flags())
	vo.bindFollow(cmd.Flags())
	return cmd
}

func newRunCancelCmd(env *Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:               "cancel <run>...",
		Short:             "Cancel runs",
		Long:              "Ask the service to cancel all commands of runs. A script that runs may end before it is stopped.",
		Example:           "  $ ssmdeck run cancel k3v9q2m1zt",
		Args:              minArgs("the run's id"),
		ValidArgsFunction: env.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return commandCancel(cmd.Context(), env, args, nil, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, cancelDryRun)
	return cmd
}

// found opens Run Command and finds what args name.
func found(ctx context.Context, env *Env, args []string) (*run.Service, run.Run, error) {
	svc, err := env.Runner(ctx)
	if err != nil {
		return nil, run.Run{}, err
	}
	r, err := svc.FindAll(ctx, args)
	if err == nil && r.Unsent() > 0 {
		env.note("ssmdeck: %d of the run's %d commands were not sent; their nodes are not known to the service", r.Unsent(), r.Of)
	}
	return svc, r, err
}

// runShow shows runs as they stand.
func runShow(ctx context.Context, env *Env, args []string, vo viewOptions) error {
	view, err := newRunView(env, vo)
	if err != nil {
		return err
	}
	defer view.close()
	svc, r, err := found(ctx, env, args)
	if err != nil {
		return err
	}
	if err := view.load(ctx, svc, r); err != nil {
		return err
	}
	if view.dir != nil {
		if err := view.save(ctx, svc); err != nil {
			return err
		}
	}
	if view.events != nil {
		return view.err
	}
	err = render.Object(env.Out, view.options, runDetails{Run: r, Nodes: view.answer().Nodes}, func(d *render.Detail) { runHead(d, view.options, r) })
	if err != nil || !view.people() {
		return err
	}
	if _, err := io.WriteString(env.Out, "\n"); err != nil {
		return err
	}
	return view.print(env.Out, true)
}

// load reads a run as it stands into the view.
func (v *runView) load(ctx context.Context, svc *run.Service, r run.Run) error {
	if err := v.prepare(); err != nil {
		return err
	}
	v.learn(ctx)
	v.keeps(r)
	v.past = true
	err := svc.Show(ctx, r, v.event)
	v.progress.Close()
	return err
}

// keeps notes where the commands put their outputs.
func (v *runView) keeps(r run.Run) {
	v.kept = map[string]run.Command{}
	for _, c := range r.Commands {
		v.kept[c.ID] = c
	}
}

// runDetails is `run show -o json`.
type runDetails struct {
	run.Run
	Nodes []runRow `json:"nodes"`
}

func runHead(d *render.Detail, o render.Options, r run.Run) {
	d.ID(r.Ref())
	d.Field("Run", r.ID)
	d.Human("State", string(r.State), o.Styles.Status(stateLevel(r.State), string(r.State)))
	d.Field("Document", strings.Join(r.Documents, ", "))
	if len(r.Commands) > 0 {
		d.Field("Script", r.Commands[0].ScriptLine(60))
	}
	d.Field("Comment", r.Comment)
	moment(d, o, "Requested", r.Requested)
	d.Field("Nodes", fmt.Sprintf("%d, %d done, %d failed", r.Targets, r.Completed, r.Errors+r.DeliveryTimedOut))
	switch n := len(r.Commands); {
	case r.Unsent() > 0:
		d.Field("Commands", fmt.Sprintf("%d of %d; the others were not sent", n, r.Of))
	case n == 1:
		d.Field("Command", r.Commands[0].ID)
	default:
		d.Field("Commands", fmt.Sprint(n))
	}
}

// runWatch follows runs that were sent before.
func runWatch(ctx context.Context, env *Env, args []string, vo viewOptions) error {
	view, err := newRunView(env, vo)
	if err != nil {
		return err
	}
	defer view.close()
	svc, r, err := found(ctx, env, args)
	if err != nil {
		return err
	}
	if err := view.prepare(); err != nil {
		return err
	}
	view.learn(ctx)
	view.keeps(r)
	logged := false
	for _, c := range r.Commands {
		logged = logged || c.LogGroup != ""
	}
	if vo.follow && !logged {
		return fault.Usagef("--follow shows output from CloudWatch Logs as it is written, and nothing puts it there").
			WithHint("a run does with --logs")
	}
	err = svc.Follow(ctx, r, view.showsLive(logged), view.event)
	view.progress.Close()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if printErr := view.result(ctx, svc); printErr != nil {
		return printErr
	}
	if err != nil {
		env.note("ssmdeck: stopped following; the command goes on\nssmdeck: hint: %s", takeUp(r.Ref()))
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return view.board.Err()
}
