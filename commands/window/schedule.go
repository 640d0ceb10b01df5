package window

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/schedule"
)

// scheduleOptions are the flags of `window schedule`.
type scheduleOptions struct {
	zone, from, start, end string
	offset, count          int
	association            bool
}

func newScheduleCmd(env *cli.Env) *cobra.Command {
	var o scheduleOptions
	cmd := &cobra.Command{
		Use:   "schedule <expression>",
		Short: "Try a schedule: what it means, when it runs next, what is wrong with it",
		Long: `Read a schedule as maintenance windows take it, say it in words, and list the next
runs. Nothing is asked of AWS: it works without an account.

    cron(minutes hours day-of-month month day-of-week year)   seconds may stand in front
    rate(7 days)                                              minutes, hours or days
    at(2026-07-05T02:00:00)                                   once

Days of the week are 1 (SUN) to 7 (SAT), and exactly one of the two fields for days
is "?". L is the last (day of the month; 6L or FRIL: the last Friday), THU#3 the third
Thursday, 15W the weekday nearest to the 15th. Unix cron is told how it is written
here.

Times of cron are those of clocks in --timezone, and at(…) is in UTC. A time that
clocks jump over in spring has no run on that day, and one that comes twice in autumn
runs the first time; the user guide of Systems Manager does not say what it does then,
and ` + "`window calendar --check`" + ` asks the service.`,
		Example: `  $ ssmdeck window schedule 'cron(0 2 ? * SUN *)' --timezone Europe/Berlin
  $ ssmdeck window schedule 'cron(30 23 ? * TUE#3 *)' --schedule-offset 2 --count 12
  $ ssmdeck window schedule 'rate(7 days)' --start 2026-03-01T02:00:00Z
  $ ssmdeck window schedule 'cron(0 0/4 * * ? *)' --association`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 { // without quotes a shell makes files of * and ?
				return fault.Usagef("%s: %s in place of one schedule", cmd.CommandPath(), cli.Plural(len(args), "argument")).
					WithHint("put the schedule in single quotes: 'cron(0 2 ? * SUN *)'")
			}
			return cli.ExactArgs("the schedule")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error { return windowSchedule(env, o, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.zone, "timezone", "", "the schedule's IANA `zone`, such as Europe/Berlin; UTC without it")
	f.StringVar(&o.from, "from", "", "list runs from this `time` on, instead of now")
	f.StringVar(&o.start, "start", "", "the window's start date: `time`, in UTC if it says no zone, before which it does nothing")
	f.StringVar(&o.end, "end", "", "the window's end date: `time`, in UTC if it says no zone, after which it does nothing")
	f.IntVar(&o.offset, "schedule-offset", 0, "`days` to wait after the date of a cron expression, 1 to 6")
	f.IntVar(&o.count, "count", 5, "`number` of runs to list")
	f.BoolVar(&o.association, "association", false, "by the narrower rules of State Manager associations")
	cli.CompleteFlag(cmd, "timezone", schedule.Zones)
	return cmd
}

// triedSchedule is a schedule that was read.
type triedSchedule struct {
	Schedule string      `json:"schedule"`
	Timezone string      `json:"schedule_timezone"`
	Offset   int         `json:"schedule_offset,omitempty"`
	Meaning  string      `json:"meaning"`
	Warnings []string    `json:"warnings,omitempty"`
	Runs     []time.Time `json:"runs"`
	// Skipped are local times before the last run that clocks jump over.
	Skipped []string `json:"skipped,omitempty"`
}

func windowSchedule(env *cli.Env, o scheduleOptions, text string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if o.count < 1 || o.count > 1000 {
		return fault.Usagef("--count %d is not 1 to 1000", o.count)
	}
	zone, _, err := schedule.FindZone(o.zone)
	if err != nil {
		zone = time.UTC // Parse says so, beside all that is wrong
	}
	so := schedule.Options{Zone: o.zone, Offset: o.offset}
	if o.association {
		so.For = schedule.Association
	}
	now := ro.Now.In(zone)
	from, err := momentFlag("from", o.from, now)
	if err != nil {
		return err
	}
	if from.IsZero() {
		from = now
	}
	if so.Start, err = momentFlag("start", o.start, ro.Now.UTC()); err != nil {
		return err
	}
	if so.End, err = momentFlag("end", o.end, ro.Now.UTC()); err != nil {
		return err
	}
	so.Since = from
	s, err := schedule.Parse(text, so)
	if err != nil {
		return scheduleFault("schedule", err)
	}
	tried := triedSchedule{
		Schedule: s.String(), Timezone: s.Location().String(), Offset: o.offset, Meaning: s.Explain(), Warnings: s.Warnings(), Runs: []time.Time{},
	}
	for at := from.Add(-1); len(tried.Runs) < o.count; {
		run, ok := s.Next(at)
		if !ok {
			break
		}
		tried.Runs = append(tried.Runs, run)
		at = run
	}
	if n := len(tried.Runs); n > 0 {
		for _, skip := range s.Skipped(from, tried.Runs[n-1]) {
			tried.Skipped = append(tried.Skipped, skip.Local)
		}
	}
	for _, w := range tried.Warnings {
		env.Note("ssmdeck: note: %s", render.Visible(w))
	}
	for _, skip := range tried.Skipped {
		env.Note("ssmdeck: note: %s does not exist in %s, because clocks go forward: no run", skip, tried.Timezone)
	}
	if s.Kind() == schedule.Rate && so.Start.IsZero() {
		env.Note("ssmdeck: note: a rate counts from when the window is created; these are the runs if that is at the beginning of the list")
	}
	if len(tried.Runs) == 0 {
		env.Note("ssmdeck: note: no run from %s on", localMoment(from, s.Location()))
	}
	return render.Object(env.Out, ro, tried, func(d *render.Detail) {
		d.ID(tried.Schedule)
		d.Field("Schedule", tried.Schedule)
		d.Field("Means", tried.Meaning)
		for i, run := range tried.Runs {
			human := fmt.Sprintf("%s  %s", localMoment(run, s.Location()), ro.Styles.Dim.Render(render.Ago(ro.Now, run)))
			if s.Location() != time.UTC {
				human += ro.Styles.Dim.Render("  " + render.Timestamp(run))
			}
			d.Human(fmt.Sprintf("Run %d", i+1), render.Timestamp(run), human)
		}
	})
}
