package window

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/agenda"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/schedule"
)

// calendarView shows openings to a person: a timeline with a row for each window,
// and under it every day.
type calendarView struct {
	w        io.Writer
	o        render.Options
	zone     *time.Location
	span     agenda.Span
	entries  []agenda.Entry
	openings []agenda.Opening

	b strings.Builder
}

// timelineDays is the most days that a timeline has room for.
const timelineDays = 14

// oftenADay is from how many openings a day on a window has one line for all of
// them.
const oftenADay = 5

func (v *calendarView) write() error {
	if len(v.openings) == 0 && len(v.skips(v.span.From, v.span.To)) == 0 {
		if v.o.Notes != nil {
			fmt.Fprintf(v.o.Notes, "no maintenance window opens from %s to %s\n", localMoment(v.span.From, v.zone), localMoment(v.span.To, v.zone))
		}
		return nil
	}
	days := v.days()
	if len(days) <= timelineDays && len(v.openings) > 0 {
		v.timeline(days)
	}
	for _, d := range days {
		v.day(d)
	}
	_, err := io.WriteString(v.w, v.b.String())
	return err
}

// oneDay is a day of the zone: 23 to 25 hours.
type oneDay struct{ begin, end time.Time }

// days are those of the span, the first and last whole.
func (v *calendarView) days() []oneDay {
	var all []oneDay
	y, m, d := v.span.From.In(v.zone).Date()
	for i := 0; ; i++ {
		begin := firstMoment(y, m, d+i, v.zone)
		if !begin.Before(v.span.To) {
			return all
		}
		all = append(all, oneDay{begin, firstMoment(y, m, d+i+1, v.zone)})
	}
}

// firstMoment is when a date begins in a zone, also where clocks jump over midnight.
func firstMoment(y int, m time.Month, d int, zone *time.Location) time.Time {
	date := time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Format(time.DateOnly)
	t, err := schedule.ParseMoment(date, time.Date(y, m, d, 12, 0, 0, 0, zone))
	if err != nil { // a date that a zone left out
		return time.Date(y, m, d, 0, 0, 0, 0, zone)
	}
	return t
}

// changes says which changes of clocks a day has, in words: those of the zone that
// is shown, and those of windows.
func (v *calendarView) changes(d oneDay) []string {
	zones := []*time.Location{v.zone}
	for i := range v.entries {
		if s := v.entries[i].Schedule; s != nil && !slices.ContainsFunc(zones, func(z *time.Location) bool { return z.String() == s.Location().String() }) {
			zones = append(zones, s.Location())
		}
	}
	var all []string
	for _, zone := range zones {
		for _, c := range schedule.Changes(zone, d.begin, d.end) {
			how := "forward"
			if c.By < 0 {
				how = "back"
			}
			before := c.At.UTC().Add(offsetOf(c.At.Add(-time.Second), zone))
			all = append(all, fmt.Sprintf("clocks go %s in %s: %s %s %s", how, zoneName(zone), before.Format("15:04"), v.o.Styles.Glyphs.Arrow, c.At.Format("15:04")))
		}
	}
	return all
}

func offsetOf(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// timeline draws a row for each window that opens: a cell is a part of a day.
func (v *calendarView) timeline(days []oneDay) {
	st := v.o.Styles
	var names []string
	rows := map[string][]agenda.Opening{}
	for _, o := range v.openings {
		key := o.Window + "\x00" + o.WindowID
		if rows[key] == nil {
			names = append(names, key)
		}
		rows[key] = append(rows[key], o)
	}
	slices.Sort(names)
	label := 0
	for _, key := range names {
		label = max(label, render.Width(render.Visible(key[:strings.IndexByte(key, 0)])))
	}
	label = min(max(label, 10), 24)
	cells := (v.o.Width-label-2)/len(days) - 1
	if cells < 4 { // no room to tell morning from evening
		return
	}
	cells = min(cells, 24)
	pad := func(s string, width int) string { return s + strings.Repeat(" ", max(0, width-render.Width(s))) }
	v.b.WriteString(st.Dim.Render(pad(render.CutEnd(zoneName(v.zone), label, st.Glyphs.Ellipsis), label+1)))
	for _, d := range days {
		name := d.begin.In(v.zone).Format("Mon 2")
		if cells >= 10 {
			name = d.begin.In(v.zone).Format("Mon 2 Jan")
		}
		if len(v.changes(d)) > 0 {
			name = st.Glyphs.Changed + name
		}
		v.b.WriteString(st.Header.Render(pad(render.CutEnd(name, cells+1, ""), cells+1)))
	}
	v.b.WriteByte('\n')
	for _, key := range names {
		name := render.Visible(key[:strings.IndexByte(key, 0)])
		open := rows[key]
		text := pad(render.CutEnd(name, label, st.Glyphs.Ellipsis), label)
		if !open[0].Enabled {
			text = st.Dim.Render(text)
		}
		v.b.WriteString(text + " ")
		for _, d := range days {
			v.b.WriteString(st.Dim.Render(st.Glyphs.Pipe))
			for c := range cells {
				length := d.end.Sub(d.begin)
				from := d.begin.Add(length * time.Duration(c) / time.Duration(cells))
				to := d.begin.Add(length * time.Duration(c+1) / time.Duration(cells))
				v.b.WriteString(v.cell(open, from, to))
			}
		}
		v.b.WriteByte('\n')
	}
	legend := []string{v.bar(false) + " open", v.bar(true) + " after the cutoff"}
	if slices.ContainsFunc(v.openings, func(o agenda.Opening) bool { return len(o.Shared) > 0 }) {
		legend = append(legend, st.Warn.Render(st.Glyphs.Warn)+" two windows on the same nodes")
	}
	if slices.ContainsFunc(v.openings, func(o agenda.Opening) bool { return !o.Enabled }) {
		legend = append(legend, st.Dim.Render(st.Glyphs.Idle)+" disabled")
	}
	used := 0
	for i, part := range legend {
		switch width := render.Width(part) + 2; {
		case i == 0:
		case used+width > v.o.Width:
			v.b.WriteByte('\n')
			used = 0
		default:
			v.b.WriteString("  ")
		}
		v.b.WriteString(part)
		used += render.Width(part) + 2
	}
	v.b.WriteByte('\n')
}

// bar is the sign of an hour that is open, or after the cutoff.
func (v *calendarView) bar(late bool) string {
	g := v.o.Styles.Glyphs
	if late {
		if len(g.Bar) > 2 {
			return v.o.Styles.Dim.Render("▒")
		}
		return "="
	}
	return v.o.Styles.Bar.Render(g.Bar[len(g.Bar)-1])
}

// cell is the sign of a part of a day in a window's row.
func (v *calendarView) cell(open []agenda.Opening, from, to time.Time) string {
	st := v.o.Styles
	late := false
	for _, o := range open {
		if !o.Start.Before(to) || !o.End.After(from) {
			continue
		}
		if !o.Enabled {
			return st.Dim.Render(st.Glyphs.Idle)
		}
		for _, s := range o.Shared {
			if s.Start.Before(to) && s.End.After(from) {
				return st.Warn.Render(st.Glyphs.Warn)
			}
		}
		if o.Cutoff.After(from) {
			return v.bar(false)
		}
		late = true
	}
	if late {
		return v.bar(true)
	}
	return " "
}

// skips are the runs that fall out between two moments.
func (v *calendarView) skips(from, to time.Time) []string {
	var all []string
	for _, e := range v.entries {
		if e.Schedule == nil {
			continue
		}
		for _, s := range e.Schedule.Skipped(from, to) {
			all = append(all, fmt.Sprintf("%s has no run at %s: clocks in %s jump over it", render.Visible(e.Name), s.Local[11:16], zoneName(e.Schedule.Location())))
		}
	}
	return all
}

// day writes a day that has something on it.
func (v *calendarView) day(d oneDay) {
	st := v.o.Styles
	var today []agenda.Opening
	for _, o := range v.openings {
		begin := o.Start
		if begin.Before(v.span.From) {
			begin = v.span.From // it was open already
		}
		if !begin.Before(d.begin) && begin.Before(d.end) {
			today = append(today, o)
		}
	}
	skips, changes := v.skips(d.begin, d.end), v.changes(d)
	if len(today)+len(skips) == 0 && (len(changes) == 0 || len(v.openings) == 0) {
		return
	}
	v.b.WriteString("\n" + st.Title.Render(d.begin.In(v.zone).Format("Monday 2 January 2006")) + "\n")
	for _, c := range changes {
		v.b.WriteString("  " + st.Warn.Render(render.CutEnd(st.Glyphs.Changed+" "+c, v.o.Width-2, st.Glyphs.Ellipsis)) + "\n")
	}
	count := map[string]int{}
	for _, o := range today {
		count[o.WindowID]++
	}
	done := map[string]bool{}
	label := 0 // the same on every day
	for _, o := range v.openings {
		label = max(label, render.Width(render.Visible(o.Window)))
	}
	label = min(label, 32)
	for i, o := range today {
		if count[o.WindowID] < oftenADay {
			v.line(o, label)
			continue
		}
		if !done[o.WindowID] {
			done[o.WindowID] = true
			v.often(today[i:], o, count[o.WindowID], label)
		}
	}
	for _, s := range skips {
		v.b.WriteString("  " + st.Warn.Render(render.CutEnd(st.Glyphs.Warn+" "+s, v.o.Width-2, st.Glyphs.Ellipsis)) + "\n")
	}
}

// line writes one opening.
func (v *calendarView) line(o agenda.Opening, label int) {
	st := v.o.Styles
	clock := func(t time.Time) string {
		if t.Second() != 0 {
			return t.In(v.zone).Format("15:04:05")
		}
		return t.In(v.zone).Format("15:04")
	}
	name := render.CutEnd(render.Visible(o.Window), label, st.Glyphs.Ellipsis)
	name += strings.Repeat(" ", max(0, label-render.Width(name)))
	text := fmt.Sprintf("  %s%s%s  %s  ", clock(o.Start), v.dash(), clock(o.End), name)
	var bar strings.Builder
	for h := o.Start; h.Before(o.End); h = h.Add(time.Hour) {
		bar.WriteString(v.bar(!h.Before(o.Cutoff)))
	}
	var facts []string
	if o.Start.Before(v.span.From) {
		facts = append(facts, "open since "+localMoment(o.Start, v.zone))
	}
	if o.Cutoff.Before(o.End) {
		facts = append(facts, "no new task after "+clock(o.Cutoff))
	}
	if o.Zone != v.zone.String() {
		if zone, _, err := schedule.FindZone(o.Zone); err == nil && offsetOf(o.Start, zone) != offsetOf(o.Start, v.zone) {
			facts = append(facts, o.Start.In(zone).Format("15:04 ")+render.Visible(o.Zone))
		}
	}
	if !o.Enabled {
		text += strings.Repeat(st.Glyphs.Idle, max(1, int(o.End.Sub(o.Start)/time.Hour))) + "  disabled"
		v.b.WriteString(st.Dim.Render(render.CutEnd(text, v.o.Width, st.Glyphs.Ellipsis)) + "\n")
		return
	}
	v.b.WriteString(text + bar.String())
	if room := v.o.Width - render.Width(text) - render.Width(bar.String()) - 2; len(facts) > 0 && room > 0 {
		v.b.WriteString("  " + st.Dim.Render(render.CutEnd(strings.Join(facts, " "+st.Glyphs.Sep+" "), room, st.Glyphs.Ellipsis)))
	}
	v.b.WriteByte('\n')
	for _, s := range o.Shared {
		v.b.WriteString("      " + st.Warn.Render(fmt.Sprintf("%s open with %s on %s, %s%s%s", st.Glyphs.Warn, render.Visible(s.Window), cli.Plural(s.Nodes, "node"),
			clock(s.Start), v.dash(), clock(s.End))) + "\n")
	}
}

// often writes one line for a window that opens many times on a day.
func (v *calendarView) often(today []agenda.Opening, first agenda.Opening, n, label int) {
	st := v.o.Styles
	last, meets := first, map[string]bool{}
	for _, o := range today {
		if o.WindowID == first.WindowID {
			last = o
			for _, s := range o.Shared {
				meets[render.Visible(s.Window)] = true
			}
		}
	}
	name := render.CutEnd(render.Visible(first.Window), label, st.Glyphs.Ellipsis)
	text := fmt.Sprintf("  %s%s%s  %s%s  %s times, each open %s", first.Start.In(v.zone).Format("15:04"), v.dash(), last.Start.In(v.zone).Format("15:04"),
		name, strings.Repeat(" ", max(0, label-render.Width(name))), fmt.Sprint(n), hours(int(first.End.Sub(first.Start)/time.Hour)))
	if !first.Enabled {
		text = st.Dim.Render(text + "  disabled")
	}
	v.b.WriteString(text + "\n")
	if len(meets) > 0 {
		var names []string
		for m := range meets {
			names = append(names, m)
		}
		slices.Sort(names)
		v.b.WriteString("      " + st.Warn.Render(st.Glyphs.Warn+" open with "+strings.Join(names, ", ")+" on the same nodes") + "\n")
	}
}

// dash stands between two times.
func (v *calendarView) dash() string {
	if len(v.o.Styles.Glyphs.Bar) > 2 {
		return "–"
	}
	return "-"
}
