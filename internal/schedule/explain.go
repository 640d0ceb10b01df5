package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Explain says in words when the schedule runs, such as "every Sunday at 02:00
// Europe/Berlin".
func (s *Schedule) Explain() string {
	var text string
	switch s.kind {
	case Rate:
		text = "every " + span(s.every)
		if !s.options.Start.IsZero() && s.options.Start.After(s.options.Since) && s.options.Known.IsZero() {
			text += " from " + s.options.Start.In(s.zone).Format("2006-01-02 15:04") + " " + s.zone.String()
		}
	case At:
		text = "once, on " + s.once.UTC().Format("Monday 2 January 2006 at 15:04:05 UTC")
	case Cron:
		text = s.fields.explain(s.zone.String(), s.options.Offset)
	}
	return text
}

func span(d time.Duration) string {
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if n := int(d / u.d); d%u.d == 0 && n > 0 {
			return plural(n, u.name)
		}
	}
	return d.String()
}

func plural(n int, name string) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%d %ss", n, name)
}

func (f *fields) explain(zone string, offset int) string {
	var b strings.Builder
	times, regular := f.clock()
	if regular {
		b.WriteString(times)
		if day := f.days.explain(); day != "every day" {
			b.WriteString(" " + day)
		}
	} else {
		b.WriteString(f.days.explain() + " " + times)
	}
	if !f.allMonths {
		var names []string
		for _, m := range f.months.values(1) {
			names = append(names, time.Month(m).String())
		}
		b.WriteString(" in " + listed(names))
	}
	if !f.allYears {
		b.WriteString(" in " + runs(f.years.values(1970), strconv.Itoa))
	}
	if offset > 0 {
		later := "a day"
		if offset > 1 {
			later = plural(offset, "day")
		}
		fmt.Fprintf(&b, ", and then %s later", later)
	}
	return b.String() + " " + zone
}

// clock says the times of a day; regular when they are an interval.
func (f *fields) clock() (text string, regular bool) {
	second := func(s int) string {
		if slices.Equal(f.seconds, []int{0}) {
			return ""
		}
		return fmt.Sprintf(":%02d", s)
	}
	if n := len(f.hours) * len(f.minutes) * len(f.seconds); n > 0 && n <= 6 {
		var all []string
		for _, h := range f.hours {
			for _, m := range f.minutes {
				for _, s := range f.seconds {
					all = append(all, fmt.Sprintf("%02d:%02d%s", h, m, second(s)))
				}
			}
		}
		return "at " + listed(all), false
	}
	two := func(n int) string { return fmt.Sprintf("%02d", n) }
	var minutes string
	step := evenly(f.minutes, 60)
	switch {
	case step > 0 && step < 60 && f.minutes[0] == 0:
		minutes = "every " + plural(step, "minute")
	case step > 0 && step < 60:
		minutes = fmt.Sprintf("every %s from minute %d", plural(step, "minute"), f.minutes[0])
	default:
		minutes = "at minute " + runs(f.minutes, strconv.Itoa)
	}
	if len(f.seconds) > 1 || len(f.seconds) == 1 && f.seconds[0] != 0 {
		minutes = "at second " + runs(f.seconds, strconv.Itoa) + " " + minutes
	}
	switch hours := evenly(f.hours, 24); {
	case hours == 1 && len(f.minutes) == 1 && f.minutes[0] == 0 && len(f.seconds) == 1:
		return "every hour", true
	case hours == 1 && len(f.minutes) == 1:
		return "every hour " + minutes, true
	case hours == 1:
		return minutes, true
	case hours > 1 && len(f.minutes) == 1 && len(f.seconds) == 1:
		return fmt.Sprintf("every %d hours from %02d:%02d%s", hours, f.hours[0], f.minutes[0], second(f.seconds[0])), true
	}
	return minutes + " of the hours " + runs(f.hours, two), true
}

func (d *days) explain() string {
	switch {
	case d.every:
		return "every day"
	case d.last && d.back == 0:
		return "on the last day of the month"
	case d.last && d.back == 1:
		return "on the day before the last of the month"
	case d.last:
		return fmt.Sprintf("%d days before the last of the month", d.back)
	case d.lastWork:
		return "on the last weekday (Monday to Friday) of the month"
	case d.nearest > 0:
		return fmt.Sprintf("on the weekday (Monday to Friday) nearest to day %d of the month", d.nearest)
	case d.nth < 0:
		return fmt.Sprintf("on the last %s of the month", d.weekday)
	case d.nth > 0:
		return fmt.Sprintf("on the %s %s of the month", [...]string{"", "first", "second", "third", "fourth", "fifth"}[d.nth], d.weekday)
	case bits.OnesCount8(d.weekly) == 7:
		return "every day"
	case d.weekly == 0b0111110:
		return "Monday to Friday"
	case d.weekly != 0:
		var names []string
		for _, day := range weekdays(d.weekly) {
			names = append(names, time.Weekday(day).String())
		}
		return "every " + listed(names)
	}
	var all []int
	for day := 1; day <= 31; day++ {
		if d.monthly&(1<<day) != 0 {
			all = append(all, day)
		}
	}
	name := "day "
	if len(all) > 1 {
		name = "days "
	}
	return "on " + name + runs(all, strconv.Itoa) + " of the month"
}

// listed joins words as a sentence does.
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// runs writes numbers with what follows each other as a range.
func runs(values []int, show func(int) string) string {
	var parts []string
	for i := 0; i < len(values); {
		j := i
		for j+1 < len(values) && values[j+1] == values[j]+1 {
			j++
		}
		switch {
		case j >= i+2:
			parts = append(parts, show(values[i])+" to "+show(values[j]))
		default:
			for k := i; k <= j; k++ {
				parts = append(parts, show(values[k]))
			}
		}
		i = j + 1
	}
	return listed(parts)
}
