package window

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/recording"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newTaskCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "task <command>",
		Aliases: []string{"tasks"},
		Short:   "What a maintenance window does: commands, runbooks, functions, state machines",
		Example: "  $ ssmdeck window task list weekly-patch\n  $ ssmdeck window task add weekly-patch patch --operation install --window-target web",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	env.Subcommands(cmd, newTaskListCmd, newTaskGetCmd, newTaskAddCmd, newTaskUpdateCmd, newTaskRemoveCmd)
	return cmd
}

func newTaskListCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:               "list <window>",
		Aliases:           []string{"ls"},
		Short:             "List the tasks of a window in the order they run",
		Example:           "  $ ssmdeck window task list weekly-patch\n  $ ssmdeck window task list weekly-patch -o wide",
		Args:              cli.ExactArgs("the window"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			if err := taskTable(nil)(ro).Check(ro); err != nil {
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
			known, err := svc.ReadAll(ctx, []window.Window{w}, window.Read{Targets: true, Tasks: true})
			if err != nil {
				return err
			}
			return cli.WriteList(env, taskTable(known[0].Targets), ro, known[0].Tasks)
		},
	}
}

func taskTable(targets []window.Target) func(render.Options) render.Table[window.Task] {
	return func(render.Options) render.Table[window.Task] {
		return render.Table[window.Task]{
			ID:    func(t window.Task) string { return t.ID },
			Empty: "the window has no tasks",
			Columns: []render.Column[window.Task]{
				{Name: "PRIORITY", Right: true, Text: func(t window.Task) string { return strconv.Itoa(t.Priority) }},
				{Name: "NAME", Text: func(t window.Task) string { return t.Name }},
				{Name: "TASK ID", ID: true, Text: func(t window.Task) string { return t.ID }},
				{Name: "TYPE", Text: func(t window.Task) string { return t.Type.Word() }},
				{Name: "RUN", ID: true, Text: func(t window.Task) string { return t.Run }},
				{Name: "TARGETS", Text: func(t window.Task) string { return taskTargets(t, targets) }},
				{Name: "CONCURRENCY", Wide: true, Right: true, Text: func(t window.Task) string { return t.Concurrency }},
				{Name: "MAX ERRORS", Wide: true, Right: true, Text: func(t window.Task) string { return t.MaxErrors }},
				{Name: "CUTOFF", Wide: true, Text: window.Task.CutoffWord},
				{Name: "ROLE", Wide: true, ID: true, Text: func(t window.Task) string { return t.ServiceRole }},
				{Name: "DESCRIPTION", Wide: true, Text: func(t window.Task) string { return t.Description }},
			},
		}
	}
}

// shownTask is a task for machines: secrets in it are sizes, unless they are asked
// for.
type shownTask struct {
	window.Task
	Parameters    map[string][]string `json:"parameters,omitempty"`
	Timeout       int                 `json:"timeout_seconds,omitempty"`
	Payload       string              `json:"payload,omitempty"`
	ClientContext string              `json:"client_context,omitempty"`
	Input         string              `json:"input,omitempty"`
	Hidden        []string            `json:"hidden,omitempty"` // fields whose values are not shown
	targets       []window.Target
}

func showTask(t window.Task, targets []window.Target, secrets bool) shownTask {
	s := shownTask{Task: t, targets: targets, Timeout: int(t.Timeout.Seconds())}
	hide := func(name, text string) string {
		if text == "" || secrets {
			return text
		}
		s.Hidden = append(s.Hidden, name)
		return window.Hidden(len(text))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		values := t.Parameters[name]
		if !secrets && window.SecretParameter(name) {
			s.Hidden = append(s.Hidden, "parameters."+name)
			values = slices.Repeat([]string{recording.Mask}, len(values))
		}
		if s.Parameters == nil {
			s.Parameters = map[string][]string{}
		}
		s.Parameters[name] = values
	}
	s.Payload = hide("payload", string(t.Payload))
	s.ClientContext = hide("client_context", t.ClientContext)
	s.Input = hide("input", t.Input)
	return s
}

func newTaskGetCmd(env *cli.Env) *cobra.Command {
	secrets := false
	cmd := &cobra.Command{
		Use:     "get <window> <task>",
		Aliases: []string{"show"},
		Short:   "Show a task of a window with what it hands over",
		Long: `Show a task of a window with its parameters. The payload of a function, the input
of a state machine, and parameters whose names say that they are secrets are shown
with --show-payload only.`,
		Example:           "  $ ssmdeck window task get weekly-patch patch\n  $ ssmdeck window task get weekly-patch notify --show-payload -o json",
		Args:              cli.ExactArgs("the window", "the task"),
		ValidArgsFunction: completePart(env, taskWords),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ro, err := env.RenderOptions()
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
			t, err := svc.FindTask(ctx, w, args[1])
			if err != nil {
				return err
			}
			targets, err := svc.Targets(ctx, w.ID)
			if err != nil {
				return err
			}
			shown := showTask(t, targets, secrets)
			return render.Object(env.Out, ro, shown, func(d *render.Detail) { taskDetails(d, w, shown) })
		},
	}
	cmd.Flags().BoolVar(&secrets, "show-payload", false, "show payloads, inputs and secret parameters")
	return cmd
}

func taskDetails(d *render.Detail, w window.Window, t shownTask) {
	d.ID(t.ID)
	d.Field("Name", t.Name)
	d.Field("Task ID", t.ID)
	d.Field("Window", w.Name)
	d.Field("Description", t.Description)
	d.Field("Type", t.Type.Word())
	d.Field("Run", t.Run)
	d.Field("Targets", taskTargets(t.Task, t.targets))
	d.Field("Priority", strconv.Itoa(t.Priority))
	d.Field("Concurrency", t.Concurrency)
	d.Field("Max errors", t.MaxErrors)
	d.Field("Service role", t.ServiceRole)
	d.Human("Cutoff behavior", t.CutoffWord(), map[bool]string{true: "cancel: what runs at the cutoff is stopped", false: "continue: what runs at the cutoff goes on"}[t.Cutoff == window.CancelTask])
	d.Field("Alarms", strings.Join(t.Alarms, ", "))
	d.Field("Document version", t.DocumentVersion)
	d.Field("Comment", t.Comment)
	if t.Task.Timeout > 0 {
		d.Human("Timeout", strconv.Itoa(t.Timeout), render.Duration(t.Task.Timeout))
	}
	d.Field("Output S3", strings.TrimSuffix(t.OutputBucket+"/"+t.OutputPrefix, "/"))
	d.Field("Log group", cmp.Or(t.LogGroup, map[bool]string{true: "the service's"}[t.LogOutput]))
	d.Field("Notification ARN", t.NotificationARN)
	d.Field("Notify on", strings.Join(t.NotifyOn, ", "))
	d.Field("Notification type", t.NotificationType)
	d.Field("Notification role", t.CommandRole)
	d.Field("Qualifier", t.Qualifier)
	d.Field("Execution name", t.ExecutionName)
	d.Block("Payload", t.Payload)
	d.Block("Client context", t.ClientContext)
	d.Block("Input", t.Input)
	if len(t.Parameters) > 0 {
		d.Section("Parameters")
		for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
			if text := strings.Join(t.Parameters[name], "\n"); strings.Contains(text, "\n") {
				d.Block(name, text)
			} else {
				d.Field(name, text)
			}
		}
	}
}

func taskWords(ctx context.Context, svc *window.Service, w window.Window) []string {
	tasks, err := svc.Tasks(ctx, w.ID)
	if err != nil {
		return nil
	}
	var words []string
	for _, t := range tasks {
		words = append(words, shortName(t.Name, t.ID)+"\t"+t.Type.Word()+" "+t.Run)
	}
	return words
}

func newTaskRemoveCmd(env *cli.Env) *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use:               "remove <window> <task>",
		Aliases:           []string{"rm"},
		Short:             "Remove a task from a window",
		Example:           "  $ ssmdeck window task remove weekly-patch patch\n  $ ssmdeck window task remove weekly-patch patch --dry-run",
		Args:              cli.ExactArgs("the window", "the task"),
		ValidArgsFunction: completePart(env, taskWords),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := env.RefuseChange("DeregisterTaskFromMaintenanceWindow", dryRun); err != nil {
				return err
			}
			svc, w, err := findWindow(ctx, env, args[0])
			if err != nil {
				return err
			}
			t, err := svc.FindTask(ctx, w, args[1])
			if err != nil {
				return err
			}
			what := render.Visible(fmt.Sprintf("the task %s (%s %s) from %s", shortName(t.Name, t.ID), t.Type.Word(), t.Run, w.Name))
			if dryRun {
				env.Note("dry run: would remove %s", what)
				return nil
			}
			if err := env.Confirm(ctx, "remove "+what); err != nil {
				return err
			}
			if err := svc.RemoveTask(ctx, w, t); err != nil {
				return err
			}
			env.Note("removed %s", what)
			return nil
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be removed and remove nothing")
	return cmd
}
