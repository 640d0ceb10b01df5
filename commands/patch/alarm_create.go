package patch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/configrules"
	"github.com/ssmdeck/ssmdeck/internal/eventrules"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/metrics"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// alarmCreateOptions are those of `patch alarm create`.
type alarmCreateOptions struct {
	alarm  metrics.Alarm
	via    string
	dryRun bool
}

// metricFlags are those of alarms of CloudWatch alone.
var metricFlags = []string{"metric", "threshold", "group", "namespace", "period", "periods", "missing-data", "ok-sns"}

func newAlarmCreateCmd(env *cli.Env) *cobra.Command {
	o := alarmCreateOptions{via: viaMetric, alarm: metrics.Alarm{
		Namespace: metrics.Namespace, Metric: "NonCompliantNodes", Period: 24 * time.Hour, Periods: 1, Missing: metrics.MissingBreaching,
	}}
	cmd := &cobra.Command{
		Use:     "create <name>",
		Aliases: []string{"new"},
		Short:   "Make an alarm, or change the one of that name",
		Long: `Make an alarm on patching. What is there already is left alone when it is the same;
else the differences are shown and asked about. An alarm or rule that watches something
else is never changed.

--via metric (the default) is an alarm of CloudWatch that rises when the number is above
--threshold. A period without data counts as an alarm, since then nobody publishes any
more; --missing-data says otherwise. --period should be no shorter than the time between
two publications. An alarm costs by the month, a period under a minute more.

--via config is the managed rule ` + configrules.Identifier + `
of AWS Config. It needs a recorder that records ` + configrules.Resource + `, and is billed by
recorded items and evaluations. It tells nobody by itself.

--via events is a rule of EventBridge on ` + "`" + eventrules.DetailType + "`" + `.
It tells the topics of each node that stops being compliant; events of AWS services
cost nothing.

The access policy of a topic must let CloudWatch or EventBridge publish to it.`,
		Example: `  $ ssmdeck patch alarm create patch-critical --metric CriticalMissing --threshold 0 --sns arn:aws:sns:us-east-1:123456789012:patching
  $ ssmdeck patch alarm create web-patching --threshold 5 --group web --period 1h
  $ ssmdeck patch alarm create patch-compliance --via config
  $ ssmdeck patch alarm create patch-events --via events --sns arn:aws:sns:us-east-1:123456789012:patching`,
		Args: cli.ExactArgs("the name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.alarm.Name = args[0]
			return o.run(cmd, env)
		},
	}
	f := cmd.Flags()
	bindVia(cmd, &o.via, "the `way`: metric, config, events")
	f.StringVar(&o.alarm.Metric, "metric", o.alarm.Metric, "the `metric`: "+strings.Join(metrics.Names(), ", "))
	f.Float64Var(&o.alarm.Threshold, "threshold", 0, "rise above this `number`")
	f.StringVar(&o.alarm.Group, "group", "", "only nodes of this patch `group`")
	f.StringVar(&o.alarm.Namespace, "namespace", o.alarm.Namespace, "`namespace` of the metrics")
	f.DurationVar(&o.alarm.Period, "period", o.alarm.Period, "look at the highest number of each period: `duration`")
	f.IntVar(&o.alarm.Periods, "periods", o.alarm.Periods, "rise after `n` periods above the threshold")
	f.StringVar(&o.alarm.Missing, "missing-data", o.alarm.Missing, "a period without data is: `way` among "+strings.Join(metrics.MissingWays(), ", "))
	f.StringArrayVar(&o.alarm.Topics, "sns", nil, "tell the SNS topic with this `arn`; up to five")
	f.StringArrayVar(&o.alarm.OKTopics, "ok-sns", nil, "tell the SNS topic with this `arn` when all is well again")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be made, and send nothing")
	cli.CompleteFlag(cmd, "metric", metrics.Names)
	cli.CompleteFlag(cmd, "missing-data", metrics.MissingWays)
	return cmd
}

// check looks at everything that was typed, before any call. The Region is that of
// the settings, where they say one.
func (o *alarmCreateOptions) check(cmd *cobra.Command, region string) (err error) {
	if err := checkVia(o.via); err != nil {
		return err
	}
	if o.via != viaMetric {
		for _, name := range metricFlags {
			if cmd.Flags().Changed(name) {
				return fault.Usagef("--%s is for alarms on metrics, and this is --via %s", name, o.via).WithHint("leave it out, or use --via metric")
			}
		}
	}
	if err := metrics.CheckTopics("sns", o.alarm.Topics, region); err != nil {
		return err
	}
	if err := metrics.CheckTopics("ok-sns", o.alarm.OKTopics, region); err != nil {
		return err
	}
	switch o.via {
	case viaConfig:
		if len(o.alarm.Topics) > 0 {
			return fault.Usagef("a rule of AWS Config tells no topic: --sns does not go with --via config").WithHint("use --via events, which does, beside it")
		}
		return configrules.CheckName(o.alarm.Name)
	case viaEvents:
		if len(o.alarm.Topics) == 0 {
			return fault.Usagef("--via events needs somebody to tell").WithHint("name a topic with --sns")
		}
		return eventrules.CheckName(o.alarm.Name)
	}
	if o.alarm.Metric, err = metrics.CheckMetric(o.alarm.Metric); err != nil {
		return err
	}
	if o.alarm.Group != "" {
		o.alarm.Group = metrics.GroupValue(o.alarm.Group)
	}
	return o.alarm.Check()
}

func (o *alarmCreateOptions) run(cmd *cobra.Command, env *cli.Env) error {
	ctx := cmd.Context()
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := o.check(cmd, ""); err != nil {
		return err
	}
	operation := map[string]string{viaMetric: "PutMetricAlarm", viaConfig: "PutConfigRule", viaEvents: "PutRule"}[o.via]
	if err := env.RefuseChange(operation, o.dryRun); err != nil {
		return err
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	if err := o.check(cmd, scope.Region()); err != nil { // of the topics
		return err
	}
	var made alarmRow
	switch o.via {
	case viaMetric:
		made, err = o.viaMetric(ctx, env)
	case viaConfig:
		made, err = o.viaConfig(ctx, env)
	default:
		made, err = o.viaEvents(ctx, env)
	}
	if err != nil {
		return err
	}
	return render.Object(env.Out, ro, made, func(d *render.Detail) {
		d.ID(made.Name)
		d.Field("Name", made.Name)
		d.Field("Via", made.Via)
		d.Field("Watches", made.Watches)
		d.Field("Tells", strings.Join(made.Tells, ", "))
		d.Field("State", made.State)
	})
}

// decide asks before something is made or changed. go is false when nothing is to be
// done: it is the same already, or this is a dry run.
func (o *alarmCreateOptions) decide(ctx context.Context, env *cli.Env, exists bool, differences []string, watches string) (proceed bool, err error) {
	name := render.Visible(o.alarm.Name)
	what := fmt.Sprintf("make the alarm %s (via %s: %s)", name, o.via, render.Visible(watches))
	switch {
	case exists && len(differences) == 0:
		env.Note("ssmdeck: %s is so already; nothing was changed", name)
		return false, nil
	case exists:
		for _, line := range differences {
			env.Note("  %s", render.Visible(line))
		}
		what = fmt.Sprintf("change the alarm %s (via %s)", name, o.via)
	}
	if o.dryRun {
		env.Note("ssmdeck: would %s; nothing was sent", what)
		return false, nil
	}
	return true, env.Confirm(ctx, what)
}

// taken is the error of a name that something else has.
func (o *alarmCreateOptions) taken(watches string) error {
	return fault.New(fault.Conflict, "make the alarm "+o.alarm.Name, "there is one of that name that watches something else: %s", watches).WithHint("choose another name")
}

func (o *alarmCreateOptions) viaMetric(ctx context.Context, env *cli.Env) (alarmRow, error) {
	svc, err := openMetrics(ctx, env)
	if err != nil {
		return alarmRow{}, err
	}
	old, exists, err := svc.FindAlarm(ctx, o.alarm.Name)
	switch {
	case err != nil:
		return alarmRow{}, err
	case exists && old.Other != "":
		return alarmRow{}, o.taken(old.Other)
	}
	differences := old.Differences(o.alarm)
	if exists && old.Namespace != o.alarm.Namespace {
		differences = append(differences, "namespace "+old.Namespace+" -> "+o.alarm.Namespace)
	}
	proceed, err := o.decide(ctx, env, exists, differences, o.alarm.Watches())
	if err != nil {
		return alarmRow{}, err
	}
	made := o.alarm
	made.State = old.State
	if !proceed {
		if exists && len(differences) == 0 {
			made = old
		}
		return metricRow(made), nil
	}
	if err := svc.PutAlarm(ctx, o.alarm); err != nil {
		return alarmRow{}, err
	}
	env.Note("ssmdeck: the alarm looks at %s: `ssmdeck patch metrics publish` puts numbers there, `ssmdeck patch metrics scaffold` does it on a schedule", o.alarm.Namespace)
	if now, found, err := svc.FindAlarm(ctx, o.alarm.Name); err == nil && found {
		made = now
	}
	return metricRow(made), nil
}

func (o *alarmCreateOptions) viaConfig(ctx context.Context, env *cli.Env) (alarmRow, error) {
	svc, err := openConfigRules(ctx, env)
	if err != nil {
		return alarmRow{}, err
	}
	old, exists, err := svc.Find(ctx, o.alarm.Name)
	switch {
	case err != nil:
		return alarmRow{}, err
	case exists && !old.Ours():
		return alarmRow{}, o.taken(old.Source)
	}
	made := configRow(configrules.Rule{Name: o.alarm.Name}, old.State)
	proceed, err := o.decide(ctx, env, exists, nil, configrules.Identifier)
	if err != nil || !proceed {
		return made, err
	}
	if err := svc.Put(ctx, o.alarm.Name); err != nil {
		return alarmRow{}, err
	}
	made.State = "EVALUATING"
	env.Note("ssmdeck: `ssmdeck patch config` shows what the rule says of each node, beside Systems Manager")
	return made, nil
}

func (o *alarmCreateOptions) viaEvents(ctx context.Context, env *cli.Env) (alarmRow, error) {
	svc, err := openEventRules(ctx, env)
	if err != nil {
		return alarmRow{}, err
	}
	old, exists, err := svc.Find(ctx, o.alarm.Name)
	switch {
	case err != nil:
		return alarmRow{}, err
	case exists && !old.Watches():
		return alarmRow{}, o.taken("other events")
	}
	var differences []string
	if exists && !old.Same() {
		differences = append(differences, "pattern "+old.Pattern+" -> "+eventrules.Pattern)
	}
	if have, want := slices.Sorted(slices.Values(old.Topics)), slices.Sorted(slices.Values(o.alarm.Topics)); exists && !slices.Equal(have, want) {
		differences = append(differences, "tells "+strings.Join(have, ", ")+" -> "+strings.Join(want, ", "))
	}
	if exists && old.State != "ENABLED" {
		differences = append(differences, "state "+old.State+" -> ENABLED")
	}
	made := eventRow(eventrules.Rule{Name: o.alarm.Name, State: "ENABLED", Pattern: eventrules.Pattern, Topics: o.alarm.Topics})
	proceed, err := o.decide(ctx, env, exists, differences, made.Watches)
	if err != nil || !proceed {
		if !exists {
			made.State = ""
		}
		return made, err
	}
	if err := svc.Put(ctx, o.alarm.Name, o.alarm.Topics, old); err != nil {
		return alarmRow{}, err
	}
	return made, nil
}
