package window

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/schedule"
)

// options are what belongs to the schedule of a window. made stands for when it was
// made where that is not known.
func (w Window) options(made time.Time) schedule.Options {
	o := schedule.Options{
		Zone: w.Timezone, For: schedule.Window, Offset: w.Offset, Start: ParseTime(w.Start), End: ParseTime(w.End), Since: made, Known: w.Next,
	}
	switch {
	case w.Created.IsZero():
	case !w.Next.IsZero() && w.Modified.After(w.Created) && w.counts():
		o.Since = w.Modified // when its schedule may have been another
	default:
		o.Since = w.Created
	}
	return o
}

// counts reports whether its schedule is a rate.
func (w Window) counts() bool {
	return strings.HasPrefix(strings.TrimSpace(w.Schedule), string(schedule.Rate))
}

// Dated reports whether its runs depend on when it was made, which List does not
// tell: those of a rate and of an offset.
func (w Window) Dated() bool { return w.Offset != 0 || w.counts() }

// schedule tells what is wrong with the schedule and what belongs to it, with a
// caret under the place.
func (f *faults) schedule(w Window, now time.Time) {
	if w.Schedule == "" {
		f.add("schedule", "it is missing")
		f.hint("write cron(0 2 ? * SUN *), rate(7 days) or at(2026-03-01T02:00:00)")
		return
	}
	o := w.options(now)
	o.Start, o.End = time.Time{}, time.Time{} // told by their own fields
	_, err := schedule.Parse(w.Schedule, o)
	var bad *schedule.Error
	if !errors.As(err, &bad) {
		return
	}
	fields := map[schedule.Input]string{schedule.Expression: "schedule", schedule.Zone: "timezone", schedule.Offset: "schedule_offset"}
	for _, fault := range bad.Faults {
		text := fault.Message
		if fault.Field != "" {
			text = fault.Field + ": " + text
		}
		if mark := bad.Mark(fault); mark != "" {
			text += "\n| " + bad.Text + "\n| " + mark // the bar keeps the marks in their columns
		}
		field := fields[fault.Input]
		if field == "" {
			field = "schedule"
		}
		*f = append(*f, Fault{Field: field, Text: text, Hint: fault.Hint})
	}
}

// ReadSchedule reads the schedule of a window that the service may hold already.
// made stands for when it was made where that is not known; it may be zero.
func (w Window) ReadSchedule(made time.Time) (*schedule.Schedule, error) {
	for _, d := range []struct{ name, text string }{{"start date", w.Start}, {"end date", w.End}} {
		if d.text != "" && ParseTime(d.text).IsZero() {
			return nil, fmt.Errorf("the %s %q is not understood", d.name, d.text)
		}
	}
	o := w.options(made)
	o.Stored = true
	return schedule.Parse(w.Schedule, o)
}

// Openings returns the next times after now that the window would open, at most n,
// whether or not it is enabled.
func (w Window) Openings(now time.Time, n int) []time.Time {
	s, err := w.ReadSchedule(now)
	if err != nil {
		return nil
	}
	var list []time.Time
	for at := now; len(list) < n; {
		next, ok := s.Next(at)
		if !ok {
			break
		}
		list, at = append(list, next), next
	}
	return list
}

// Explain says in words when the window opens; "" where its schedule is not
// understood.
func (w Window) Explain(now time.Time) string {
	s, err := w.ReadSchedule(now)
	if err != nil {
		return ""
	}
	return s.Explain()
}

// Warnings are remarks about the schedule: what is allowed, and may not be what was
// meant.
func (w Window) Warnings(now time.Time) []string {
	s, err := w.ReadSchedule(now)
	if err != nil {
		return nil
	}
	list := s.Warnings()
	if _, remark, err := schedule.FindZone(w.Timezone); err == nil && remark != "" {
		list = append(list, remark)
	}
	return list
}

// Zone is the time zone of the schedule; UTC when it names none, or one that is not
// known.
func (w Window) Zone() *time.Location {
	if loc, _, err := schedule.FindZone(w.Timezone); err == nil {
		return loc
	}
	return time.UTC
}
