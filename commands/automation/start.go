package automation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

type start struct {
	req     automation.Request
	version string
	params  docnames.Params
	targets []string
	tag     []string
	tags    []string
	watch   bool
	dryRun  bool
	wait    time.Duration
}

func newStartCmd(env *cli.Env) *cobra.Command {
	var o start
	cmd := &cobra.Command{
		Use:   "start <document> [--<parameter> <value>]...",
		Short: "Start a runbook",
		Long: `Start an automation of a document of type Automation. Its parameters are flags:
InstanceId is --instance-id or --InstanceId, a list is given by repeating. They are
read from the document and checked before anything is started; ` + "`start DOCUMENT\n--help`" + ` shows them. --param NAME=VALUE is the long way, and the only one for a
parameter whose name is a flag of ours. The document comes before its parameters.
--params-file reads them from a file, which keeps secrets out of the command line.

With --target-param the runbook is started for each of several targets, and the
parameter takes each in turn.

--watch follows the steps: the status is 0 when all went well, 6 when it failed,
was rejected or stopped, 8 when --wait was over first. Ctrl-C stops following; the
automation goes on.`,
		Example: `  $ ssmdeck automation start AWS-RestartEC2Instance --instance-id i-0123456789abcdef0 --watch
  $ ssmdeck automation start restart --param InstanceId=i-0123456789abcdef0 --param ServiceName=nginx
  $ ssmdeck automation start AWS-StopEC2Instance --target-param InstanceId --tag env=test --concurrency 10% --max-errors 1
  $ echo '{"Password": "..."}' | ssmdeck automation start rotate --params-file -
  $ ssmdeck automation start AWS-RestartEC2Instance --help`,
		Args:              cli.ExactArgs("the document"),
		ValidArgsFunction: docnames.CompleteDocument(env, "Automation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.req.Document = args[0]
			return o.run(cmd.Context(), env)
		},
	}
	f := cmd.Flags()
	o.params.Bind(cmd)
	docnames.BindVersion(env, cmd, &o.version, "start this")
	cmd.Flags().Lookup("doc-version").Usage = "start this" + docnames.RunnableVersions
	f.BoolVarP(&o.watch, "watch", "w", false, "follow the steps until the end")
	f.DurationVar(&o.wait, "wait", 0, "follow, and stop following after `duration` (exit 8)")
	f.BoolVar(&o.req.Interactive, "interactive", false, "wait before every step for automation start-step")
	f.StringVar(&o.req.TargetParameter, "target-param", "", "`name` of the parameter that takes each target")
	f.StringArrayVarP(&o.targets, "target", "t", nil, "a `target`: a value for --target-param, tag:K=V or @group; repeat for more")
	f.StringArrayVar(&o.tag, "tag", nil, "short for -t tag:`KEY=VALUE`")
	cli.BindTags(f, &o.tags, "the automation")
	f.StringVar(&o.req.Concurrency, "concurrency", "", "how many targets at a time: a number or a percentage `n` (default 10)")
	f.StringVar(&o.req.MaxErrors, "max-errors", "", "stop when more than `n` targets have failed: a number or a percentage")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything and start nothing")
	_ = cmd.RegisterFlagCompletionFunc("param", func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		doc, _ := docnames.CachedDocument(cmd.Context(), env, args[0], o.version)
		return docnames.ParamWords(doc, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	return cmd
}

// validate checks all that needs no call.
func (o *start) validate() error {
	ref, err := document.ParseRef(o.version)
	switch {
	case err != nil:
		return err
	case ref.Name != "":
		return fault.Usagef("automations are started in a version by number, latest or default, not by the name %s", ref.Name)
	case o.wait < 0:
		return fault.Usagef("--wait %s is not a time to wait", o.wait)
	}
	o.watch = o.watch || o.wait > 0
	o.req.DocumentVersion = ref.Number
	if o.req.Targets, err = automationTargets(o.targets, o.tag); err != nil {
		return err
	}
	switch many := len(o.req.Targets) > 0; {
	case many && o.req.TargetParameter == "":
		return fault.Usagef("targets need --target-param: the parameter that takes each").WithHint("for instance --target-param InstanceId")
	case !many && o.req.TargetParameter != "":
		return fault.Usagef("--target-param needs targets: -t or --tag")
	case !many && o.req.Concurrency+o.req.MaxErrors != "":
		return fault.Usagef("--concurrency and --max-errors are for several targets: -t or --tag")
	}
	if _, err := run.ParseConcurrency(o.req.Concurrency); err != nil {
		return err
	}
	if _, err := run.ParseMaxErrors(o.req.MaxErrors); err != nil {
		return err
	}
	o.req.Tags = map[string]string{}
	for _, t := range o.tags {
		key, value, ok := cli.CutPair(t)
		if !ok {
			return fault.Usagef("--tags %q is not of the form KEY=VALUE", t)
		}
		o.req.Tags[key] = value
	}
	return nil
}

// automationTargets reads -t and --tag as the API wants them.
func automationTargets(targets, tags []string) (list []automation.Target, err error) {
	var values []string
	for _, t := range targets {
		if pair, ok := strings.CutPrefix(t, "tag:"); ok {
			tags = append(tags, pair)
			continue
		}
		if group, ok := strings.CutPrefix(t, "@"); ok && group != "" {
			list = append(list, automation.Target{Key: "ResourceGroup", Values: []string{group}})
			continue
		}
		if t == "" {
			return nil, fault.Usagef("-t names no target")
		}
		values = append(values, t)
	}
	for _, t := range tags {
		key, value, ok := cli.CutPair(t)
		if !ok || value == "" {
			return nil, fault.Usagef("tag %q is not of the form KEY=VALUE", t)
		}
		list = append(list, automation.Target{Key: "tag:" + key, Values: strings.Split(value, ",")})
	}
	if len(values) > 0 {
		list = append(list, automation.Target{Key: "ParameterValues", Values: values})
	}
	return list, nil
}

func (o *start) run(ctx context.Context, env *cli.Env) error {
	if err := o.validate(); err != nil {
		return err
	}
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := o.parameters(ctx, env); err != nil {
		return err
	}
	what := "start " + o.req.Document
	if n := len(o.req.Targets); n > 0 {
		what += " for all of " + spelledTargets(o.req.Targets)
	}
	if o.dryRun {
		env.Note("would %s; nothing was started", what)
		return nil
	}
	if len(o.req.Targets) > 0 {
		if err := env.Confirm(ctx, what); err != nil {
			return err
		}
	}
	svc, err := openAutomation(ctx, env)
	if err != nil {
		return err
	}
	id, err := svc.Start(ctx, o.req)
	if err != nil {
		return err
	}
	if o.watch {
		env.Note("started automation %s", id)
		return followAutomation(ctx, env, id, o.wait)
	}
	started := struct {
		ID       string `json:"id"`
		Document string `json:"document"`
	}{id, o.req.Document}
	if ro.Query == "" {
		switch ro.Format {
		case render.FormatAuto, render.FormatTable, render.FormatWide, render.FormatText:
			_, err := fmt.Fprintln(env.Out, id)
			env.Note("follow with `ssmdeck automation watch %s`", id)
			return err
		}
	}
	return render.Object(env.Out, ro, started, func(d *render.Detail) {
		d.ID(id)
		d.Field("ID", id)
		d.Field("Document", started.Document)
	})
}

func spelledTargets(targets []automation.Target) string {
	var words []string
	for _, t := range targets {
		switch t.Key {
		case "ParameterValues":
			words = append(words, cli.SomeOf(t.Values, 5))
		case "ResourceGroup":
			words = append(words, "group "+strings.Join(t.Values, ", "))
		default:
			words = append(words, t.Key+"="+strings.Join(t.Values, ","))
		}
	}
	return strings.Join(words, " and ")
}

// parameters checks what was given against the document. Where the document may
// not be described, the service checks alone.
func (o *start) parameters(ctx context.Context, env *cli.Env) error {
	svc, err := env.Documents(ctx)
	if err != nil {
		return err
	}
	doc, err := svc.Describe(ctx, o.req.Document, o.req.DocumentVersion)
	switch {
	case fault.KindOf(err) == fault.Auth && !o.params.Any():
		return nil
	case fault.KindOf(err) == fault.Auth:
		env.Note("ssmdeck: the document cannot be described, so the service checks the parameters: %v", err)
		o.req.Parameters, err = o.params.Unchecked(env)
		return err
	case err != nil:
		return err
	case doc.Type != "" && doc.Type != "Automation":
		return docnames.WrongKind(doc, "Automation")
	}
	var provided []string
	if p := o.req.TargetParameter; p != "" {
		if _, ok := doc.Parameter(p); !ok {
			err := fault.Usagef("document %s has no parameter %s for --target-param", doc.Name, p)
			if near := fault.Nearest(p, doc.ParameterNames()); near != "" {
				return err.WithHint("did you mean %s?", near)
			}
			return err.WithHint("its parameters are %s", strings.Join(doc.ParameterNames(), ", "))
		}
		provided = append(provided, p)
	}
	o.req.Parameters, err = o.params.Checked(env, doc, provided...)
	return err
}

func newWatchCmd(env *cli.Env) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "watch <id>",
		Short: "Follow an automation until it ends",
		Long: `Follow an automation: a line on standard error for each step that changes its state,
then the whole on standard output. With -o jsonl each change is an object on
standard output.

The status is 0 when all went well, 6 when it failed, was rejected or stopped,
8 when --wait was over first. Ctrl-C stops following; the automation goes on.`,
		Example: `  $ ssmdeck automation watch 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck automation watch 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 --wait 10m`,
		Args:              iDs(cli.ExactArgs("the automation's id")),
		ValidArgsFunction: completeAutomation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("wait") && wait <= 0 {
				return fault.Usagef("--wait %s is not a time to wait", wait)
			}
			return followAutomation(cmd.Context(), env, args[0], wait)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "stop following after `duration` (exit 8)")
	return cmd
}

// followAutomation shows an automation until it ends, or for most as long as limit
// when that is above zero.
func followAutomation(ctx context.Context, e *cli.Env, id string, limit time.Duration) error {
	ro, err := e.RenderOptions()
	if err != nil {
		return err
	}
	svc, err := openAutomation(ctx, e)
	if err != nil {
		return err
	}
	progress, err := e.Progress()
	if err != nil {
		return err
	}
	followed, stop := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		followed, stop = context.WithTimeout(ctx, limit)
	}
	defer stop()
	view := &automationProgress{env: e, ro: ro, progress: progress, id: id, steps: map[string]automation.Step{}}
	last, err := svc.Follow(followed, id, view.event)
	progress.Close()
	switch {
	case view.err != nil:
		return view.err
	case err != nil && ctx.Err() != nil:
		e.Note("ssmdeck: stopped following; the automation goes on\nssmdeck: hint: follow with `ssmdeck automation watch %s`, stop with `ssmdeck automation stop %s`", id, id)
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	case err != nil && errors.Is(followed.Err(), context.DeadlineExceeded):
		return stillRunning(last, id, limit)
	case err != nil:
		return err
	}
	if ro.Format != render.FormatJSONL {
		if err := showAutomation(ctx, e, svc, ro, id); err != nil {
			return err
		}
	}
	if !last.State.Known() {
		return fault.New(fault.RemoteFailed, "automation "+id+" of "+last.Document, "it ended as %q, which ssmdeck does not know", last.State)
	}
	if last.State.Bad() {
		reason := string(last.State)
		if last.Failure != "" {
			reason += ": " + strings.Join(strings.Fields(last.Failure), " ")
		}
		return fault.New(fault.RemoteFailed, "automation "+id+" of "+last.Document, "%s", reason)
	}
	return nil
}

func stillRunning(last automation.Execution, id string, limit time.Duration) error {
	err := fault.New(fault.Pending, "automation "+id, "still %s after %s", last.State, limit)
	if last.State.Waits() {
		return err.WithHint("it waits for a decision: `ssmdeck automation approve %s` or `ssmdeck automation reject %s`", id, id)
	}
	return err.WithHint("follow with `ssmdeck automation watch %s`", id)
}
