package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// momentForms is what a moment may look like, for hints.
const momentForms = "write for example 'sunday 02:00', 'tomorrow 22:00', 2026-03-29, '2026-03-29 02:00', 2026-03-29T02:00:00Z, 36h, 7d or now"

// MomentError is text that is no moment.
type MomentError struct{ Text, Message, Hint string }

func (e *MomentError) Error() string { return e.Message }

// ParseMoment reads a moment as people write it, in the zone of now: a date, a date
// and time, RFC 3339 with a zone of its own, a time of today (22:00), a day of the
// week with or without a time (the next one that is not over), today, tomorrow, now,
// or how long from now (36h, 7d). A date is its first moment. The error is a
// *MomentError.
func ParseMoment(text string, now time.Time) (time.Time, error) {
	zone := now.Location()
	bad := func(format string, args ...any) (time.Time, error) {
		return time.Time{}, &MomentError{text, fmt.Sprintf(format, args...), momentForms}
	}
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return bad("the time is empty")
	}
	if len(words) == 1 {
		if words[0] == "now" {
			return now, nil
		}
		if t, err := time.Parse(time.RFC3339, strings.TrimSpace(text)); err == nil {
			return t.In(zone), nil
		}
		if number, ok := strings.CutSuffix(words[0], "d"); ok && digitsOnly(number) && len(number) < 5 {
			days := 0
			for _, c := range number {
				days = 10*days + int(c-'0')
			}
			return now.AddDate(0, 0, days), nil
		}
		if d, err := time.ParseDuration(words[0]); err == nil && d >= 0 {
			return now.Add(d), nil
		}
	}
	if day, clock, ok := strings.Cut(words[0], "t"); ok && len(words) == 1 && len(day) == len("2026-03-29") && clock != "" {
		words = []string{day, clock}
	}
	today := wallOf(now)
	today.second = 0
	date, given := today, true
	name := words[0]
	switch {
	case name == "today":
	case name == "tomorrow":
		date = date.plusDays(1)
	case weekdayOf(name) >= 0:
		date = date.plusDays((weekdayOf(name) - int(now.Weekday()) + 7) % 7)
	default:
		t, err := time.Parse(time.DateOnly, name)
		if err != nil {
			given = false
			break
		}
		date = wall{t.Year(), t.Month(), t.Day(), 0}
	}
	rest := words
	if given {
		rest = words[1:]
	}
	if len(rest) > 1 || !given && len(rest) != 1 {
		return bad("%q is no time", text)
	}
	if len(rest) == 1 {
		clock := rest[0]
		var t time.Time
		var err error
		for _, layout := range []string{"15:04", "15:04:05", "3pm", "3:04pm"} {
			if t, err = time.Parse(layout, clock); err == nil {
				break
			}
		}
		if err != nil {
			return bad("%q is no time", text)
		}
		date.second = t.Hour()*3600 + t.Minute()*60 + t.Second()
	}
	moment, exists := instant(date, zone)
	// The day of today's name means the next week's when its time is over.
	if weekdayOf(name) >= 0 && exists && len(rest) == 1 && moment.Before(now) {
		moment, exists = instant(date.plusDays(7), zone)
	}
	if !exists {
		if date.second == 0 { // the first moment of a day whose midnight is jumped over
			for s := 0; s < 86400; s += 60 {
				date.second = s
				if moment, exists = instant(date, zone); exists {
					return moment, nil
				}
			}
		}
		return bad("%s does not exist in %s: clocks go forward over it", date.utc().Format("2006-01-02 15:04"), zone)
	}
	return moment, nil
}

// weekdayOf is the day that a name or the beginning of one means, -1 for none.
func weekdayOf(name string) int {
	return slices.IndexFunc([]time.Weekday{0, 1, 2, 3, 4, 5, 6}, func(d time.Weekday) bool {
		full := strings.ToLower(d.String())
		return len(name) >= 3 && strings.HasPrefix(full, name)
	})
}
