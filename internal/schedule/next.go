package schedule

import (
	"iter"
	"time"
)

// wall is a date and a time of day as a clock on the wall shows them.
type wall struct {
	year   int
	month  time.Month
	day    int
	second int // of the day, from 0
}

// utc is the wall time as if the wall were in UTC: for counting days and comparing.
func (w wall) utc() time.Time {
	return time.Date(w.year, w.month, w.day, 0, 0, w.second, 0, time.UTC)
}

// wallOf reads a time as the clock shows it.
func wallOf(t time.Time) wall {
	h, m, s := t.Clock()
	y, mo, d := t.Date()
	return wall{y, mo, d, h*3600 + m*60 + s}
}

func (w wall) plusDays(n int) wall {
	t := time.Date(w.year, w.month, w.day+n, 0, 0, 0, 0, time.UTC)
	return wall{t.Year(), t.Month(), t.Day(), w.second}
}

// instant is when the clock of a zone shows a wall time for the first time. ok is
// false when it never does.
func instant(w wall, zone *time.Location) (t time.Time, ok bool) {
	naive := w.utc()
	// The offsets in force around it are all that can count: of the zone's clocks
	// no two change within three days.
	for _, around := range []time.Duration{-36 * time.Hour, 36 * time.Hour} {
		_, offset := naive.Add(around).In(zone).Zone()
		c := naive.Add(-time.Duration(offset) * time.Second).In(zone)
		if wallOf(c) == w && (!ok || c.Before(t)) {
			t, ok = c, true
		}
	}
	return t, ok
}

// nextCron walks over the days that are meant. It looks at no more than all months
// until the last year.
func (s *Schedule) nextCron(after time.Time) (time.Time, bool) {
	for w := range s.walls(wallOf(after.In(s.zone)).plusDays(-s.options.Offset)) {
		run, ok := instant(w.plusDays(s.options.Offset), s.zone)
		if !ok || !run.After(after) {
			continue
		}
		if s.options.Offset > 0 && !s.options.Since.IsZero() {
			if base, ok := instant(w, s.zone); ok && base.Before(s.options.Since) {
				continue
			}
		}
		return run, true
	}
	return time.Time{}, false
}

// walls are the wall times of a cron expression from one on, in order.
func (s *Schedule) walls(from wall) iter.Seq[wall] {
	return func(yield func(wall) bool) {
		f := s.fields
		for year := max(from.year, 1970); year <= lastYear; year++ {
			if !f.years.has(year - 1970) {
				continue
			}
			month := time.January
			if year == from.year {
				month = from.month
			}
			for ; month <= time.December; month++ {
				if !f.months.has(int(month) - 1) {
					continue
				}
				meant := f.days.of(year, month)
				for day := 1; day <= 31; day++ {
					if meant&(1<<day) == 0 {
						continue
					}
					today := year == from.year && month == from.month
					if today && day < from.day {
						continue
					}
					least := 0
					if today && day == from.day {
						least = from.second
					}
					if !f.times(least, func(second int) bool { return yield(wall{year, month, day, second}) }) {
						return
					}
				}
			}
		}
	}
}

// times are the seconds of a day from one on.
func (f *fields) times(least int, yield func(int) bool) bool {
	for _, h := range f.hours {
		if h*3600+3599 < least {
			continue
		}
		for _, m := range f.minutes {
			if h*3600+m*60+59 < least {
				continue
			}
			for _, s := range f.seconds {
				if at := h*3600 + m*60 + s; at >= least && !yield(at) {
					return false
				}
			}
		}
	}
	return true
}

// Skip is a run that is left out because its local time does not exist.
type Skip struct {
	Local  string    // the time that the clock never shows, as 2006-01-02 15:04:05
	Change time.Time // when the clock goes forward over it
}

// Skipped lists the runs from a moment on and before another that are left out
// because clocks go forward over them. Only cron schedules have any.
func (s *Schedule) Skipped(from, to time.Time) []Skip {
	if s.kind != Cron {
		return nil
	}
	var skips []Skip
	for _, c := range Changes(s.zone, from, to) {
		if c.By <= 0 {
			continue
		}
		_, before := c.At.Add(-1).In(s.zone).Zone()
		begin := c.At.UTC().Add(time.Duration(before) * time.Second) // the wall time that is jumped from
		end := begin.Add(c.By)
		for w := range s.walls(wallOf(begin).plusDays(-s.options.Offset)) {
			run := w.plusDays(s.options.Offset)
			if !run.utc().Before(end) {
				break
			}
			if _, exists := instant(run, s.zone); !exists && s.within(c.At) {
				skips = append(skips, Skip{run.utc().Format(time.DateTime), c.At})
			}
		}
	}
	return skips
}

// within reports whether a moment is in the valid period.
func (s *Schedule) within(t time.Time) bool {
	return (s.options.Start.IsZero() || !t.Before(s.options.Start)) && (s.options.End.IsZero() || !t.After(s.options.End))
}

// Change is a moment when the clocks of a zone are changed.
type Change struct {
	At time.Time     // in the zone, just after the change
	By time.Duration // forward when positive
}

// Changes lists the clock changes of a zone from a moment on and before another.
func Changes(zone *time.Location, from, to time.Time) []Change {
	var all []Change
	at := from.Add(-1)
	for {
		_, end := at.In(zone).ZoneBounds()
		if end.IsZero() || !end.Before(to) {
			return all
		}
		_, before := end.Add(-1).In(zone).Zone()
		_, after := end.In(zone).Zone()
		if by := time.Duration(after-before) * time.Second; by != 0 && !end.Before(from) {
			all = append(all, Change{end.In(zone), by})
		}
		at = end
	}
}
