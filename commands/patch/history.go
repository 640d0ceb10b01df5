package patch

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/nodechoice"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// historyOptions are those of `patch history`.
type historyOptions struct {
	nodes nodechoice.Scanned
	since cli.SinceFlag
	all   bool
}

func newHistoryCmd(env *cli.Env) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:     "history [<target>...]",
		Aliases: []string{"trend"},
		Short:   "What earlier looks have counted, and how it goes",
		Long: `Show what earlier looks at patching from this machine have counted: the service keeps
only what the last scan of a node found. Each ` + "`patch status` and `patch report`" + ` adds
one line of numbers, for the nodes that were meant; name the same nodes to see their
trend. An open dashboard adds one an hour, for all nodes. Nothing is asked of AWS but which account this is.

The numbers are in the folder history of ssmdeck's state, for you alone; the oldest
give way when they become many. Ids of nodes are not in them. --no-history, or
history: off in the defaults of the configuration file, or SSMDECK_HISTORY=off keeps
nothing.`,
		Example: `  $ ssmdeck patch history
  $ ssmdeck patch history --tag env=prod --since 30d
  $ ssmdeck patch history --all -o csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.nodes.Parse(args); err != nil {
				return err
			}
			return o.run(cmd.Context(), env, scope(&o.nodes, args))
		},
	}
	o.nodes.Choice.Bind(env, cmd)
	o.nodes.Stale = "0"
	o.since.Bind(cmd, "looks")
	cmd.Flags().BoolVar(&o.all, "all", false, "looks at all accounts, Regions and nodes")
	return cmd
}

func (o *historyOptions) run(ctx context.Context, env *cli.Env, scope string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	table := lookTable(ro, o.all)
	if err := table.Check(ro); err != nil {
		return err
	}
	from, err := o.since.Time(time.Now())
	if err != nil {
		return err
	}
	store, err := lookStore(env)
	if err != nil {
		return err
	}
	looks, damaged, err := store.Looks()
	if err != nil {
		return err
	}
	if damaged > 0 {
		env.Note("ssmdeck: warning: %s of the history cannot be read and are left out", cli.Plural(damaged, "line"))
	}
	want := history.Look{Scope: scope}
	if !o.all {
		if want.Account, want.Region, err = env.Whereabouts(ctx); err != nil {
			return err
		}
	}
	rest := history.Latest(looks, len(looks), func(l history.Look) bool { return (o.all || want.Same(l)) && !l.Time.Before(from) })
	if len(rest) == 0 && len(looks) > 0 && !o.all {
		env.Note("ssmdeck: hint: there are %s at other nodes, accounts or Regions: `ssmdeck patch history --all`", cli.Plural(len(looks), "look"))
	}
	if err := table.Write(env.Out, ro, cli.Each(rest)); err != nil {
		return err
	}
	if !o.all && len(rest) > 1 && ro.Terminal() {
		env.Note("%s", trendLine(ro, rest))
	}
	return nil
}

// trendLine says in a line how the share of compliant nodes has changed.
func trendLine(ro render.Options, looks []history.Look) string {
	var shares []float64
	for _, l := range looks {
		if s, any := l.Share(); any {
			shares = append(shares, s)
		}
	}
	if len(shares) < 2 {
		return ""
	}
	first, last := shares[0], shares[len(shares)-1]
	room := max(10, ro.Width-60)
	return fmt.Sprintf("compliant %s  from %.1f%% to %.1f%% (%+.1f points) in %s", render.Sparkline(shares, room, ro.Styles.Glyphs.Spark),
		tenths(first), tenths(last), tenths(last)-tenths(first), render.Duration(looks[len(looks)-1].Time.Sub(looks[0].Time)))
}

// tenths is a share in percent, rounded down to a tenth: 100 means all.
func tenths(share float64) float64 { return math.Floor(1000*share+1e-9) / 10 }

// lookTable is one line for each look.
func lookTable(ro render.Options, places bool) render.Table[history.Look] {
	n := func(name string, level theme.Level, of func(history.Look) int) render.Column[history.Look] {
		return cli.NumberColumn(ro, name, level, nil, of)
	}
	wide := func(c render.Column[history.Look]) render.Column[history.Look] { c.Wide = !places || c.Wide; return c }
	percent := func(l history.Look) string {
		if s, any := l.Share(); any {
			return fmt.Sprintf("%.1f%%", tenths(s))
		}
		return ""
	}
	cols := []render.Column[history.Look]{
		{Name: "TIME", Text: func(l history.Look) string { return render.Timestamp(l.Time) }, Human: func(l history.Look) string { return render.Local(l.Time, ro.Location) }, Less: func(a, b history.Look) bool { return a.Time.Before(b.Time) }},
		wide(render.Column[history.Look]{Name: "ACCOUNT", Text: func(l history.Look) string { return l.Account }}),
		wide(render.Column[history.Look]{Name: "REGION", Text: func(l history.Look) string { return l.Region }}),
		wide(render.Column[history.Look]{Name: "SCOPE", Text: func(l history.Look) string { return l.Scope }}),
		n("NODES", theme.Unknown, func(l history.Look) int { return l.Nodes }),
		{Name: "COMPLIANT", Right: true, Text: percent, Less: func(a, b history.Look) bool { x, _ := a.Share(); y, _ := b.Share(); return x < y }},
		{Name: "SHARE", Text: func(history.Look) string { return "" }, Human: func(l history.Look) string {
			s, _ := l.Share()
			return render.Bar(s, 10, ro.Styles.Glyphs.Bar)
		}},
		n("NONCOMPLIANT", levels.NonCompliant, func(l history.Look) int { return l.NonCompliant }),
		n("CRITICAL", levels.Critical, func(l history.Look) int { return l.Critical }),
		n("REBOOT", levels.PendingReboot, func(l history.Look) int { return l.PendingReboot }),
		n("NEVER", levels.NeverScanned, func(l history.Look) int { return l.NeverScanned }),
	}
	for _, c := range []render.Column[history.Look]{
		n("SECURITY", levels.Security, func(l history.Look) int { return l.Security }),
		n("MISSING", levels.Missing, func(l history.Look) int { return l.Missing }),
		n("FAILED", levels.FailedPatch, func(l history.Look) int { return l.Failed }),
		n("UNKNOWN", levels.Unread, func(l history.Look) int { return l.Unknown }),
		{Name: "OLDEST SCAN", Text: func(l history.Look) string { return render.Timestamp(l.OldestScan) }},
	} {
		c.Wide = true
		cols = append(cols, c)
	}
	return render.Table[history.Look]{Empty: "no look at these nodes is kept: `ssmdeck patch status` keeps one", Columns: cols}
}
