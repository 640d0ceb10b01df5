package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// weeks are the weeks in which clocks change.
var weeks = []struct{ name, start string }{
	{"Europe springs forward", "2026-03-23T00:00:00Z"},
	{"America springs forward", "2026-03-04T00:00:00Z"},
	{"Europe falls back", "2026-10-20T00:00:00Z"},
	{"America falls back", "2026-10-28T00:00:00Z"},
}

const weekWindows = `
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa, name: app-1, tags: {env: prod}}
clock: {start: %s, stopped: true}
maintenance_windows:
  - {name: berlin-in-the-gap, schedule: "cron(30 2 ? * * *)", timezone: Europe/Berlin, duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: berlin-sunday, schedule: "cron(0 4 ? * SUN *)", timezone: Europe/Berlin, duration: 3, cutoff: 1, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: new-york, schedule: "cron(15 2 ? * SAT,SUN *)", timezone: America/New_York, duration: 2, cutoff: 1, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: new-york-one, schedule: "cron(30 1 ? * SUN *)", timezone: America/New_York, duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: lord-howe, schedule: "cron(0 2 ? * * *)", timezone: Australia/Lord_Howe, duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: tokyo, schedule: "cron(0 3 ? * MON-FRI *)", timezone: Asia/Tokyo, duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: six-hourly, schedule: "cron(0 0/6 * * ? *)", timezone: Europe/Berlin, duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: rated, schedule: "rate(35 hours)", duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: third-of-month, schedule: "cron(0 12 ? * TUE#4 *)", duration: 1, cutoff: 0, targets: {env: prod}, document: AWS-RunShellScript}
  - {name: switched-off, schedule: "cron(0 12 ? * * *)", duration: 1, cutoff: 0, disabled: true, targets: {env: prod}, document: AWS-RunShellScript}
`

// TestAWeekOfWindowsIsWhatTheCalendarSaid prints the calendar of a week with a change
// of clocks, has the week happen, and compares the starts of all executions.
func TestAWeekOfWindowsIsWhatTheCalendarSaid(t *testing.T) {
	t.Parallel()
	for _, week := range weeks {
		t.Run(week.name, func(t *testing.T) {
			sc, err := world.ParseScenario("week.yaml", fmt.Appendf(nil, weekWindows, week.start))
			if err != nil {
				t.Fatal(err)
			}
			srv := startPatient(t, sc)
			begin, err := time.Parse(time.RFC3339, week.start)
			if err != nil {
				t.Fatal(err)
			}
			// Two days after Friday is the day of the change, three after Thursday too.
			for _, later := range [][]string{
				{"later-berlin", "cron(30 2 ? * FRI *)", "2", "Europe/Berlin"}, {"later-new-york", "cron(30 1 ? * THU *)", "3", "America/New_York"},
			} {
				code, _, errs := ssmdeckAt(t, srv, "window", "create", later[0], "--schedule", later[1], "--schedule-offset", later[2], "--timezone", later[3],
					"--duration", "1", "--cutoff", "0", "--allow-unassociated-targets")
				if code != 0 {
					t.Fatalf("create ended with %d: %s", code, errs)
				}
			}
			said := calendarOf(t, srv, week.start)
			if len(said) < 8 { // the fourth Tuesday is not in every week
				t.Errorf("the calendar has %v, want every window that is enabled", slices.Sorted(maps.Keys(said)))
			}
			code, out, errs := ssmdeckAt(t, srv, "window", "calendar", "--check", "--from", week.start, "--days", "7", "-o", "json")
			if code != 0 || strings.TrimSpace(out) != "[]" {
				t.Errorf("the service says otherwise (%d): %s%s", code, out, errs)
			}
			if err := srv.Forward(t.Context(), begin.Add(7*24*time.Hour)); err != nil {
				t.Fatal(err)
			}
			for name, starts := range said {
				if strings.HasPrefix(name, "later-") {
					continue // it has no task, and --check has looked at it
				}
				if got := executionsOf(t, srv, name); !slices.Equal(got, starts) {
					t.Errorf("%s ran at\n%q, the calendar said\n%q", name, got, starts)
				}
			}
			if got := executionsOf(t, srv, "switched-off"); len(got) > 0 {
				t.Errorf("a window that is disabled ran at %v", got)
			}
		})
	}
}

// calendarOf is the starts of enabled windows in the week, by name.
func calendarOf(t *testing.T, srv *simulator.Server, from string) map[string][]string {
	t.Helper()
	code, out, errs := ssmdeckAt(t, srv, "window", "calendar", "--from", from, "--days", "7", "--timezone", "UTC", "-o", "json")
	if code != 0 {
		t.Fatalf("calendar ended with %d: %s", code, errs)
	}
	var rows []struct {
		Window  string `json:"window"`
		Enabled bool   `json:"enabled"`
		Start   string `json:"start"`
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	starts := map[string][]string{}
	for _, r := range rows {
		if r.Enabled {
			starts[r.Window] = append(starts[r.Window], r.Start)
		}
	}
	return starts
}

// executionsOf is when a window ran, the earliest first.
func executionsOf(t *testing.T, srv *simulator.Server, name string) []string {
	t.Helper()
	code, out, errs := ssmdeckAt(t, srv, "window", "execution", "list", name, "-o", "json")
	if code != 0 {
		t.Fatalf("executions of %s ended with %d: %s", name, code, errs)
	}
	var rows []struct {
		Started time.Time `json:"started"`
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	var starts []string
	for _, r := range rows {
		starts = append(starts, r.Started.UTC().Format(time.RFC3339))
	}
	slices.Sort(starts)
	return starts
}
