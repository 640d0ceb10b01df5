package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// windowSettings are the flags of create and update.
type windowSettings struct {
	name, description  string
	schedule, timezone string
	offset             int
	start, end         string
	duration, cutoff   int
	allow, disabled    bool
	tags               []string
	dryRun             bool
}

// windowFlagNames are what a fault of a field is called where the flag has another
// name.
var windowFlagNames = map[string]string{"name": "the name", "allow_unassociated_targets": "--allow-unassociated-targets"}

func (o *windowSettings) bind(cmd *cobra.Command) {
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
	completeFlag(cmd, "timezone", func() []string {
		return []string{"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo"}
	})
}

func newWindowCreateCmd(env *Env) *cobra.Command {
	var o windowSettings
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
		Args:              exactArgs("the name"),
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
	bindTags(cmd.Flags(), &o.tags, "the window")
	return cmd
}

func (o *windowSettings) window() window.Window {
	return window.Window{
		Name: o.name, Description: o.description, Enabled: !o.disabled, Schedule: o.schedule, Timezone: o.timezone, Offset: o.offset,
		Start: o.start, End: o.end, Duration: o.duration, Cutoff: o.cutoff, AllowUnassociated: &o.allow,
	}
}

// parseNewTags reads --tags of something that is made.
func parseNewTags(list []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range list {
		if _, err := parseTag(t); err != nil {
			return nil, err
		}
		key, value, _ := cutPair(t)
		tags[key] = value
	}
	return tags, nil
}

func (o *windowSettings) create(ctx context.Context, env *Env) error {
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	w := o.window()
	tags, err := parseNewTags(o.tags)
	if err != nil {
		return err
	}
	if err := windowFaults("window create", w.Check(ro.Now), windowFlagNames); err != nil {
		return err
	}
	env.showSchedule(ro, w)
	if err := env.refuseChange("CreateMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	svc, err := env.Windows(ctx)
	if err != nil {
		return err
	}
	if err := o.unique(ctx, svc); err != nil {
		return err
	}
	if o.dryRun {
		env.note("dry run: the window %s was not made", o.name)
		return nil
	}
	id, err := svc.Create(ctx, w, tags)
	if err != nil {
		if id != "" {
			env.note("the window was made: %s", id)
		}
		return err
	}
	env.note("made %s %s; it does nothing until it has targets and tasks", render.Visible(w.Name), id)
	w.ID = id
	env.compareSchedule(ctx, svc, w)
	return env.printMade(ro, id, map[string]string{"window_id": id, "name": w.Name})
}

// unique refuses the name of a window that is there: the service would make a second
// one, and the name would mean neither.
func (o *windowSettings) unique(ctx context.Context, svc *window.Service) error {
	for w, err := range svc.List(ctx, window.Filter{Name: o.name}) {
		if err != nil {
			return err
		}
		if w.Name == o.name {
			return fault.New(fault.Conflict, "create maintenance window "+o.name, "there is one of this name: %s", w.ID).
				WithHint("change it with `ssmdeck window update %s`, or take another name", w.ID)
		}
	}
	return nil
}

// refuseChange is refuseWrite for an operation by its name.
func (e *Env) refuseChange(operation string, dryRun bool) error {
	s, err := e.Settings()
	if err != nil {
		return err
	}
	if s.ReadOnly && !dryRun {
		return awsapi.RefuseWrite(operation)
	}
	return nil
}

// printMade prints the id of what was made: bare, or with what belongs to it.
func (e *Env) printMade(ro render.Options, id string, fields map[string]string) error {
	if ro.Format == render.FormatAuto && ro.Query == "" {
		_, err := fmt.Fprintln(e.Out, id)
		return err
	}
	return render.Object(e.Out, ro, fields, func(d *render.Detail) {
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
func (e *Env) showSchedule(ro render.Options, w window.Window) {
	runs := w.Openings(ro.Now, shownRuns)
	if len(runs) == 0 {
		e.note("it would not open: the schedule has no time that is still to come")
		return
	}
	e.note("opens %s%s:", cmp.Or(w.Explain(ro.Now), "next"), map[bool]string{true: " (when it is enabled)"}[!w.Enabled])
	for _, t := range runs {
		line := openingTime(t, w.Zone())
		if here := openingTime(t, ro.Location); here != line {
			line += "   here " + here
		}
		e.note("  %s", line)
	}
	for _, text := range w.Warnings(ro.Now) {
		e.note("ssmdeck: warning: %s", text)
	}
}

// compareSchedule warns where the service sees the schedule otherwise.
func (e *Env) compareSchedule(ctx context.Context, svc *window.Service, w window.Window) {
	if !w.Enabled {
		return
	}
	theirs, err := svc.Schedule(ctx, w.ID, shownRuns)
	if err != nil {
		e.note("ssmdeck: the service's schedule could not be read: %v", err)
		return
	}
	ours := w.Openings(time.Now(), shownRuns)
	for i := range min(len(ours), len(theirs)) {
		if !ours[i].Truncate(time.Minute).Equal(theirs[i].Truncate(time.Minute)) {
			e.note("ssmdeck: warning: the service says that it opens %s, and not %s: the service decides",
				openingTime(theirs[i], w.Zone()), openingTime(ours[i], w.Zone()))
			return
		}
	}
}

func newWindowUpdateCmd(env *Env) *cobra.Command {
	var o windowSettings
	cmd := &cobra.Command{
		Use:   "update <window>",
		Short: "Change a maintenance window",
		Long: `Change a window. Only what is given changes; an empty text takes a value away. What
differs is shown and asked about. Without a difference nothing is sent.`,
		Example: `  $ ssmdeck window update weekly-patch --schedule 'cron(0 3 ? * SUN *)'
  $ ssmdeck window update weekly-patch --duration 4 --cutoff 1 --yes
  $ ssmdeck window update weekly-patch --end '' --dry-run`,
		Args:              exactArgs("the window"),
		ValidArgsFunction: env.completeWindow,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.update(cmd, env, args[0])
		},
	}
	o.bind(cmd)
	cmd.Flags().StringVar(&o.name, "name", "", "a new `name`")
	return cmd
}

// merged is a window with what the flags change.
func (o *windowSettings) merged(cmd *cobra.Command, w window.Window) window.Window {
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
	return w
}

func (o *windowSettings) update(cmd *cobra.Command, env *Env, expr string) error {
	ctx := cmd.Context()
	ro, err := env.renderOptions()
	if err != nil {
		return err
	}
	if cmd.Flags().NFlag() == 0 {
		return fault.Usagef("%s: nothing to change is given", cmd.CommandPath()).WithHint("see `ssmdeck window update --help`")
	}
	if err := o.checkGiven(cmd, ro.Now); err != nil {
		return err
	}
	if err := env.refuseChange("UpdateMaintenanceWindow", o.dryRun); err != nil {
		return err
	}
	svc, old, err := env.findWindow(ctx, expr)
	if err != nil {
		return err
	}
	next := o.merged(cmd, old)
	if err := windowFaults("window update", o.about(cmd, next.Check(ro.Now)), map[string]string{"name": "--name"}); err != nil {
		return err
	}
	if next.Name != old.Name {
		if err := (&windowSettings{name: next.Name}).unique(ctx, svc); err != nil {
			return err
		}
	}
	changes := old.Differences(next)
	if len(changes) == 0 {
		env.note("%s is so already", render.Visible(old.Name))
		return nil
	}
	env.showDifferences(changes)
	when := cmd.Flags().Changed("schedule") || cmd.Flags().Changed("timezone") || cmd.Flags().Changed("schedule-offset") || cmd.Flags().Changed("start") || cmd.Flags().Changed("end")
	if when {
		env.showSchedule(ro, next)
	}
	if o.dryRun {
		env.note("dry run: %s was not changed", render.Visible(old.Name))
		return nil
	}
	if err := env.confirm(ctx, "change the maintenance window "+render.Visible(old.Name)); err != nil {
		return err
	}
	if err := svc.Update(ctx, old, next); err != nil {
		return err
	}
	env.note("changed %s", render.Visible(next.Name))
	if when {
		env.compareSchedule(ctx, svc, next)
	}
	return nil
}

// checkGiven finds, before any call, what is wrong whatever the window is.
func (o *windowSettings) checkGiven(cmd *cobra.Command, now time.Time) error {
	probe := window.Window{Name: "probe", Schedule: "rate(1 day)", Duration: 24, Cutoff: 0, Enabled: true}
	given := cmd.Flags().Changed
	if given("schedule-offset") && !given("schedule") || given("timezone") && !given("schedule") {
		probe.Schedule = "cron(0 2 ? * SUN *)"
	}
	return windowFaults("window update", o.about(cmd, o.merged(cmd, probe).Check(now)), map[string]string{"name": "--name"})
}

// about leaves out the faults of fields that no flag touches: the service has taken
// them.
func (o *windowSettings) about(cmd *cobra.Command, list []window.Fault) []window.Fault {
	together := map[string][]string{"cutoff": {"duration"}, "schedule": {"timezone", "schedule-offset"}, "schedule-offset": {"schedule"}, "end": {"start"}}
	return slices.DeleteFunc(list, func(f window.Fault) bool {
		flag := strings.ReplaceAll(f.Field, "_", "-")
		return !slices.ContainsFunc(append([]string{flag}, together[flag]...), cmd.Flags().Changed)
	})
}

// showDifferences notes what is to change, a line for each field.
func (e *Env) showDifferences(list []window.Difference) {
	for _, d := range list {
		e.note("  %s", differenceLine(d))
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

// newWindowSwitchCmd is enable or disable.
func newWindowSwitchCmd(env *Env, on bool) *cobra.Command {
	word, short := "enable", "Enable a window: it opens again when its schedule says so"
	long := "Enable a window. It opens the next time that its schedule says so; what it missed is not made up for."
	if !on {
		word, short = "disable", "Disable a window: it does not open until it is enabled"
		long = "Disable a window. An execution that runs goes on; `ssmdeck window execution cancel` stops it."
	}
	dryRun := false
	cmd := &cobra.Command{
		Use: word + " <window>...", Short: short, Long: long,
		Example: "  $ ssmdeck window " + word + " weekly-patch\n  $ ssmdeck window " + word + " mw-0123456789abcdef0 --yes",
		Args:    minArgs("the window"), ValidArgsFunction: env.completeWindows,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.switchWindows(cmd.Context(), args, on, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change and change nothing")
	return cmd
}

func (e *Env) switchWindows(ctx context.Context, exprs []string, on, dryRun bool) error {
	if err := e.refuseChange("UpdateMaintenanceWindow", dryRun); err != nil {
		return err
	}
	ro, err := e.renderOptions()
	if err != nil {
		return err
	}
	word := map[bool]string{true: "enable", false: "disable"}[on]
	var todo []window.Window
	var names []string
	var svc *window.Service
	for _, expr := range exprs {
		var w window.Window
		if svc, w, err = e.findWindow(ctx, expr); err != nil {
			return err
		}
		if w.Enabled == on {
			e.note("%s is %sd already", render.Visible(w.Name), word)
			continue
		}
		todo, names = append(todo, w), append(names, render.Visible(w.Name))
	}
	switch {
	case len(todo) == 0:
		return nil
	case dryRun:
		e.note("dry run: would %s %s", word, strings.Join(names, ", "))
		return nil
	}
	if on {
		for _, w := range todo {
			w.Enabled = true
			e.showSchedule(ro, w)
		}
	}
	if err := e.confirm(ctx, word+" "+strings.Join(names, ", ")); err != nil {
		return err
	}
	var failed []error
	for _, w := range todo {
		next := w
		next.Enabled = on
		if err := svc.Update(ctx, w, next); err != nil {
			failed = append(failed, err)
			continue
		}
		e.note("%sd %s", word, render.Visible(w.Name))
	}
	return moreThanOne(word+" maintenance windows", failed, len(todo))
}

func newWindowDeleteCmd(env *Env) *cobra.Command {
	dryRun := false
	cmd := &cobra.Command{
		Use:     "delete <window>...",
		Aliases: []string{"rm"},
		Short:   "Delete windows with their targets, tasks and history",
		Long: `Delete windows. Their targets and tasks go with them, and so does the record of
their executions; what that is, is said before it is asked. There is no undo:
` + "`ssmdeck window export`" + ` writes a file that makes a window again.`,
		Example: `  $ ssmdeck window export weekly-patch > weekly-patch.yaml && ssmdeck window delete weekly-patch
  $ ssmdeck window delete mw-0123456789abcdef0 --dry-run`,
		Args: minArgs("the window"), ValidArgsFunction: env.completeWindows,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.deleteWindows(cmd.Context(), args, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be lost and delete nothing")
	return cmd
}

func (e *Env) deleteWindows(ctx context.Context, exprs []string, dryRun bool) error {
	if err := e.refuseChange("DeleteMaintenanceWindow", dryRun); err != nil {
		return err
	}
	svc, err := e.Windows(ctx)
	if err != nil {
		return err
	}
	var list []window.Window
	for _, expr := range exprs {
		w, err := svc.Find(ctx, expr)
		if err != nil {
			return err
		}
		list = append(list, w)
	}
	known, err := svc.ReadAll(ctx, list, window.Read{Targets: true, Tasks: true, Last: true})
	if err != nil {
		return err
	}
	var names []string
	for _, k := range known {
		names = append(names, render.Visible(k.Name))
		e.note("%s %s: %s, %s and their history are lost%s", render.Visible(k.Name), k.ID,
			plural(len(k.Targets), "target"), plural(len(k.Tasks), "task"), runningNow(k))
	}
	if dryRun {
		e.note("dry run: nothing was deleted")
		return nil
	}
	if err := e.confirm(ctx, "delete "+strings.Join(names, ", ")); err != nil {
		return err
	}
	var failed []error
	for _, k := range known {
		if err := svc.Delete(ctx, k.Window); err != nil {
			failed = append(failed, err)
			continue
		}
		e.note("deleted %s", render.Visible(k.Name))
	}
	return moreThanOne("delete maintenance windows", failed, len(known))
}

func runningNow(k window.Known) string {
	if k.Last != nil && !k.Last.State.Final() {
		return "; it is open now (" + k.Last.ID + ")"
	}
	return ""
}
