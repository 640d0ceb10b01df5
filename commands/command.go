package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func newCommandCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "command <command>",
		Aliases: []string{"commands", "cmd"},
		Short:   "Run Command: what was run, where, and how it went",
		Example: "  $ ssmdeck command list\n  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3",
		Args:    cobra.ArbitraryArgs,
		RunE:    runGroup,
	}
	cmd.AddCommand(newCommandListCmd(env), newCommandGetCmd(env), newCommandCancelCmd(env))
	return cmd
}

func newCommandListCmd(env *Env) *cobra.Command {
	var (
		f     run.Filter
		state string
		node  string
		since time.Duration
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List commands of the last 30 days, newest first",
		Example: `  $ ssmdeck command list --limit 10
  $ ssmdeck command list --state failed --since 24h
  $ ssmdeck command list --node web-1 -o json
  $ ssmdeck command list --all-regions --since 1h`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if f.State, err = parseState(state); err != nil {
				return err
			}
			if since > 0 {
				f.After = time.Now().Add(-since)
			}
			return commandList(cmd.Context(), env, f, node)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only commands in this `state`: pending, running, ok, failed, timed_out, cancelled, cancelling")
	cmd.Flags().StringVar(&f.Document, "document", "", "only commands that ran this `document`")
	cmd.Flags().StringVar(&node, "node", "", "only commands on `node`")
	cmd.Flags().DurationVar(&since, "since", 0, "only commands of the last `duration`, such as 24h")
	completeFlag(cmd, "state", commandStates)
	return spans(cmd)
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

func commandList(ctx context.Context, env *Env, f run.Filter, node string) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	return writeGrid(ctx, env, commandTable, ro, func(ctx context.Context, env *Env) (iter.Seq2[run.Command, error], error) {
		f := f
		if node != "" {
			n, err := env.findNodeHere(ctx, node)
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

// stateLevel is what a state means to the reader.
func stateLevel(s run.State) theme.Level {
	switch {
	case s == run.Success:
		return theme.Good
	case s == run.Cancelled, s == run.Skipped, s == run.NotSent:
		return theme.Warn
	case s.Bad():
		return theme.Bad
	case s == run.Running, s == run.Cancelling:
		return theme.Busy
	case s == run.Delayed:
		return theme.Warn
	default:
		return theme.Idle
	}
}

func commandTable(o render.Options) render.Table[run.Command] {
	return render.Table[run.Command]{
		ID:    func(c run.Command) string { return c.ID },
		Empty: "no commands match",
		Columns: []render.Column[run.Command]{
			{
				Name: "STATE", Text: func(c run.Command) string { return string(c.State) },
				Human: func(c run.Command) string { return o.Styles.Status(stateLevel(c.State), string(c.State)) },
			},
			{Name: "COMMAND ID", ID: true, Text: func(c run.Command) string { return c.ID }},
			{Name: "DOCUMENT", Text: func(c run.Command) string { return c.Document }},
			{Name: "NODES", Text: func(c run.Command) string { return fmt.Sprint(c.Targets) }},
			{Name: "FAILED", Text: func(c run.Command) string { return fmt.Sprint(c.Errors + c.DeliveryTimedOut) }},
			{
				Name: "REQUESTED", Text: func(c run.Command) string { return render.Timestamp(c.Requested) },
				Human: func(c run.Command) string { return render.Ago(o.Now, c.Requested) },
				Less:  func(a, b run.Command) bool { return a.Requested.Before(b.Requested) },
			},
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
}

func newCommandGetCmd(env *Env) *cobra.Command {
	var (
		node string
		wait bool
		full bool
	)
	cmd := &cobra.Command{
		Use:     "get <command-id>...",
		Aliases: []string{"show", "output"},
		Short:   "Show commands, their nodes and their output",
		Long: `Show a command with its nodes and what they printed. --wait follows it until
it has ended, as ` + "`ssmdeck run`" + ` does; several ids are followed as one run.`,
		Example: `  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3
  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3 --node web-1
  $ ssmdeck command get 2b196342-d7d4-436e-8f09-3883a1116ac3 --wait`,
		Args:              minArgs("the command id"),
		ValidArgsFunction: env.completeCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			if wait {
				return commandWait(cmd.Context(), env, args, full)
			}
			if len(args) > 1 {
				return fault.Usagef("command get: several ids are shown with --wait only")
			}
			return commandGet(cmd.Context(), env, args[0], node, full)
		},
	}
	cmd.Flags().StringVar(&node, "node", "", "only this `node`, with its output alone on standard output")
	cmd.Flags().BoolVarP(&wait, "wait", "w", false, "follow until the command has ended")
	cmd.Flags().BoolVar(&full, "full", false, "show the output of every node by itself, not folded")
	return cmd
}

// commandWait follows commands that were sent before.
func commandWait(ctx context.Context, env *Env, ids []string, full bool) error {
	view, err := newRunView(env, full)
	if err != nil {
		return err
	}
	svc, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	err = svc.Follow(ctx, ids, view.event)
	view.progress.Close()
	if err != nil && ctx.Err() == nil {
		return err
	}
	if printErr := view.result(); printErr != nil {
		return printErr
	}
	if ctx.Err() != nil {
		env.note("ssmdeck: stopped following; the command goes on\nssmdeck: hint: %s", takeUp(ids))
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return view.board.Err()
}

func commandGet(ctx context.Context, env *Env, id, node string, full bool) error {
	view, err := newRunView(env, full)
	if err != nil {
		return err
	}
	svc, err := env.Runner(ctx)
	if err != nil {
		return err
	}
	if node != "" {
		return commandOutput(ctx, env, svc, id, node, view.options)
	}
	c, invocations, err := svc.Get(ctx, id)
	if err != nil {
		return err
	}
	details := commandDetails{Command: c, Invocations: make([]invocationDetails, len(invocations))}
	view.board.Apply(run.Event{Kind: run.WasSent, CommandID: c.ID, Sent: &run.Sent{Document: c.Document, Nodes: len(invocations), Number: 1, Of: 1}})
	for i := range invocations {
		details.Invocations[i] = invocationDetails{Invocation: invocations[i]}
		inv := invocations[i]
		view.board.Apply(run.Event{Kind: run.Changed, CommandID: c.ID, Invocation: &inv})
		if !inv.State.Final() {
			continue
		}
		_, out, err := svc.Output(ctx, id, inv.NodeID)
		if err != nil {
			return err
		}
		view.board.Apply(run.Event{Kind: run.Printed, CommandID: c.ID, Output: &out})
		d := &details.Invocations[i]
		d.Stdout, d.Stderr, d.Truncated = &out.Stdout, &out.Stderr, out.Truncated
	}
	err = render.Object(env.Out, view.options, details, func(d *render.Detail) { commandHead(d, view.options, c) })
	if err != nil || !view.people() {
		return err
	}
	if _, err := io.WriteString(env.Out, "\n"); err != nil {
		return err
	}
	return view.print(env.Out)
}

func commandHead(d *render.Detail, o render.Options, c run.Command) {
	d.ID(c.ID)
	d.Field("Command", c.ID)
	d.Human("State", string(c.State), o.Styles.Status(stateLevel(c.State), string(c.State)))
	d.Field("Reason", c.Reason)
	d.Field("Document", c.Document)
	d.Field("Script", c.ScriptLine(60))
	d.Field("Comment", c.Comment)
	moment(d, o, "Requested", c.Requested)
	d.Field("Nodes", fmt.Sprintf("%d, %d done, %d failed", c.Targets, c.Completed, c.Errors+c.DeliveryTimedOut))
}

// commandOutput prints what one node printed, and nothing else.
func commandOutput(ctx context.Context, env *Env, svc *run.Service, id, expr string, o render.Options) error {
	n, err := env.findNode(ctx, expr)
	if err != nil {
		return err
	}
	inv, out, err := svc.Output(ctx, id, n.ID)
	if err != nil {
		return err
	}
	details := invocationDetails{Invocation: inv, Stdout: &out.Stdout, Stderr: &out.Stderr, Truncated: out.Truncated}
	switch o.Format {
	case render.FormatAuto, render.FormatTable, render.FormatWide, render.FormatText: // the output itself
		if _, err := io.WriteString(env.Out, forStream(env.Out, out.Stdout)); err != nil {
			return err
		}
		_, err := io.WriteString(env.Err, forStream(env.Err, out.Stderr))
		if out.Truncated {
			env.note("ssmdeck: the service kept no more of the output")
		}
		return err
	default:
		return render.Object(env.Out, o, details, func(d *render.Detail) {
			d.ID(inv.NodeID)
			d.Field("Node", inv.NodeID)
			d.Field("State", string(inv.State))
			d.Field("Exit code", fmt.Sprint(inv.ExitCode))
			d.Field("Stdout", out.Stdout)
			d.Field("Stderr", out.Stderr)
		})
	}
}

func newCommandCancelCmd(env *Env) *cobra.Command {
	var nodes []string
	cmd := &cobra.Command{
		Use:   "cancel <command-id>...",
		Short: "Cancel commands, everywhere or on some nodes",
		Long:  "Ask the service to cancel commands. A script that runs may end before it is stopped.",
		Example: `  $ ssmdeck command cancel 2b196342-d7d4-436e-8f09-3883a1116ac3
  $ ssmdeck command cancel 2b196342-d7d4-436e-8f09-3883a1116ac3 --node web-1`,
		Args:              minArgs("the command id"),
		ValidArgsFunction: env.completeCommand,
		RunE:              func(cmd *cobra.Command, args []string) error { return commandCancel(cmd.Context(), env, args, nodes) },
	}
	cmd.Flags().StringArrayVar(&nodes, "node", nil, "only on `node`; repeat for more")
	return cmd
}

func commandCancel(ctx context.Context, env *Env, ids, exprs []string) error {
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
	if err := env.confirm(ctx, "cancel "+plural(len(ids), "command")); err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		c, err := svc.Cancel(ctx, id, nodeIDs)
		switch {
		case err != nil:
			failed = append(failed, err)
		case c.State.Final():
			env.note("%s had already ended: %s", id, c.State)
		default:
			env.note("asked to cancel %s", id)
		}
	}
	if len(failed) == 1 && len(ids) == 1 {
		return failed[0]
	}
	if len(failed) > 0 {
		return fault.New(fault.RemoteFailed, "cancel commands", "%d of %d failed: %w", len(failed), len(ids), errors.Join(failed...))
	}
	return nil
}

// completeCommand completes the ids of recent commands.
func (e *Env) completeCommand(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	const most = 20
	ctx, cancel := context.WithTimeout(cmd.Context(), completionWait)
	defer cancel()
	svc, err := e.Runner(ctx)
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
