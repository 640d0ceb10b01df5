package run

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func newShowCmd(env *cli.Env) *cobra.Command {
	var vo runview.ViewOptions
	cmd := &cobra.Command{
		Use:     "show <run>...",
		Aliases: []string{"get"},
		Short:   "Show a run as it stands: its nodes and what they printed",
		Long: `Show runs, or commands by their ids, as they stand. Several are shown as one. What
the nodes printed is read again from the service, which keeps it for 30 days.`,
		Example: `  $ ssmdeck run show k3v9q2m1zt
  $ ssmdeck run show k3v9q2m1zt --diff
  $ ssmdeck run show k3v9q2m1zt --out-dir outputs`,
		Args:              cli.MinArgs("the run's id"),
		ValidArgsFunction: completeRun(env),
		RunE:              func(cmd *cobra.Command, args []string) error { return runview.Show(cmd.Context(), env, args, vo) },
	}
	vo.Bind(cmd.Flags())
	return cmd
}

func newWatchCmd(env *cli.Env) *cobra.Command {
	var vo runview.ViewOptions
	cmd := &cobra.Command{
		Use:   "watch <run>...",
		Short: "Follow a run until it has ended",
		Long: `Follow runs, or commands by their ids, that were sent before, from here or
elsewhere, and show the result as ` + "`ssmdeck run`" + ` does. Several are followed as one.`,
		Example: `  $ ssmdeck run watch k3v9q2m1zt
  $ ssmdeck run watch 2b196342-d7d4-436e-8f09-3883a1116ac3 --follow`,
		Args:              cli.MinArgs("the run's id"),
		ValidArgsFunction: completeRun(env),
		RunE:              func(cmd *cobra.Command, args []string) error { return runWatch(cmd.Context(), env, args, vo) },
	}
	vo.Bind(cmd.Flags())
	vo.BindFollow(cmd.Flags())
	return cmd
}

func newCancelCmd(env *cli.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:               "cancel <run>...",
		Short:             "Cancel runs",
		Long:              "Ask the service to cancel all commands of runs. A script that runs may end before it is stopped.",
		Example:           "  $ ssmdeck run cancel k3v9q2m1zt",
		Args:              cli.MinArgs("the run's id"),
		ValidArgsFunction: completeRun(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return commandCancel(cmd.Context(), env, args, nil, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, cancelDryRun)
	return cmd
}

// runWatch follows runs that were sent before.
func runWatch(ctx context.Context, env *cli.Env, args []string, vo runview.ViewOptions) error {
	view, err := runview.NewView(env, vo)
	if err != nil {
		return err
	}
	defer view.Close()
	svc, r, err := runview.Found(ctx, env, args)
	if err != nil {
		return err
	}
	if err := view.Prepare(); err != nil {
		return err
	}
	view.Learn(ctx)
	view.Keeps(r)
	logged := false
	for _, c := range r.Commands {
		logged = logged || c.LogGroup != ""
	}
	if vo.Follow && !logged {
		return fault.Usagef("--follow shows output from CloudWatch Logs as it is written, and nothing puts it there").
			WithHint("a run does with --logs")
	}
	err = svc.Follow(ctx, r, view.ShowsLive(logged), view.Event)
	view.Progress.Close()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if printErr := view.Result(ctx, svc); printErr != nil {
		return printErr
	}
	if err != nil {
		env.Note("ssmdeck: stopped following; the command goes on\nssmdeck: hint: %s", runview.TakeUp(r.Ref()))
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return view.Board.Err()
}
