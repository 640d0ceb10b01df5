package patch

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/metrics"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// defaultMetricGroups is how many patch groups have metrics of their own.
const defaultMetricGroups = 20

// maxMetricGroups bounds them: each costs as many custom metrics as there are names.
const maxMetricGroups = 500

func newMetricsCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "metrics <command>",
		Short: "Numbers of patching in CloudWatch",
		Long: `Patch Manager publishes no metric. These commands put its numbers into CloudWatch, now
or on a schedule inside the account, where alarms and dashboards can see them.`,
		Example: `  $ ssmdeck patch metrics publish
  $ ssmdeck patch metrics scaffold > patch-metrics.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: cli.RunGroup,
	}
	cmd.AddCommand(newMetricsPublishCmd(env), newMetricsScaffoldCmd(env))
	return cmd
}

// openMetrics returns the service of CloudWatch's metrics and alarms.
func openMetrics(ctx context.Context, env *cli.Env) (*metrics.Service, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return metrics.New(scope.Config()), nil
}

// metricsPublishOptions are those of `patch metrics publish`.
type metricsPublishOptions struct {
	nodes     nodechoice.Scanned
	namespace string
	groups    int
	partial   bool
	dryRun    bool

	scope string
}

func newMetricsPublishCmd(env *cli.Env) *cobra.Command {
	var o metricsPublishOptions
	cmd := &cobra.Command{
		Use:   "publish [<target>...]",
		Short: "Put the numbers of now into CloudWatch",
		Long: `Count the state of patching and put the numbers into CloudWatch: in total, and for the
worst patch groups with the dimension ` + metrics.GroupDimension + `. Without a target they are those of every
managed node. Publish the same nodes every time: two publications of different nodes
are one series of numbers that jumps.

When the state of a node cannot be read nothing is published, since too low a number
would look like good news; --partial publishes what is known.

CloudWatch bills each metric by the hour in which it has data: ` + strconv.Itoa(len(metrics.Metrics())) + ` in total, and as many for
each patch group; --groups bounds those.`,
		Example: `  $ ssmdeck patch metrics publish --dry-run
  $ ssmdeck patch metrics publish
  $ ssmdeck patch metrics publish --tag env=prod --namespace Shop/Patching --groups 0`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.nodes.Parse(args); err != nil {
				return err
			}
			o.scope = scope(&o.nodes, args)
			return o.run(cmd.Context(), env)
		},
	}
	o.nodes.Choice.Bind(env, cmd)
	o.nodes.Stale = "0"
	bindNoHistory(&o.nodes, cmd)
	f := cmd.Flags()
	f.StringVar(&o.namespace, "namespace", metrics.Namespace, "`namespace` of the metrics")
	f.IntVar(&o.groups, "groups", defaultMetricGroups, "metrics of their own for at most `n` patch groups, the worst first; 0 for none")
	f.BoolVar(&o.partial, "partial", false, "publish also when the state of some nodes could not be read")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be published, and send nothing")
	return cmd
}

func (o *metricsPublishOptions) run(ctx context.Context, env *cli.Env) error {
	ro, err := cli.ListOptions(env, datumTable)
	if err != nil {
		return err
	}
	if err := checkMetricFlags(o.namespace, o.groups); err != nil {
		return err
	}
	if err := env.RefuseChange("PutMetricData", o.dryRun); err != nil {
		return err
	}
	l, err := read(ctx, &o.nodes, env, fleet.PartEC2|fleet.PartTags)
	if err != nil {
		return cli.WhereItIs(err)
	}
	noteReport(env, l.report)
	keep(ctx, &o.nodes, env, l, o.scope)
	switch {
	case l.report.Total.Nodes == 0:
		return fault.New(fault.NotFound, "publish metrics", "there is no managed node").WithHint("nothing was published; `ssmdeck ls` shows what there is")
	case l.partial != nil && !o.partial:
		return fmt.Errorf("nothing was published: %w", l.partial)
	}
	data, omitted := metrics.Data(l.report.Total, l.report.Groups, o.groups, l.report.Made)
	if omitted > 0 && o.groups > 0 {
		env.Note("ssmdeck: note: %s without metrics of their own: --groups %d takes them in", cli.PluralAre(omitted, "patch group"), o.groups+omitted)
	}
	if o.dryRun {
		env.Note("ssmdeck: would publish %s to %s; nothing was sent", cli.Plural(len(data), "value"), o.namespace)
		return cli.WriteList(env, datumTable, ro, data)
	}
	svc, err := openMetrics(ctx, env)
	if err != nil {
		return err
	}
	sent, err := svc.Publish(ctx, o.namespace, data)
	if err != nil {
		if sent > 0 {
			env.Note("ssmdeck: %d of %s published before it failed", sent, cli.Plural(len(data), "value"))
		}
		return err
	}
	env.Note("ssmdeck: published %s to %s", cli.Plural(sent, "value"), o.namespace)
	if err := cli.WriteList(env, datumTable, ro, data); err != nil {
		return err
	}
	return l.partial
}

func checkMetricFlags(namespace string, groups int) error {
	if groups < 0 || groups > maxMetricGroups {
		return fault.Usagef("--groups %d is not between 0 and %d", groups, maxMetricGroups)
	}
	return metrics.CheckNamespace(namespace)
}

func datumTable(ro render.Options) render.Table[metrics.Datum] {
	return render.Table[metrics.Datum]{
		ID: func(d metrics.Datum) string { return d.Metric },
		Columns: []render.Column[metrics.Datum]{
			{Name: "METRIC", Text: func(d metrics.Datum) string { return d.Metric }},
			{Name: "PATCH GROUP", Text: func(d metrics.Datum) string { return d.Group }, Human: func(d metrics.Datum) string {
				if d.Group == "" {
					return ro.Styles.Dim.Render("(all nodes)")
				}
				return render.Visible(d.Group)
			}},
			{
				Name: "VALUE", Right: true, Text: func(d metrics.Datum) string { return strconv.FormatFloat(d.Value, 'f', -1, 64) },
				Human: func(d metrics.Datum) string {
					text := strconv.FormatFloat(d.Value, 'f', 0, 64)
					if d.Value == 0 {
						return ro.Styles.Dim.Render(text)
					}
					if d.Metric == "Nodes" || d.Metric == "OldestScanHours" {
						return text
					}
					return ro.Styles.Level(theme.Warn).Render(text)
				},
				Less: func(a, b metrics.Datum) bool { return a.Value < b.Value },
			},
			{Name: "UNIT", Wide: true, Text: func(d metrics.Datum) string { return d.Unit }},
			{Name: "TIME", Wide: true, Text: func(d metrics.Datum) string { return render.Timestamp(d.At) }},
		},
	}
}

func newMetricsScaffoldCmd(env *cli.Env) *cobra.Command {
	s := metrics.Schedule{Namespace: metrics.Namespace, Expression: "rate(1 hour)", Groups: defaultMetricGroups}
	document := false
	cmd := &cobra.Command{
		Use:   "scaffold",
		Short: "Print what publishes them on a schedule inside the account",
		Long: `Print a template of CloudFormation that publishes the same numbers on a schedule inside
the account: a runbook of Automation, a rule of EventBridge that starts it, and two
roles that may do this and nothing else. Nothing is asked of AWS, and nothing is made:
read it, keep it with your other templates, and deploy it with what you use.

A run is billed as a step of Automation and by the seconds its script takes; the
metrics are billed as custom metrics.`,
		Example: `  $ ssmdeck patch metrics scaffold > patch-metrics.yaml
  $ ssmdeck patch metrics scaffold --schedule 'cron(0 6 * * ? *)' --groups 50
  $ ssmdeck patch metrics scaffold --document-only > publish-patch-metrics.yaml`,
		Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := checkMetricFlags(s.Namespace, s.Groups); err != nil {
				return err
			}
			if err := s.Check(); err != nil {
				return err
			}
			text := s.Template()
			if document {
				text = s.Runbook()
			}
			_, err := io.WriteString(env.Out, text)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.Namespace, "namespace", s.Namespace, "`namespace` of the metrics")
	f.StringVar(&s.Expression, "schedule", s.Expression, "how often: an `expression` of EventBridge; times are UTC")
	f.IntVar(&s.Groups, "groups", s.Groups, "metrics of their own for at most `n` patch groups, the worst first; 0 for none")
	f.BoolVar(&document, "document-only", false, "print the runbook alone, for ssmdeck document apply")
	return cmd
}
