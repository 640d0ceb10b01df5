package automation

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/docnames"
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// NewCmd is `ssmdeck automation`.
func NewCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "automation <command>",
		Aliases: []string{"automations", "auto", "runbook"},
		Short:   "Runbooks: start them, follow their steps, decide, stop",
		Example: `  $ ssmdeck automation start AWS-RestartEC2Instance --instance-id i-0123456789abcdef0 --watch
  $ ssmdeck automation list --status Waiting
  $ ssmdeck automation approve 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	env.Subcommands(cmd, newStartCmd, newListCmd, newGetCmd, newStepsCmd,
		newWatchCmd, newStopCmd,
		decision(automation.Approve, "Approve what an automation waits for"),
		decision(automation.Reject, "Reject what an automation waits for, which fails it"),
		decision(automation.Resume, "Go on with an automation that a step of it has paused"),
		decision(automation.StartStep, "Start the next step of an automation in interactive mode"))
	return cmd
}

func newListCmd(env *cli.Env) *cobra.Command {
	var (
		f     automation.Filter
		state string
		since cli.SinceFlag
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List automations, newest first",
		Example: `  $ ssmdeck automation list --limit 10
  $ ssmdeck automation list --status Failed --since 24h
  $ ssmdeck automation list --document AWS-Patch -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if state != "" {
				if f.State, err = automation.ParseState(state); err != nil {
					return err
				}
			}
			if f.After, err = since.Time(time.Now()); err != nil {
				return err
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			return cli.WriteGrid(cmd.Context(), env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[automation.Execution, error], error) {
				svc, err := openAutomation(ctx, env)
				if err != nil {
					return nil, err
				}
				return svc.List(ctx, f), nil
			})
		},
	}
	cmd.Flags().StringVar(&state, "status", "", "only automations in this `state`, such as InProgress, Waiting, Failed")
	cmd.Flags().StringVar(&f.Document, "document", "", "only automations of documents whose name begins with `prefix`")
	cmd.Flags().StringVar(&f.Parent, "parent", "", "only automations that the one with this `id` has started")
	since.Bind(cmd, "automations")
	cli.CompleteFlag(cmd, "status", automation.States)
	_ = cmd.RegisterFlagCompletionFunc("document", docnames.CompleteDocuments(env, "Automation"))
	_ = cmd.RegisterFlagCompletionFunc("parent", completeAutomation(env))
	return cli.Spans(cmd)
}

func table(o render.Options) render.Table[automation.Execution] {
	return render.Table[automation.Execution]{
		ID:    func(e automation.Execution) string { return e.ID },
		Empty: "no automations match",
		Columns: []render.Column[automation.Execution]{
			{
				Name: "STATUS", Text: func(e automation.Execution) string { return string(e.State) },
				Human: func(e automation.Execution) string {
					return o.Styles.Status(levels.Automation(e.State), render.Visible(string(e.State)))
				},
			},
			{Name: "AUTOMATION ID", ID: true, Text: func(e automation.Execution) string { return e.ID }},
			{Name: "DOCUMENT", Text: func(e automation.Execution) string { return e.Document }},
			{Name: "STEP", Text: func(e automation.Execution) string { return e.CurrentStep }},
			cli.AgoColumn(o, "STARTED", func(e automation.Execution) time.Time { return e.Started }),
			{Name: "BY", Text: func(e automation.Execution) string { return e.ExecutedBy[strings.LastIndex(e.ExecutedBy, "/")+1:] }},
			{Name: "TARGET", Wide: true, Text: func(e automation.Execution) string { return e.Target }},
			{Name: "FAILURE", Wide: true, Text: func(e automation.Execution) string { return e.Failure }},
			{Name: "PARENT", Wide: true, Text: func(e automation.Execution) string { return e.Parent }},
		},
	}
}

// details is the answer of `automation get`.
type details struct {
	automation.Execution
	Steps []automation.Step `json:"step_executions"`
}

func newGetCmd(env *cli.Env) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:     "get <id>",
		Aliases: []string{"show"},
		Short:   "Show an automation with its steps and outputs",
		Long: `Show an automation: state, parameters, steps, outputs. --watch follows it first.
Parameters and outputs may be secret; they are shown because they are asked for.`,
		Example: `  $ ssmdeck automation get 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck automation get 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 -o json --query outputs`,
		Args:              iDs(cli.ExactArgs("the automation's id")),
		ValidArgsFunction: completeAutomation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if watch {
				return followAutomation(cmd.Context(), env, args[0], 0)
			}
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := openAutomation(cmd.Context(), env)
			if err != nil {
				return err
			}
			return showAutomation(cmd.Context(), env, svc, ro, args[0])
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "follow until it has ended")
	return cmd
}

func showAutomation(ctx context.Context, env *cli.Env, svc *automation.Service, ro render.Options, id string) error {
	e, err := svc.Get(ctx, id)
	if err != nil {
		return err
	}
	steps, err := svc.Steps(ctx, id)
	if err != nil {
		return err
	}
	d := details{Execution: e, Steps: steps}
	return render.Object(env.Out, ro, d, func(v *render.Detail) { automationView(v, ro, d) })
}

func automationView(d *render.Detail, o render.Options, e details) {
	d.ID(e.ID)
	d.Field("Automation", e.ID)
	d.Human("State", string(e.State), o.Styles.Status(levels.Automation(e.State), render.Visible(string(e.State))))
	d.Field("Failure", e.Failure)
	d.Field("Warning", e.Warning)
	d.Field("Document", strings.TrimSuffix(e.Document+" version "+e.DocumentVersion, " version "))
	d.Field("Mode", e.Mode)
	d.Field("By", e.ExecutedBy)
	cli.Moment(d, o, "Started", e.Started)
	cli.Moment(d, o, "Ended", e.Ended)
	d.Field("Target", e.Target)
	d.Field("Parent", e.Parent)
	if c := e.Counts; c != nil {
		d.Field("Counts", fmt.Sprintf("%d of %d well, %d failed, %d cancelled, %d timed out", c.Success, c.Total, c.Failed, c.Cancelled, c.TimedOut))
	}
	listed(d, "Parameters", e.Parameters)
	if len(e.Steps) > 0 {
		d.Section("Steps")
	}
	for _, s := range e.Steps {
		d.Human(s.Name, stepWords(s), o.Styles.Status(levels.Automation(s.State), render.Visible(stepWords(s))))
	}
	listed(d, "Outputs", e.Outputs)
}

// listed adds values by name under a heading.
func listed(d *render.Detail, heading string, values map[string][]string) {
	if len(values) == 0 {
		return
	}
	d.Section(heading)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		d.Field(name, oneOrJSON(values[name]))
	}
}

func oneOrJSON(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	j, err := json.Marshal(values)
	if err != nil {
		return strings.Join(values, ", ")
	}
	return string(j)
}

// stepWords is a step in a line, without its name.
func stepWords(s automation.Step) string {
	words := string(s.State) + "  " + s.Action
	if !s.Started.IsZero() && !s.Ended.IsZero() {
		words += "  " + s.Ended.Sub(s.Started).Round(time.Second).String()
	}
	if s.Failure != "" {
		words += "  " + strings.Join(strings.Fields(s.Failure), " ")
	}
	return words
}

func newStepsCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "steps <id>",
		Short: "List the steps of an automation",
		Example: `  $ ssmdeck automation steps 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck automation steps 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 -o json --query '[].outputs'`,
		Args:              iDs(cli.ExactArgs("the automation's id")),
		ValidArgsFunction: completeAutomation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro, err := env.RenderOptions()
			if err != nil {
				return err
			}
			svc, err := openAutomation(cmd.Context(), env)
			if err != nil {
				return err
			}
			steps, err := svc.Steps(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return cli.WriteList(env, stepTable, ro, steps)
		},
	}
}

func stepTable(o render.Options) render.Table[automation.Step] {
	return render.Table[automation.Step]{
		ID:    func(s automation.Step) string { return s.ID },
		Empty: "no step has begun",
		Columns: []render.Column[automation.Step]{
			{
				Name: "STATUS", Text: func(s automation.Step) string { return string(s.State) },
				Human: func(s automation.Step) string {
					return o.Styles.Status(levels.Automation(s.State), render.Visible(string(s.State)))
				},
			},
			{Name: "STEP", Text: func(s automation.Step) string { return s.Name }},
			{Name: "ACTION", Text: func(s automation.Step) string { return s.Action }},
			cli.AgoColumn(o, "STARTED", func(s automation.Step) time.Time { return s.Started }),
			{Name: "FAILURE", Text: func(s automation.Step) string { return s.Failure }},
			{Name: "ENDED", Wide: true, Text: func(s automation.Step) string { return render.Timestamp(s.Ended) }},
			{Name: "CODE", Wide: true, Text: func(s automation.Step) string { return s.Code }},
			{Name: "STEP ID", ID: true, Wide: true, Text: func(s automation.Step) string { return s.ID }},
		},
	}
}

func newStopCmd(env *cli.Env) *cobra.Command {
	var complete, dryRun bool
	cmd := &cobra.Command{
		Use:   "stop <id>...",
		Short: "Stop automations",
		Long: `Stop automations, after asking: at once, or with --complete when the step that
runs has ended. What steps have done stays done.`,
		Example: `  $ ssmdeck automation stop 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55
  $ ssmdeck automation stop 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55 --complete --yes`,
		Args:              iDs(cli.MinArgs("the automation's id")),
		ValidArgsFunction: completeAutomation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			svc, err := openAutomation(ctx, env)
			if err != nil {
				return err
			}
			if dryRun {
				for _, id := range args {
					e, err := svc.Get(ctx, id)
					if err != nil {
						return err
					}
					env.Note("would stop %s of %s (%s); nothing was sent", e.ID, e.Document, e.State)
				}
				return nil
			}
			if err := env.Confirm(ctx, "stop "+cli.Plural(len(args), "automation")); err != nil {
				return err
			}
			var faults []error
			for _, id := range args {
				if err := svc.Stop(ctx, id, complete); err != nil {
					faults = append(faults, err)
					continue
				}
				env.Note("asked to stop %s", id)
			}
			return cli.MoreThanOne("stop automations", faults, len(args))
		},
	}
	cmd.Flags().BoolVar(&complete, "complete", false, "let the step that runs end")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say which automations would be stopped and stop none")
	return cmd
}

// decision makes the command that sends a signal.
func decision(signal automation.Signal, short string) func(*cli.Env) *cobra.Command {
	return func(env *cli.Env) *cobra.Command { return newDecideCmd(env, signal, short) }
}

func newDecideCmd(env *cli.Env, signal automation.Signal, short string) *cobra.Command {
	var comment, step string
	verb := strings.ToLower(string(signal))
	if signal == automation.StartStep {
		verb = "start-step"
	}
	cmd := &cobra.Command{
		Use:               verb + " <id>",
		Short:             short,
		Example:           "  $ ssmdeck automation " + verb + " 0c0e6b1c-8d41-4a4c-9c3e-2b1d6d1f7a55",
		Args:              iDs(cli.ExactArgs("the automation's id")),
		ValidArgsFunction: completeAutomation(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return decide(cmd.Context(), env, verb, signal, args[0], comment, step)
		},
	}
	if signal.ForStep() {
		cmd.Flags().StringVar(&step, "step", "", "`name` of the step (default: the one that is next)")
	} else {
		cmd.Flags().StringVar(&comment, "comment", "", "`text` that is kept with the decision")
	}
	return cmd
}

func decide(ctx context.Context, env *cli.Env, verb string, signal automation.Signal, id, comment, step string) error {
	svc, err := openAutomation(ctx, env)
	if err != nil {
		return err
	}
	e, err := svc.Get(ctx, id)
	if err != nil {
		return err
	}
	if e.State.Final() {
		return fault.New(fault.Failed, verb+" automation "+id, "it has ended: %s", e.State)
	}
	if signal.ForStep() && step == "" {
		if step, err = nextStep(ctx, svc, e, signal); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("%s automation %s of %s", verb, e.ID, e.Document)
	if at := cmp.Or(step, e.CurrentStep); at != "" {
		what += ", step " + at
	}
	if err := env.Confirm(ctx, what); err != nil {
		return err
	}
	if err := svc.Decide(ctx, id, signal, comment, step); err != nil {
		return err
	}
	env.Note("done: %s", what)
	return nil
}

// nextStep is the step that a signal is for when none is named.
func nextStep(ctx context.Context, svc *automation.Service, e automation.Execution, signal automation.Signal) (string, error) {
	steps, err := svc.Steps(ctx, e.ID)
	if err != nil {
		return "", err
	}
	for _, s := range steps {
		if signal == automation.StartStep && s.State == "Pending" || signal == automation.Resume && s.State.Waits() {
			return s.Name, nil
		}
	}
	return "", fault.New(fault.Failed, "automation "+e.ID, "no step waits for that").WithHint("see `ssmdeck automation steps %s`", e.ID)
}

// automationID is the form of the API's AutomationExecutionId.
var automationID = pattern.Lazy(`^[0-9a-fA-F-]{36}$`)

// iDs checks the form of ids after their number.
func iDs(count cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := count(cmd, args); err != nil {
			return err
		}
		for _, id := range args {
			if !automationID().MatchString(id) {
				return fault.Usagef("%q is no id of an automation", id).WithHint("see `ssmdeck automation list`")
			}
		}
		return nil
	}
}

// completeAutomation completes the ids of recent automations.
func completeAutomation(env *cli.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		const most = 20
		ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
		defer cancel()
		svc, err := openAutomation(ctx, env)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for x, err := range svc.List(ctx, automation.Filter{}) {
			if err != nil || len(words) == most {
				break
			}
			words = append(words, x.ID+"\t"+string(x.State)+" "+x.Document)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
