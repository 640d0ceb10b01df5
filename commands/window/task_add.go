package window

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newTaskAddCmd(env *cli.Env) *cobra.Command {
	var o windowTask
	cmd := &cobra.Command{
		Use:   "add <window> <type> [<what>]",
		Short: "Add a task to a window",
		Long: `Add a task to a window:

  run-command DOCUMENT    a document of type Command, on nodes
  automation RUNBOOK      a document of type Automation
  lambda FUNCTION         a function, by its name or ARN
  step-functions ARN      a state machine
  patch                   short for run-command AWS-RunPatchBaseline, with --operation and --reboot

Parameters are checked against the document. A value may have what the service puts
in when the task runs, such as {{RESOURCE_ID}} or {{WINDOW_EXECUTION_ID}}.

Commands need nodes: targets of the window (--window-target), or nodes by name or id
(-t). With tags or a group the target of the window that has them is used, or made.
The other types can do without. Payloads and inputs from a file or standard input
are in no argument list, and are shown nowhere.`,
		Example: `  $ ssmdeck window task add weekly-patch patch --operation install --reboot never --window-target web
  $ ssmdeck window task add weekly-patch run-command AWS-RunShellScript --param commands='systemctl restart nginx' --tag role=web
  $ ssmdeck window task add weekly-patch automation AWS-RestartEC2Instance --param InstanceId={{RESOURCE_ID}} --window-target web --concurrency 1
  $ ssmdeck window task add weekly-patch lambda notify --payload file://payload.json --priority 9
  $ ssmdeck window task add weekly-patch step-functions arn:aws:states:eu-west-1:123456789012:stateMachine:drain --input file://input.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && args[1] == patchTask {
				return nil
			}
			return cli.ExactArgs("the window", "the type of task", "the document, function or state machine")(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return completeWindow(env)(cmd, args, typed)
			case len(args) == 1:
				return append(window.Types(), patchTask), cobra.ShellCompDirectiveNoFileComp
			case len(args) == 2 && args[1] == "run-command":
				return docnames.CompleteDocument(env, "Command")(cmd, nil, typed)
			case len(args) == 2 && args[1] == "automation":
				return docnames.CompleteDocument(env, "Automation")(cmd, nil, typed)
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.add(cmd, env, args)
		},
	}
	o.bind(env, cmd)
	return cmd
}

// parameters checks --param against the document. kept are those that the task has
// already. Where the document may not be described, the service checks alone.
func (o *windowTask) parameters(ctx context.Context, env *cli.Env, t window.Task, kept map[string][]string) (map[string][]string, error) {
	doc, err := taskDocument(ctx, env, t)
	switch {
	case err != nil:
		return nil, err
	case doc == nil && t.Type != window.RunCommand && t.Type != window.Automation:
		return nil, nil
	case doc == nil:
		return o.params.Unchecked(env)
	}
	return o.params.Checked(env, *doc, slices.Collect(maps.Keys(kept))...)
}

// taskDocument describes the document that a task runs, for values in which the
// service may put something. It is nil where the task runs none, and where it may
// not be described.
func taskDocument(ctx context.Context, env *cli.Env, t window.Task) (*document.Document, error) {
	kind, ok := map[window.Type]string{window.RunCommand: "Command", window.Automation: "Automation"}[t.Type]
	if !ok {
		return nil, nil
	}
	svc, err := env.Documents(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := svc.Describe(ctx, t.Run, t.DocumentVersion)
	switch {
	case fault.KindOf(err) == fault.Auth:
		env.Note("ssmdeck: the document cannot be described, so the parameters are not checked: %v", err)
		return nil, nil
	case err != nil:
		return nil, err
	case doc.Type != "" && doc.Type != kind:
		return nil, fault.Usagef("document %s is of type %s, and a task of type %s runs those of type %s", doc.Name, doc.Type, t.Type.Word(), kind)
	}
	doc = doc.WithPlaceholders()
	return &doc, nil
}

// aim says what the task runs on. A target that the window needs for it is returned
// in made, and stands in the task as its name.
func (o *windowTask) aim(ctx context.Context, env *cli.Env, svc *window.Service, w window.Window, t *window.Task) (made *window.Target, err error) {
	if len(o.targets)+len(o.tags)+len(o.windowTargets) == 0 {
		return nil, nil
	}
	t.Selectors = nil
	have, err := svc.Targets(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	ids := window.Selector{Key: window.ByWindowTarget}
	for _, expr := range o.windowTargets {
		target, err := window.OneTarget(w, expr, have)
		if err != nil {
			return nil, err
		}
		ids.Values = append(ids.Values, target.ID)
	}
	if len(o.targets)+len(o.tags) > 0 {
		list, kind, err := windowSelectors(ctx, env, o.targets, o.tags)
		if err != nil {
			return nil, err
		}
		switch {
		case list[0].Key == "InstanceIds":
			t.Selectors = append(t.Selectors, list...)
			warnOfUnassociated(env, w, list[0].Values, have)
		default:
			target := window.Target{WindowID: w.ID, ResourceType: kind, Selectors: list}
			if same := window.SameTarget(target, have); same != nil {
				ids.Values = append(ids.Values, same.ID)
			} else {
				made = &target
			}
		}
	}
	if len(ids.Values) > 0 {
		t.Selectors = append(t.Selectors, ids)
	}
	return made, nil
}

// warnOfUnassociated tells of nodes that the task would not run on, since they are in
// no target of a window that wants them to be.
func warnOfUnassociated(env *cli.Env, w window.Window, ids []string, have []window.Target) {
	if w.AllowUnassociated != nil && *w.AllowUnassociated {
		return
	}
	var known []string
	looked := false // up when it opens: who is in it is not known
	for _, t := range have {
		for _, s := range t.Selectors {
			if s.Key == "InstanceIds" {
				known = append(known, s.Values...)
			} else {
				looked = true
			}
		}
	}
	out := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(known, id) })
	if len(out) == 0 {
		return
	}
	unless := ""
	if looked {
		unless = ", unless a tag or group of the window has them then"
	}
	env.Note("ssmdeck: warning: %s: in no target of %s by id, and the window runs nothing on such nodes%s; see --allow-unassociated-targets of `ssmdeck window update`",
		strings.Join(out, ", "), render.Visible(w.Name), unless)
}

// provisional stands for targets that are not known yet, where a task is checked.
func (o *windowTask) provisional(t window.Task) window.Task {
	if len(o.targets)+len(o.tags)+len(o.windowTargets) > 0 {
		t.Selectors = []window.Selector{{Key: window.ByWindowTarget, Values: []string{"target"}}}
	}
	return t.Rated()
}

// checkTargets reads -t and --tag without a call.
func (o *windowTask) checkTargets() error {
	if len(o.targets)+len(o.tags) == 0 {
		return nil
	}
	targets, err := nodechoice.ParseTargets(o.targets, o.tags)
	if err != nil {
		return err
	}
	_, _, _, err = sortTargets(targets)
	return err
}

func (o *windowTask) add(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	t, err := o.begin(args)
	if err != nil {
		return err
	}
	if err := o.fill(cmd, env, &t); err != nil {
		return err
	}
	if err := o.checkTargets(); err != nil {
		return err
	}
	if err := faults("window task add", o.provisional(t).Check(), taskFlagNames); err != nil {
		return err
	}
	if o.params.Any() && t.Type != window.RunCommand && t.Type != window.Automation {
		return fault.Usagef("--param: it is not for tasks of type %s", t.Type.Word())
	}
	if err := env.RefuseChange("RegisterTaskWithMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	if t.Parameters, err = o.parameters(ctx, env, t, nil); err != nil {
		return err
	}
	svc, w, err := findWindow(ctx, env, args[0])
	if err != nil {
		return err
	}
	if err := o.uniqueTask(ctx, svc, w, t.Name); err != nil {
		return err
	}
	made, err := o.aim(ctx, env, svc, w, &t)
	if err != nil {
		return err
	}
	if made != nil {
		env.Note("%s the target %s, which %s has not yet", map[bool]string{true: "would make", false: "makes"}[o.dryRun], render.Visible(selectorLine(made.Selectors)), render.Visible(w.Name))
		if !o.dryRun {
			id, err := svc.AddTarget(ctx, w, *made)
			if err != nil {
				return err
			}
			t.Selectors = withTarget(t.Selectors, id)
		}
	}
	if len(t.Selectors) > 0 || made != nil {
		t = o.provisionalRates(t)
	}
	what := fmt.Sprintf("%s %s", t.Type.Word(), t.Run)
	if o.dryRun {
		env.Note("dry run: would add %s to %s", render.Visible(what), render.Visible(w.Name))
		return render.Object(env.Out, ro, showTask(t, nil, false), func(d *render.Detail) { taskDetails(d, w, showTask(t, nil, false)) })
	}
	id, err := svc.AddTask(ctx, w, t)
	if err != nil {
		return err
	}
	env.Note("added %s to %s", render.Visible(what), render.Visible(w.Name))
	return printMade(env, ro, id, map[string]string{"task_id": id, "window_id": w.ID, "name": t.Name})
}

// provisionalRates gives a task with targets its rates.
func (o *windowTask) provisionalRates(t window.Task) window.Task {
	rated := o.provisional(t)
	t.Concurrency, t.MaxErrors = rated.Concurrency, rated.MaxErrors
	return t
}

// withTarget adds a target of the window to those that a task names.
func withTarget(list []window.Selector, id string) []window.Selector {
	for i, s := range list {
		if s.Key == window.ByWindowTarget {
			list[i].Values = append(slices.Clone(s.Values), id)
			return list
		}
	}
	return append(list, window.Selector{Key: window.ByWindowTarget, Values: []string{id}})
}

func (o *windowTask) uniqueTask(ctx context.Context, svc *window.Service, w window.Window, name string) error {
	if name == "" {
		return nil
	}
	tasks, err := svc.Tasks(ctx, w.ID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(tasks, func(t window.Task) bool { return t.Name == name }) {
		return fault.New(fault.Conflict, "add task "+name+" to maintenance window "+w.Name, "it has a task of this name").
			WithHint("change it with `ssmdeck window task update %s %s`, or take another name", w.Name, name)
	}
	return nil
}
