package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestFaultsNameThePlaceAndTheRepair(t *testing.T) {
	tests := []struct {
		name, text string
		o          Options
		want       string // of Caret, or of Error where there is no place
		hint       string
	}{
		{"an hour that is none", "cron(0 25 ? * SUN *)", Options{}, `cron(0 25 ? * SUN *)
       ^^ hours: 25 is not 0 to 23`, ""},
		{"several at once", "cron(60 25 ? * SON *)", Options{}, `cron(60 25 ? * SON *)
     ^^ minutes: 60 is not 0 to 59
        ^^ hours: 25 is not 0 to 23
               ^^^ day-of-week: "SON" is no value of it`, "did you mean SUN?"},
		{"both days", "cron(0 2 * * SUN *)", Options{}, `cron(0 2 * * SUN *)
         ^ day-of-month: one of the two fields for days must be ?`, "write ? in day-of-month"},
		{"both days open", "cron(0 2 * * * *)", Options{}, `cron(0 2 * * * *)
             ^ day-of-week: one of the two fields for days must be ?`, "write ? in day-of-week"},
		{"both days asked", "cron(0 2 ? * ? *)", Options{}, `cron(0 2 ? * ? *)
             ^ day-of-week: both fields for days are ?, and one must say which`, "write * in one of them"},
		{"Unix cron", "cron(0 2 * * 0)", Options{}, `cron(0 2 * * 0)
              ^ year: it is missing: there are five fields`, "five fields are Unix cron; the same here is cron(0 2 ? * SUN *)"},
		{"a missing year", "cron(0 2 ? * SUN)", Options{}, `cron(0 2 ? * SUN)
                ^ year: it is missing: there are five fields`, "add the year: cron(0 2 ? * SUN *)"},
		{"bare Unix cron", "30 3 * * 1-5", Options{}, `30 3 * * 1-5
^^^^^^^^^^^^ a schedule is cron(…), rate(…) or at(…)`, "five fields are Unix cron; the same here is cron(30 3 ? * MON-FRI *)"},
		{"without brackets", "0 2 ? * SUN *", Options{}, `0 2 ? * SUN *
^^^^^^^^^^^^^ a schedule is cron(…), rate(…) or at(…)`, "write cron(0 2 ? * SUN *)"},
		{"a macro", "@weekly", Options{}, `@weekly
^^^^^^^ a schedule is cron(…), rate(…) or at(…)`, "write cron(0 0 ? * SUN *)"},
		{"words", "every 2 hours", Options{}, `every 2 hours
^^^^^^^^^^^^^ a schedule is cron(…), rate(…) or at(…)`, "write rate(2 hours)"},
		{"a misspelt form", "corn(0 2 ? * SUN *)", Options{}, `corn(0 2 ? * SUN *)
^^^^ "corn" is no form of a schedule`, "write cron(0 2 ? * SUN *)"},
		{"an open bracket", "cron(0 2 ? * SUN *", Options{}, `cron(0 2 ? * SUN *
    ^^^^^^^^^^^^^^ one pair of brackets belongs around it, and nothing after it`, "write cron(0 2 ? * SUN *)"},
		{"seconds first", "cron(0 15 10 ? * 6L)", Options{}, `cron(0 15 10 ? * 6L)
     ^^^^^^^^^^^^^^ this is seconds first and no year, as the service once documented it`, "write cron(15 10 ? * 6L *)"},
		{"commas between fields", "cron(0/5, 9-18, ?, *, MON-FRI, *)", Options{}, `cron(0/5, 9-18, ?, *, MON-FRI, *)
        ^ a comma ends this field`, "separate fields with spaces only"},
		{"too often", "cron(0/2 * * * ? *)", Options{}, `cron(0/2 * * * ? *)
     ^^^ minutes: it would run 2m0s apart, and the service takes 5 minutes or more`, "for example 0/5"},
		{"too often over the hour", "cron(0,58 * * * ? *)", Options{}, `cron(0,58 * * * ? *)
     ^^^^ minutes: it would run 2m0s apart, and the service takes 5 minutes or more`, "for example 0/5"},
		{"too often by seconds", "cron(0/30 0 2 ? * SUN *)", Options{}, `cron(0/30 0 2 ? * SUN *)
     ^^^^ seconds: it would run 30s apart, and the service takes 5 minutes or more`, "for example 0/5"},
		{"too often over midnight", "cron(0,58 0,23 * * ? *)", Options{}, `cron(0,58 0,23 * * ? *)
     ^^^^ minutes: over midnight it would run 2m0s apart, and the service takes 5 minutes or more`, ""},
		{"never", "cron(0 2 30 2 ? *)", Options{}, `cron(0 2 30 2 ? *)
^^^^^^^^^^^^^^^^^^ no day is all that these fields say: it would never run`, ""},
		{"a range that goes down", "cron(0 2 ? * FRI-MON *)", Options{}, `cron(0 2 ? * FRI-MON *)
             ^^^^^^^ day-of-week: a range goes upwards, and FRI is after MON`, "write FRI-SAT,SUN-MON"},
		{"two of the month", "cron(0 2 ? * 3#1,6#3 *)", Options{}, `cron(0 2 ? * 3#1,6#3 *)
             ^^^^^^^ day-of-week: # takes one day only`, "use two windows, or a list without #"},
		{"a sixth of the month", "cron(0 2 ? * MON#6 *)", Options{}, `cron(0 2 ? * MON#6 *)
                 ^ day-of-week: "6" is not 1 to 5`, "THU#3 is the third Thursday of a month"},
		{"the day 0", "cron(0 2 ? * 0 *)", Options{}, `cron(0 2 ? * 0 *)
             ^ day-of-week: there is no day 0`, "write SUN: days are 1 (SUN) to 7 (SAT) here"},
		{"W in a list", "cron(0 2 1W,15W * ? *)", Options{}, `cron(0 2 1W,15W * ? *)
         ^^^^^^ day-of-month: "1W,15W" mixes L or W with something else`, "L and 15W stand alone in the field"},
		{"a step of nothing", "cron(0/0 2 ? * SUN *)", Options{}, `cron(0/0 2 ? * SUN *)
       ^ minutes: the step "0" is no number of 1 or more`, ""},
		{"a step past the end", "cron(0/90 2 ? * SUN *)", Options{}, `cron(0/90 2 ? * SUN *)
       ^^ minutes: a step is 1 to 59`, ""},
		{"? for hours", "cron(0 ? ? * SUN *)", Options{}, `cron(0 ? ? * SUN *)
       ^ hours: "?" is no value of it`, "only day-of-month or day-of-week may be ?"},
		{"a year too far", "cron(0 2 ? * SUN 2200)", Options{}, `cron(0 2 ? * SUN 2200)
                 ^^^^ year: 2200 is not 1970 to 2199`, ""},
		{"an umlaut before the fault", "cron(0 2 ? MÄR FOO *)", Options{}, `cron(0 2 ? MÄR FOO *)
               ^^^ day-of-week: "FOO" is no value of it
           ^^^ month: "MÄR" is no value of it`, "1 to 7 or SUN to SAT"},
		{"one hours", "rate(1 hours)", Options{}, `rate(1 hours)
       ^^^^^ the unit is singular for 1, and plural for more`, "write rate(1 hour)"},
		{"five hour", "rate(5 hour)", Options{}, `rate(5 hour)
       ^^^^ the unit is singular for 1, and plural for more`, "write rate(5 hours)"},
		{"weeks", "rate(2 weeks)", Options{}, `rate(2 weeks)
       ^^^^^ "weeks" is no unit of a rate`, "write rate(14 days)"},
		{"a rate in short", "rate(30m)", Options{}, `rate(30m)
     ^^^ a rate is a number and a unit`, "write rate(30 minutes)"},
		{"a rate too fast", "rate(3 minutes)", Options{}, `rate(3 minutes)
     ^^^^^^^^^ a window runs at most every 5 minutes`, "write rate(5 minutes) or longer"},
		{"a rate of nothing", "rate(0 days)", Options{}, `rate(0 days)
     ^ "0" is no number of 1 or more`, ""},
		{"a rate beyond counting", "rate(99999999999999999999 days)", Options{}, `rate(99999999999999999999 days)
     ^^^^^^^^^^^^^^^^^^^^ "99999999999999999999" is no number of 1 or more`, ""},
		{"a time with a zone", "at(2026-07-05T02:00:00+02:00)", Options{}, `at(2026-07-05T02:00:00+02:00)
   ^^^^^^^^^^^^^^^^^^^^^^^^^ "2026-07-05T02:00:00+02:00" is no time of the form yyyy-mm-ddThh:mm:ss`, "it is in UTC and takes no zone: write at(2026-07-05T00:00:00)"},
		{"a time without seconds", "at(2026-07-05T02:00)", Options{}, `at(2026-07-05T02:00)
   ^^^^^^^^^^^^^^^^ "2026-07-05T02:00" is no time of the form yyyy-mm-ddThh:mm:ss`, "write at(2026-07-05T02:00:00)"},
		{"a small l", "cron(0 2 ? * 6l *)", Options{}, `cron(0 2 ? * 6l *)
             ^^ day-of-week: L and W are written in capitals`, "write 6L"},
		{"the last weekday, which is not documented", "cron(0 2 LW * ? *)", Options{}, `cron(0 2 LW * ? *)
         ^^ day-of-month: the service does not document LW`, "L is the last day, and 15W the weekday nearest to the 15th"},
		{"a date that does not exist", "at(2026-02-30T02:30:00)", Options{}, `at(2026-02-30T02:30:00)
   ^^^^^^^^^^^^^^^^^^^ "2026-02-30T02:30:00" is no time of the form yyyy-mm-ddThh:mm:ss`, "for example at(2026-07-05T02:00:00)"},
		{"an offset on a rate", "rate(7 days)", Options{Offset: 2}, "schedule-offset: only cron schedules take an offset, and this is rate(…)", "leave the offset out, or write a cron(…) schedule"},
		{"an offset too long", "cron(0 2 ? * SUN *)", Options{Offset: 7}, "schedule-offset: 7 is not 1 to 6 days", ""},
		{"an end before the start", "cron(0 2 ? * SUN *)", Options{Start: at("2026-03-02 00:00"), End: at("2026-03-01 00:00")}, "start and end: the end 2026-03-01T00:00:00Z is not after the start 2026-03-02T00:00:00Z", ""},
		{"an association by the month", "cron(0 2 ? 3 SUN *)", Options{For: Association}, `cron(0 2 ? 3 SUN *)
           ^ month: associations cannot choose months`, "write *"},
		{"an association of every 3 hours", "cron(0 0/3 * * ? *)", Options{For: Association}, `cron(0 0/3 * * ? *)
       ^^^ hours: these hours are not every 1, 2, 4, 8 or 12`, "associations run every 1/2, 1, 2, 4, 8 or 12 hours, or once on a day"},
		{"an association on a day of the month", "cron(0 2 15 * ? *)", Options{For: Association}, `cron(0 2 15 * ? *)
         ^^ day-of-month: associations cannot choose days of the month`, "write ?, and the day of the week"},
		{"an association on workdays", "cron(0 2 ? * MON-FRI *)", Options{For: Association}, `cron(0 2 ? * MON-FRI *)
             ^^^^^^^ day-of-week: an association runs on one day of the week, or on all`, "choose one day, such as MON, or * for every day"},
		{"an association at a second", "cron(5 0 2 ? * MON *)", Options{For: Association}, `cron(5 0 2 ? * MON *)
     ^ seconds: of an association it can only be 0`, "write 0, or leave the field out"},
		{"an association too fast", "rate(29 minutes)", Options{For: Association}, `rate(29 minutes)
     ^^^^^^^^^^ an association runs at most every 30 minutes`, "write rate(30 minutes) or longer"},
		{"an association too slow", "rate(31 days)", Options{For: Association}, `rate(31 days)
     ^^^^^^^ an association runs at least every 30 days`, "write rate(30 days) or less"},
		{"an association in a zone", "rate(1 day)", Options{For: Association, Zone: "Europe/Berlin"}, "timezone: associations run in UTC and take no time zone", "write the times in UTC"},
		{"nothing", "", Options{}, "\n^ a schedule is missing", "write for example cron(0 2 ? * SUN *), rate(7 days) or at(2026-07-05T02:00:00)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text, tt.o)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%q is read (%v), want a fault", tt.text, err)
			}
			got := e.Caret()
			if got == "" {
				got = e.Error()
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if e.Hint() != tt.hint {
				t.Errorf("the hint is %q, want %q", e.Hint(), tt.hint)
			}
		})
	}
}

func TestAssociationsTakeWhatIsDocumented(t *testing.T) {
	for _, text := range []string{
		"cron(0/30 * * * ? *)", "cron(0 0/1 * * ? *)", "cron(0 0/2 * * ? *)", "cron(0 0/4 * * ? *)", "cron(0 0/8 * * ? *)", "cron(0 0/12 * * ? *)",
		"cron(15 13 ? * * *)", "cron(15 13 ? * MON *)", "cron(0 */30 * * * ? *)", "cron(0 0 ? * THU#2 *)", "cron(0 0 ? * FRIL *)",
		"rate(30 minutes)", "rate(1 hour)", "rate(5 hours)", "rate(15 days)", "at(2020-07-07T15:55:00)",
	} {
		if _, err := Parse(text, Options{For: Association}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestZonesThatAreNone(t *testing.T) {
	tests := []struct{ zone, hint string }{
		{"PST", "write America/Los_Angeles"},
		{"IST", "it may mean Asia/Kolkata or Europe/Dublin or Asia/Jerusalem"},
		{"CEST", "it may mean Europe/Berlin or Europe/Paris"},
		{"UTC+2", "a zone is a place, such as Europe/Berlin; the fixed offset is Etc/GMT-2, its sign the other way round"},
		{"+05:00", "a zone is a place, such as Europe/Berlin; the fixed offset is Etc/GMT-5, its sign the other way round"},
		{"GMT-8", "a zone is a place, such as Europe/Berlin; the fixed offset is Etc/GMT+8, its sign the other way round"},
		{"Z", "write UTC"},
		{"utc", "did you mean UTC?"},
		{"europe/berlin", "did you mean Europe/Berlin?"},
		{"Berlin", "did you mean Europe/Berlin?"},
		{"new york", "did you mean America/New_York?"},
		{"Europe/Brelin", "did you mean Europe/Berlin?"},
		{"Brelin", "did you mean Europe/Berlin?"},
		{"Amerika/New_Yrk", "did you mean America/New_York?"},
		{"US/Los_Angeles", "did you mean America/Los_Angeles?"},
		{"Local", "for example Europe/Berlin, America/New_York or UTC"},
		{"../etc/passwd", "for example Europe/Berlin, America/New_York or UTC"},
	}
	for _, tt := range tests {
		_, err := Parse("cron(0 2 ? * SUN *)", Options{Zone: tt.zone})
		var e *Error
		if !errors.As(err, &e) || e.Faults[0].Input != Zone || !strings.Contains(e.Error(), "no IANA time zone") {
			t.Errorf("%s: %v, want a fault of the zone", tt.zone, err)
			continue
		}
		if e.Hint() != tt.hint {
			t.Errorf("%s: the hint is %q, want %q", tt.zone, e.Hint(), tt.hint)
		}
	}
}

func TestEveryZoneOfTheListLoads(t *testing.T) {
	if len(Zones()) < 400 {
		t.Fatalf("the list has %d names", len(Zones()))
	}
	for _, name := range Zones() {
		if _, _, err := FindZone(name); err != nil {
			t.Error(err)
		}
	}
	for short, places := range abbreviations {
		for _, place := range places {
			if _, err := time.LoadLocation(place); err != nil {
				t.Errorf("%s: %v", short, err)
			}
		}
	}
}
