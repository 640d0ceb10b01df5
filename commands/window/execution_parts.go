package window

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newExecutionTasksCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "tasks <execution>",
		Short:   "List what the tasks did in an execution",
		Example: "  $ ssmdeck window execution tasks 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55",
		Args:    executionIDs("the execution's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := cli.ListOptions(env, taskRunTable)
			if err != nil {
				return err
			}
			svc, err := openWindows(cmd.Context(), env)
			if err != nil {
				return err
			}
			tasks, err := svc.TaskRuns(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return cli.WriteList(env, taskRunTable, ro, tasks)
		},
	}
}

func taskRunTable(o render.Options) render.Table[window.TaskRun] {
	return render.Table[window.TaskRun]{
		ID:    func(t window.TaskRun) string { return t.ID },
		Empty: "the execution has run no task",
		Columns: []render.Column[window.TaskRun]{
			{
				Name: "STATUS", Text: func(t window.TaskRun) string { return string(t.State) },
				Human: func(t window.TaskRun) string { return styledState(o, t.State) },
			},
			{Name: "TASK EXECUTION ID", ID: true, Text: func(t window.TaskRun) string { return t.ID }},
			{Name: "TYPE", Text: func(t window.TaskRun) string { return t.Type.Word() }},
			{Name: "RUN", ID: true, Text: func(t window.TaskRun) string { return t.Run }},
			{Name: "STARTED", Text: func(t window.TaskRun) string { return render.Timestamp(t.Started) }, Human: func(t window.TaskRun) string { return render.Ago(o.Now, t.Started) }},
			{Name: "TOOK", Text: func(t window.TaskRun) string { return took(t.Started, t.Ended) }},
			{Name: "DETAILS", Text: func(t window.TaskRun) string { return t.Details }},
		},
	}
}

func newExecutionTaskCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "task <execution> <task-execution>",
		Short:   "Show what one task did in an execution",
		Example: "  $ ssmdeck window execution task 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 6b1c0c0e-8d41-4a4c-9c3e-2b1d6d1f7a55",
		Args:    executionIDs("the execution's id", "the id of a task's execution"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := openWindows(cmd.Context(), env)
			if err != nil {
				return err
			}
			t, err := svc.TaskRun(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			return render.Object(env.Out, ro, t, func(d *render.Detail) {
				d.ID(t.ID)
				d.Field("Task execution ID", t.ID)
				d.Human("Status", string(t.State), styledState(ro, t.State))
				d.Field("Details", t.Details)
				d.Field("Type", t.Type.Word())
				d.Field("Run", t.Run)
				d.Field("Priority", strconv.Itoa(t.Priority))
				d.Field("Concurrency", t.Concurrency)
				d.Field("Max errors", t.MaxErrors)
				d.Field("Service role", t.ServiceRole)
				cli.Moment(d, ro, "Started", t.Started)
				cli.Moment(d, ro, "Ended", t.Ended)
			})
		},
	}
}

func newExecutionInvocationsCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "invocations <execution> <task-execution>",
		Short:   "List the invocations of a task: what was started, and how it went",
		Example: "  $ ssmdeck window execution invocations 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 6b1c0c0e-8d41-4a4c-9c3e-2b1d6d1f7a55",
		Args:    executionIDs("the execution's id", "the id of a task's execution"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := cli.ListOptions(env, invocationTable)
			if err != nil {
				return err
			}
			svc, err := openWindows(cmd.Context(), env)
			if err != nil {
				return err
			}
			list, err := svc.Invocations(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			return cli.WriteList(env, invocationTable, ro, list)
		},
	}
}

func invocationTable(o render.Options) render.Table[window.Invocation] {
	return render.Table[window.Invocation]{
		ID:    func(i window.Invocation) string { return i.ID },
		Empty: "the task has no invocations",
		Columns: []render.Column[window.Invocation]{
			{
				Name: "STATUS", Text: func(i window.Invocation) string { return string(i.State) },
				Human: func(i window.Invocation) string { return styledState(o, i.State) },
			},
			{Name: "INVOCATION ID", ID: true, Text: func(i window.Invocation) string { return i.ID }},
			{Name: "TYPE", Text: func(i window.Invocation) string { return i.Type.Word() }},
			{Name: "STARTED ID", ID: true, Text: func(i window.Invocation) string { return i.Made }},
			{Name: "TOOK", Text: func(i window.Invocation) string { return took(i.Started, i.Ended) }},
			{Name: "DETAILS", Text: func(i window.Invocation) string { return i.Details }},
			{Name: "WINDOW TARGET ID", Wide: true, ID: true, Text: func(i window.Invocation) string { return i.Target }},
			{Name: "OWNER", Wide: true, Text: func(i window.Invocation) string { return i.Owner }},
		},
	}
}

// shownInvocation is an invocation for machines, with its parameters where they were
// asked for.
type shownInvocation struct {
	window.Invocation
	Parameters string `json:"parameters,omitempty"`
}

func newExecutionInvocationCmd(env *cli.Env) *cobra.Command {
	secrets := false
	cmd := &cobra.Command{
		Use:     "invocation <execution> <task-execution> <invocation>",
		Short:   "Show one invocation of a task",
		Long:    "Show one invocation of a task. What was handed over may hold secrets, and is shown with --show-payload only.",
		Example: "  $ ssmdeck window execution invocation 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 6b1c0c0e-8d41-4a4c-9c3e-2b1d6d1f7a55 1c0c0e6b-8d41-4a4c-9c3e-2b1d6d1f7a55",
		Args:    executionIDs("the execution's id", "the id of a task's execution", "the invocation's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := openWindows(cmd.Context(), env)
			if err != nil {
				return err
			}
			i, err := svc.Invocation(cmd.Context(), args[0], args[1], args[2])
			if err != nil {
				return err
			}
			shown := shownInvocation{Invocation: i, Parameters: i.Parameters}
			if !secrets && i.Parameters != "" {
				shown.Parameters = window.Hidden(len(i.Parameters))
			}
			return render.Object(env.Out, ro, shown, func(d *render.Detail) {
				d.ID(i.ID)
				d.Field("Invocation ID", i.ID)
				d.Human("Status", string(i.State), styledState(ro, i.State))
				d.Field("Details", i.Details)
				d.Field("Type", i.Type.Word())
				d.Field("Started ID", i.Made)
				d.Field("Window target ID", i.Target)
				d.Field("Owner", i.Owner)
				cli.Moment(d, ro, "Started", i.Started)
				cli.Moment(d, ro, "Ended", i.Ended)
				d.Block("Parameters", shown.Parameters)
			})
		},
	}
	cmd.Flags().BoolVar(&secrets, "show-payload", false, "show what was handed over")
	return cmd
}
