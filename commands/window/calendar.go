package window

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// calendarOptions are the flags of `window calendar`.
type calendarOptions struct {
	spanFlags
	ics          string
	check, force bool
	noOverlaps   bool
	changedDays  bool
}

func newCalendarCmd(env *cli.Env) *cobra.Command {
	o := calendarOptions{spanFlags: spanFlags{days: 7}}
	cmd := &cobra.Command{
		Use:   "calendar [window]...",
		Short: "When windows open in the coming days, in any time zone",
		Long: `Show when maintenance windows open: a timeline and each day on a terminal, a table or
rows elsewhere. Schedules are worked out here, each in the time zone of its window and
over changes of clocks, and shown in the zone of --timezone (that of this machine
without it).

Of each opening there is the cutoff, after which no more tasks begin, and with which
windows it meets: those that are open at the same time on the same nodes. For these
the targets of the windows that meet and the fleet are read; --no-overlaps does not.
Disabled windows are shown dimmed, as what would be. Days on which clocks change are
marked, and so are runs that fall out because their local time does not exist.

--check asks the service for the schedule of each enabled window
(DescribeMaintenanceWindowSchedule) and lists the runs that only one side has; the
exit code is 6 when there are any. --ics writes an iCalendar file, with an event for
each opening of an enabled window.`,
		Example: `  $ ssmdeck window calendar
  $ ssmdeck window calendar --timezone Europe/Berlin --from sunday --days 14
  $ ssmdeck window calendar weekly-patch --until 2026-12-31 -o csv
  $ ssmdeck window calendar --days 90 --ics windows.ics
  $ ssmdeck window calendar --check
  $ ssmdeck window calendar --all-regions -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.changedDays = cmd.Flags().Changed("days")
			return calendar(cmd.Context(), env, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "begin at this `time` instead of now: monday, '2026-03-29 00:00', 7d")
	f.IntVar(&o.days, "days", 7, "`number` of days to show")
	f.StringVar(&o.until, "until", "", "show up to this `time` instead of --days")
	o.zone.bind(cmd, "show and read times in this IANA `zone`, such as Europe/Berlin")
	f.StringVar(&o.ics, "ics", "", "write an iCalendar `file` instead; - is standard output")
	f.BoolVar(&o.force, "force", false, "with --ics: overwrite the file")
	f.BoolVar(&o.check, "check", false, "compare with the schedule that the service says, and list differences")
	f.BoolVar(&o.noOverlaps, "no-overlaps", false, "do not look whether windows meet on the same nodes")
	return cli.Spans(cmd)
}

// calendarRow is an opening, shown in a zone.
type calendarRow struct {
	agenda.Opening
	Local string `json:"local"` // the start in the zone that is shown, RFC 3339
}

func calendar(ctx context.Context, env *cli.Env, o calendarOptions, names []string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	span, zone, err := o.span(ro.Now, o.changedDays)
	if err != nil {
		return err
	}
	if o.ics != "" && o.check {
		return fault.Usagef("--ics and --check are two questions").WithHint("ask one at a time")
	}
	if o.force && o.ics == "" {
		return fault.Usagef("--force needs --ics")
	}
	if o.check {
		return windowCheck(ctx, env, ro, span, names)
	}
	table := calendarTable(zone)
	if err := cli.CheckGridTable(env, table, ro); err != nil {
		return err
	}
	spec, err := env.GridSpec()
	if err != nil {
		return err
	}
	if o.ics != "" && spec.Several() {
		return fault.Usagef("--ics works in one account and Region").WithHint("%s", cli.OneScopeHint)
	}
	view := ro.Terminal() && ro.Query == "" && len(ro.Columns) == 0 && ro.SortBy == "" && ro.Limit == 0 &&
		(ro.Format == render.FormatAuto || ro.Format == render.FormatTable) && !spec.Several()
	if o.ics == "" && !view {
		return cli.WriteGrid(ctx, env, table, ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[calendarRow, error], error) {
			entries, openings, err := o.openings(ctx, env, span, names)
			if err != nil {
				return nil, err
			}
			return calendarRows(openings, zone, noteUnread(env, entries)), nil
		})
	}
	file := cli.OutputFile{Flag: "ics", Path: o.ics, Force: o.force, Mode: 0o644}
	if o.ics != "" && o.ics != "-" {
		if err := file.Check(); err != nil {
			return err
		}
	}
	entries, openings, err := o.openings(ctx, env, span, names)
	if err != nil {
		return err
	}
	unread := noteUnread(env, entries)
	switch {
	case view:
		v := calendarView{w: env.Out, o: ro, zone: zone, span: span, entries: entries, openings: openings}
		err = v.write()
	case o.ics == "-":
		err = agenda.WriteICal(env.Out, openings, ro.Now)
	default:
		var b bytes.Buffer
		if err = agenda.WriteICal(&b, openings, ro.Now); err == nil {
			err = file.Write(b.Bytes())
		}
		if err == nil {
			env.Note("%s in %s", cli.Plural(countEnabled(openings), "event"), o.ics)
		}
	}
	return cmp.Or(err, incomplete("calendar", unread))
}

func countEnabled(openings []agenda.Opening) int {
	n := 0
	for _, o := range openings {
		if o.Enabled {
			n++
		}
	}
	return n
}

// openings reads the windows and works out when they open; where enabled ones meet
// their nodes are looked up.
func (o *calendarOptions) openings(ctx context.Context, env *cli.Env, span agenda.Span, names []string) ([]agenda.Entry, []agenda.Opening, error) {
	svc, err := openWindows(ctx, env)
	if err != nil {
		return nil, nil, err
	}
	windows, err := namedWindows(ctx, svc, names)
	if err != nil {
		return nil, nil, err
	}
	known, err := datedWindows(ctx, svc, windows)
	if err != nil {
		return nil, nil, err
	}
	entries := bareEntries(known)
	openings := agenda.Openings(entries, span.From, span.To)
	meet := agenda.Meet(openings)
	if o.noOverlaps || len(meet) == 0 {
		return entries, openings, nil
	}
	some := slices.DeleteFunc(known, func(w window.Window) bool { return !meet[w.ID] })
	whole, err := wholeEntries(ctx, svc, some, window.Read{Targets: true, Tasks: true})
	if err != nil {
		return nil, nil, err
	}
	nodes, err := env.Fleet(ctx)
	if err != nil {
		return nil, nil, err
	}
	reach, err := reachOf(ctx, env, nodes, whole)
	if err != nil {
		return nil, nil, err
	}
	agenda.Mark(openings, reach)
	return entries, openings, nil
}

// calendarRows are openings in a zone, and behind them the error of what they lack.
func calendarRows(openings []agenda.Opening, zone *time.Location, unread []string) iter.Seq2[calendarRow, error] {
	return func(yield func(calendarRow, error) bool) {
		for _, o := range openings {
			if !yield(calendarRow{o, o.Start.In(zone).Format(time.RFC3339)}, nil) {
				return
			}
		}
		if err := incomplete("calendar", unread); err != nil {
			yield(calendarRow{}, err)
		}
	}
}

func calendarTable(zone *time.Location) func(render.Options) render.Table[calendarRow] {
	return func(o render.Options) render.Table[calendarRow] {
		when := func(name string, wide bool, get func(calendarRow) time.Time) render.Column[calendarRow] {
			return render.Column[calendarRow]{
				Name: name, Wide: wide, Text: func(r calendarRow) string { return render.Timestamp(get(r)) },
				Human: func(r calendarRow) string { return localMoment(get(r), zone) },
				Less:  func(a, b calendarRow) bool { return get(a).Before(get(b)) },
			}
		}
		return render.Table[calendarRow]{
			ID:    func(r calendarRow) string { return r.WindowID },
			Empty: "no maintenance window opens in this time",
			Columns: []render.Column[calendarRow]{
				when("START", false, func(r calendarRow) time.Time { return r.Start }),
				when("CUTOFF", false, func(r calendarRow) time.Time { return r.Cutoff }),
				when("END", false, func(r calendarRow) time.Time { return r.End }),
				{Name: "WINDOW", Text: func(r calendarRow) string { return r.Window }},
				{Name: "WINDOW ID", Wide: true, ID: true, Text: func(r calendarRow) string { return r.WindowID }},
				{Name: "ENABLED", Text: func(r calendarRow) string { return strconv.FormatBool(r.Enabled) }},
				{Name: "ZONE", Text: func(r calendarRow) string { return r.Zone }},
				{Name: "LOCAL", Wide: true, Text: func(r calendarRow) string { return r.Local }},
				{Name: "SCHEDULE", Wide: true, Text: func(r calendarRow) string { return r.Schedule }},
				{
					Name: "OVERLAPS", Text: func(r calendarRow) string { return strings.Join(sharedNames(r.Opening), ",") },
					Human: func(r calendarRow) string {
						if len(r.Shared) == 0 {
							return ""
						}
						return o.Styles.Warn.Render(render.Visible(strings.Join(sharedNames(r.Opening), ", ")))
					},
				},
			},
		}
	}
}

// sharedNames are the windows that an opening meets, each once.
func sharedNames(o agenda.Opening) []string {
	var names []string
	for _, s := range o.Shared {
		if !slices.Contains(names, s.Window) {
			names = append(names, s.Window)
		}
	}
	return names
}

// windowCheck compares with the service.
func windowCheck(ctx context.Context, env *cli.Env, ro render.Options, span agenda.Span, names []string) error {
	if err := cli.CheckGridTable(env, differenceTable(span.From.Location()), ro); err != nil {
		return err
	}
	var differ, windows, runs atomic.Int64 // scopes are looked at side by side
	err := cli.WriteGrid(ctx, env, differenceTable(span.From.Location()), ro, func(ctx context.Context, env *cli.Env) (iter.Seq2[agenda.Difference, error], error) {
		svc, err := openWindows(ctx, env)
		if err != nil {
			return nil, err
		}
		all, err := namedWindows(ctx, svc, names)
		if err != nil {
			return nil, err
		}
		enabled := slices.DeleteFunc(all, func(w window.Window) bool { return !w.Enabled })
		entries, err := wholeEntries(ctx, svc, enabled, window.Read{Settings: true})
		if err != nil {
			return nil, err
		}
		unread := noteUnread(env, entries)
		var found []agenda.Difference
		for _, e := range entries {
			d, n, err := checkOne(ctx, env, svc, e, span)
			if err != nil {
				return nil, err
			}
			found = append(found, d...)
			runs.Add(int64(n))
		}
		windows.Add(int64(len(entries)))
		differ.Add(int64(len(found) + len(unread)))
		return cli.Each(found), nil
	})
	if err != nil {
		return err
	}
	checked := cli.Plural(int(windows.Load()), "enabled window")
	if n := int(differ.Load()); n > 0 {
		return fault.New(fault.RemoteFailed, "check schedules", "%s of %s differ from what the service says", cli.Plural(n, "run"), checked).
			WithHint("believe the service; a run at a time that clocks jump over, or a schedule that was changed meanwhile, may be why")
	}
	env.Note("%s of %s: the service says the same", cli.Plural(int(runs.Load()), "run"), checked)
	return nil
}

// checkOne compares the runs of a window from the next one that the service names,
// as far as the service's list goes.
func checkOne(ctx context.Context, env *cli.Env, svc *window.Service, e agenda.Entry, span agenda.Span) ([]agenda.Difference, int, error) {
	from, to := span.From, span.To
	if e.Next.After(from) {
		from = e.Next
	}
	from = from.Truncate(time.Minute)
	var service []time.Time
	whole := false // the list goes on to the end of the span
	var last time.Time
	for t, err := range svc.Upcoming(ctx, e.ID) {
		if err != nil {
			return nil, 0, err
		}
		if whole = !t.Before(to); whole {
			break
		}
		last = t
		if !t.Before(from) {
			service = append(service, t)
		}
	}
	ours := slices.DeleteFunc(e.Openings(from, to), func(o agenda.Opening) bool { return o.Start.Before(from) })
	if !whole && !last.IsZero() {
		// Lists of the service end somewhere, which does not mean that the window does.
		beyond := slices.IndexFunc(ours, func(o agenda.Opening) bool { return o.Start.After(last) })
		if beyond >= 0 {
			env.Note("ssmdeck: note: the service lists the runs of %s up to %s only", render.Visible(e.Name), localMoment(last, span.From.Location()))
			ours = ours[:beyond]
		}
	}
	return agenda.Compare(e, ours, service), len(service), nil
}

func differenceTable(zone *time.Location) func(render.Options) render.Table[agenda.Difference] {
	return func(o render.Options) render.Table[agenda.Difference] {
		return render.Table[agenda.Difference]{
			ID: func(d agenda.Difference) string { return d.WindowID },
			Columns: []render.Column[agenda.Difference]{
				{Name: "WINDOW", Text: func(d agenda.Difference) string { return d.Window }},
				{Name: "WINDOW ID", Wide: true, ID: true, Text: func(d agenda.Difference) string { return d.WindowID }},
				{
					Name: "START", Text: func(d agenda.Difference) string { return render.Timestamp(d.Start) },
					Human: func(d agenda.Difference) string { return localMoment(d.Start, zone) },
					Less:  func(a, b agenda.Difference) bool { return a.Start.Before(b.Start) },
				},
				{
					Name: "ONLY IN", Text: func(d agenda.Difference) string { return d.OnlyIn },
					Human: func(d agenda.Difference) string { return o.Styles.Warn.Render(d.OnlyIn) },
				},
				{Name: "SCHEDULE", Text: func(d agenda.Difference) string { return d.Schedule }},
				{Name: "ZONE", Text: func(d agenda.Difference) string { return d.Zone }},
			},
		}
	}
}
