package window

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
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
	params                               docnames.Params
	unset                                []string
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

func (o *windowTask) bind(env *cli.Env, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "a `name`, which files call it by")
	f.StringVar(&o.description, "description", "", "`text` for people")
	f.StringArrayVar(&o.windowTargets, "window-target", nil, "run on this `target` of the window, by its name or id; repeat for more")
	f.StringArrayVarP(&o.targets, "target", "t", nil, "run on these nodes, as a `target`: id or name; tag:K=V and @group become a target of the window")
	f.StringArrayVar(&o.tags, "tag", nil, "short for -t tag:`KEY=VALUE`")
	f.StringVar(&o.concurrency, "concurrency", "", "on how many nodes at a time: a number or a percentage `n` (default 10 with targets)")
	f.StringVar(&o.maxErrors, "max-errors", "", "stop when more than `n` nodes have failed: a number or a percentage (default 1 with targets)")
	f.IntVar(&o.priority, "priority", 1, "tasks with a lower `n` run first, those with the same at the same time")
	f.StringVar(&o.role, "service-role", "", "`ARN` of the role that the task runs with (default: the service's own)")
	f.StringVar(&o.cutoff, "cutoff-behavior", "continue", "`what` becomes of what runs at the cutoff: continue, cancel")
	f.StringArrayVar(&o.alarms, "alarm", nil, "stop when the CloudWatch alarm of this `name` goes off")
	f.BoolVar(&o.ignoreAlarm, "ignore-alarm-failure", false, "go on when the alarm cannot be read")
	o.params.Bind(cmd)
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
	_ = cmd.RegisterFlagCompletionFunc("target", nodechoice.CompleteTargets(env))
	cli.CompleteFlag(cmd, "cutoff-behavior", func() []string { return []string{"continue", "cancel"} })
	cli.CompleteFlag(cmd, "operation", func() []string { return []string{"scan", "install"} })
	cli.CompleteFlag(cmd, "reboot", func() []string { return []string{"if-needed", "never"} })
	cli.CompleteFlag(cmd, "notify-on", window.NotifyEvents)
	_ = cmd.RegisterFlagCompletionFunc("window-target", func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return completePart(env, targetWords)(cmd, args[:min(1, len(args))], typed)
	})
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
	o.params.Pairs = append(o.params.Pairs, "Operation="+operation)
	switch o.reboot {
	case "":
	case "if-needed", "never":
		if operation == "Scan" {
			return fault.Usagef("--reboot goes with --operation install: a scan reboots nothing")
		}
		o.params.Pairs = append(o.params.Pairs, "RebootOption="+map[string]string{"if-needed": "RebootIfNeeded", "never": "NoReboot"}[o.reboot])
	default:
		return fault.Usagef("--reboot %q is not if-needed or never", o.reboot)
	}
	return nil
}

// fill puts what flags give into a task. Files are read, no call is made.
func (o *windowTask) fill(cmd *cobra.Command, env *cli.Env, t *window.Task) error {
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
func (o *windowTask) fillParsed(cmd *cobra.Command, env *cli.Env, t *window.Task) error {
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
	for flag, v := range map[string]string{"--payload": o.payload, "--client-context": o.context, "--input": o.input} {
		if err := o.params.OneInput(flag, v == "-"); err != nil {
			return err
		}
	}
	read := env.ReadInput()
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
