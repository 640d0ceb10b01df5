package world

import (
	"strings"
	"testing"
	"time"
)

func calendar(kind string, events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-CALENDAR-TYPE:" + kind + "\r\n")
	for _, e := range events {
		b.WriteString("BEGIN:VEVENT\r\n" + strings.ReplaceAll(e, " ", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	return b.String() + "END:VCALENDAR\r\n"
}

func TestCalendars(t *testing.T) {
	const once = "DTSTART:20260301T100000Z DTEND:20260301T140000Z"
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		name, text, at string
		open           bool
		next           string
	}{
		{"no events", calendar("DEFAULT_OPEN"), "2026-03-01T12:00:00Z", true, ""},
		{"closed by default", calendar("DEFAULT_CLOSED"), "2026-03-01T12:00:00Z", false, ""},
		{"within an event", calendar("DEFAULT_OPEN", once), "2026-03-01T12:00:00Z", false, "2026-03-01T14:00:00Z"},
		{"before", calendar("DEFAULT_OPEN", once), "2026-03-01T09:00:00Z", true, "2026-03-01T10:00:00Z"},
		{"at its end", calendar("DEFAULT_OPEN", once), "2026-03-01T14:00:00Z", true, ""},
		{"an event that opens", calendar("DEFAULT_CLOSED", once), "2026-03-01T12:00:00Z", true, "2026-03-01T14:00:00Z"},
		{"one after the other", calendar("DEFAULT_OPEN", once, "DTSTART:20260301T140000Z DURATION:PT1H"), "2026-03-01T12:00:00Z", false, "2026-03-01T15:00:00Z"},
		{"every week", calendar("DEFAULT_OPEN", once+" RRULE:FREQ=WEEKLY"), "2026-06-28T11:00:00Z", false, "2026-06-28T14:00:00Z"},
		{"twice only", calendar("DEFAULT_OPEN", once+" RRULE:FREQ=DAILY;COUNT=2"), "2026-03-03T11:00:00Z", true, ""},
		{"until", calendar("DEFAULT_OPEN", once+" RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260304T000000Z"), "2026-03-02T11:00:00Z", true, "2026-03-03T10:00:00Z"},
		{"another zone", calendar("DEFAULT_OPEN", "DTSTART;TZID=Europe/Berlin:20260301T100000 DTEND;TZID=Europe/Berlin:20260301T110000"), "2026-03-01T09:30:00Z", false, "2026-03-01T10:00:00Z"},
		{"a day", calendar("DEFAULT_OPEN", "DTSTART;VALUE=DATE:20260301 DTEND;VALUE=DATE:20260302"), "2026-03-01T23:00:00Z", false, "2026-03-02T00:00:00Z"},
	} {
		c, err := ParseCalendar(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		open, next := c.State(at(tt.at))
		got := ""
		if !next.IsZero() {
			got = next.UTC().Format(time.RFC3339)
		}
		if open != tt.open || got != tt.next {
			t.Errorf("%s: got %v, %q; want %v, %q", tt.name, open, got, tt.open, tt.next)
		}
	}
}

func TestCalendarsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "hello", calendar("DEFAULT_OPEN", "SUMMARY:x"), calendar("DEFAULT_OPEN", "DTSTART:20260301T100000Z"),
		calendar("DEFAULT_OPEN", "DTSTART:20260301T100000Z DTEND:20260301T090000Z"), calendar("DEFAULT_OPEN", "DTSTART:soon DTEND:later"),
		calendar("DEFAULT_OPEN", "DTSTART:20260301T100000Z DURATION:PT1H RRULE:FREQ=NEVER"),
		calendar("DEFAULT_OPEN", "DTSTART:20260301T100000Z DURATION:PT1H RRULE:FREQ=DAILY;INTERVAL=0"),
		calendar("DEFAULT_OPEN", "DTSTART:20260301T100000Z DURATION:PT1H RRULE:FREQ=DAILY;BYDAY=MO"),
		calendar("DEFAULT_OPEN", "DTSTART;TZID=Mars:20260301T100000 DURATION:PT1H"),
	} {
		if _, err := ParseCalendar(text); err == nil {
			t.Errorf("taken: %q", text)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add(calendar("DEFAULT_OPEN", "DTSTART:20260301T100000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=3"))
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCalendar(text)
		if err != nil {
			return
		}
		if _, next := c.State(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%v is not after %v", next, now)
		}
	})
}
