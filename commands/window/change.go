package window

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// settings are the flags of create and update.
type settings struct {
	name, description  string
	schedule, timezone string
	offset             int
	start, end         string
	duration, cutoff   int
	allow, disabled    bool
	tags               []string
	dryRun             bool
}

// flagNames are what a fault of a field is called where the flag has another
// name.
var flagNames = map[string]string{"name": "the name", "allow_unassociated_targets": "--allow-unassociated-targets"}

func (o *settings) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.schedule, "schedule", "", "when it opens, as an `expression`: cron(0 2 ? * SUN *), rate(7 days), at(2026-03-01T02:00:00)")
	f.IntVar(&o.duration, "duration", 0, "for how many `hours` it is open, 1 to 24")
	f.IntVar(&o.cutoff, "cutoff", 0, "how many `hours` before the end no more tasks begin; less than --duration")
	f.StringVar(&o.timezone, "timezone", "", "IANA `zone` of the schedule, such as Europe/Berlin (default UTC)")
	f.IntVar(&o.offset, "schedule-offset", 0, "open so many `days` after the day of a cron expression, 1 to 6")
	f.StringVar(&o.start, "start", "", "do nothing before `time`, in ISO 8601")
	f.StringVar(&o.end, "end", "", "do nothing after `time`, in ISO 8601")
	f.StringVar(&o.description, "description", "", "`text` for people")
	f.BoolVar(&o.allow, "allow-unassociated-targets", false, "let tasks run on nodes that are in no target of the window")
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything, show what would be sent and send nothing")
	cli.CompleteFlag(cmd, "timezone", func() []string {
		return []string{"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo"}
	})
}

func newCreateCmd(env *cli.Env) *cobra.Command {
	var o settings
	cmd := &cobra.Command{
		Use:     "create <name> --schedule <expression> --duration <hours> --cutoff <hours>",
		Aliases: []string{"new"},
		Short:   "Make a maintenance window",
		Long: `Make a maintenance window. Its schedule is read before anything is sent, and the
next five times that it opens are shown; when the window is made they are compared
with those of the service. A new window has no targets and tasks, and does
nothing.`,
		Example: `  $ ssmdeck window create weekly-patch --schedule 'cron(0 2 ? * SUN *)' --duration 3 --cutoff 1 --timezone Europe/Berlin
  $ ssmdeck window create patch-tuesday --schedule 'cron(0 22 ? * TUE#2 *)' --schedule-offset 4 --duration 4 --cutoff 0
  $ ssmdeck window create once --schedule 'at(2099-03-01T02:00:00)' --duration 2 --cutoff 1 --tags team=ops --dry-run`,
		Args:              cli.ExactArgs("the name"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			for _, flag := range []string{"schedule", "duration", "cutoff"} {
				if !cmd.Flags().Changed(flag) {
					return fault.Usagef("%s: missing --%s", cmd.CommandPath(), flag).
						WithHint("for instance --schedule 'cron(0 2 ? * SUN *)' --duration 3 --cutoff 1")
				}
			}
			return o.create(cmd.Context(), env)
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&o.disabled, "disabled", false, "make it disabled: it does not open until it is enabled")
	cli.BindTags(cmd.Flags(), &o.tags, "the window")
	return cmd
}

func (o *settings) window() window.Window {
	return window.Window{
		Name: o.name, Description: o.description, Enabled: !o.disabled, Schedule: o.schedule, Timezone: o.timezone, Offset: o.offset,
		Start: o.start, End: o.end, Duration: o.duration, Cutoff: o.cutoff, AllowUnassociated: &o.allow,
	}
}

func (o *settings) create(ctx context.Context, env *cli.Env) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	w := o.window()
	tags, err := cli.ParseTags(o.tags)
	if err != nil {
		return err
	}
	if err := faults("window create", w.Check(ro.Now), flagNames); err != nil {
		return err
	}
	showSchedule(env, ro, w)
	if err := env.RefuseChange("CreateMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	svc, err := openWindows(ctx, env)
	if err != nil {
		return err
	}
	if err := freeName(ctx, svc, "create", o.name); err != nil {
		return err
	}
	if o.dryRun {
		showDifferences(env, w.Given())
		env.Note("dry run: the window %s was not made", o.name)
		return nil
	}
	id, err := svc.Create(ctx, w, tags)
	if err != nil {
		if id != "" {
			env.Note("the window was made: %s", id)
		}
		return err
	}
	env.Note("made %s %s; it does nothing until it has targets and tasks", render.Visible(w.Name), id)
	w.ID = id
	compareSchedule(ctx, env, svc, w)
	return printMade(env, ro, id, map[string]string{"window_id": id, "name": w.Name})
}

// freeName refuses the name of a window that is there: the service would take it a
// second time, and it would mean neither.
func freeName(ctx context.Context, svc *window.Service, verb, name string) error {
	for w, err := range svc.List(ctx, window.Filter{Name: name}) {
		if err != nil {
			return err
		}
		if w.Name == name {
			return fault.New(fault.Conflict, verb+" maintenance window "+name, "there is one of this name: %s", w.ID).
				WithHint("change it with `ssmdeck window update %s`, or take another name", w.ID)
		}
	}
	return nil
}

// printMade prints the id of what was made: bare, or with what belongs to it.
func printMade(env *cli.Env, ro render.Options, id string, fields map[string]string) error {
	if ro.Format == render.FormatAuto && ro.Query == "" {
		_, err := fmt.Fprintln(env.Out, id)
		return err
	}
	return render.Object(env.Out, ro, fields, func(d *render.Detail) {
		d.ID(id)
		for _, k := range []string{"window_id", "target_id", "task_id", "name"} {
			if v, ok := fields[k]; ok {
				d.Field(strings.ReplaceAll(k, "_", " "), v)
			}
		}
	})
}

// shownRuns is how many openings of a window are shown.
const shownRuns = 5

// showSchedule notes when a window would open.
func showSchedule(env *cli.Env, ro render.Options, w window.Window) {
	runs := w.Openings(ro.Now, shownRuns)
	if len(runs) == 0 {
		env.Note("it would not open: the schedule has no time that is still to come")
		return
	}
	env.Note("opens %s%s:", cmp.Or(w.Explain(ro.Now), "next"), map[bool]string{true: " (when it is enabled)"}[!w.Enabled])
	for _, t := range runs {
		line := localMoment(t, w.Zone())
		if here := localMoment(t, ro.Location); here != line {
			line += "   here " + here
		}
		env.Note("  %s", line)
	}
	for _, text := range w.Warnings(ro.Now) {
		env.Note("ssmdeck: warning: %s", text)
	}
}

// compareSchedule warns where the service sees the schedule otherwise.
func compareSchedule(ctx context.Context, env *cli.Env, svc *window.Service, w window.Window) {
	if !w.Enabled {
		return
	}
	var theirs []time.Time
	for t, err := range svc.Upcoming(ctx, w.ID) {
		if err != nil {
			env.Note("ssmdeck: the service's schedule could not be read: %v", err)
			return
		}
		if theirs = append(theirs, t); len(theirs) == shownRuns {
			break
		}
	}
	if len(theirs) == 0 {
		return
	}
	// From their first on: their clock may not be ours. A rate counts from there.
	w.Next = theirs[0]
	ours := w.Openings(theirs[0].Add(-time.Minute), len(theirs))
	for i := range min(len(ours), len(theirs)) {
		if d := ours[i].Sub(theirs[i]); d < -time.Minute || d > time.Minute {
			env.Note("ssmdeck: warning: the service says that it opens %s, and not %s: the service decides",
				localMoment(theirs[i], w.Zone()), localMoment(ours[i], w.Zone()))
			return
		}
	}
}
