package world

import (
	"testing"
	"time"
)

func TestSchedules(t *testing.T) {
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // a Sunday
	for _, tt := range []struct{ expression, zone, want string }{
		{"rate(1 hour)", "", "2026-03-01T13:00:00Z"},
		{"rate(30 minutes)", "", "2026-03-01T12:30:00Z"},
		{"at(2026-04-01T00:00:00)", "", "2026-04-01T00:00:00Z"},
		{"at(2026-02-01T00:00:00)", "", "never"},
		{"cron(0 2 ? * SUN *)", "", "2026-03-08T02:00:00Z"},
		{"cron(0 16 ? * TUE *)", "", "2026-03-03T16:00:00Z"},
		{"cron(0 16 ? * 3 *)", "", "2026-03-03T16:00:00Z"},
		{"cron(15 10 ? * MON-FRI *)", "", "2026-03-02T10:15:00Z"},
		{"cron(0/30 * * * ? *)", "", "2026-03-01T12:30:00Z"},
		{"cron(30 0 2 L * ? *)", "", "2026-03-31T02:00:30Z"},
		{"cron(0 0 1W * ? *)", "", "2026-03-02T00:00:00Z"},
		{"cron(0 0 15W 8 ? *)", "", "2026-08-14T00:00:00Z"},
		{"cron(0 2 ? * THU#3 *)", "", "2026-03-19T02:00:00Z"},
		{"cron(0 2 ? * FRIL *)", "", "2026-03-27T02:00:00Z"},
		{"cron(0 9 1,15 JAN,JUN ? 2027)", "", "2027-01-01T09:00:00Z"},
		{"cron(0 0 1 1 ? 2020)", "", "never"},
		{"cron(0 2 * * ? *)", "Europe/Berlin", "2026-03-02T01:00:00Z"},
	} {
		s, err := ParseSchedule(tt.expression, tt.zone)
		if err != nil {
			t.Errorf("%s: %v", tt.expression, err)
			continue
		}
		got := "never"
		if next, ok := s.Next(from, from); ok {
			got = next.UTC().Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expression, got, tt.want)
		}
	}
}

func TestSchedulesThatAreNone(t *testing.T) {
	for _, expression := range []string{
		"", "cron", "daily", "every(1 day)", "rate(1 hours)", "rate(5 hour)", "rate(0 hours)", "rate(x)", "at(tomorrow)",
		"cron(0 2 * * *)", "cron(0 2 * * * *)", "cron(0 2 ? * ? *)", "cron(60 2 ? * SUN *)", "cron(0 2 ? * FUN *)", "cron(0 2 ? * FRI#6 *)",
		"cron(0 2 0 * ? *)", "cron(0 2 40W * ? *)", "cron(5-1 2 1 * ? *)", "cron(0/0 2 1 * ? *)",
	} {
		if _, err := ParseSchedule(expression, ""); err == nil {
			t.Errorf("%q was taken", expression)
		}
	}
	if _, err := ParseSchedule("rate(1 day)", "Mars/Olympus"); err == nil {
		t.Error("a time zone that nobody has was taken")
	}
}

func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"cron(0/30 * ? * MON-FRI#2 *)", "rate(5 hours)", "at(2026-03-01T12:00:00)", "cron(0 0 L * ? 2030-2040)"} {
		f.Add(seed)
	}
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression string) {
		s, err := ParseSchedule(expression, "")
		if err != nil {
			return
		}
		if next, ok := s.Next(from, from); ok && !next.After(from) {
			t.Errorf("%q: %v is not after %v", expression, next, from)
		}
	})
}
