package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Calendar is a change calendar: an iCalendar document (RFC 5545) whose events
// close it, or open it when it is closed by default.
type Calendar struct {
	defaultOpen bool
	events      []calendarEvent
}

// calendarEvent is a span of time, perhaps repeated.
type calendarEvent struct {
	start  time.Time
	length time.Duration
	step   func(t time.Time, n int) time.Time // the nth repetition; nil: none
	count  int                                // 0: no limit
	until  time.Time
}

// calendarRepeats bounds how many repetitions of an event are looked at.
const calendarRepeats = 5000

// ParseCalendar reads a calendar. Its errors say what is wrong in plain words.
func ParseCalendar(text string) (*Calendar, error) {
	c := &Calendar{defaultOpen: true}
	var event map[string]string
	if !strings.HasPrefix(strings.TrimSpace(text), "BEGIN:VCALENDAR") {
		return nil, fmt.Errorf("a calendar begins with BEGIN:VCALENDAR")
	}
	text = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(text) // unfold lines
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r"), ":")
		switch {
		case name == "X-CALENDAR-TYPE" && value == "DEFAULT_CLOSED":
			c.defaultOpen = false
		case name == "BEGIN" && value == "VEVENT":
			event = map[string]string{}
		case name == "END" && value == "VEVENT" && event != nil:
			e, err := newCalendarEvent(event)
			if err != nil {
				return nil, err
			}
			c.events, event = append(c.events, e), nil
		case event != nil:
			event[name] = value
		}
	}
	return c, nil
}

// newCalendarEvent makes an event of its properties, whose names may be followed
// by parameters.
func newCalendarEvent(properties map[string]string) (e calendarEvent, err error) {
	if e.start, err = calendarTime(properties, "DTSTART"); err != nil {
		return e, err
	}
	if span, ok := properties["DURATION"]; ok {
		if e.length, err = parseISODuration(span); err != nil {
			return e, err
		}
	} else {
		end, err := calendarTime(properties, "DTEND")
		if err != nil {
			return e, err
		}
		e.length = end.Sub(e.start)
	}
	if e.length <= 0 {
		return e, fmt.Errorf("an event ends before it starts")
	}
	return e, e.repeat(properties["RRULE"])
}

// calendarTime reads a property of a time: 20260301T120000Z, with TZID=… before
// the colon, or a day.
func calendarTime(properties map[string]string, name string) (time.Time, error) {
	for property, value := range properties {
		head, parameters, _ := strings.Cut(property, ";")
		if head != name {
			continue
		}
		zone := time.UTC
		for p := range strings.SplitSeq(parameters, ";") {
			if id, ok := strings.CutPrefix(p, "TZID="); ok {
				var err error
				if zone, err = time.LoadLocation(id); err != nil {
					return time.Time{}, fmt.Errorf("time zone %q is not known", id)
				}
			}
		}
		for _, layout := range []string{"20060102T150405Z", "20060102T150405", "20060102"} {
			if t, err := time.ParseInLocation(layout, value, zone); err == nil {
				return t, nil
			}
		}
		return time.Time{}, fmt.Errorf("%s: %q is not a time", name, value)
	}
	return time.Time{}, fmt.Errorf("an event has no %s", name)
}

// repeat reads a rule of which frequency, interval, count and end are known.
func (e *calendarEvent) repeat(rule string) error {
	if rule == "" {
		return nil
	}
	interval := 1
	var frequency string
	for part := range strings.SplitSeq(rule, ";") {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch name {
		case "FREQ":
			frequency = value
		case "INTERVAL":
			interval, err = strconv.Atoi(value)
		case "COUNT":
			e.count, err = strconv.Atoi(value)
		case "UNTIL":
			e.until, err = calendarTime(map[string]string{"UNTIL": value}, "UNTIL")
		case "WKST":
		default:
			return fmt.Errorf("%s in a rule is not supported", name)
		}
		if err != nil || interval < 1 || interval > 1000 {
			return fmt.Errorf("rule %q is not valid", rule)
		}
	}
	step, ok := map[string]func(t time.Time, n int) time.Time{
		"HOURLY":  func(t time.Time, n int) time.Time { return t.Add(time.Duration(n*interval) * time.Hour) },
		"DAILY":   func(t time.Time, n int) time.Time { return t.AddDate(0, 0, n*interval) },
		"WEEKLY":  func(t time.Time, n int) time.Time { return t.AddDate(0, 0, 7*n*interval) },
		"MONTHLY": func(t time.Time, n int) time.Time { return t.AddDate(0, n*interval, 0) },
		"YEARLY":  func(t time.Time, n int) time.Time { return t.AddDate(n*interval, 0, 0) },
	}[frequency]
	if !ok {
		return fmt.Errorf("frequency %q is not supported", frequency)
	}
	e.step = step
	return nil
}

// around calls f with the repetitions of the event until one starts after t.
func (e calendarEvent) around(t time.Time, f func(start, end time.Time)) {
	for n := range calendarRepeats {
		start := e.start
		if n > 0 {
			if e.step == nil || e.count > 0 && n >= e.count {
				return
			}
			start = e.step(e.start, n)
		}
		if !e.until.IsZero() && start.After(e.until) {
			return
		}
		f(start, start.Add(e.length))
		if start.After(t) {
			return
		}
	}
}

// State returns whether the calendar is open at t, and when that changes; zero
// when it never does.
func (c *Calendar) State(t time.Time) (open bool, next time.Time) {
	within := func(t time.Time) (in bool, edges []time.Time) {
		for _, e := range c.events {
			e.around(t, func(start, end time.Time) {
				in = in || !t.Before(start) && t.Before(end)
				edges = append(edges, start, end)
			})
		}
		return in, edges
	}
	in, edges := within(t)
	slices.SortFunc(edges, time.Time.Compare)
	for _, at := range edges {
		if !at.After(t) {
			continue
		}
		if then, _ := within(at); then != in {
			return in != c.defaultOpen, at
		}
	}
	return in != c.defaultOpen, time.Time{}
}
