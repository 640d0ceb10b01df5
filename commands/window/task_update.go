package window

import (
	"context"
	"maps"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newTaskUpdateCmd(env *cli.Env) *cobra.Command {
	var o windowTask
	cmd := &cobra.Command{
		Use:   "update <window> <task>",
		Short: "Change a task of a window",
		Long: `Change a task. Only what is given changes; an empty text takes a value away. The
service replaces what a task hands over as a whole: the task is read first, and all
that stays is sent again. What differs is shown and asked about. The type of a task
cannot change.`,
		Example: `  $ ssmdeck window task update weekly-patch patch --param RebootOption=NoReboot
  $ ssmdeck window task update weekly-patch patch --concurrency 10% --max-errors 5%
  $ ssmdeck window task update weekly-patch notify --payload - --yes < payload.json`,
		Args:              cli.ExactArgs("the window", "the task"),
		ValidArgsFunction: completePart(env, taskWords),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().NFlag() == 0 {
				return fault.Usagef("%s: nothing to change is given", cmd.CommandPath()).WithHint("see `ssmdeck window task update --help`")
			}
			return o.update(cmd, env, args[0], args[1])
		},
	}
	o.bind(env, cmd)
	cmd.Flags().StringVar(&o.run, "run", "", "run another document, function or state machine, by `name`")
	cmd.Flags().StringArrayVar(&o.unset, "unset-param", nil, "take the parameter of this `name` away; repeat for more")
	return cmd
}

// merged is a task with what flags change, but for its targets.
func (o *windowTask) merged(cmd *cobra.Command, env *cli.Env, old window.Task) (window.Task, error) {
	next := old
	if cmd.Flags().Changed("run") {
		next.Run = o.run
	}
	if o.operation+o.reboot != "" {
		if old.Run != "AWS-RunPatchBaseline" {
			return next, fault.Usagef("--operation and --reboot are for tasks that run AWS-RunPatchBaseline, and this runs %s", old.Run)
		}
		if o.operation == "" && len(old.Parameters["Operation"]) > 0 {
			o.operation = old.Parameters["Operation"][0]
		}
		if err := o.patchParams(true); err != nil {
			return next, err
		}
	}
	if err := o.fill(cmd, env, &next); err != nil {
		return next, err
	}
	if o.params.Any() && next.Type != window.RunCommand && next.Type != window.Automation {
		return next, fault.Usagef("--param: it is not for tasks of type %s", next.Type.Word())
	}
	for _, name := range o.unset {
		if _, ok := old.Parameters[name]; !ok {
			return next, fault.Usagef("--unset-param %s: the task has no such parameter", name)
		}
	}
	return next, nil
}

func (o *windowTask) update(cmd *cobra.Command, env *cli.Env, expr, task string) error {
	ctx := cmd.Context()
	if err := o.checkTargets(); err != nil {
		return err
	}
	if err := env.RefuseChange("UpdateMaintenanceWindowTask", o.dryRun); err != nil {
		return err
	}
	svc, w, err := findWindow(ctx, env, expr)
	if err != nil {
		return err
	}
	old, err := svc.FindTask(ctx, w, task)
	if err != nil {
		return err
	}
	next, err := o.merged(cmd, env, old)
	if err != nil {
		return err
	}
	if next.Parameters, err = o.mergedParameters(ctx, env, cmd, old, next); err != nil {
		return err
	}
	made, err := o.aim(ctx, env, svc, w, &next)
	if err != nil {
		return err
	}
	if made != nil {
		return fault.Usagef("%s has no target of its own for %s", w.Name, selectorLine(made.Selectors)).
			WithHint("make one with `ssmdeck window target add %s`, and name it with --window-target", w.Name)
	}
	next = next.Rated()
	if err := faults("window task update", next.Check(), taskFlagNames); err != nil {
		return err
	}
	targets, err := svc.Targets(ctx, w.ID)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, t := range targets {
		names[t.ID] = t.Name
	}
	changes := old.Differences(next, names)
	if len(changes) == 0 {
		env.Note("%s is so already", render.Visible(task))
		return nil
	}
	showDifferences(env, changes)
	if o.dryRun {
		env.Note("dry run: %s was not changed", render.Visible(task))
		return nil
	}
	if err := env.Confirm(ctx, "change the task "+render.Visible(task)+" of "+render.Visible(w.Name)); err != nil {
		return err
	}
	if err := svc.UpdateTask(ctx, w, old, next); err != nil {
		return err
	}
	env.Note("changed %s", render.Visible(task))
	return nil
}

// mergedParameters are those of the task with what --param and --unset-param change.
// They are checked against the document when they, or it, change.
func (o *windowTask) mergedParameters(ctx context.Context, env *cli.Env, cmd *cobra.Command, old, next window.Task) (map[string][]string, error) {
	kept := maps.Clone(old.Parameters)
	for _, name := range o.unset {
		delete(kept, name)
	}
	if !o.params.Any() && len(o.unset) == 0 && !cmd.Flags().Changed("run") && !cmd.Flags().Changed("doc-version") {
		return kept, nil
	}
	params, err := o.parameters(ctx, env, next, kept)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		kept = map[string][]string{}
	}
	maps.Copy(kept, params)
	return kept, nil
}
