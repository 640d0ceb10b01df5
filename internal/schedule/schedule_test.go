package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string, o Options) *Schedule {
	t.Helper()
	s, err := Parse(text, o)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestNextRuns(t *testing.T) {
	// The expectations were read off a calendar.
	tests := []struct {
		name, text, zone, after string
		want                    []string // UTC
	}{
		{"the third Thursday", "cron(0 2 ? * THU#3 *)", "", "2026-03-01 00:00", []string{"2026-03-19 02:00", "2026-04-16 02:00", "2026-05-21 02:00"}},
		{"every day", "cron(15 10 ? * * *)", "", "2026-02-27 10:15", []string{"2026-02-28 10:15", "2026-03-01 10:15"}},
		{"Monday to Friday", "cron(15 10 ? * MON-FRI *)", "", "2026-03-05 11:00", []string{"2026-03-06 10:15", "2026-03-09 10:15"}},
		{"the last day of the month", "cron(0 2 L * ? *)", "", "2028-01-31 02:00", []string{"2028-02-29 02:00", "2028-03-31 02:00"}},
		{"three days before the last", "cron(0 2 L-3 * ? *)", "", "2026-01-31 00:00", []string{"2026-02-25 02:00", "2026-03-28 02:00"}},
		{"the last weekday", "cron(0 2 LW * ? *)", "", "2026-01-01 00:00", []string{"2026-01-30 02:00", "2026-02-27 02:00", "2026-03-31 02:00", "2026-04-30 02:00", "2026-05-29 02:00"}},
		{"the last Friday by number", "cron(15 10 ? * 6L *)", "", "2026-01-01 00:00", []string{"2026-01-30 10:15", "2026-02-27 10:15", "2026-03-27 10:15"}},
		{"the last Friday by name", "cron(15 10 ? * friL *)", "", "2026-03-27 10:15", []string{"2026-04-24 10:15"}},
		{"L of the week is Saturday", "cron(0 1 ? * L *)", "", "2026-03-01 00:00", []string{"2026-03-07 01:00"}},
		{"the 15th is a Sunday: Monday", "cron(0 0 15W 3 ? *)", "", "2026-01-01 00:00", []string{"2026-03-16 00:00", "2027-03-15 00:00"}},
		{"the first is a Saturday: Monday the third", "cron(0 0 1W 8 ? *)", "", "2026-01-01 00:00", []string{"2026-08-03 00:00"}},
		{"the last is a Sunday: Friday", "cron(0 0 31W 5 ? *)", "", "2026-01-01 00:00", []string{"2026-05-29 00:00"}},
		{"no 31st: the last weekday", "cron(0 0 31W * ? *)", "", "2026-03-31 00:00", []string{"2026-04-30 00:00", "2026-05-29 00:00"}},
		{"days 1 is Sunday", "cron(0 2 ? * 1 *)", "", "2026-03-23 00:00", []string{"2026-03-29 02:00"}},
		{"steps from a start", "cron(1/20 3 1 * ? *)", "", "2026-03-01 00:00", []string{"2026-03-01 03:01", "2026-03-01 03:21", "2026-03-01 03:41", "2026-04-01 03:01"}},
		{"steps in a range", "cron(0 8-17/4 ? * MON *)", "", "2026-03-02 00:00", []string{"2026-03-02 08:00", "2026-03-02 12:00", "2026-03-02 16:00", "2026-03-09 08:00"}},
		{"a list of months and a year", "cron(0 0 1 JAN,jul ? 2027)", "", "2026-03-02 00:00", []string{"2027-01-01 00:00", "2027-07-01 00:00"}},
		{"leap days", "cron(0 0 29 2 ? *)", "", "2026-03-02 00:00", []string{"2028-02-29 00:00", "2032-02-29 00:00"}},
		{"a zone ahead of UTC", "cron(0 2 ? * SUN *)", "Asia/Tokyo", "2026-03-23 00:00", []string{"2026-03-28 17:00", "2026-04-04 17:00"}},
		{"summer time begins", "cron(0 4 ? * SUN *)", "Europe/Berlin", "2026-03-22 00:00", []string{"2026-03-22 03:00", "2026-03-29 02:00"}},
		{"a time that is jumped over is left out", "cron(30 2 ? * * *)", "Europe/Berlin", "2026-03-28 00:00", []string{"2026-03-28 01:30", "2026-03-30 00:30"}},
		{"a time that is there twice runs once", "cron(30 2 ? * * *)", "Europe/Berlin", "2026-10-24 00:00", []string{"2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"}},
		{"asked between the two", "cron(30 2 ? * * *)", "Europe/Berlin", "2026-10-25 00:45", []string{"2026-10-26 01:30"}},
		{"asked in the second hour", "cron(0/15 2-3 ? * SUN *)", "Europe/Berlin", "2026-10-25 01:05", []string{"2026-10-25 02:00", "2026-10-25 02:15"}},
		{"a half hour change", "cron(15 2 ? * SUN *)", "Australia/Lord_Howe", "2026-10-03 00:00", []string{"2026-10-10 15:15"}},
		{"America's change", "cron(30 2 8 3 ? *)", "America/New_York", "2026-01-01 00:00", []string{"2027-03-08 07:30"}},
		{"midnight is jumped over", "cron(0 0 ? * * *)", "America/Santiago", "2026-09-05 00:00", []string{"2026-09-05 04:00", "2026-09-07 03:00"}},
		{"a day that was no day", "cron(0 12 30 12 ? 2011)", "Pacific/Apia", "2011-01-01 00:00", nil},
		{"once", "at(2026-07-05T02:00:00)", "", "2026-01-01 00:00", []string{"2026-07-05 02:00"}},
		{"once, and it was", "at(2026-07-05T02:00:00)", "", "2026-07-05 02:00", nil},
		{"a rate without a beginning", "rate(12 hours)", "", "2026-01-01 00:00", []string{"2026-01-01 12:00", "2026-01-02 00:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(t, tt.text, Options{Zone: tt.zone, Stored: tt.want == nil || strings.Contains(tt.name, "last weekday") || strings.Contains(tt.name, "before the last")})
			var got []string
			now := at(tt.after)
			for len(got) < max(1, len(tt.want)) {
				run, ok := s.Next(now)
				if !ok {
					break
				}
				got = append(got, run.UTC().Format("2006-01-02 15:04"))
				now = run
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s runs %v, want %v", tt.text, got, tt.want)
			}
		})
	}
}

func TestWhatBoundsAndMovesRuns(t *testing.T) {
	tests := []struct {
		name, text string
		o          Options
		from, to   string
		want       []string
	}{
		{"the offset moves days", "cron(30 23 ? * TUE#3 *)", Options{Offset: 2}, "2026-03-01 00:00", "2026-05-01 00:00", []string{"2026-03-19 23:30", "2026-04-23 23:30"}},
		{"the offset crosses a month", "cron(0 1 L * ? *)", Options{Offset: 3}, "2026-03-01 00:00", "2026-04-30 00:00", []string{"2026-03-03 01:00", "2026-04-03 01:00"}},
		{"the offset brings back no day that had passed", "cron(30 23 ? * TUE#3 *)", Options{Offset: 2, Since: at("2026-03-18 12:00")}, "2026-03-18 12:00", "2026-05-01 00:00", []string{"2026-04-23 23:30"}},
		{"the offset keeps the time on the clock", "cron(0 4 ? * SAT *)", Options{Offset: 1, Zone: "Europe/Berlin"}, "2026-03-27 00:00", "2026-03-30 00:00", []string{"2026-03-29 02:00"}},
		{"start and end are included", "cron(0 2 ? * * *)", Options{Start: at("2026-03-02 02:00"), End: at("2026-03-03 02:00")}, "2026-03-01 00:00", "2026-04-01 00:00", []string{"2026-03-02 02:00", "2026-03-03 02:00"}},
		{"a rate counts from its start date", "rate(7 days)", Options{Start: at("2026-03-03 03:15"), Since: at("2026-02-01 00:00")}, "2026-01-01 00:00", "2026-03-18 00:00", []string{"2026-03-03 03:15", "2026-03-10 03:15", "2026-03-17 03:15"}},
		{"a start date in the past is no beginning", "rate(7 days)", Options{Start: at("2026-01-01 00:00"), Since: at("2026-02-01 05:00")}, "2026-02-01 00:00", "2026-02-16 00:00", []string{"2026-02-08 05:00", "2026-02-15 05:00"}},
		{"a rate counts from the run that is known", "rate(6 hours)", Options{Known: at("2026-02-01 05:00")}, "2026-01-01 00:00", "2026-02-01 12:00", []string{"2026-02-01 05:00", "2026-02-01 11:00"}},
		{"and back to when it was made", "rate(6 hours)", Options{Known: at("2026-02-01 05:00"), Since: at("2026-01-31 10:59")}, "2026-01-01 00:00", "2026-02-01 12:00", []string{"2026-01-31 17:00", "2026-01-31 23:00", "2026-02-01 05:00", "2026-02-01 11:00"}},
		{"or to its start date", "rate(6 hours)", Options{Known: at("2026-02-01 05:00"), Start: at("2026-01-31 23:00")}, "2026-01-01 00:00", "2026-02-01 06:00", []string{"2026-01-31 23:00", "2026-02-01 05:00"}},
		{"a rate does not mind the clock", "rate(1 day)", Options{Known: at("2026-03-28 01:00"), Zone: "Europe/Berlin"}, "2026-03-28 00:00", "2026-03-30 12:00", []string{"2026-03-28 01:00", "2026-03-29 01:00", "2026-03-30 01:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for run := range parse(t, tt.text, tt.o).Between(at(tt.from), at(tt.to)) {
				got = append(got, run.UTC().Format("2006-01-02 15:04"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s runs %v, want %v", tt.text, got, tt.want)
			}
		})
	}
}

func TestSeconds(t *testing.T) {
	run, _ := parse(t, "cron(24 30 09 ? * * *)", Options{}).Next(at("2026-03-01 09:30"))
	if got := run.Format(time.TimeOnly); got != "09:30:24" {
		t.Errorf("the run is at %s, want 09:30:24", got)
	}
}

func TestSkippedRunsAreTold(t *testing.T) {
	s := parse(t, "cron(0/30 2-3 ? * * *)", Options{Zone: "Europe/Berlin"})
	var got []string
	for _, skip := range s.Skipped(at("2026-01-01 00:00"), at("2027-01-01 00:00")) {
		got = append(got, skip.Local+" "+skip.Change.UTC().Format(time.DateTime))
	}
	want := []string{"2026-03-29 02:00:00 2026-03-29 01:00:00", "2026-03-29 02:30:00 2026-03-29 01:00:00"}
	if !slices.Equal(got, want) {
		t.Errorf("skipped %q, want %q", got, want)
	}
	moved := parse(t, "cron(30 2 ? * FRI *)", Options{Zone: "Europe/Berlin", Offset: 2})
	if got := moved.Skipped(at("2026-03-01 00:00"), at("2026-05-01 00:00")); len(got) != 1 || got[0].Local != "2026-03-29 02:30:00" {
		t.Errorf("with an offset %v is skipped, want the 29th at 02:30", got)
	}
	if got := parse(t, "cron(30 2 ? * * *)", Options{}).Skipped(at("2020-01-01 00:00"), at("2030-01-01 00:00")); got != nil {
		t.Errorf("UTC skips %v, want nothing", got)
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		text string
		o    Options
		want string
	}{
		{"cron(0 2 ? * SUN *)", Options{Zone: "Europe/Berlin"}, "every Sunday at 02:00 Europe/Berlin"},
		{"cron(0 2 ? * SUN,SAT *)", Options{}, "every Sunday and Saturday at 02:00 UTC"},
		{"cron(0/15 * * * ? *)", Options{}, "every 15 minutes UTC"},
		{"cron(0/10 * ? * MON-FRI *)", Options{}, "every 10 minutes Monday to Friday UTC"},
		{"cron(0/5 8-17 ? * MON-FRI *)", Options{}, "every 5 minutes of the hours 08 to 17 Monday to Friday UTC"},
		{"cron(0 0/2 * * ? *)", Options{}, "every 2 hours from 00:00 UTC"},
		{"cron(30 * * * ? *)", Options{}, "every hour at minute 30 UTC"},
		{"cron(0 2,14 1-3,15 * ? *)", Options{}, "on days 1 to 3 and 15 of the month at 02:00 and 14:00 UTC"},
		{"cron(0 2 ? * THU#3 *)", Options{}, "on the third Thursday of the month at 02:00 UTC"},
		{"cron(0 2 ? * THU#3 *)", Options{Offset: 2}, "on the third Thursday of the month at 02:00, and then 2 days later UTC"},
		{"cron(15 10 ? * 6L *)", Options{}, "on the last Friday of the month at 10:15 UTC"},
		{"cron(0 2 L * ? *)", Options{}, "on the last day of the month at 02:00 UTC"},
		{"cron(0 2 L-1 * ? *)", Options{Stored: true}, "on the day before the last of the month at 02:00 UTC"},
		{"cron(0 2 LW * ? *)", Options{Stored: true}, "on the last weekday (Monday to Friday) of the month at 02:00 UTC"},
		{"cron(0 2 15W JAN ? 2027)", Options{}, "on the weekday (Monday to Friday) nearest to day 15 of the month at 02:00 in January in 2027 UTC"},
		{"cron(24 30 9 ? * * *)", Options{}, "every day at 09:30:24 UTC"},
		{"rate(1 day)", Options{}, "every day"},
		{"rate(90 minutes)", Options{}, "every 90 minutes"},
		{"rate(7 days)", Options{Start: at("2026-03-03 03:15")}, "every 7 days from 2026-03-03 03:15 UTC"},
		{"at(2026-07-05T02:00:00)", Options{}, "once, on Sunday 5 July 2026 at 02:00:00 UTC"},
	}
	for _, tt := range tests {
		if got := parse(t, tt.text, tt.o).Explain(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		text string
		o    Options
		want string
	}{
		{"cron(0 2 ? * 6 *)", Options{}, "6 means Friday"},
		{"cron(0 2 ? * 6L *)", Options{}, "6L means Friday"},
		{"cron(0 2 31 * ? *)", Options{}, "L is the last day"},
		{"cron(0 2 31W * ? *)", Options{}, "without such a day"},
		{"cron(0 2 ? * MON#5 *)", Options{}, "four Mondays"},
		{"cron(0 2 ? * MON *)", Options{Zone: "EST"}, "all year"},
		{"cron(0 2 ? * MON *)", Options{Zone: "CET"}, "summer time included"},
		{"cron(0 2 ? * MON *)", Options{Zone: "Etc/GMT-2"}, "UTC+02:00"},
		{"at(2026-07-05T02:00:00)", Options{Zone: "Asia/Tokyo"}, "2026-07-05 11:00 JST"},
		{"cron(0 2 ? 1/12 MON *)", Options{}, "only the first value"},
		{"cron(0 2 ? * MON *)", Options{Zone: "Europe/Berlin"}, ""},
		{"cron(0 2 31 1,3 ? *)", Options{}, ""},
	}
	for _, tt := range tests {
		got := strings.Join(parse(t, tt.text, tt.o).Warnings(), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s in %q warns %q, want %q", tt.text, tt.o.Zone, got, tt.want)
		}
	}
}

func TestWhatTheServiceHoldsIsRead(t *testing.T) {
	tests := []struct{ text, want string }{
		{"cron(0 15 10 ? * 6L)", "on the last Friday of the month at 10:15 UTC"},
		{"cron(0 0 2 L * ?)", "on the last day of the month at 02:00 UTC"},
		{"cron(0 0 2 ? 1/1 THU#3 *)", "on the third Thursday of the month at 02:00 in January, February, March, April, May, June, July, August, September, October, November and December UTC"},
		{"cron(* * * * ? *)", "every minute UTC"},
		{"rate(1 minute)", "every minute"},
		{"cron(0 22-2/2 ? * FRI-MON *)", "every Sunday, Monday, Friday and Saturday at 00:00, 02:00 and 22:00 UTC"},
	}
	for _, tt := range tests {
		if got := parse(t, tt.text, Options{Stored: true}).Explain(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}
