package world

import (
	"encoding/json"
	"slices"
	"time"
)

// Statuses of executions of maintenance windows, of their tasks and invocations.
const (
	WindowPending     = "PENDING"
	WindowInProgress  = "IN_PROGRESS"
	WindowSuccess     = "SUCCESS"
	WindowFailed      = "FAILED"
	WindowTimedOut    = "TIMED_OUT"
	WindowCancelling  = "CANCELLING"
	WindowCancelled   = "CANCELLED"
	WindowOverlapping = "SKIPPED_OVERLAPPING"
)

// What a record of a window has beside the members of the API: since when it has
// its schedule. Rates count from there.
const scheduledMember = "scheduled"

// SetSchedule notes that a window got its schedule at that time.
func SetSchedule(window Record, at time.Time) { window[scheduledMember] = at.Truncate(time.Second) }

// textIn, numberIn and listIn read members of records, which may come from decoded
// JSON.
func textIn(r Record, name string) string {
	s, _ := r[name].(string)
	return s
}

func numberIn(r Record, name string, def int) int {
	switch n := r[name].(type) {
	case int:
		return n
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return int(f)
		}
	}
	return def
}

func recordIn(r Record, name string) Record {
	m, _ := r[name].(map[string]any)
	return m
}

func targetsIn(r Record, name string) []Target {
	list, _ := r[name].([]any)
	var out []Target
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, Target{Key: textIn(m, "Key"), Values: textList(m["Values"])})
		}
	}
	return out
}

// ParseISOTime reads the dates that windows take. One without a zone is in UTC.
func ParseISOTime(text string) (time.Time, error) {
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		var t time.Time
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, err
}

// ISOTime writes a time as windows show it: as short as it can be.
func ISOTime(t time.Time) string {
	layout := "2006-01-02T15:04"
	switch {
	case t.Nanosecond() != 0:
		layout += ":05.000"
	case t.Second() != 0:
		layout += ":05"
	}
	return t.Format(layout + "Z07:00")
}

// WindowTimes returns the times at which a window opens after from and not after
// until, at most n. A zero until is no limit. Times before its start date and
// after its end date are left out, and so are those whose cron time was before the
// window got its schedule, whatever the offset (User Guide, "Reference: Cron and
// rate expressions").
func WindowTimes(w Record, from, until time.Time, n int) []time.Time {
	s, err := ParseSchedule(textIn(w, "Schedule"), textIn(w, "ScheduleTimezone"))
	if err != nil || w["Enabled"] != true {
		return nil
	}
	anchor, ok := w[scheduledMember].(time.Time)
	if !ok {
		anchor, _ = w["CreatedDate"].(time.Time)
	}
	if start, err := ParseISOTime(textIn(w, "StartDate")); err == nil && start.After(from) {
		from = start.Add(-time.Nanosecond)
	}
	end, err := ParseISOTime(textIn(w, "EndDate"))
	ends := err == nil
	offset := numberIn(w, "ScheduleOffset", 0)
	at := from
	if offset > 0 {
		at = from.AddDate(0, 0, -offset-1)
		if at.Before(anchor) {
			at = anchor
		}
	}
	var list []time.Time
	for len(list) < n {
		next, ok := s.Next(at, anchor)
		if !ok {
			break
		}
		at = next
		open, ok := daysLater(next, offset)
		if !ok || !open.After(from) {
			continue
		}
		if ends && open.After(end) || !until.IsZero() && open.After(until) {
			break
		}
		list = append(list, open)
	}
	return list
}

// daysLater is a time on a clock some days on, by the rules of cron: none where the
// clock jumps over it, the first where it comes twice. (Package time takes the second
// of those, for no days too.)
func daysLater(t time.Time, days int) (time.Time, bool) {
	if days == 0 {
		return t, true
	}
	d := time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, time.UTC)
	return instant(dateOf(d.Year(), int(d.Month()), d.Day()), t.Hour(), t.Minute(), t.Second(), t.Location())
}

// hours is a number of hours of a window.
func hours(w Record, name string) time.Duration {
	return time.Duration(numberIn(w, name, 0)) * time.Hour
}

// PartsOfWindow are the targets or tasks of a window, the oldest first.
func PartsOfWindow(t *Tables, kind, window string) []Record {
	return slices.DeleteFunc(t.All(kind), func(r Record) bool { return textIn(r, "WindowId") != window })
}

// short cuts a text to what StatusDetails can hold.
func short(s string) string {
	const longest = 250
	return prefix(s, longest)
}
