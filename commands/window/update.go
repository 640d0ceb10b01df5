package window

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

func newUpdateCmd(env *cli.Env) *cobra.Command {
	var o settings
	cmd := &cobra.Command{
		Use:   "update <window>",
		Short: "Change a maintenance window",
		Long: `Change a window. Only what is given changes; an empty text takes a value away. What
differs is shown and asked about. Without a difference nothing is sent.`,
		Example: `  $ ssmdeck window update weekly-patch --schedule 'cron(0 3 ? * SUN *)'
  $ ssmdeck window update weekly-patch --duration 4 --cutoff 1 --yes
  $ ssmdeck window update weekly-patch --end '' --dry-run`,
		Args:              cli.ExactArgs("the window"),
		ValidArgsFunction: completeWindow(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.update(cmd, env, args[0])
		},
	}
	o.bind(cmd)
	cmd.Flags().StringVar(&o.name, "name", "", "a new `name`")
	return cmd
}

// merged is a window with what the flags change.
func (o *settings) merged(cmd *cobra.Command, w window.Window) window.Window {
	given := cmd.Flags().Changed
	set := func(flag string, to *string, v string) {
		if given(flag) {
			*to = v
		}
	}
	number := func(flag string, to *int, v int) {
		if given(flag) {
			*to = v
		}
	}
	set("name", &w.Name, o.name)
	set("description", &w.Description, o.description)
	set("schedule", &w.Schedule, o.schedule)
	set("timezone", &w.Timezone, o.timezone)
	set("start", &w.Start, o.start)
	set("end", &w.End, o.end)
	number("schedule-offset", &w.Offset, o.offset)
	number("duration", &w.Duration, o.duration)
	number("cutoff", &w.Cutoff, o.cutoff)
	if given("allow-unassociated-targets") {
		w.AllowUnassociated = &o.allow
	}
	if given("schedule") { // what the old one was counted from is no more
		w.Next, w.Created, w.Modified = time.Time{}, time.Time{}, time.Time{}
	}
	return w
}

func (o *settings) update(cmd *cobra.Command, env *cli.Env, expr string) error {
	ctx := cmd.Context()
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if cmd.Flags().NFlag() == 0 {
		return fault.Usagef("%s: nothing to change is given", cmd.CommandPath()).WithHint("see `ssmdeck window update --help`")
	}
	if err := o.checkGiven(cmd, ro.Now); err != nil {
		return err
	}
	if err := env.RefuseChange("UpdateMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	svc, old, err := findWindow(ctx, env, expr)
	if err != nil {
		return err
	}
	next := o.merged(cmd, old)
	if err := faults("window update", o.about(cmd, next.Check(ro.Now)), map[string]string{"name": "--name"}); err != nil {
		return err
	}
	if next.Name != old.Name {
		if err := freeName(ctx, svc, "rename to", next.Name); err != nil {
			return err
		}
	}
	changes := old.Differences(next)
	if len(changes) == 0 {
		env.Note("%s is so already", render.Visible(old.Name))
		return nil
	}
	showDifferences(env, changes)
	when := slices.ContainsFunc([]string{"schedule", "timezone", "schedule-offset", "start", "end"}, cmd.Flags().Changed)
	if when {
		showSchedule(env, ro, next)
	}
	if o.dryRun {
		env.Note("dry run: %s was not changed", render.Visible(old.Name))
		return nil
	}
	if err := env.Confirm(ctx, "change the maintenance window "+render.Visible(old.Name)); err != nil {
		return err
	}
	if err := svc.Update(ctx, old, next); err != nil {
		return err
	}
	env.Note("changed %s", render.Visible(next.Name))
	if when {
		compareSchedule(ctx, env, svc, next)
	}
	return nil
}

// checkGiven finds, before any call, what is wrong whatever the window is.
func (o *settings) checkGiven(cmd *cobra.Command, now time.Time) error {
	probe := window.Window{Name: "probe", Schedule: "rate(1 day)", Duration: 24, Cutoff: 0, Enabled: true}
	given := cmd.Flags().Changed
	if given("schedule-offset") && !given("schedule") || given("timezone") && !given("schedule") {
		probe.Schedule = "cron(0 2 ? * SUN *)"
	}
	return faults("window update", o.about(cmd, o.merged(cmd, probe).Check(now)), map[string]string{"name": "--name"})
}

// about leaves out the faults of fields that no flag touches: the service has taken
// them.
func (o *settings) about(cmd *cobra.Command, list []window.Fault) []window.Fault {
	together := map[string][]string{"cutoff": {"duration"}, "schedule": {"timezone", "schedule-offset"}, "schedule-offset": {"schedule"}, "end": {"start"}}
	return slices.DeleteFunc(list, func(f window.Fault) bool {
		flag := strings.ReplaceAll(f.Field, "_", "-")
		return !slices.ContainsFunc(append([]string{flag}, together[flag]...), cmd.Flags().Changed)
	})
}

// showDifferences notes what is to change, a line for each field.
func showDifferences(env *cli.Env, list []window.Difference) {
	for _, d := range list {
		env.Note("  %s", differenceLine(d))
	}
}

func differenceLine(d window.Difference) string {
	short := func(s string) string {
		if s == "" {
			return "(none)"
		}
		return render.Visible(render.CutEnd(strings.ReplaceAll(s, "\n", `\n`), 100, "…"))
	}
	if d.Old == "" {
		return render.Visible(d.Field) + ": " + short(d.New)
	}
	return render.Visible(d.Field) + ": " + short(d.Old) + " -> " + short(d.New)
}
