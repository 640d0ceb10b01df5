package pagewindows

import (
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/window"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// The legend names the time of the days, both where clocks are changed in them, and
// the week begins and ends with whole days.
func TestWeekWhereClocksAreChanged(t *testing.T) {
	for _, tt := range []struct{ zone, now, from, to, legend string }{
		{"Europe/Berlin", "2026-03-25T11:00:00Z", "2026-03-25T00:00:00+01:00", "2026-04-01T00:00:00+02:00", "CET, from Sun 29 Mar 03:00 CEST"},
		{"Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00+02:00", "2026-11-01T00:00:00+01:00", "CEST, from Sun 25 Oct 02:00 CET"},
		{"America/New_York", "2026-03-08T03:00:00Z", "2026-03-07T00:00:00-05:00", "2026-03-14T00:00:00-04:00", "EST, from Sun 8 Mar 03:00 EDT"},
		{"Australia/Lord_Howe", "2026-10-01T00:00:00Z", "2026-10-01T00:00:00+10:30", "2026-10-08T00:00:00+11:00", "+1030, from Sun 4 Oct 02:30 +11"},
		{"America/Santiago", "2026-09-06T15:00:00Z", "2026-09-06T01:00:00-03:00", "2026-09-13T00:00:00-03:00", "-03"},
		{"UTC", "2026-03-25T11:00:00Z", "2026-03-25T00:00:00Z", "2026-04-01T00:00:00Z", "UTC"},
	} {
		z, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, _ := time.Parse(time.RFC3339, tt.now)
		from, to := week(now, z)
		if f, e := from.Format(time.RFC3339), to.Format(time.RFC3339); f != tt.from || e != tt.to {
			t.Errorf("%s at %s: from %s to %s, want %s to %s", tt.zone, tt.now, f, e, tt.from, tt.to)
		}
		if got := zones(from, to); got != tt.legend {
			t.Errorf("%s at %s: times in %s, want %s", tt.zone, tt.now, got, tt.legend)
		}
	}
}

// A window of another zone stands where it opens for the reader, also in the weeks in
// which clocks are changed in one zone and not yet in the other, and across midnight.
func TestAWindowOfAnotherZoneStandsWhereItOpensForTheReader(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ now, schedule, zone, start, end string }{
		{"2026-03-07T11:00:00Z", "cron(0 20 ? * SAT *)", "America/New_York", "Sun 8 Mar 02:00 CET", "Sun 8 Mar 06:00 CET"},
		{"2026-03-12T11:00:00Z", "cron(0 18 ? * SAT *)", "America/New_York", "Sat 14 Mar 23:00 CET", "Sun 15 Mar 03:00 CET"},
		{"2026-03-27T11:00:00Z", "cron(0 19 ? * SAT *)", "America/New_York", "Sun 29 Mar 00:00 CET", "Sun 29 Mar 05:00 CEST"},
		{"2026-10-23T11:00:00Z", "cron(0 19 ? * SAT *)", "America/New_York", "Sun 25 Oct 01:00 CEST", "Sun 25 Oct 04:00 CET"},
		{"2026-10-03T11:00:00Z", "cron(30 1 ? * SUN *)", "Australia/Lord_Howe", "Sat 3 Oct 17:00 CEST", "Sat 3 Oct 21:00 CEST"},
	} {
		f := start(t, nil)
		now, _ := time.Parse(time.RFC3339, tt.now)
		f.Deck.Now, f.Deck.Location = now, berlin
		f.set.Windows.Set(tuitest.Place, []window.Whole{whole(1, "w", tt.schedule, tt.zone, "prod")}, now)
		f.Changed(sources.Windows)
		f.Send(deck.Tick{})
		spans := f.page.spans(&f.page.entries[0])
		if len(spans) != 1 {
			t.Fatalf("%s %s: %d openings, want 1", tt.schedule, tt.zone, len(spans))
		}
		if from, to := moment(spans[0].Start, berlin), moment(spans[0].End, berlin); from != tt.start || to != tt.end {
			t.Errorf("%s %s: from %s to %s, want %s to %s", tt.schedule, tt.zone, from, to, tt.start, tt.end)
		}
	}
}
