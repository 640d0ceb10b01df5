package world

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The years that cron expressions know.
const (
	firstYear = 1970
	lastYear  = 2199
)

// cron has the allowed values of each field, in ascending order.
type cron struct {
	seconds, minutes, hours, months []int
	year                            [lastYear + 1]bool
	day                             func(date) bool
}

// date is a day of the calendar.
type date struct {
	year, month, day int
	weekday          int // 1: Sunday
	last             int // day of its month
}

func dateOf(year, month, day int) date {
	first := time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC)
	return date{year, month, day, int(first.AddDate(0, 0, day-1).Weekday()) + 1, first.AddDate(0, 1, -1).Day()}
}

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// field is a field of a cron expression.
type field struct {
	name      string
	low, high int
	names     []string // of the values from low on
	step      int      // the largest
}

var (
	secondField = field{"seconds", 0, 59, nil, 59}
	minuteField = field{"minutes", 0, 59, nil, 59}
	hourField   = field{"hours", 0, 23, nil, 23}
	dayField    = field{"day-of-month", 1, 31, nil, 31}
	monthField  = field{"month", 1, 12, monthNames, 12}
	weekField   = field{"day-of-week", 1, 7, dayNames, 7}
	yearField   = field{"year", firstYear, lastYear, nil, lastYear - firstYear}
)

func parseCron(f []string) (*cron, error) {
	if len(f) == 6 {
		f = append([]string{"0"}, f...)
	}
	if len(f) != 7 {
		return nil, fmt.Errorf("a cron expression has six fields, or seven with seconds, not %d", len(f))
	}
	if (f[3] == "?") == (f[5] == "?") {
		return nil, fmt.Errorf("exactly one of day-of-month and day-of-week must be ?")
	}
	var c cron
	var years []int
	var err error
	for _, one := range []struct {
		field
		text string
		to   *[]int
	}{{secondField, f[0], &c.seconds}, {minuteField, f[1], &c.minutes}, {hourField, f[2], &c.hours}, {monthField, f[4], &c.months}, {yearField, f[6], &years}} {
		if *one.to, err = one.parse(one.text); err != nil {
			return nil, err
		}
	}
	for _, y := range years {
		c.year[y] = true
	}
	if f[3] != "?" {
		c.day, err = parseMonthDay(f[3])
	} else {
		c.day, err = parseWeekDay(f[5])
	}
	return &c, err
}

// value reads a number or name.
func (f field) value(s string) (int, error) {
	if i := slices.Index(f.names, strings.ToUpper(s)); i >= 0 {
		return f.low + i, nil
	}
	n, ok := digits(s)
	if !ok || n < f.low || n > f.high {
		return 0, fmt.Errorf("%s: %q is not a value from %d to %d", f.name, s, f.low, f.high)
	}
	return n, nil
}

// parse reads a list of values, ranges and steps.
func (f field) parse(text string) ([]int, error) {
	allowed := make([]bool, f.high+1)
	for part := range strings.SplitSeq(text, ",") {
		from, to, step, err := f.span(part)
		if err != nil {
			return nil, err
		}
		for n := from; n <= to; n += step {
			allowed[n] = true
		}
	}
	var list []int
	for n, ok := range allowed {
		if ok {
			list = append(list, n)
		}
	}
	return list, nil
}

// span reads one part of a list: *, 5, 1-5, and each with a step. 5/10 is every
// tenth from 5 on.
func (f field) span(part string) (from, to, step int, err error) {
	span, stepText, stepped := strings.Cut(part, "/")
	first, last, ranged := strings.Cut(span, "-")
	from, to, step = f.low, f.high, 1
	if span != "*" {
		if from, err = f.value(first); err != nil {
			return
		}
		switch {
		case ranged:
			if to, err = f.value(last); err != nil {
				return
			}
		case !stepped:
			to = from
		}
	}
	if stepped {
		var ok bool
		if step, ok = digits(stepText); !ok || step < 1 || step > f.step {
			return 0, 0, 0, fmt.Errorf("%s: %q is not a step from 1 to %d", f.name, stepText, f.step)
		}
	}
	if from > to {
		return 0, 0, 0, fmt.Errorf("%s: %q is not a range", f.name, part)
	}
	return from, to, step, nil
}

// parseMonthDay reads the field of days of the month: also L, the last one, and
// 15W, the weekday nearest to the 15th.
func parseMonthDay(text string) (func(date) bool, error) {
	if text == "L" {
		return func(d date) bool { return d.day == d.last }, nil
	}
	if day, ok := strings.CutSuffix(text, "W"); ok {
		n, err := dayField.value(day)
		return func(d date) bool { return d.day == d.nearestWeekday(n) }, err
	}
	days, err := dayField.parse(text)
	return func(d date) bool { return slices.Contains(days, d.day) }, err
}

// nearestWeekday is the day of d's month from Monday to Friday that is nearest to
// day n, or to the last one of a month that has fewer.
func (d date) nearestWeekday(n int) int {
	n = min(n, d.last)
	switch dateOf(d.year, d.month, n).weekday {
	case 7:
		if n == 1 {
			return 3
		}
		return n - 1
	case 1:
		if n == d.last {
			return n - 2
		}
		return n + 1
	}
	return n
}

// parseWeekDay reads the field of days of the week, 1 or SUN to 7 or SAT: also
// FRI#3, the third one of the month, FRIL, the last one, and L, which is SAT.
func parseWeekDay(text string) (func(date) bool, error) {
	if text == "L" {
		text = "SAT"
	}
	if name, nth, ok := strings.Cut(text, "#"); ok {
		day, err := weekField.value(name)
		n, known := digits(nth)
		if err == nil && (!known || n < 1 || n > 5) {
			err = fmt.Errorf("day-of-week: %q is not a week of the month, 1 to 5", nth)
		}
		return func(d date) bool { return d.weekday == day && (d.day-1)/7+1 == n }, err
	}
	if name, ok := strings.CutSuffix(text, "L"); ok {
		day, err := weekField.value(name)
		return func(d date) bool { return d.weekday == day && d.day+7 > d.last }, err
	}
	days, err := weekField.parse(text)
	return func(d date) bool { return slices.Contains(days, d.weekday) }, err
}

// next is the first time after t.
func (c *cron) next(t time.Time, zone *time.Location) (time.Time, bool) {
	from := dateOf(t.Year(), int(t.Month()), t.Day())
	for year := max(from.year, firstYear); year <= lastYear; year++ {
		if !c.year[year] {
			continue
		}
		for _, month := range c.months {
			if year == from.year && month < from.month {
				continue
			}
			day := 1
			if year == from.year && month == from.month {
				day = from.day
			}
			for d := dateOf(year, month, day); d.day <= d.last; d = dateOf(year, month, d.day+1) {
				if !c.day(d) {
					continue
				}
				if next, ok := c.nextOn(d, t, zone); ok {
					return next, true
				}
			}
		}
	}
	return time.Time{}, false
}

// nextOn is the first time of a day after t.
func (c *cron) nextOn(d date, t time.Time, zone *time.Location) (time.Time, bool) {
	for _, h := range c.hours {
		if end, ok := instant(d, h, 59, 59, zone); ok && !end.After(t) {
			continue
		}
		for _, m := range c.minutes {
			for _, s := range c.seconds {
				if next, ok := instant(d, h, m, s, zone); ok && next.After(t) {
					return next, true
				}
			}
		}
	}
	return time.Time{}, false
}

// instant is when the clocks of a zone show a time, for the first time. ok is
// false when they never do.
func instant(d date, hour, minute, second int, zone *time.Location) (t time.Time, ok bool) {
	wall := time.Date(d.year, time.Month(d.month), d.day, hour, minute, second, 0, time.UTC)
	const around = 26 * time.Hour // more than any zone is off, and than any change takes
	_, before := wall.Add(-around).In(zone).Zone()
	_, after := wall.Add(around).In(zone).Zone()
	for _, offset := range []int{before, after} {
		t = wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if t.Hour() == hour && t.Minute() == minute && t.Second() == second && t.Day() == d.day {
			return t, true
		}
	}
	return time.Time{}, false
}

// shortest is the shortest time between two times of a day, or between the last
// one of a day and the first one of the next, if there are such days.
func (c *cron) shortest() time.Duration {
	if len(c.seconds) > 1 {
		return time.Second
	}
	day := 24 * time.Hour
	shortest, first, last := day, time.Duration(-1), time.Duration(0)
	for _, h := range c.hours {
		for _, m := range c.minutes {
			at := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
			if first < 0 {
				first = at
			} else {
				shortest = min(shortest, at-last)
			}
			last = at
		}
	}
	if over := day - last + first; over < shortest && c.followsItself() {
		shortest = over
	}
	return shortest
}

// followsItself reports whether a day of the expression can follow another.
func (c *cron) followsItself() bool {
	yesterday := false
	const years = 8 // with every length of February
	for i := range years * 366 {
		t := time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)
		d := dateOf(t.Year(), int(t.Month()), t.Day())
		today := slices.Contains(c.months, d.month) && c.day(d)
		if today && yesterday {
			return true
		}
		yesterday = today
	}
	return false
}
