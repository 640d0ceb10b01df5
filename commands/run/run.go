package run

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

type runOptions struct {
	targets []string
	tags    []string
	filter  string

	scripts  []string
	document string
	version  string
	params   docnames.Params

	timeout     string
	execTimeout string
	wait        time.Duration
	waiting     *time.Duration // wait, if it was given
	req         run.Request

	view   runview.ViewOptions
	dryRun bool
	cancel bool
	remote bool
	s3     string
}

// NewCmd is `ssmdeck run`.
func NewCmd(env *cli.Env) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run <target>... -- <command>...",
		Short: "Run a command on many nodes",
		Long: `Run a command, a script file or a document on many nodes through Run Command,
and show what becomes of it: progress while it runs, then identical outputs
folded into one, failures first.

Nodes are named before --, with -t, or with --tag. One argument after -- is a
script; several are a command whose words arrive exactly as they are. With
--script, what follows -- are the arguments of the script; - in place of a target
reads the script from standard input. Linux and Windows nodes get it in their own
shells. A script whose first line names an interpreter (#!) runs in that.

The service keeps the first 24,000 characters of an output. With --s3 or --logs
all of it is kept, and read from there; with --logs it can be shown while it is
written (--follow, and by itself on a terminal).

Ctrl-C stops following; the command goes on, and how to take it up or cancel it
is printed. In a pipe each node is one line: node, state, exit status, name.

--params-file keeps secrets among the parameters out of the command line: it reads
them from a file or, with -, from standard input.

A node whose name is that of a command below (list, show, …) is named with -t.`,
		Example: `  # One command in production
  $ ssmdeck run --tag env=prod -- uptime

  # Restart nginx, a fifth of the nodes at a time, stop after the first failure
  $ ssmdeck run --tag env=prod --concurrency 20% --max-errors 0 -- systemctl restart nginx

  # A script file with arguments, on two nodes; one from standard input
  $ ssmdeck run web-1 web-2 --script check.sh -- /var 90
  $ ssmdeck run web-1 - < check.sh

  # Where do nodes differ from most of the others?
  $ ssmdeck run --tag role=web --diff -- sysctl -a

  # All of a long output, one file for each node
  $ ssmdeck run --tag env=prod --s3 my-bucket/runs --out-dir journals -- journalctl -b

  # A document with its parameters
  $ ssmdeck run --tag env=prod --document AWS-UpdateSSMAgent --param allowDowngrade=false

  # With a secret among them
  $ echo '{"Password": "..."}' | ssmdeck run web-1 --document JoinDomain --param Domain=corp --params-file -

  # See who would be hit
  $ ssmdeck run --tag env=prod --dry-run -- reboot`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			named, command, dash := cli.SplitDash(cmd, args)
			if n := len(named) - 1; n >= 0 && named[n] == "-" {
				named, o.scripts = named[:n], append(o.scripts, "-")
			}
			o.targets = append(o.targets, named...)
			if len(o.scripts) > 0 {
				o.req.ScriptArgs = command
			} else if o.req.Argv = command; dash && len(command) == 0 {
				return fault.Usagef("run: missing the command behind --")
			}
			if cmd.Flags().Changed("wait") {
				o.waiting = &o.wait
			}
			if len(o.targets)+len(o.tags) == 0 && len(o.req.Argv)+len(o.scripts) > 0 && nodechoice.CanPick(env) {
				var err error
				if o.targets, err = nodechoice.Pick(cmd.Context(), env, nil, true); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), env)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if cmd.ArgsLenAtDash() >= 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return nodechoice.CompleteTargets(env)(cmd, args, typed)
		},
	}
	o.bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("target", nodechoice.CompleteTargets(env))
	_ = cmd.RegisterFlagCompletionFunc("param", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return o.paramWords(cmd.Context(), env), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	cmd.AddCommand(newListCmd(env), newShowCmd(env), newWatchCmd(env), newRerunCmd(env), newCompareCmd(env), newCancelCmd(env))
	return cmd
}

func (o *runOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.targets, "target", "t", nil, "nodes to run on, as a `target`: id, name, pattern, tag:K=V, @group, all (see ssmdeck help targets)")
	f.StringArrayVar(&o.tags, "tag", nil, "short for -t tag:`KEY=VALUE`; several narrow")
	f.StringVar(&o.filter, "filter", "", "narrow the targets further by `terms` (see ssmdeck help targets)")
	f.StringArrayVar(&o.scripts, "script", nil, "run the script in `file`; - reads standard input; twice for one of each: *.ps1 for Windows, another for the rest")
	f.StringVar(&o.document, "document", "", "run this `document`; by default the one for shell scripts")
	f.StringVar(&o.version, "doc-version", "", "run this"+docnames.RunnableVersions)
	o.params.Bind(cmd)
	f.StringVar(&o.req.Concurrency, "concurrency", "", "how many nodes at a time: a number or a percentage `n` (default 50)")
	f.StringVar(&o.req.MaxErrors, "max-errors", "", "stop when more than `n` nodes have failed: a number or a percentage (default 0)")
	f.StringVar(&o.timeout, "timeout", "", "how long a node may take to accept the command: `duration` from 30s to 30d")
	f.StringVar(&o.execTimeout, "exec-timeout", "", "how long it may run on a node: `duration` from 1s to 48h")
	f.DurationVar(&o.wait, "wait", 0, "stop following after `duration` (exit 8); the command goes on")
	f.BoolVar(&o.req.NoWait, "no-wait", false, "send the command, print its id and leave")
	f.StringVar(&o.req.Comment, "comment", "", "`text` for the command's history")
	f.StringVar(&o.req.WorkingDir, "workdir", "", "`folder` on the node to run in")
	f.StringVar(&o.s3, "s3", "", "have the nodes keep the full output in S3, as `BUCKET[/PREFIX]`")
	f.StringVar(&o.req.LogGroup, "logs", "", "have the nodes keep the full output in this CloudWatch Logs `group`")
	f.BoolVar(&o.remote, "remote-exit", false, "with one node: exit with the status of the command")
	f.BoolVar(&o.cancel, "cancel-on-interrupt", false, "Ctrl-C cancels the command instead of leaving it")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the nodes that would be hit and send nothing")
	o.view.Bind(f)
	o.view.BindFollow(f)
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name { // the API's own words
		case "max-concurrency":
			name = "concurrency"
		case "document-version":
			name = "doc-version"
		}
		return pflag.NormalizedName(name)
	})
}

// validate checks everything that needs no call.
func (o *runOptions) validate(env *cli.Env) (targets []fleet.Target, filter fleet.Filter, err error) {
	switch {
	case o.waiting != nil && *o.waiting <= 0:
		return nil, filter, fault.Usagef("run: --wait %s is not a time to wait", *o.waiting).WithHint("for instance --wait 5m, or --no-wait")
	case o.waiting != nil && o.req.NoWait:
		return nil, filter, fault.Usagef("run: --wait and --no-wait exclude each other")
	case o.req.NoWait && (o.view.OutDir != "" || o.view.Follow):
		return nil, filter, fault.Usagef("run: --no-wait leaves before there is any output")
	case slices.Contains(o.scripts, "-") && slices.Contains(o.targets, "-"):
		return nil, filter, fault.Usagef("run: the script and the targets cannot both be read from standard input")
	case o.view.Follow && o.req.LogGroup == "":
		return nil, filter, fault.Usagef("run: --follow shows output from CloudWatch Logs as it is written, and nothing puts it there").
			WithHint("name a log group with --logs")
	}
	if err := o.params.OneInput("the script", slices.Contains(o.scripts, "-")); err != nil {
		return nil, filter, err
	}
	if err := o.params.OneInput("the targets", slices.Contains(o.targets, "-")); err != nil {
		return nil, filter, err
	}
	if targets, err = nodechoice.ParseTargets(o.targets, o.tags); err != nil {
		return nil, filter, err
	}
	if len(targets) == 0 {
		return nil, filter, fault.Usagef("run: no target: nothing was sent").
			WithHint("name nodes with --target or --tag, for instance --tag env=prod")
	}
	if filter, err = fleet.ParseFilter(o.filter); err != nil {
		return nil, filter, err
	}
	return targets, filter, o.validateRequest(env)
}

// validateRequest fills in the request as far as it needs no call.
func (o *runOptions) validateRequest(env *cli.Env) (err error) {
	if o.req.Timeout, err = run.ParseTimeout(o.timeout); err != nil {
		return err
	}
	if o.req.ExecTimeout, err = run.ParseExecTimeout(o.execTimeout); err != nil {
		return err
	}
	if _, err = run.ParseConcurrency(o.req.Concurrency); err != nil {
		return err
	}
	if _, err = run.ParseMaxErrors(o.req.MaxErrors); err != nil {
		return err
	}
	if o.req.S3Bucket, o.req.S3Prefix, err = run.ParseS3(o.s3); err != nil {
		return err
	}
	ref, err := document.ParseRef(o.version)
	switch {
	case err != nil:
		return err
	case ref.Name != "":
		return fault.Usagef("documents are run in a version by number, latest or default, not by the name %s", ref.Name)
	}
	o.req.Document, o.req.DocumentVersion = o.document, ref.Number
	for _, path := range o.scripts {
		s, err := readScript(env.In, path)
		if err != nil {
			return err
		}
		o.req.Scripts = append(o.req.Scripts, s)
	}
	if o.document == "" && len(o.req.Scripts) == 0 && len(o.req.Argv) == 0 {
		return fault.Usagef("run: nothing to run").WithHint("put the command behind --, or use --script or --document")
	}
	return nil
}

func readScript(stdin io.Reader, path string) (run.Script, error) {
	var (
		b    []byte
		err  error
		name = path
	)
	if path == "-" {
		name = "the script"
		b, err = io.ReadAll(stdin)
	} else {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return run.Script{}, fault.New(fault.Usage, "read the script", "%w", err)
	}
	return run.NewScript(name, string(b)), nil
}

func (o *runOptions) run(ctx context.Context, env *cli.Env) error {
	targets, filter, err := o.validate(env)
	if err != nil {
		return err
	}
	view, err := runview.NewView(env, o.view)
	if err != nil {
		return err
	}
	defer view.Close()
	if err := o.parameters(ctx, env); err != nil {
		return err
	}
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	if o.req.Selection, err = nodes.Select(ctx, targets, filter); err != nil {
		return err
	}
	all, group := runview.Wide(targets)
	return o.send(ctx, env, view, all, group)
}

// send checks the request, shows or confirms what it hits, and runs it.
func (o *runOptions) send(ctx context.Context, env *cli.Env, view *runview.View, all, group bool) error {
	commands, err := o.req.Commands()
	if err != nil {
		return err
	}
	if o.remote && len(o.req.Selection.Nodes) != 1 {
		return fault.Usagef("--remote-exit is for one node, and %s match", cli.Plural(len(o.req.Selection.Nodes), "node"))
	}
	if o.dryRun && len(o.req.Selection.Nodes) == 0 {
		env.Note("would run on the members of the group, which the service looks up; nothing was sent")
		return nil
	}
	if o.dryRun {
		env.Note("would run on %s, with %s; nothing was sent", cli.Plural(len(o.req.Selection.Nodes), "node"), cli.Plural(commands, "command"))
		return cli.WriteList(env, nodechoice.Table, view.Options, o.req.Selection.Nodes)
	}
	if err := o.confirm(ctx, env, all, group); err != nil {
		return err
	}
	svc, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	if err := view.Prepare(); err != nil {
		return err
	}
	return o.watch(ctx, env, svc, view)
}

// parameters reads --param and --params-file against the document, before anything is sent.
func (o *runOptions) parameters(ctx context.Context, env *cli.Env) error {
	if o.document == "" && !o.params.Any() {
		return nil
	}
	name := o.document
	if name == "" {
		name = document.ShellScript
	}
	// What AWS's own script documents take is known without asking.
	doc, known := document.BuiltIn(name)
	if !known || o.version != "" {
		docs, err := env.Documents(ctx)
		if err != nil {
			return err
		}
		if doc, err = docs.Describe(ctx, name, o.req.DocumentVersion); err != nil {
			return err
		}
	}
	var err error
	o.req.Params, err = o.params.Checked(env, doc, o.req.Provides()...)
	return err
}

func (o *runOptions) paramWords(ctx context.Context, env *cli.Env) []string {
	name := o.document
	if name == "" {
		name = document.ShellScript
	}
	ctx, cancel := context.WithTimeout(ctx, cli.CompletionWait)
	defer cancel()
	docs, err := env.Documents(ctx)
	if err != nil {
		return nil
	}
	doc, err := docs.Describe(ctx, name, o.version)
	if err != nil {
		return nil
	}
	var words []string
	for _, p := range doc.Parameters {
		words = append(words, p.Name+"=\t"+p.Description)
	}
	return words
}

// confirm asks where a run may hit more than its author thought of.
func (o *runOptions) confirm(ctx context.Context, env *cli.Env, all, group bool) error {
	return runview.ConfirmNodes(ctx, env, "run", o.req.Selection.Nodes, all, group)
}

// watch starts the run and shows it until it ends or the person has enough.
func (o *runOptions) watch(ctx context.Context, env *cli.Env, svc *run.Service, view *runview.View) error {
	followCtx, stop := ctx, context.CancelFunc(func() {})
	if o.waiting != nil {
		followCtx, stop = context.WithTimeout(ctx, *o.waiting)
	}
	defer stop()
	o.req.Live = view.ShowsLive(o.req.LogGroup != "" && !o.req.NoWait)
	view.Keep = run.Command{S3Bucket: o.req.S3Bucket, S3Prefix: o.req.S3Prefix, LogGroup: o.req.LogGroup}
	err := svc.Start(followCtx, o.req, view.Event)
	view.Progress.Close()
	ids := view.Board.CommandIDs()
	switch {
	case err != nil && len(ids) == 0:
		return err
	case o.req.NoWait && err == nil:
		return view.Sent(ids)
	case err != nil && ctx.Err() != nil:
		return o.interrupted(ctx, env, svc, view, ids, err)
	case err != nil && errors.Is(followCtx.Err(), context.DeadlineExceeded):
		if err := view.Result(ctx, svc); err != nil {
			return err
		}
		return fault.New(fault.Pending, "run", "still running on %d of %d nodes after %s%s",
			view.Board.Total()-view.Board.Finished(), view.Board.Total(), *o.waiting, runview.NotSent(err)).WithHint("%s", runview.TakeUp(view.Board.Ref()))
	}
	if printErr := view.Result(ctx, svc); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	return o.outcome(view)
}

// outcome is the exit of a run that ended.
func (o *runOptions) outcome(view *runview.View) error {
	err := view.Board.Err()
	if !o.remote || err == nil {
		return err
	}
	for row := range view.Board.Rows() {
		if row.ExitCode > 0 {
			return &fault.Exit{Code: cli.ClampStatus(row.ExitCode)}
		}
	}
	return cli.Own(err)
}

// interrupted tells what goes on without us, or cancels it when so wished.
func (o *runOptions) interrupted(ctx context.Context, env *cli.Env, svc *run.Service, view *runview.View, ids []string, err error) error {
	if err := view.Result(ctx, svc); err != nil {
		return err
	}
	if !o.cancel {
		env.Note("ssmdeck: stopped following; the command goes on%s\nssmdeck: hint: %s", runview.NotSent(err), runview.TakeUp(view.Board.Ref()))
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	cancelCtx, done := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer done()
	if err := cancelled(env, svc.CancelAll(cancelCtx, ids, nil)); err != nil {
		return err
	}
	return &fault.Exit{Code: fault.Interrupted.ExitCode()}
}
