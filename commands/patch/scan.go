package patch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

type scanOptions struct {
	choice  nodechoice.Choice
	scan    patching.Scan
	timeout string
	wait    time.Duration
	waiting *time.Duration // wait, if it was given
	dryRun  bool
}

func newScanCmd(env *cli.Env) *cobra.Command {
	var o scanOptions
	cmd := &cobra.Command{
		Use:   "scan <target>...",
		Short: "Scan nodes for missing patches",
		Long: `Scan nodes with the document ` + patching.Document + `: nothing is installed, and no node
reboots. Each scan overwrites what the last scan or installation of the node found.

All nodes of one scan get the same snapshot of their baselines. While it goes on,
what nodes found is shown as it comes in; the table at the end has the worst nodes
first. A node whose scan fails does not stop the others, unless --max-errors says so.

Ctrl-C stops following; the scan goes on, and how to take it up is printed.`,
		Example: `  # What does production lack now?
  $ ssmdeck patch scan --tag env=prod

  # All nodes, a tenth at a time; stop when more than a twentieth have failed
  $ ssmdeck patch scan all --concurrency 10% --max-errors 5% --yes

  # Start it and leave
  $ ssmdeck patch scan 'web-*' --no-wait`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("wait") {
				o.waiting = &o.wait
			}
			return o.run(cmd, env, args)
		},
	}
	o.choice.Bind(env, cmd)
	f := cmd.Flags()
	bindPatchRate(f, &o.scan.Concurrency, &o.timeout)
	f.StringVar(&o.scan.MaxErrors, "max-errors", "100%", "stop when more than `n` nodes have failed: a number or a percentage")
	f.StringVar(&o.scan.Snapshot, "snapshot-id", "", "`GUID` of the snapshot of baselines; one is made for the run without it")
	f.StringVar(&o.scan.Comment, "comment", "", "`text` for the command's history")
	f.DurationVar(&o.wait, "wait", 0, "stop following after `duration` (exit 8); the scan goes on")
	f.BoolVar(&o.scan.NoWait, "no-wait", false, "send the command, print its id and leave")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the nodes that would be scanned and send nothing")
	return cmd
}

// bindPatchRate adds how many nodes are worked on at a time, and how long one may
// take to accept.
func bindPatchRate(f *pflag.FlagSet, concurrency, timeout *string) {
	f.StringVar(concurrency, "concurrency", "", "how many nodes at a time: a number or a percentage `n` (default 50)")
	f.StringVar(timeout, "timeout", "", "how long a node may take to accept the command: `duration` from 30s to 30d")
}

// check reads the flags, before any call.
func (o *scanOptions) check(path string) (err error) {
	switch {
	case o.waiting != nil && *o.waiting <= 0:
		return fault.Usagef("%s: --wait %s is not a time to wait", path, *o.waiting).WithHint("for instance --wait 5m, or --no-wait")
	case o.waiting != nil && o.scan.NoWait:
		return fault.Usagef("%s: --wait and --no-wait exclude each other", path)
	}
	if err := (patching.Options{Snapshot: o.scan.Snapshot}).Check(); err != nil {
		return err
	}
	if o.scan.Timeout, err = run.ParseTimeout(o.timeout); err != nil {
		return err
	}
	o.scan.Comment = cmp.Or(o.scan.Comment, "patch scan")
	return o.scan.Request().Validate()
}

func (o *scanOptions) run(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	if err := o.check(cmd.CommandPath()); err != nil {
		return err
	}
	if err := env.RefuseChange("SendCommand", o.dryRun); err != nil {
		return err
	}
	targets, filter, err := o.choice.Parse(cmd.CommandPath(), args)
	if err != nil {
		return err
	}
	ro, err := cli.ListOptions(env, scanTable)
	if err != nil {
		return err
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	if o.scan.Selection, err = svc.Select(ctx, targets, filter); err != nil {
		return err
	}
	o.scan.Snapshot = cmp.Or(o.scan.Snapshot, patching.NewSnapshot())
	commands, err := o.scan.Request().Commands()
	if err != nil {
		return err
	}
	nodes := o.scan.Selection.Nodes
	if o.dryRun {
		if len(nodes) == 0 {
			env.Note("would scan the members of the group, which the service looks up; nothing was sent")
			return nil
		}
		env.Note("would scan %s, with %s; nothing was sent", cli.Plural(len(nodes), "node"), cli.Plural(commands, "command"))
		return cli.WriteList(env, nodechoice.Table, ro, nodes)
	}
	all, group := runview.Wide(targets)
	if err := runview.ConfirmNodes(ctx, env, "scan for patches", nodes, all, group); err != nil {
		return err
	}
	if err := o.sayOthers(ctx, env, nodes); err != nil {
		return err
	}
	runner, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	return o.watch(ctx, env, ro, patching.Scanner{Run: runner, Fleet: svc})
}

// sayOthers warns of associations that scan the same nodes: who looks later may see
// their results in place of these. Not to be allowed to know is no obstacle.
func (o *scanOptions) sayOthers(ctx context.Context, env *cli.Env, nodes []fleet.Node) error {
	schedules, err := readSchedules(ctx, env)
	if err != nil {
		return err
	}
	others, err := schedules.Associations(ctx, nodes)
	if err != nil || len(others) == 0 {
		return ctx.Err()
	}
	env.Note("ssmdeck: also scanned or patched by %s: each overwrites what the others found", associationWords(others))
	return nil
}

// associationWords names a few associations with their schedules.
func associationWords(list []patching.Association) string {
	const most = 3
	var words []string
	for _, a := range list[:min(len(list), most)] {
		words = append(words, fmt.Sprintf("association %s (%s)", render.Visible(a.Name), cmp.Or(a.Schedule, "when it changes")))
	}
	if len(list) > most {
		words = append(words, fmt.Sprintf("%d more", len(list)-most))
	}
	return strings.Join(words, ", ")
}

// readSchedules returns what else patches nodes, and when it may.
func readSchedules(ctx context.Context, env *cli.Env) (*patching.Schedules, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return patching.NewSchedules(scope.SSM()), nil
}

// watch scans and shows it until it ends or the person has enough.
func (o *scanOptions) watch(ctx context.Context, env *cli.Env, ro render.Options, scanner patching.Scanner) error {
	progress, err := env.Progress()
	if err != nil {
		return err
	}
	defer progress.Close()
	v := &scanView{states: map[string]*fleet.PatchState{}, names: map[string]string{}, progress: progress}
	followCtx, stop := ctx, context.CancelFunc(func() {})
	if o.waiting != nil {
		followCtx, stop = context.WithTimeout(ctx, *o.waiting)
	}
	defer stop()
	_, err = scanner.Scan(followCtx, o.scan, v.event, v.seen)
	progress.Close()
	ids := v.board.CommandIDs()
	switch {
	case err != nil && len(ids) == 0:
		return err
	case o.scan.NoWait && err == nil:
		env.Note("ssmdeck: sent; %s; then `ssmdeck patch status` shows what was found", runview.TakeUp(v.board.Ref()))
		if ro.Format == render.FormatAuto || ro.Format == render.FormatName {
			_, err := fmt.Fprintln(env.Out, strings.Join(ids, "\n"))
			return err
		}
		return cli.WriteList(env, scanTable, ro, v.rows())
	}
	rows := v.rows()
	ro.Now = time.Now() // what was scanned meanwhile is not of the future
	if printErr := cli.WriteList(env, scanTable, ro, rows); printErr != nil {
		return printErr
	}
	switch {
	case err != nil && ctx.Err() != nil:
		env.Note("ssmdeck: stopped following; the scan goes on%s\nssmdeck: hint: %s", runview.NotSent(err), runview.TakeUp(v.board.Ref()))
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	case err != nil && errors.Is(followCtx.Err(), context.DeadlineExceeded):
		return fault.New(fault.Pending, "scan for patches", "still running on %d of %d nodes after %s%s",
			v.board.Total()-v.board.Finished(), v.board.Total(), *o.waiting, runview.NotSent(err)).WithHint("%s", runview.TakeUp(v.board.Ref()))
	case err != nil:
		return err
	}
	if err := v.err(); err != nil {
		return err
	}
	silent := 0
	for _, r := range rows {
		if r.Status == unreported {
			silent++
		}
	}
	if silent > 0 {
		return fault.New(fault.RemoteFailed, "scan for patches", "%d of %s succeeded and reported nothing", silent, cli.Plural(len(rows), "node")).
			WithHint("may the nodes call ssm:PutInventory? Their output tells: `ssmdeck run show %s`", v.board.Ref())
	}
	return nil
}
