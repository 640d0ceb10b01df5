package world

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	_ "time/tzdata" // for machines without time zones
)

// Schedule is a schedule expression of Systems Manager (User Guide, "Reference:
// Cron and rate expressions"): cron(minutes hours day-of-month month day-of-week
// year), with an optional field of seconds before them; rate(5 hours); or
// at(2026-03-01T12:00:00), which is in UTC whatever the time zone.
type Schedule struct {
	at    time.Time
	every time.Duration
	cron  *cron
	zone  *time.Location
}

// ParseSchedule reads an expression. zone is an IANA name, UTC when empty. Its
// errors say what is wrong in plain words.
func ParseSchedule(expression, zone string) (*Schedule, error) {
	s := &Schedule{zone: time.UTC}
	if zone != "" {
		z, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			return nil, fmt.Errorf("time zone %q is not known", zone)
		}
		s.zone = z
	}
	kind, rest, _ := strings.Cut(expression, "(")
	body, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return nil, fmt.Errorf("%q is not cron(...), rate(...) or at(...)", expression)
	}
	var err error
	switch kind {
	case "at":
		s.at, err = parseAt(body)
	case "rate":
		s.every, err = parseRate(body)
	case "cron":
		s.cron, err = parseCron(strings.Fields(body))
	default:
		err = fmt.Errorf("%q is not cron(...), rate(...) or at(...)", expression)
	}
	return s, err
}

func parseAt(body string) (time.Time, error) {
	const layout = "2006-01-02T15:04:05"
	t, err := time.Parse(layout, body)
	if err != nil || len(body) != len(layout) { // fractions are none of the layout's business
		return time.Time{}, fmt.Errorf("%q is not a time such as 2026-03-01T12:00:00", body)
	}
	return t, nil
}

// maxRate bounds the number of a rate.
const maxRate = 10_000

func parseRate(body string) (time.Duration, error) {
	count, unit, _ := strings.Cut(body, " ")
	n, ok := digits(count)
	if !ok || n < 1 || n > maxRate {
		return 0, fmt.Errorf("%q is not a rate such as 5 hours", body)
	}
	if unit, ok = singular(unit, n); !ok {
		return 0, fmt.Errorf("%q is not a rate: the unit is minute, hour or day exactly for 1, else minutes, hours or days", body)
	}
	return time.Duration(n) * map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unit], nil
}

// singular is the unit of a rate without the s that all numbers but 1 want.
func singular(unit string, n int) (string, bool) {
	one, plural := strings.CutSuffix(unit, "s")
	return one, plural == (n != 1) && (one == "minute" || one == "hour" || one == "day")
}

// digits reads a number that is nothing but digits.
func digits(s string) (int, bool) {
	if len(s) == 0 || len(s) > 5 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// closest is how often a maintenance window may open at most.
const closest = 5 * time.Minute

// CheckWindowSchedule reports what is wrong with the schedule of a maintenance
// window.
func CheckWindowSchedule(expression, zone string) error {
	s, err := ParseSchedule(expression, zone)
	if err != nil {
		return err
	}
	if s.every > 0 && s.every < closest || s.cron != nil && s.cron.shortest() < closest {
		return fmt.Errorf("%s is more often than every five minutes", expression)
	}
	return nil
}

// Next is the first time after t, in the schedule's time zone. start is where
// rates count from. ok is false when there is none.
//
// A cron time that the change to daylight saving time leaves out is left out, and
// one that it repeats is taken once, the first time: what EventBridge Scheduler
// documents for the same expressions; Systems Manager says nothing.
func (s *Schedule) Next(t, start time.Time) (next time.Time, ok bool) {
	switch {
	case s.every > 0:
		if t.Before(start) {
			return start.In(s.zone), true
		}
		return start.Add((t.Sub(start)/s.every + 1) * s.every).In(s.zone), true
	case s.cron == nil:
		return s.at.In(s.zone), s.at.After(t)
	}
	return s.cron.next(t.In(s.zone), s.zone)
}
