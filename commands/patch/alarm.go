package patch

import (
	"context"
	"errors"
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
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// The ways of an alarm.
const (
	viaMetric = "metric"
	viaConfig = "config"
	viaEvents = "events"
)

var alarmWays = []string{viaMetric, viaConfig, viaEvents}

func newAlarmCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "alarm <command>",
		Aliases: []string{"alarms"},
		Short:   "Be told when nodes are not compliant",
		Long: `There are three ways to be told that nodes are not as their patch baselines want them:

  metric  an alarm of CloudWatch on the numbers that ` + "`ssmdeck patch metrics`" + ` publishes:
          how many nodes, in total or in a patch group
  config  the managed rule of AWS Config, which shows compliance per node and over time
  events  a rule of EventBridge, which tells a topic of each node that stops being
          compliant, within minutes of its scan`,
		Example: `  $ ssmdeck patch alarm create patch-critical --metric CriticalMissing --sns arn:aws:sns:us-east-1:123456789012:patching
  $ ssmdeck patch alarm list
  $ ssmdeck patch alarm delete patch-critical`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	cmd.AddCommand(newAlarmCreateCmd(env), newAlarmListCmd(env), newAlarmDeleteCmd(env))
	return cmd
}

// openConfigRules returns the rules of AWS Config.
func openConfigRules(ctx context.Context, env *cli.Env) (*configrules.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return configrules.New(scope.Config()), nil
}

// openEventRules returns the rules of EventBridge.
func openEventRules(ctx context.Context, env *cli.Env) (*eventrules.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return eventrules.New(scope.Config()), nil
}

// alarmRow is one alarm of any way. The JSON names are part of the output contract.
type alarmRow struct {
	Name    string    `json:"name"`
	Via     string    `json:"via"`
	State   string    `json:"state"`
	Watches string    `json:"watches"`
	Tells   []string  `json:"tells"`
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"state_since,omitzero"`
}

func metricRow(a metrics.Alarm) alarmRow {
	return alarmRow{Name: a.Name, Via: viaMetric, State: a.State, Watches: a.Watches(), Tells: slices.Clone(a.Topics), Reason: a.Reason, Since: a.Updated}
}

func eventRow(r eventrules.Rule) alarmRow {
	watches := "nodes that stop being compliant"
	if !r.Same() {
		watches = "changes of compliance, with a pattern of its own"
	}
	return alarmRow{Name: r.Name, Via: viaEvents, State: r.State, Watches: watches, Tells: slices.Clone(r.Topics)}
}

func configRow(r configrules.Rule, compliance string) alarmRow {
	return alarmRow{Name: r.Name, Via: viaConfig, State: compliance, Watches: "patch compliance of every node"}
}

var alarmLevels = map[string]theme.Level{
	"OK": theme.Good, "ALARM": theme.Bad, "COMPLIANT": theme.Good, "NON_COMPLIANT": theme.Bad, "ENABLED": theme.Good, "DISABLED": theme.Warn,
}

func alarmTable(ro render.Options) render.Table[alarmRow] {
	return render.Table[alarmRow]{
		ID:    func(r alarmRow) string { return r.Name },
		Empty: "no alarm on patching; `ssmdeck patch alarm create` makes one",
		Columns: []render.Column[alarmRow]{
			{Name: "STATE", Text: func(r alarmRow) string { return r.State }, Human: func(r alarmRow) string {
				level, known := alarmLevels[r.State]
				if !known {
					level = theme.Unknown
				}
				return ro.Styles.Status(level, strings.ToLower(strings.ReplaceAll(r.State, "_", "-")))
			}},
			{Name: "NAME", ID: true, Text: func(r alarmRow) string { return r.Name }},
			{Name: "VIA", Text: func(r alarmRow) string { return r.Via }},
			{Name: "WATCHES", Text: func(r alarmRow) string { return r.Watches }},
			{Name: "TELLS", Text: func(r alarmRow) string { return strings.Join(r.Tells, ",") }, Human: func(r alarmRow) string {
				names := make([]string, len(r.Tells))
				for i, arn := range r.Tells {
					names[i] = arn[strings.LastIndexByte(arn, ':')+1:]
				}
				if len(names) == 0 {
					return ro.Styles.Dim.Render("nobody")
				}
				return render.Visible(strings.Join(names, ", "))
			}},
			{Name: "STATE SINCE", Wide: true, Text: func(r alarmRow) string { return render.Timestamp(r.Since) }},
			{Name: "REASON", Wide: true, Text: func(r alarmRow) string { return r.Reason }},
		},
	}
}

func newAlarmListCmd(env *cli.Env) *cobra.Command {
	namespace, via := metrics.Namespace, ""
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Alarms on patching, of all three ways, with their state",
		Example: `  $ ssmdeck patch alarm list
  $ ssmdeck patch alarm list --via metric -o json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listAlarms(cmd.Context(), env, namespace, via)
		},
	}
	bindVia(cmd, &via, "only alarms of this `way`: metric, config, events")
	cmd.Flags().StringVar(&namespace, "namespace", namespace, "`namespace` of the metrics")
	return cmd
}

func bindVia(cmd *cobra.Command, via *string, usage string) {
	cmd.Flags().StringVar(via, "via", *via, usage)
	cli.CompleteFlag(cmd, "via", func() []string { return alarmWays })
}

func checkVia(via string) error {
	if via == "" || slices.Contains(alarmWays, via) {
		return nil
	}
	err := fault.Usagef("--via %q is no way to be told", via)
	if near := fault.Nearest(via, alarmWays); near != "" {
		return err.WithHint("did you mean --via %s?", near)
	}
	return err.WithHint("use metric, config or events")
}

func listAlarms(ctx context.Context, env *cli.Env, namespace, via string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := errors.Join(alarmTable(ro).Check(ro), checkVia(via)); err != nil {
		return err
	}
	if err := metrics.CheckNamespace(namespace); err != nil {
		return err
	}
	ways := alarmWays
	if via != "" {
		ways = []string{via}
	}
	var rows []alarmRow
	var failures []error
	for _, way := range ways {
		found, err := alarmsVia(ctx, env, way, namespace)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", way, err))
			continue
		}
		rows = append(rows, found...)
	}
	if len(failures) == len(ways) {
		return errors.Unwrap(failures[0])
	}
	if len(rows) > 0 || len(failures) == 0 { // an empty list would say that there is none
		if err := cli.WriteList(env, alarmTable, ro, rows); err != nil {
			return err
		}
	}
	if len(failures) > 0 {
		return fault.New(fault.RemoteFailed, "list alarms", "the list is not complete: %w", errors.Join(failures...))
	}
	return nil
}

// alarmsVia lists the alarms of one way.
func alarmsVia(ctx context.Context, env *cli.Env, via, namespace string) (rows []alarmRow, err error) {
	switch via {
	case viaMetric:
		svc, err := openMetrics(ctx, env)
		if err != nil {
			return nil, err
		}
		alarms, err := svc.Alarms(ctx, namespace)
		for _, a := range alarms {
			rows = append(rows, metricRow(a))
		}
		return rows, err
	case viaConfig:
		svc, err := openConfigRules(ctx, env)
		if err != nil {
			return nil, err
		}
		rules, err := svc.Rules(ctx)
		for _, r := range rules {
			compliance, err := svc.Compliance(ctx, r.Name)
			if err != nil {
				return nil, err
			}
			rows = append(rows, configRow(r, compliance))
		}
		return rows, err
	default:
		svc, err := openEventRules(ctx, env)
		if err != nil {
			return nil, err
		}
		rules, err := svc.Rules(ctx)
		for _, r := range rules {
			rows = append(rows, eventRow(r))
		}
		return rows, err
	}
}

func newAlarmDeleteCmd(env *cli.Env) *cobra.Command {
	via, dryRun := "", false
	cmd := &cobra.Command{
		Use:     "delete <name>",
		Aliases: []string{"rm"},
		Short:   "Delete an alarm on patching, of any way",
		Long: `Delete an alarm on patching by its name, wherever it is: in CloudWatch, AWS Config or
EventBridge. What watches something else is never deleted, whatever its name. A rule of
AWS Config takes with it what it has found.`,
		Example: `  $ ssmdeck patch alarm delete patch-critical
  $ ssmdeck patch alarm delete patching --via config --dry-run`,
		Args: cli.ExactArgs("the name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return deleteAlarm(cmd.Context(), env, args[0], via, dryRun)
		},
	}
	bindVia(cmd, &via, "the `way` of the alarm, where several have the name: metric, config, events")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be deleted, and send nothing")
	return cmd
}

// alarmFound is an alarm that has the name that was asked for, and how it goes.
type alarmFound struct {
	row    alarmRow
	ours   bool
	delete func(context.Context) error
}

// findAlarm looks for a name in one way.
func findAlarm(ctx context.Context, env *cli.Env, via, name string) (*alarmFound, error) {
	switch via {
	case viaMetric:
		svc, err := openMetrics(ctx, env)
		if err != nil {
			return nil, err
		}
		a, found, err := svc.FindAlarm(ctx, name)
		if err != nil || !found {
			return nil, err
		}
		return &alarmFound{metricRow(a), a.Other == "", func(ctx context.Context) error { return svc.DeleteAlarm(ctx, name) }}, nil
	case viaConfig:
		if configrules.CheckName(name) != nil {
			return nil, nil
		}
		svc, err := openConfigRules(ctx, env)
		if err != nil {
			return nil, err
		}
		r, found, err := svc.Find(ctx, name)
		if err != nil || !found {
			return nil, err
		}
		row := configRow(r, r.State)
		if !r.Ours() {
			row.Watches = r.Source
		}
		return &alarmFound{row, r.Ours(), func(ctx context.Context) error { return svc.Delete(ctx, name) }}, nil
	default:
		if eventrules.CheckName(name) != nil {
			return nil, nil
		}
		svc, err := openEventRules(ctx, env)
		if err != nil {
			return nil, err
		}
		r, found, err := svc.Find(ctx, name)
		if err != nil || !found {
			return nil, err
		}
		row := eventRow(r)
		if !r.Watches() {
			row.Watches = "other events"
		}
		return &alarmFound{row, r.Watches(), func(ctx context.Context) error { return svc.Delete(ctx, r) }}, nil
	}
}

func deleteAlarm(ctx context.Context, env *cli.Env, name, via string, dryRun bool) error {
	if err := checkVia(via); err != nil {
		return err
	}
	if err := env.RefuseChange("DeleteAlarms", dryRun); err != nil {
		return err
	}
	op := "delete the alarm " + name
	ways := alarmWays
	if via != "" {
		ways = []string{via}
	}
	var ours, others []*alarmFound
	for _, way := range ways {
		a, err := findAlarm(ctx, env, way, name)
		switch {
		case err != nil:
			return err
		case a == nil:
		case a.ours:
			ours = append(ours, a)
		default:
			others = append(others, a)
		}
	}
	switch {
	case len(ours) > 1:
		var found []string
		for _, a := range ours {
			found = append(found, a.row.Via)
		}
		return fault.New(fault.NotFound, op, "there are several of that name: %s", strings.Join(found, ", ")).WithHint("choose with --via %s", found[0])
	case len(ours) == 0 && len(others) > 0:
		return fault.New(fault.Conflict, op, "it is not about patching: it watches %s", others[0].row.Watches).WithHint("`ssmdeck patch alarm list` shows those that are")
	case len(ours) == 0:
		return fault.New(fault.NotFound, op, "there is none").WithHint("`ssmdeck patch alarm list` shows what there is")
	}
	a := ours[0]
	what := fmt.Sprintf("%s (via %s, watches %s)", render.Visible(name), a.row.Via, render.Visible(a.row.Watches))
	if dryRun {
		env.Note("ssmdeck: would delete %s; nothing was sent", what)
		return nil
	}
	if err := env.Confirm(ctx, "delete the alarm "+what); err != nil {
		return err
	}
	if err := a.delete(ctx); err != nil {
		return err
	}
	env.Note("ssmdeck: deleted %s", what)
	return nil
}
