package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 26, 10, 30, 0, 0, berlin) // a Thursday
	tests := []struct{ text, want string }{
		{"now", "2026-03-26T10:30:00+01:00"},
		{"2026-03-29", "2026-03-29T00:00:00+01:00"},
		{"2026-03-29 04:00", "2026-03-29T04:00:00+02:00"},
		{"2026-03-29T04:00", "2026-03-29T04:00:00+02:00"},
		{"2026-03-29T04:00:00Z", "2026-03-29T06:00:00+02:00"},
		{"sunday 01:00", "2026-03-29T01:00:00+01:00"},
		{"Sun 3am", "2026-03-29T03:00:00+02:00"},
		{"sunday", "2026-03-29T00:00:00+01:00"},
		{"thursday", "2026-03-26T00:00:00+01:00"},
		{"thursday 09:00", "2026-04-02T09:00:00+02:00"},
		{"thu 11:00", "2026-03-26T11:00:00+01:00"},
		{"today", "2026-03-26T00:00:00+01:00"},
		{"tomorrow 22:15:30", "2026-03-27T22:15:30+01:00"},
		{"22:00", "2026-03-26T22:00:00+01:00"},
		{"36h", "2026-03-27T22:30:00+01:00"},
		{"7d", "2026-04-02T10:30:00+02:00"},
	}
	for _, tt := range tests {
		got, err := ParseMoment(tt.text, now)
		if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%q is %v (%v), want %s", tt.text, got, err, tt.want)
		}
	}
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseMoment("2026-09-06", time.Date(2026, 9, 1, 0, 0, 0, 0, santiago)); err != nil || got.Format(time.RFC3339) != "2026-09-06T01:00:00-03:00" {
		t.Errorf("a day without a midnight begins %v (%v)", got, err)
	}
}

func TestMomentsThatAreNone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 26, 10, 30, 0, 0, berlin)
	for text, want := range map[string]string{
		"": "empty", "someday": "no time", "sunday 25:00": "no time", "2026-02-30": "no time", "-3h": "no time", "sunday 02:00 sharp": "no time",
		"su 02:00": "no time", "sunday 02:30": "does not exist in Europe/Berlin",
	} {
		if got, err := ParseMoment(text, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %v (%v), want an error with %q", text, got, err, want)
		}
	}
}
