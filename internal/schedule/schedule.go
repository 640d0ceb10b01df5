// Package schedule reads the schedules of maintenance windows and of State Manager
// associations: cron(…), rate(…) and at(…) in the dialect of Systems Manager. It
// says offline when they run next, in words what they mean, and where exactly they
// are wrong.
//
// The rules are those of "Reference: Cron and rate expressions for Systems
// Manager" and of "Maintenance window scheduling and active period options" in the
// user guide. Where both are silent:
//
//   - A local time that does not exist, because clocks go forward, is left out; one
//     that exists twice, because they go back, runs once, the first time. Amazon
//     EventBridge Scheduler, the one scheduler of AWS that says what it does, does
//     so. [Schedule.Skipped] lists what is left out.
//   - 31W is the last weekday in months that have no day 31.
//   - at(…) is in UTC, as documented, also where the window has a time zone.
//   - A rate counts hours that pass, not hours on a clock.
//
// The package is pure: it reads no clock and no file. Time zones are in the program.
package schedule

import (
	"iter"
	"strings"
	"time"
)

// Use is what a schedule is for; associations take fewer expressions.
type Use int

// The uses.
const (
	Window Use = iota
	Association
)

// Kind is the form of an expression.
type Kind string

// The forms.
const (
	Cron Kind = "cron"
	Rate Kind = "rate"
	At   Kind = "at"
)

// MaxOffset is the most days of a schedule offset, from the API model.
const MaxOffset = 6

// lastYear is where the dialect ends.
const lastYear = 2199

// Options are what belongs to an expression and stands in other fields of the API.
type Options struct {
	// Zone is an IANA name; "" is UTC. Associations run in UTC.
	Zone string
	For  Use
	// Offset is the days to wait after the day that a cron expression means, 0 to
	// MaxOffset. It brings back no day that had passed at Since.
	Offset int
	// Start and End bound when it runs, both included; zero means no bound.
	Start, End time.Time
	// Since is when the schedule was made. A rate counts from Start when that is
	// later, else from here; without either it counts from 1970.
	Since time.Time
	// Known is a run that the service names: a rate counts from it, back to Since and
	// Start as well. Without either nothing is known of the time before it.
	Known time.Time
	// Stored means that the service holds the expression: forms that it once
	// documented are read, and what is only refused in new ones is not looked at.
	Stored bool
}

// Schedule is an expression that was understood. It is immutable.
type Schedule struct {
	text     string
	kind     Kind
	options  Options
	zone     *time.Location
	fields   *fields       // of Cron
	every    time.Duration // of Rate
	once     time.Time     // of At
	warnings []string
}

// Parse reads an expression and all that belongs to it. Its error is an *Error with
// every fault that was found.
func Parse(text string, o Options) (*Schedule, error) {
	p := &parser{text: text, o: o}
	s := &Schedule{text: strings.TrimSpace(text), options: o, zone: p.location()}
	switch kind, inner := p.form(); kind {
	case Cron:
		s.kind, s.fields = Cron, p.cron(inner)
	case Rate:
		s.kind, s.every = Rate, p.rate(inner)
	case At:
		s.kind, s.once = At, p.at(inner, s.zone)
	}
	p.rest(s.kind)
	if len(p.faults) == 0 && s.kind == Cron && !o.Stored {
		p.runs(s)
	}
	if len(p.faults) > 0 {
		return nil, &Error{Text: text, Zone: o.Zone, Faults: p.faults}
	}
	s.warnings = p.warnings
	return s, nil
}

// String returns the expression.
func (s *Schedule) String() string { return s.text }

// Kind returns the form of the expression.
func (s *Schedule) Kind() Kind { return s.kind }

// Location returns the time zone that the schedule runs in.
func (s *Schedule) Location() *time.Location { return s.zone }

// Warnings are remarks for who writes the schedule: what is allowed, and may not be
// what was meant.
func (s *Schedule) Warnings() []string { return s.warnings }

// Next returns the first run after a moment, in the zone of the schedule. ok is
// false when there is none.
func (s *Schedule) Next(after time.Time) (run time.Time, ok bool) {
	if start := s.options.Start; !start.IsZero() && after.Before(start) {
		after = start.Add(-1)
	}
	switch s.kind {
	case Cron:
		run, ok = s.nextCron(after)
	case Rate:
		run, ok = s.nextRate(after)
	case At:
		run, ok = s.once, s.once.After(after)
	}
	if !ok || !s.options.End.IsZero() && run.After(s.options.End) {
		return time.Time{}, false
	}
	return run.In(s.zone), true
}

// Between returns the runs from a moment on, itself included, and before another.
func (s *Schedule) Between(from, to time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for at := from.Add(-1); ; {
			run, ok := s.Next(at)
			if !ok || !run.Before(to) || !yield(run) {
				return
			}
			at = run
		}
	}
}

// nextRate counts from where the rate begins. A start date is itself a run; without
// one the first is an interval after the schedule was made. From a run that is known
// it counts back as well: one before it may have begun what is not over.
func (s *Schedule) nextRate(after time.Time) (time.Time, bool) {
	o, every := s.options, int64(s.every/time.Second)
	var first int64 // seconds since 1970
	switch {
	case o.Start.After(o.Since):
		first = o.Start.Unix()
	case !o.Since.IsZero():
		first = o.Since.Unix() + every
	}
	if known := o.Known.Unix(); !o.Known.IsZero() {
		if begin := first; begin == 0 || begin > known {
			first = known
		} else {
			first = known - (known-begin)/every*every
		}
	}
	if now := after.Unix(); now >= first {
		first += ((now-first)/every + 1) * every
	}
	run := time.Unix(first, 0)
	return run, run.UTC().Year() <= lastYear
}
