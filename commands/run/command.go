package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// NewCommandCmd is `ssmdeck command`.
func NewCommandCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "command <command>",
		Aliases: []string{"commands", "cmd"},
		Short:   "Run Command: what was run, where, and how it went",
		Example: "  $ ssmdeck command list\n  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, newCommandListCmd, newCommandGetCmd, newCommandOutputCmd, newCommandWatchCmd, newCommandCancelCmd)
	return cmd
}

func newCommandListCmd(env *cli.Env) *cobra.Command {
	var (
		f     run.Filter
		state string
		node  string
		since cli.SinceFlag
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List commands of the last 30 days, newest first",
		Example: `  $ ssmdeck command list --limit 10
  $ ssmdeck command list --state failed --since 24h
  $ ssmdeck command list --node web-1 -o json
  $ ssmdeck command list --all-regions --since 1h`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if f.State, err = parseState(state); err != nil {
				return err
			}
			if f.After, err = since.Time(time.Now()); err != nil {
				return err
			}
			return commandList(cmd.Context(), env, f, node)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only commands in this `state`: pending, running, ok, failed, timed_out, cancelled, cancelling")
	cmd.Flags().StringVar(&f.Document, "document", "", "only commands that ran this `document`")
	cmd.Flags().StringVar(&node, "node", "", "only commands on `node`")
	since.Bind(cmd, "commands")
	cli.CompleteFlag(cmd, "state", commandStates)
	return cli.Spans(cmd)
}

// commandStates are the states that a command as a whole can have.
func commandStates() []string {
	return []string{"pending", "running", "cancelling", "ok", "failed", "timed_out", "cancelled"}
}

func parseState(s string) (run.State, error) {
	if s == "" {
		return "", nil
	}
	for _, known := range commandStates() {
		if s == known {
			return run.State(s), nil
		}
	}
	return "", fault.Usagef("--state %q is not a state", s).WithHint("the states are %v", commandStates())
}

func commandList(ctx context.Context, env *cli.Env, f run.Filter, node string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	return cli.WriteGrid(ctx, env, commandTable, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[run.Command, error], error) {
		f := f
		if node != "" {
			n, err := nodechoice.FindNodeHere(ctx, env, node)
			if err != nil {
				return nil, err
			}
			f.NodeID = n.ID
		}
		svc, err := env.Runner(ctx)
		if err != nil {
			return nil, err
		}
		return svc.List(ctx, f), nil
	})
}

func commandTable(o render.Options) render.Table[run.Command] {
	return render.Table[run.Command]{
		ID:    func(c run.Command) string { return c.ID },
		Empty: "no commands match",
		Columns: []render.Column[run.Command]{
			{
				Name: "STATE", Text: func(c run.Command) string { return string(c.State) },
				Human: func(c run.Command) string { return runview.StateCell(o, c.State, c.Detail) },
			},
			{Name: "COMMAND ID", ID: true, Text: func(c run.Command) string { return c.ID }},
			{Name: "DOCUMENT", Text: func(c run.Command) string { return c.Document }},
			{Name: "NODES", Text: func(c run.Command) string { return fmt.Sprint(c.Targets) }},
			{Name: "FAILED", Text: func(c run.Command) string { return fmt.Sprint(c.Errors + c.DeliveryTimedOut) }},
			cli.AgoColumn(o, "REQUESTED", func(c run.Command) time.Time { return c.Requested }),
			{Name: "COMMENT", Text: func(c run.Command) string { return c.Comment }},
			{Name: "DETAIL", Wide: true, Text: func(c run.Command) string { return c.Detail }},
			{Name: "RUN", Wide: true, Text: func(c run.Command) string { return c.RunID }},
		},
	}
}

// commandDetails is the answer of `command get`.
type commandDetails struct {
	run.Command
	Invocations []invocationDetails `json:"invocations"`
}

type invocationDetails struct {
	run.Invocation
	Stdout    *string `json:"stdout,omitempty"`
	Stderr    *string `json:"stderr,omitempty"`
	Truncated bool    `json:"truncated,omitempty"`
	Preview   bool    `json:"preview,omitempty"` // the form of 2,500 characters; there may be more
	More      string  `json:"more,omitempty"`    // where the rest is
}

func newCommandGetCmd(env *cli.Env) *cobra.Command {
	var (
		node  string
		watch bool
		vo    runview.ViewOptions
	)
	cmd := &cobra.Command{
		Use:     "get <command-id>...",
		Aliases: []string{"show"},
		Short:   "Show commands, their nodes and their output",
		Long: `Show a command with its nodes and what they printed. --watch follows it until
it has ended, as ` + "`ssmdeck command watch`" + ` does; several ids are followed as one run.
The id of a run stands for all its commands.`,
		Example: `  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3
  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3 --node web-1
  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3 --watch`,
		Args:              cli.MinArgs("the command id"),
		ValidArgsFunction: completeCommand(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case watch:
				return runWatch(cmd.Context(), env, args, vo)
			case node != "" && len(args) == 1:
				return commandOutput(cmd.Context(), env, args[0], node)
			case node != "":
				return fault.Usagef("command get: --node shows the output of one command")
			}
			return commandGet(cmd.Context(), env, args, vo)
		},
	}
	cmd.Flags().StringVar(&node, "node", "", "only this `node`, with its output alone on standard output")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "follow until the command has ended")
	vo.Bind(cmd.Flags())
	return cmd
}

func newCommandWatchCmd(env *cli.Env) *cobra.Command {
	cmd := newWatchCmd(env)
	cmd.Use = "watch <command-id>..."
	cmd.Short = "Follow commands until they have ended"
	cmd.Example = "  $ ssmdeck command watch 2b196342-d7d4-436e-8f09-3883a1116ac3"
	cmd.Args = cli.MinArgs("the command id")
	cmd.ValidArgsFunction = completeCommand(env)
	return cmd
}

func newCommandOutputCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "output <command-id> <node>",
		Short: "Print everything that one node printed",
		Long: `Print what a node printed, stdout and stderr each on its own stream. What is longer
than the service keeps is read from S3 or CloudWatch Logs, where the command put it
there, however long it is; when that is not to be had, it is said.`,
		Example: "  $ ssmdeck command output 2b196342-d7d4-436e-8f09-3883a1116ac3 web-1 > web-1.log",
		Args:    cli.ExactArgs("the command id", "the node"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return completeCommand(env)(cmd, args, typed)
			}
			return nodechoice.Words(cmd.Context(), env), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return commandOutput(cmd.Context(), env, args[0], args[1])
		},
	}
}

func commandGet(ctx context.Context, env *cli.Env, args []string, vo runview.ViewOptions) error {
	view, err := runview.NewView(env, vo)
	if err != nil {
		return err
	}
	defer view.Close()
	svc, r, err := runview.Found(ctx, env, args)
	if err != nil {
		return err
	}
	if len(r.Commands) > 1 {
		return runview.Show(ctx, env, args, vo)
	}
	if err := view.Load(ctx, svc, r); err != nil {
		return err
	}
	if view.Dir != nil {
		if err := view.Save(ctx, svc); err != nil {
			return err
		}
	}
	if view.Events != nil {
		return view.Err
	}
	c := r.Commands[0]
	details := commandDetails{Command: c, Invocations: []invocationDetails{}}
	for row := range view.Board.Rows() {
		d := invocationDetails{Invocation: row.Invocation, Truncated: row.Truncated, Preview: row.Preview, More: row.More}
		if row.HasOutput {
			d.Stdout, d.Stderr = &row.Stdout, &row.Stderr
		}
		details.Invocations = append(details.Invocations, d)
	}
	err = render.Object(env.Out, view.Options, details, func(d *render.Detail) { commandHead(d, view.Options, c) })
	if err != nil || !view.People() {
		return err
	}
	if _, err := io.WriteString(env.Out, "\n"); err != nil {
		return err
	}
	return view.Print(env.Out, true)
}

func commandHead(d *render.Detail, o render.Options, c run.Command) {
	d.ID(c.ID)
	d.Field("Command", c.ID)
	d.Human("State", string(c.State), runview.StateCell(o, c.State, c.Detail))
	d.Field("Reason", c.Reason)
	d.Field("Document", c.Document)
	d.Field("Script", c.ScriptLine(60))
	d.Field("Comment", c.Comment)
	cli.Moment(d, o, "Requested", c.Requested)
	d.Field("Nodes", fmt.Sprintf("%d, %d done, %d failed", c.Targets, c.Completed, c.Errors+c.DeliveryTimedOut))
}

// commandOutput prints what one node printed, and nothing else.
func commandOutput(ctx context.Context, env *cli.Env, id, expr string) error {
	o, err := env.RenderOptions()
	if err != nil {
		return err
	}
	n, err := nodechoice.FindNode(ctx, env, expr)
	if err != nil {
		return err
	}
	svc, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	c, inv, err := svc.On(ctx, id, n.ID)
	if err != nil {
		return err
	}
	switch o.Format {
	case render.FormatAuto, render.FormatTable, render.FormatWide, render.FormatText: // the output itself
		out, errs := &safeWriter{stream: env.Out}, &safeWriter{stream: env.Err}
		sum, err := svc.Copy(ctx, c, inv, out, errs)
		if err = errors.Join(err, out.close(), errs.close()); err != nil {
			return err
		}
		switch {
		case !inv.State.Final():
			env.Note("ssmdeck: the node is not done (%s): its output comes when it is", inv.State)
		case sum.Truncated && sum.More != "":
			env.Note("ssmdeck: the service kept no more of the output; the rest %s", render.Visible(sum.More))
		case sum.Truncated:
			env.Note("ssmdeck: the service kept no more of the output")
		}
		return nil
	}
	var stdout, stderr strings.Builder
	sum, err := svc.Copy(ctx, c, inv, &stdout, &stderr)
	if err != nil {
		return err
	}
	text, errText := stdout.String(), stderr.String()
	details := invocationDetails{Invocation: inv, Stdout: &text, Stderr: &errText, Truncated: sum.Truncated, More: sum.More}
	return render.Object(env.Out, o, details, func(d *render.Detail) {
		d.ID(inv.NodeID)
		d.Field("Node", inv.NodeID)
		d.Field("State", string(inv.State))
		d.Field("Exit code", fmt.Sprint(inv.ExitCode))
		d.Field("Stdout", text)
		d.Field("Stderr", errText)
	})
}

// safeWriter passes foreign output on to a stream: into a pipe as it is, to a
// terminal in lines and harmless.
type safeWriter struct {
	stream io.Writer
	line   []byte // not ended yet
}

func (w *safeWriter) Write(b []byte) (int, error) {
	if !cli.IsTerminal(w.stream) {
		return w.stream.Write(b)
	}
	w.line = append(w.line, b...)
	end := bytes.LastIndexByte(w.line, '\n') + 1
	if _, err := io.WriteString(w.stream, cli.ForStream(w.stream, string(w.line[:end]))); err != nil {
		return 0, err
	}
	w.line = append(w.line[:0], w.line[end:]...)
	return len(b), nil
}

// close writes a last line without an end.
func (w *safeWriter) close() error {
	if len(w.line) == 0 {
		return nil
	}
	_, err := io.WriteString(w.stream, cli.ForStream(w.stream, string(w.line)))
	return err
}

func newCommandCancelCmd(env *cli.Env) *cobra.Command {
	var (
		nodes  []string
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "cancel <command-id>...",
		Short: "Cancel commands, everywhere or on some nodes",
		Long:  "Ask the service to cancel commands. A script that runs may end before it is stopped.",
		Example: `  $ ssmdeck command cancel 2b196342-d7d4-436e-8f09-3883a1116ac3
  $ ssmdeck command cancel 2b196342-d7d4-436e-8f09-3883a1116ac3 --node web-1`,
		Args:              cli.MinArgs("the command id"),
		ValidArgsFunction: completeCommand(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return commandCancel(cmd.Context(), env, args, nodes, dryRun)
		},
	}
	cmd.Flags().StringArrayVar(&nodes, "node", nil, "only on `node`; repeat for more")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, cancelDryRun)
	return cmd
}

// cancelDryRun is the help of --dry-run of what cancels.
const cancelDryRun = "say which commands would be cancelled and cancel none"

func commandCancel(ctx context.Context, env *cli.Env, ids, exprs []string, dryRun bool) error {
	var nodeIDs []string
	if len(exprs) > 0 {
		nodes, err := env.Fleet(ctx)
		if err != nil {
			return err
		}
		for _, expr := range exprs {
			n, err := nodes.Find(ctx, expr)
			if err != nil {
				return err
			}
			nodeIDs = append(nodeIDs, n.ID)
		}
	}
	svc, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	var commands []string
	for _, id := range ids {
		r := run.Run{CommandIDs: []string{id}}
		if run.IsRunID(id) || dryRun {
			if r, err = svc.Find(ctx, id); err != nil {
				return err
			}
		}
		commands = append(commands, r.CommandIDs...)
	}
	if dryRun {
		where := ""
		if len(nodeIDs) > 0 {
			where = " on " + strings.Join(nodeIDs, ", ")
		}
		env.Note("would cancel %s%s; nothing was sent", strings.Join(commands, ", "), where)
		return nil
	}
	if err := env.Confirm(ctx, "cancel "+strings.Join(ids, " ")); err != nil {
		return err
	}
	return cancelled(env, svc.CancelAll(ctx, commands, nodeIDs))
}

// cancelled tells what became of requests to cancel.
func cancelled(env *cli.Env, results []run.CancelResult) error {
	var failed []error
	for _, r := range results {
		switch {
		case r.Err != nil:
			failed = append(failed, r.Err)
		case r.Command.State.Final():
			env.Note("%s had already ended: %s", r.ID, r.Command.State)
		default:
			env.Note("asked to cancel %s", r.ID)
		}
	}
	return cli.MoreThanOne("cancel commands", failed, len(results))
}

// completeCommand completes the ids of recent commands.
func completeCommand(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		const most = 20
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := env.Runner(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for c, err := range svc.List(ctx, run.Filter{}) {
			if err != nil || len(words) == most {
				break
			}
			words = append(words, c.ID+"\t"+string(c.State)+" "+c.Document)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
