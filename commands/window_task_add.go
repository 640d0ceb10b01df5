package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// windowTask are the flags of task add and task update.
type windowTask struct {
	name, description                    string
	targets, tags, windowTargets         []string
	concurrency, maxErrors, role, cutoff string
	priority                             int
	alarms                               []string
	ignoreAlarm                          bool
	params, unset                        []string
	version, comment, timeout, s3, logs  string
	topic, notifyType, topicRole         string
	notifyOn                             []string
	payload, context, qualifier          string
	input, execution                     string
	operation, reboot                    string // of patch
	run                                  string // of update
	dryRun                               bool
}

// patchTask is the word for a task that runs AWS-RunPatchBaseline.
const patchTask = "patch"

func (o *windowTask) bind(env *Env, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "a `name`, which files call it by")
	f.StringVar(&o.description, "description", "", "`text` for people")
	f.StringArrayVar(&o.windowTargets, "window-target", nil, "run on this `target` of the window, by its name or id; repeat for more")
	f.StringArrayVarP(&o.targets, "target", "t", nil, "run on these nodes, as a `target`: id or name; tag:K=V and @group become a target of the window")
	f.StringArrayVar(&o.tags, "tag", nil, "short for -t tag:`KEY=VALUE`")
	f.StringVar(&o.concurrency, "concurrency", "", "on how many nodes at a time: a number or a percentage `n` (default 10 with targets)")
	f.StringVar(&o.maxErrors, "max-errors", "", "stop when more than `n` nodes have failed: a number or a percentage (default 1 with targets)")
	f.IntVar(&o.priority, "priority", 1, "the `n` that comes first is lower; equal ones run at the same time")
	f.StringVar(&o.role, "service-role", "", "`ARN` of the role that the task runs with (default: the service's own)")
	f.StringVar(&o.cutoff, "cutoff-behavior", "continue", "`what` becomes of what runs at the cutoff: continue, cancel")
	f.StringArrayVar(&o.alarms, "alarm", nil, "stop when the CloudWatch alarm of this `name` goes off")
	f.BoolVar(&o.ignoreAlarm, "ignore-alarm-failure", false, "go on when the alarm cannot be read")
	f.StringArrayVar(&o.params, "param", nil, "parameter of the document, as `NAME=VALUE`; repeat for lists, @file reads a file")
	f.StringVar(&o.version, "doc-version", "", "run this `version` of the document: its number, latest or default")
	f.StringVar(&o.comment, "comment", "", "`text` for the command's history")
	f.StringVar(&o.timeout, "timeout", "", "how long a node may take to accept the command: `duration` from 30s to 30d")
	f.StringVar(&o.s3, "output-s3", "", "keep the full output in S3, as `BUCKET[/PREFIX]`")
	f.StringVar(&o.logs, "log-group", "", "keep the full output in this CloudWatch Logs `group`")
	f.StringVar(&o.topic, "notification-arn", "", "`ARN` of the SNS topic that is told")
	f.StringArrayVar(&o.notifyOn, "notify-on", nil, "tell of this `state`: All, InProgress, Success, TimedOut, Cancelled, Failed; repeat for more (default All)")
	f.StringVar(&o.notifyType, "notification-type", "", "`what` it is told of: Command, Invocation (default Command)")
	f.StringVar(&o.topicRole, "notification-role", "", "`ARN` of the role that publishes to the topic")
	f.StringVar(&o.payload, "payload", "", "JSON for the function: `text`, file://PATH, or - for standard input")
	f.StringVar(&o.context, "client-context", "", "client context for the function: `text`, file://PATH, or -")
	f.StringVar(&o.qualifier, "qualifier", "", "`version` or alias of the function")
	f.StringVar(&o.input, "input", "", "JSON for the state machine: `text`, file://PATH, or - for standard input")
	f.StringVar(&o.execution, "execution-name", "", "`name` for the execution of the state machine")
	f.StringVar(&o.operation, "operation", "", "of patch: `what` it does: scan, install")
	f.StringVar(&o.reboot, "reboot", "", "of patch: reboot nodes after an installation: `when`: if-needed, never")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything, show what would be sent and send nothing")
	_ = cmd.RegisterFlagCompletionFunc("target", env.completeTargets)
	completeFlag(cmd, "cutoff-behavior", func() []string { return []string{"continue", "cancel"} })
	completeFlag(cmd, "operation", func() []string { return []string{"scan", "install"} })
	completeFlag(cmd, "reboot", func() []string { return []string{"if-needed", "never"} })
	completeFlag(cmd, "notify-on", window.NotifyEvents)
	_ = cmd.RegisterFlagCompletionFunc("window-target", func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return env.completePart(targetWords)(cmd, args[:min(1, len(args))], typed)
	})
}

func newWindowTaskAddCmd(env *Env) *cobra.Command {
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
			return exactArgs("the window", "the type of task", "the document, function or state machine")(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return env.completeWindow(cmd, args, typed)
			case len(args) == 1:
				return append(window.Types(), patchTask), cobra.ShellCompDirectiveNoFileComp
			case len(args) == 2 && args[1] == "run-command":
				return env.completeDocument("Command")(cmd, nil, typed)
			case len(args) == 2 && args[1] == "automation":
				return env.completeDocument("Automation")(cmd, nil, typed)
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

// begin is the task that the arguments name, without what flags add.
func (o *windowTask) begin(args []string) (window.Task, error) {
	if args[1] == patchTask {
		if len(args) > 2 {
			return window.Task{}, fault.Usagef("a patch task runs AWS-RunPatchBaseline and takes no %q", args[2])
		}
		t := window.DefaultTask(window.RunCommand)
		t.Run = "AWS-RunPatchBaseline"
		return t, o.patchParams(true)
	}
	kind, err := window.ParseType(args[1])
	if err != nil {
		return window.Task{}, err
	}
	t := window.DefaultTask(kind)
	t.Run = args[2]
	return t, o.patchParams(false)
}

// patchParams turns --operation and --reboot into parameters.
func (o *windowTask) patchParams(patch bool) error {
	if !patch {
		if o.operation+o.reboot != "" {
			return fault.Usagef("--operation and --reboot are for tasks of type patch").WithHint("write the document's own parameters as --param NAME=VALUE")
		}
		return nil
	}
	words := map[string]string{"scan": "Scan", "install": "Install"}
	operation, ok := words[strings.ToLower(o.operation)]
	if !ok {
		return fault.Usagef("--operation %q is not scan or install", o.operation).WithHint("a scan looks, an installation changes nodes and may reboot them")
	}
	o.params = append(o.params, "Operation="+operation)
	switch o.reboot {
	case "":
	case "if-needed", "never":
		if operation == "Scan" {
			return fault.Usagef("--reboot goes with --operation install: a scan reboots nothing")
		}
		o.params = append(o.params, "RebootOption="+map[string]string{"if-needed": "RebootIfNeeded", "never": "NoReboot"}[o.reboot])
	default:
		return fault.Usagef("--reboot %q is not if-needed or never", o.reboot)
	}
	return nil
}

// fill puts what flags give into a task. Files are read, no call is made.
func (o *windowTask) fill(cmd *cobra.Command, env *Env, t *window.Task) error {
	given := cmd.Flags().Changed
	text := func(flag string, to *string, v string) {
		if given(flag) {
			*to = v
		}
	}
	text("name", &t.Name, o.name)
	text("description", &t.Description, o.description)
	text("concurrency", &t.Concurrency, o.concurrency)
	text("max-errors", &t.MaxErrors, o.maxErrors)
	text("service-role", &t.ServiceRole, o.role)
	text("cutoff-behavior", &t.Cutoff, window.CutoffBehavior(o.cutoff))
	text("comment", &t.Comment, o.comment)
	text("notification-arn", &t.NotificationARN, o.topic)
	text("notification-type", &t.NotificationType, o.notifyType)
	text("notification-role", &t.CommandRole, o.topicRole)
	text("qualifier", &t.Qualifier, o.qualifier)
	text("execution-name", &t.ExecutionName, o.execution)
	if given("priority") {
		t.Priority = o.priority
	}
	if given("alarm") {
		t.Alarms = slices.DeleteFunc(slices.Clone(o.alarms), func(s string) bool { return s == "" })
	}
	if given("ignore-alarm-failure") {
		t.IgnoreAlarmFailure = o.ignoreAlarm
	}
	if given("log-group") {
		t.LogGroup, t.LogOutput = o.logs, o.logs != ""
	}
	if given("notify-on") {
		t.NotifyOn = o.notifyOn
	}
	if t.NotificationARN != "" {
		if len(t.NotifyOn) == 0 {
			t.NotifyOn = []string{"All"}
		}
		if t.NotificationType == "" {
			t.NotificationType = "Command"
		}
	}
	return o.fillParsed(cmd, env, t)
}

// fillParsed is fill for the flags that are read before they are used.
func (o *windowTask) fillParsed(cmd *cobra.Command, env *Env, t *window.Task) error {
	given := cmd.Flags().Changed
	if given("doc-version") {
		ref, err := document.ParseRef(o.version)
		if err != nil {
			return err
		}
		if ref.Name != "" {
			return fault.Usagef("a task runs a version by number, latest or default, not by the name %s", ref.Name)
		}
		t.DocumentVersion = ref.Number
	}
	if given("timeout") {
		d, err := run.ParseTimeout(o.timeout)
		if err != nil {
			return err
		}
		t.Timeout = d.Truncate(time.Second)
	}
	if given("output-s3") {
		var err error
		if t.OutputBucket, t.OutputPrefix, err = run.ParseS3(o.s3); err != nil {
			return err
		}
	}
	read := env.readInput()
	secret := func(flag, v string, set func(string)) error {
		if !given(flag) {
			return nil
		}
		path, file := strings.CutPrefix(v, "file://")
		if file || v == "-" {
			data, err := read(path)
			if err != nil {
				return err
			}
			v = strings.TrimRight(string(data), "\r\n")
		}
		set(v)
		return nil
	}
	if err := secret("payload", o.payload, func(s string) { t.Payload = []byte(s) }); err != nil {
		return err
	}
	if err := secret("client-context", o.context, func(s string) { t.ClientContext = s }); err != nil {
		return err
	}
	return secret("input", o.input, func(s string) { t.Input = s })
}

var taskFlagNames = map[string]string{
	"run": "what it runs", "targets": "the targets", "select": "-t", "alarms": "--alarm", "parameters": "--param", "document_version": "--doc-version",
	"command_role": "--notification-role",
}

// parameters checks --param against the document. kept are those that the task has
// already. Where the document may not be described, the service checks alone.
func (o *windowTask) parameters(ctx context.Context, env *Env, t window.Task, kept map[string][]string) (map[string][]string, error) {
	if t.Type != window.RunCommand && t.Type != window.Automation {
		return nil, nil
	}
	kind := map[window.Type]string{window.RunCommand: "Command", window.Automation: "Automation"}[t.Type]
	svc, err := env.Documents(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := svc.Describe(ctx, t.Run, t.DocumentVersion)
	switch {
	case fault.KindOf(err) == fault.Auth:
		env.note("ssmdeck: the document cannot be described, so the parameters are not checked: %v", err)
		return parsePairs("--param", o.params)
	case err != nil:
		return nil, err
	case doc.Type != "" && doc.Type != kind:
		return nil, fault.Usagef("document %s is of type %s, and a task of type %s runs those of type %s", doc.Name, doc.Type, t.Type.Word(), kind)
	}
	provided := slices.Collect(maps.Keys(kept))
	var plain []string
	later := map[string][]string{}
	for _, pair := range o.params {
		name, value, ok := cutPair(pair)
		if _, known := doc.Parameter(name); ok && known && strings.Contains(value, "{{") { // put in by the service
			later[name] = append(later[name], value)
			provided = append(provided, name)
			continue
		}
		plain = append(plain, pair)
	}
	params, err := document.ParseParams(doc, plain, provided...)
	if err != nil {
		return nil, err
	}
	for name, values := range later {
		params[name] = append(params[name], values...)
	}
	return params, nil
}

// aim says what the task runs on. A target that the window needs for it is returned
// in made, and stands in the task as its name.
func (o *windowTask) aim(ctx context.Context, env *Env, svc *window.Service, w window.Window, t *window.Task) (made *window.Target, err error) {
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
		list, kind, err := env.windowSelectors(ctx, o.targets, o.tags)
		if err != nil {
			return nil, err
		}
		switch {
		case list[0].Key == "InstanceIds":
			t.Selectors = append(t.Selectors, list...)
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
	targets, err := parseTargets(o.targets, o.tags)
	if err != nil {
		return err
	}
	_, _, _, err = sortTargets(targets)
	return err
}

func (o *windowTask) add(cmd *cobra.Command, env *Env, args []string) error {
	ctx := cmd.Context()
	ro, err := env.renderOptions()
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
	if err := windowFaults("window task add", o.provisional(t).Check(), taskFlagNames); err != nil {
		return err
	}
	if len(o.params) > 0 && t.Type != window.RunCommand && t.Type != window.Automation {
		return fault.Usagef("--param: it is not for tasks of type %s", t.Type.Word())
	}
	if err := env.refuseChange("RegisterTaskWithMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	if t.Parameters, err = o.parameters(ctx, env, t, nil); err != nil {
		return err
	}
	svc, w, err := env.findWindow(ctx, args[0])
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
		env.note("%s the target %s, which %s has not yet", map[bool]string{true: "would make", false: "makes"}[o.dryRun], render.Visible(selectorLine(made.Selectors)), render.Visible(w.Name))
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
		env.note("dry run: would add %s to %s", render.Visible(what), render.Visible(w.Name))
		return render.Object(env.Out, ro, showTask(t, nil, false), func(d *render.Detail) { taskDetails(d, w, showTask(t, nil, false)) })
	}
	id, err := svc.AddTask(ctx, w, t)
	if err != nil {
		return err
	}
	env.note("added %s to %s", render.Visible(what), render.Visible(w.Name))
	return env.printMade(ro, id, map[string]string{"task_id": id, "window_id": w.ID, "name": t.Name})
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

func newWindowTaskUpdateCmd(env *Env) *cobra.Command {
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
		Args:              exactArgs("the window", "the task"),
		ValidArgsFunction: env.completePart(taskWords),
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
func (o *windowTask) merged(cmd *cobra.Command, env *Env, old window.Task) (window.Task, error) {
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
	if len(o.params) > 0 && next.Type != window.RunCommand && next.Type != window.Automation {
		return next, fault.Usagef("--param: it is not for tasks of type %s", next.Type.Word())
	}
	for _, name := range o.unset {
		if _, ok := old.Parameters[name]; !ok {
			return next, fault.Usagef("--unset-param %s: the task has no such parameter", name)
		}
	}
	return next, nil
}

func (o *windowTask) update(cmd *cobra.Command, env *Env, expr, task string) error {
	ctx := cmd.Context()
	if err := o.checkTargets(); err != nil {
		return err
	}
	if err := env.refuseChange("UpdateMaintenanceWindowTask", o.dryRun); err != nil {
		return err
	}
	svc, w, err := env.findWindow(ctx, expr)
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
	if err := windowFaults("window task update", next.Check(), taskFlagNames); err != nil {
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
		env.note("%s is so already", render.Visible(task))
		return nil
	}
	env.showDifferences(changes)
	if o.dryRun {
		env.note("dry run: %s was not changed", render.Visible(task))
		return nil
	}
	if err := env.confirm(ctx, "change the task "+render.Visible(task)+" of "+render.Visible(w.Name)); err != nil {
		return err
	}
	if err := svc.UpdateTask(ctx, w, old, next); err != nil {
		return err
	}
	env.note("changed %s", render.Visible(task))
	return nil
}

// mergedParameters are those of the task with what --param and --unset-param change.
// They are checked against the document when they, or it, change.
func (o *windowTask) mergedParameters(ctx context.Context, env *Env, cmd *cobra.Command, old, next window.Task) (map[string][]string, error) {
	kept := maps.Clone(old.Parameters)
	for _, name := range o.unset {
		delete(kept, name)
	}
	if len(o.params)+len(o.unset) == 0 && !cmd.Flags().Changed("run") && !cmd.Flags().Changed("doc-version") {
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
