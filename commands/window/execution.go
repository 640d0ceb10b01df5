package window

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/runview"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newExecutionCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "execution <command>",
		Aliases: []string{"executions", "exec"},
		Short:   "What a maintenance window did: executions, tasks, invocations, outputs",
		Long: `What a window did. Each opening is an execution; in it each task runs as one or
several invocations, which start commands, automations, functions or state machines.`,
		Example: `  $ ssmdeck window execution list weekly-patch --since 7d
  $ ssmdeck window execution get 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck window execution output 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newExecutionListCmd, newExecutionGetCmd, newExecutionTasksCmd, newExecutionTaskCmd, newExecutionInvocationsCmd,
		newExecutionInvocationCmd, newExecutionOutputCmd, newExecutionCancelCmd)
	return cmd
}

// executionIDs checks the form of ids, before any call.
func executionIDs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cli.ExactArgs(names...)(cmd, args); err != nil {
			return err
		}
		for i, id := range args {
			if !window.IsPartID(id) {
				return fault.Usagef("%q is not %s", id, names[i]).WithHint("ids look like 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55: see `ssmdeck window execution list WINDOW`")
			}
		}
		return nil
	}
}

func newExecutionListCmd(env *cli.Env) *cobra.Command {
	var (
		since cli.SinceFlag
		state string
	)
	cmd := &cobra.Command{
		Use:     "list <window>",
		Aliases: []string{"ls"},
		Short:   "List the executions of a window, newest first",
		Example: `  $ ssmdeck window execution list weekly-patch
  $ ssmdeck window execution list weekly-patch --since 30d --state failed -o name`,
		Args:              cli.ExactArgs("the window"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ro, err := cli.ListOptions(env, executionTable)
			if err != nil {
				return err
			}
			from, err := since.Time(ro.Now)
			if err != nil {
				return err
			}
			want, err := window.ParseState(state)
			if err != nil {
				return err
			}
			svc, err := openWindows(ctx, env)
			if err != nil {
				return err
			}
			w, err := svc.Lookup(ctx, args[0])
			if err != nil {
				return err
			}
			return cli.WriteSeq(env, executionTable, ro, func(yield func(window.Execution, error) bool) {
				for e, err := range svc.Executions(ctx, w.ID, window.Period{After: from}) {
					if (err != nil || want == "" || e.State == want) && !yield(e, err) {
						return
					}
				}
			})
		},
	}
	since.Bind(cmd, "executions")
	cmd.Flags().StringVar(&state, "state", "", "only executions in this `state`: success, failed, timed_out, cancelled, in_progress, …")
	cli.CompleteFlag(cmd, "state", window.States)
	return cmd
}

func took(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return render.Duration(to.Sub(from).Truncate(time.Second))
}

func executionTable(o render.Options) render.Table[window.Execution] {
	return render.Table[window.Execution]{
		ID:    func(e window.Execution) string { return e.ID },
		Empty: "the window has no executions, or the service has forgotten them",
		Columns: []render.Column[window.Execution]{
			{
				Name: "STATUS", Text: func(e window.Execution) string { return string(e.State) },
				Human: func(e window.Execution) string { return styledState(o, e.State) },
			},
			{Name: "EXECUTION ID", ID: true, Text: func(e window.Execution) string { return e.ID }},
			{
				Name: "STARTED", Text: func(e window.Execution) string { return render.Timestamp(e.Started) },
				Human: func(e window.Execution) string {
					return e.Started.In(o.Location).Format("2006-01-02 15:04")
				},
				Less: func(a, b window.Execution) bool { return a.Started.Before(b.Started) },
			},
			{
				Name: "TOOK", Text: func(e window.Execution) string { return took(e.Started, e.Ended) },
				Less: func(a, b window.Execution) bool { return a.Ended.Sub(a.Started) < b.Ended.Sub(b.Started) },
			},
			{Name: "DETAILS", Text: func(e window.Execution) string { return e.Details }},
			{
				Name: "ENDED", Wide: true, Text: func(e window.Execution) string { return render.Timestamp(e.Ended) },
				Human: func(e window.Execution) string { return render.Ago(o.Now, e.Ended) },
				Less:  func(a, b window.Execution) bool { return a.Ended.Before(b.Ended) },
			},
		},
	}
}

func newExecutionGetCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "get <execution>",
		Aliases: []string{"show"},
		Short:   "Show an execution with its tasks and their invocations",
		Example: `  $ ssmdeck window execution get 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck window execution get 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 -o json --query 'tasks[].invocations[].started_id'`,
		Args: executionIDs("the execution's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := openWindows(cmd.Context(), env)
			if err != nil {
				return err
			}
			t, err := svc.Tree(cmd.Context(), args[0], commandCounts(cmd.Context(), env))
			if err != nil {
				return err
			}
			return render.Object(env.Out, ro, t, func(d *render.Detail) { treeDetails(d, ro, t) })
		},
	}
}

// commandCounts asks Run Command how far a command has come.
func commandCounts(ctx context.Context, env *cli.Env) window.Commands {
	svc, err := env.Runner(ctx)
	if err != nil {
		return nil
	}
	return func(ctx context.Context, id string) (window.Counts, error) {
		r, err := svc.Find(ctx, id)
		return window.Counts{Nodes: r.Targets, Completed: r.Completed, Errors: r.Errors + r.DeliveryTimedOut}, err
	}
}

func treeDetails(d *render.Detail, o render.Options, t window.Tree) {
	d.ID(t.ID)
	d.Field("Execution ID", t.ID)
	d.Field("Window", cmp.Or(t.Window, t.WindowID))
	d.Human("Status", string(t.State), styledState(o, t.State))
	d.Field("Details", t.Execution.Details)
	cli.Moment(d, o, "Started", t.Started)
	cli.Moment(d, o, "Ended", t.Ended)
	for i, task := range t.Tasks {
		d.Section(fmt.Sprintf("Task %d: %s %s", i+1, task.Type.Word(), task.TaskRun.Run))
		d.Human("Status", string(task.State), styledState(o, task.State))
		d.Field("Details", task.TaskRun.Details)
		d.Field("Task execution ID", task.ID)
		d.Field("Took", took(task.TaskRun.Started, task.TaskRun.Ended))
		for _, inv := range task.Invocations {
			d.Human("Invocation "+inv.ID[:min(8, len(inv.ID))], invocationLine(inv), styledState(o, inv.State)+render.Visible(invocationLine(inv)[len(inv.State):]))
		}
	}
}

// invocationLine says how an invocation stands and what it has started.
func invocationLine(i window.InvocationRow) string {
	line := string(i.State)
	if i.Command != nil {
		line += fmt.Sprintf("  %d of %s done", i.Command.Completed, cli.Plural(i.Command.Nodes, "node"))
		if i.Command.Errors > 0 {
			line += fmt.Sprintf(", %d failed", i.Command.Errors)
		}
	}
	if i.Made != "" {
		switch i.Type {
		case window.RunCommand:
			line += "  command " + i.Made
		case window.Automation:
			line += "  automation " + i.Made
		default:
			line += "  " + i.Made
		}
	}
	if i.Details != "" {
		line += "  " + i.Details
	}
	return line
}

func newExecutionOutputCmd(env *cli.Env) *cobra.Command {
	var vo runview.ViewOptions
	cmd := &cobra.Command{
		Use:   "output <execution>",
		Short: "Show what the commands of an execution printed on the nodes",
		Long: `Show what the commands that an execution has started printed, as ` + "`ssmdeck run show`" + `
does: identical outputs folded into one, failures first. Automations and what else
was started is named with the command that shows it.`,
		Example: `  $ ssmdeck window execution output 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck window execution output 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 --out-dir night`,
		Args: executionIDs("the execution's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			svc, err := openWindows(ctx, env)
			if err != nil {
				return err
			}
			t, err := svc.Tree(ctx, args[0], nil)
			if err != nil {
				return err
			}
			var commands []string
			for _, task := range t.Tasks {
				for _, i := range task.Invocations {
					switch {
					case i.Made == "":
					case i.Type == window.RunCommand:
						commands = append(commands, i.Made)
					case i.Type == window.Automation:
						env.Note("automation %s: see `ssmdeck automation get %s`", i.Made, i.Made)
					default:
						env.Note("%s %s: %s %s", i.Type.Word(), render.Visible(task.TaskRun.Run), render.Visible(i.Made), i.State)
					}
				}
			}
			if len(commands) == 0 {
				return fault.New(fault.NotFound, "show the output of execution "+args[0], "it has started no command").
					WithHint("see `ssmdeck window execution get %s`", args[0])
			}
			return runview.Show(ctx, env, commands, vo)
		},
	}
	vo.Bind(cmd.Flags())
	return cmd
}

func newExecutionCancelCmd(env *cli.Env) *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use:   "cancel <execution>",
		Short: "Cancel an execution: no more tasks begin",
		Long: `Cancel an execution: no more tasks begin. What runs goes on to its end; the commands
that still run are named, with how to cancel them.`,
		Example: "  $ ssmdeck window execution cancel 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55",
		Args:    executionIDs("the execution's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cancelExecution(cmd.Context(), env, args[0], dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be cancelled and cancel nothing")
	return cmd
}

func cancelExecution(ctx context.Context, env *cli.Env, id string, dryRun bool) error {
	if err := env.RefuseChange("CancelMaintenanceWindowExecution", dryRun); err != nil {
		return err
	}
	svc, err := openWindows(ctx, env)
	if err != nil {
		return err
	}
	t, err := svc.Tree(ctx, id, nil)
	if err != nil {
		return err
	}
	switch {
	case t.State.Final():
		env.Note("%s had already ended: %s", id, t.State)
		return nil
	case dryRun:
		env.Note("dry run: would cancel %s, which is %s", id, t.State)
		return nil
	}
	if err := env.Confirm(ctx, fmt.Sprintf("cancel the execution %s (%s)", id, t.State)); err != nil {
		return err
	}
	if err := svc.Cancel(ctx, id); err != nil {
		return err
	}
	env.Note("asked to cancel %s: no more tasks begin", id)
	for _, task := range t.Tasks {
		for _, i := range task.Invocations {
			if i.Type == window.RunCommand && i.Made != "" && !i.State.Final() {
				env.Note("the command %s goes on; `ssmdeck command cancel %s` cancels it", i.Made, i.Made)
			}
		}
	}
	return nil
}
