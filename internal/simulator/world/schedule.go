package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "time/tzdata" // for machines without time zones
)

// Schedule is a schedule expression of Systems Manager (User Guide, "Reference:
// Cron and rate expressions"): cron(minutes hours day-of-month month day-of-week
// year), with an optional field of seconds before them; rate(5 hours); or
// at(2026-03-01T12:00:00).
type Schedule struct {
	at    time.Time
	every time.Duration
	cron  *cron
	zone  *time.Location
}

// cron has the allowed values of each field.
type cron struct {
	second, minute, hour, month, year func(int) bool
	day                               func(time.Time) bool
}

// ParseSchedule reads an expression. zone is an IANA name, UTC when empty. Its
// errors say what is wrong in plain words.
func ParseSchedule(expression, zone string) (*Schedule, error) {
	s := &Schedule{zone: time.UTC}
	if zone != "" {
		z, err := time.LoadLocation(zone)
		if err != nil {
			return nil, fmt.Errorf("time zone %q is not known", zone)
		}
		s.zone = z
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(expression), "(")
	body, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return nil, fmt.Errorf("%q is not cron(...), rate(...) or at(...)", expression)
	}
	var err error
	switch kind {
	case "at":
		s.at, err = time.ParseInLocation("2006-01-02T15:04:05", body, s.zone)
	case "rate":
		s.every, err = parseRate(body)
	case "cron":
		s.cron, err = parseCron(strings.Fields(body))
	default:
		err = fmt.Errorf("%q is not cron(...), rate(...) or at(...)", expression)
	}
	return s, err
}

func parseRate(body string) (time.Duration, error) {
	count, unit, ok := strings.Cut(body, " ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 || n > 10_000 {
		return 0, fmt.Errorf("%q is not a rate such as 5 hours", body)
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	d, one := units[unit]
	if !one {
		d, ok = units[strings.TrimSuffix(unit, "s")]
	}
	if !ok || one != (n == 1) {
		return 0, fmt.Errorf("%q is not a rate: the unit is minute, hour or day exactly for 1, else minutes, hours or days", body)
	}
	return time.Duration(n) * d, nil
}

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
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
	var err error
	for _, field := range []struct {
		to        *func(int) bool
		text      string
		low, high int
		names     []string
	}{
		{&c.second, f[0], 0, 59, nil},
		{&c.minute, f[1], 0, 59, nil},
		{&c.hour, f[2], 0, 23, nil},
		{&c.month, f[4], 1, 12, monthNames},
		{&c.year, f[6], 1970, 2199, nil},
	} {
		if *field.to, err = parseField(field.text, field.low, field.high, field.names); err != nil {
			return nil, err
		}
	}
	if f[3] != "?" {
		c.day, err = parseMonthDay(f[3])
	} else {
		c.day, err = parseWeekDay(f[5])
	}
	return &c, err
}

// parseField reads a list of values, ranges and steps. names stand for the values
// from low on.
func parseField(text string, low, high int, names []string) (func(int) bool, error) {
	if text == "*" {
		return func(int) bool { return true }, nil
	}
	value := func(s string) (int, error) {
		if i := slices.Index(names, strings.ToUpper(s)); i >= 0 {
			return low + i, nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%q is not a value from %d to %d", s, low, high)
		}
		return n, nil
	}
	allowed := map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(span, "-")
		from, to, step := low, high, 1
		var err error
		if span != "*" {
			if from, err = value(first); err != nil {
				return nil, err
			}
			switch {
			case ranged:
				if to, err = value(last); err != nil {
					return nil, err
				}
			case !stepped:
				to = from
			}
		}
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, fmt.Errorf("%q is not a step", stepText)
			}
		}
		if from > to {
			return nil, fmt.Errorf("%q is not a range", part)
		}
		for n := from; n <= to; n += step {
			allowed[n] = true
		}
	}
	return func(n int) bool { return allowed[n] }, nil
}

// lastDay is the last day of t's month.
func lastDay(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// parseMonthDay reads a field of days of the month: also L, the last one, and
// 15W, the weekday nearest to the 15th.
func parseMonthDay(text string) (func(time.Time) bool, error) {
	if text == "L" {
		return func(t time.Time) bool { return t.Day() == lastDay(t) }, nil
	}
	if day, ok := strings.CutSuffix(text, "W"); ok {
		n, err := strconv.Atoi(day)
		if err != nil || n < 1 || n > 31 {
			return nil, fmt.Errorf("%q is not a day of the month", text)
		}
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, n) }, nil
	}
	days, err := parseField(text, 1, 31, nil)
	return func(t time.Time) bool { return days(t.Day()) }, err
}

// nearestWeekday is the day of t's month from Monday to Friday that is nearest to
// day n.
func nearestWeekday(t time.Time, n int) int {
	n = min(n, lastDay(t))
	switch time.Date(t.Year(), t.Month(), n, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == lastDay(t) {
			return n - 2
		}
		return n + 1
	}
	return n
}

// parseWeekDay reads a field of days of the week, 1 or SUN to 7 or SAT: also
// FRI#3, the third one of the month, and FRIL, the last one.
func parseWeekDay(text string) (func(time.Time) bool, error) {
	name, nth, numbered := strings.Cut(text, "#")
	last := false
	if !numbered && text != "L" {
		name, last = strings.CutSuffix(text, "L")
	}
	if text == "L" {
		name = "SAT"
	}
	days, err := parseField(name, 1, 7, dayNames)
	if err != nil {
		return nil, err
	}
	n := 0
	if numbered {
		if n, err = strconv.Atoi(nth); err != nil || n < 1 || n > 5 {
			return nil, fmt.Errorf("%q is not a week of the month", nth)
		}
	}
	return func(t time.Time) bool {
		return days(int(t.Weekday())+1) && (n == 0 || (t.Day()-1)/7+1 == n) && (!last || t.Day()+7 > lastDay(t))
	}, nil
}

// scheduleHorizon is how far into the future a next time is looked for.
const scheduleHorizon = 5 * 366 // days

// Next is the first time after t. start is where rates count from. ok is false
// when there is none.
func (s *Schedule) Next(t, start time.Time) (next time.Time, ok bool) {
	switch {
	case s.every > 0:
		if t.Before(start) {
			return start, true
		}
		return start.Add((t.Sub(start)/s.every + 1) * s.every), true
	case s.cron == nil:
		return s.at, s.at.After(t)
	}
	c, t := s.cron, t.In(s.zone)
	for i := range scheduleHorizon {
		day := time.Date(t.Year(), t.Month(), t.Day()+i, 0, 0, 0, 0, s.zone)
		if !c.year(day.Year()) || !c.month(int(day.Month())) || !c.day(day) {
			continue
		}
		for h := range 24 {
			if !c.hour(h) {
				continue
			}
			for m := range 60 {
				for sec := range 60 {
					if !c.minute(m) || !c.second(sec) {
						continue
					}
					if next = time.Date(day.Year(), day.Month(), day.Day(), h, m, sec, 0, s.zone); next.After(t) {
						return next, true
					}
				}
			}
		}
	}
	return time.Time{}, false
}
