package run

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

func newRerunCmd(env *cli.Env) *cobra.Command {
	var (
		o      runOptions
		failed bool
	)
	cmd := &cobra.Command{
		Use:     "rerun <run>",
		Aliases: []string{"retry"},
		Short:   "Run again what was run before, on all its nodes or where it failed",
		Long: `Run the same again, on the nodes of a run or, with --failed, on those where it did
not succeed: failed, timed out, cancelled, skipped or lost. Document and parameters
are read from the service, which keeps them for 30 days, and stored nowhere else.

Nodes that are no longer managed are left out, and said. Notifications of the run
are not repeated.`,
		Example: `  # Where it failed, one node at a time
  $ ssmdeck run rerun k3v9q2m1zt --failed --concurrency 1

  # See where that would be
  $ ssmdeck run rerun k3v9q2m1zt --failed --dry-run`,
		Args:              cli.ExactArgs("the run's id"),
		ValidArgsFunction: completeRun(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("wait") {
				o.waiting = &o.wait
			}
			return o.rerun(cmd.Context(), env, args[0], failed)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&failed, "failed", false, "only where it did not succeed")
	f.StringVar(&o.req.Concurrency, "concurrency", "", "how many nodes at a time: a number or a percentage `n` (default: as before)")
	f.StringVar(&o.req.MaxErrors, "max-errors", "", "stop when more than `n` nodes have failed: a number or a percentage (default: as before)")
	f.StringVar(&o.req.Comment, "comment", "", "`text` for the command's history (default: as before)")
	f.StringVar(&o.s3, "s3", "", "have the nodes keep the full output in S3, as `BUCKET[/PREFIX]` (default: as before)")
	f.StringVar(&o.req.LogGroup, "logs", "", "have the nodes keep the full output in this CloudWatch Logs `group` (default: as before)")
	f.DurationVar(&o.wait, "wait", 0, "stop following after `duration` (exit 8); the command goes on")
	f.BoolVar(&o.req.NoWait, "no-wait", false, "send the command, print its id and leave")
	f.BoolVar(&o.cancel, "cancel-on-interrupt", false, "Ctrl-C cancels the command instead of leaving it")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the nodes that would be hit and send nothing")
	o.view.Bind(f)
	o.view.BindFollow(f)
	return cmd
}

func (o *runOptions) rerun(ctx context.Context, env *cli.Env, ref string, failed bool) error {
	switch {
	case o.waiting != nil && *o.waiting <= 0:
		return fault.Usagef("run rerun: --wait %s is not a time to wait", *o.waiting)
	case o.waiting != nil && o.req.NoWait:
		return fault.Usagef("run rerun: --wait and --no-wait exclude each other")
	}
	bucket, prefix, err := run.ParseS3(o.s3)
	if err != nil {
		return err
	}
	view, err := runview.NewView(env, o.view)
	if err != nil {
		return err
	}
	defer view.Close()
	svc, r, err := runview.Found(ctx, env, []string{ref})
	if err != nil {
		return err
	}
	var board run.Board
	if err := svc.Show(ctx, r, board.Apply); err != nil {
		return err
	}
	if !board.Done() {
		return fault.New(fault.Pending, "run "+ref+" again", "it has not ended").
			WithHint("follow it with `ssmdeck run watch %s`", ref)
	}
	if n := board.Unlisted(); n > 0 {
		env.Note("ssmdeck: the service counts %s more than it lists; they are left out", cli.Plural(n, "node"))
	}
	was := run.Again(r, &board, func(row run.Row) bool { return !failed || row.State.Bad() })
	if len(was.Again) == 0 {
		env.Note("ssmdeck: nothing to run again: it succeeded on every node that it was sent to")
		return nil
	}
	asked := o.req
	o.req = was
	o.req.NoWait = asked.NoWait
	for _, f := range []struct {
		to    *string
		asked string
	}{
		{&o.req.Concurrency, asked.Concurrency},
		{&o.req.MaxErrors, asked.MaxErrors},
		{&o.req.Comment, asked.Comment},
		{&o.req.LogGroup, asked.LogGroup},
	} {
		if f.asked != "" {
			*f.to = f.asked
		}
	}
	if bucket != "" {
		o.req.S3Bucket, o.req.S3Prefix = bucket, prefix
	}
	if o.req.Selection, err = o.again(ctx, env); err != nil {
		return err
	}
	return o.send(ctx, env, view, false, false)
}

// again looks the nodes of the run up as they are now.
func (o *runOptions) again(ctx context.Context, env *cli.Env) (fleet.Selection, error) {
	var sel fleet.Selection
	svc, err := env.Fleet(ctx)
	if err != nil {
		return sel, err
	}
	ids := o.req.NodeIDs()
	nodes, err := fleet.All(svc.List(ctx, fleet.Query{IDs: ids}))
	if fault.KindOf(err) == fault.Auth {
		for _, id := range ids {
			nodes = append(nodes, fleet.Node{ID: id})
		}
		sel.Note = "the nodes cannot be looked up here, and their ids are sent as they are"
		err = nil
	}
	if err != nil {
		return sel, err
	}
	if n := len(ids) - len(nodes); n > 0 {
		sel.Note = fmt.Sprintf("%s of the run no longer managed, and left out", map[bool]string{true: "1 node is", false: fmt.Sprintf("%d nodes are", n)}[n == 1])
	}
	for _, n := range nodes {
		sel.Nodes = append(sel.Nodes, n)
		if n.Offline() {
			sel.Offline = append(sel.Offline, n)
		} else {
			sel.InstanceIDs = append(sel.InstanceIDs, n.ID)
		}
	}
	return sel, nil
}
