package world

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSchedules(t *testing.T) {
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // a Sunday
	for _, tt := range []struct{ expression, zone, want string }{
		{"rate(1 hour)", "", "2026-03-01T13:00:00Z"},
		{"rate(30 minutes)", "", "2026-03-01T12:30:00Z"},
		{"rate(7 days)", "", "2026-03-08T12:00:00Z"},
		{"at(2026-04-01T00:00:00)", "", "2026-04-01T00:00:00Z"},
		{"at(2026-04-01T00:00:00)", "Asia/Tokyo", "2026-04-01T00:00:00Z"},
		{"at(2026-02-01T00:00:00)", "", "never"},
		{"cron(0 2 ? * SUN *)", "", "2026-03-08T02:00:00Z"},
		{"cron(0 16 ? * TUE *)", "", "2026-03-03T16:00:00Z"},
		{"cron(0 16 ? * 3 *)", "", "2026-03-03T16:00:00Z"},
		{"cron(0 16 ? * tue *)", "", "2026-03-03T16:00:00Z"},
		{"cron(15 10 ? * MON-FRI *)", "", "2026-03-02T10:15:00Z"},
		{"cron(15 10 ? * 2-6 *)", "", "2026-03-02T10:15:00Z"},
		{"cron(15 10 ? * TUE,FRI *)", "", "2026-03-03T10:15:00Z"},
		{"cron(15 10 ? * 2/2 *)", "", "2026-03-02T10:15:00Z"},
		{"cron(0/30 * * * ? *)", "", "2026-03-01T12:30:00Z"},
		{"cron(*/20 * * * ? *)", "", "2026-03-01T12:20:00Z"},
		{"cron(10-50/20 13-14 * * ? *)", "", "2026-03-01T13:10:00Z"},
		{"cron(5,35 12 * * ? *)", "", "2026-03-01T12:05:00Z"},
		{"cron(30 0 2 L * ? *)", "", "2026-03-31T02:00:30Z"},
		{"cron(0,30 0 12 * * ? *)", "", "2026-03-01T12:00:30Z"},
		{"cron(0 0 L FEB ? *)", "", "2027-02-28T00:00:00Z"},
		{"cron(0 0 29 FEB ? *)", "", "2028-02-29T00:00:00Z"},
		{"cron(0 0 29 2 ? 2097-2199)", "", "2104-02-29T00:00:00Z"},
		{"cron(0 0 31 * ? *)", "", "2026-03-31T00:00:00Z"},
		{"cron(0 0 31 4,5 ? *)", "", "2026-05-31T00:00:00Z"},
		{"cron(0 0 1/10 * ? *)", "", "2026-03-11T00:00:00Z"},
		{"cron(0 0 1W * ? *)", "", "2026-03-02T00:00:00Z"},
		{"cron(0 0 1W 8 ? *)", "", "2026-08-03T00:00:00Z"}, // the 1st is a Saturday, and July is another month
		{"cron(0 0 15W 8 ? *)", "", "2026-08-14T00:00:00Z"},
		{"cron(0 0 31W 5 ? *)", "", "2026-05-29T00:00:00Z"}, // a Sunday, and June is another month
		{"cron(0 0 31W 4 ? *)", "", "2026-04-30T00:00:00Z"},
		{"cron(0 2 ? * THU#3 *)", "", "2026-03-19T02:00:00Z"},
		{"cron(0 2 ? * 1#5 *)", "", "2026-03-29T02:00:00Z"},
		{"cron(0 2 ? * MON#5 *)", "", "2026-03-30T02:00:00Z"},
		{"cron(0 2 ? * WED#5 *)", "", "2026-04-29T02:00:00Z"},
		{"cron(0 2 ? * FRIL *)", "", "2026-03-27T02:00:00Z"},
		{"cron(0 2 ? * 6L *)", "", "2026-03-27T02:00:00Z"},
		{"cron(0 2 ? * L *)", "", "2026-03-07T02:00:00Z"},
		{"cron(0 9 1,15 JAN,JUN ? 2027)", "", "2027-01-01T09:00:00Z"},
		{"cron(0 9 1 JUN-AUG ? 2026/2)", "", "2026-06-01T09:00:00Z"},
		{"cron(0 9 1 1 ? 2028,2030)", "", "2028-01-01T09:00:00Z"},
		{"cron(0 0 1 1 ? 2020)", "", "never"},
		{"cron(0 0 30 FEB ? *)", "", "never"},
		{"cron(59 23 31 12 ? 2199)", "", "2199-12-31T23:59:00Z"},
		{"cron(0 2 * * ? *)", "Europe/Berlin", "2026-03-02T01:00:00Z"},
		{"cron(0 13 * * ? *)", "Europe/Berlin", "2026-03-02T12:00:00Z"}, // 13:00 there is now, and next is after
		{"cron(0 0 * * ? *)", "Pacific/Kiritimati", "2026-03-02T10:00:00Z"},
		{"cron(0 0 * * ? *)", "Pacific/Pago_Pago", "2026-03-02T11:00:00Z"},
		{"cron(15 5 * * ? *)", "Asia/Kathmandu", "2026-03-01T23:30:00Z"},
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
		"", "cron", "cron()", "daily", "every(1 day)", "0 2 * * ? *", "cron(0 2 * * ? *", " cron(0 2 * * ? *)", "CRON(0 2 * * ? *)",
		"rate(1 hours)", "rate(5 hour)", "rate(0 hours)", "rate(-1 hours)", "rate(+5 hours)", "rate(1.5 hours)", "rate(x)", "rate(5)", "rate(5 weeks)", "rate(5  hours)", "rate(20000 days)",
		"at(tomorrow)", "at(2026-03-01)", "at(2026-03-01T12:00)", "at(2026-03-01T12:00:00Z)", "at(2026-02-30T12:00:00)", "at(2026-03-01T12:00:00.5)",
		"cron(0 2 * * *)", "cron(0 2 * * * *)", "cron(0 2 ? * ? *)", "cron(0 2 1 * MON *)", "cron(0 0 0 2 * * ? *)",
		"cron(60 2 ? * SUN *)", "cron(0 24 ? * SUN *)", "cron(0 2 ? 13 SUN *)", "cron(0 2 ? 0 SUN *)", "cron(0 2 ? * 0 *)", "cron(0 2 ? * 8 *)", "cron(0 2 ? * SUN 1969)", "cron(0 2 ? * SUN 2200)", "cron(60 0 2 ? * SUN *)",
		"cron(0 2 ? * FUN *)", "cron(0 2 ? MON SUN *)", "cron(MON 2 ? * SUN *)", "cron(0 2 ? * SUNDAY *)",
		"cron(0 2 ? * FRI#6 *)", "cron(0 2 ? * FRI#0 *)", "cron(0 2 ? * FRI# *)", "cron(0 2 ? * #2 *)", "cron(0 2 ? * MON#1,FRI#2 *)", "cron(0 2 ? * MON-FRI#2 *)", "cron(0 2 ? * FRIL,MON *)", "cron(0 2 ? * LL *)",
		"cron(0 2 0 * ? *)", "cron(0 2 32 * ? *)", "cron(0 2 40W * ? *)", "cron(0 2 0W * ? *)", "cron(0 2 W * ? *)", "cron(0 2 LW * ? *)", "cron(0 2 L-3 * ? *)", "cron(0 2 1-5W * ? *)", "cron(0 2 1,L * ? *)", "cron(0 2 1#2 * ? *)",
		"cron(5-1 2 1 * ? *)", "cron(0 2 ? * FRI-MON *)", "cron(0/0 2 1 * ? *)", "cron(0/60 2 1 * ? *)", "cron(0/ 2 1 * ? *)", "cron(/5 2 1 * ? *)", "cron(0/5/5 2 1 * ? *)", "cron(0-5-9 2 1 * ? *)", "cron(0/-5 2 1 * ? *)",
		"cron(0, 2 1 * ? *)", "cron(,0 2 1 * ? *)", "cron(+5 2 1 * ? *)", "cron(-5 2 1 * ? *)", "cron(? 2 1 * ? *)", "cron(0 2 1 ? ? *)", "cron(0 2 1 * ? ?)", "cron(** 2 1 * ? *)", "cron(99999999999999999999 2 1 * ? *)",
	} {
		if _, err := ParseSchedule(expression, ""); err == nil {
			t.Errorf("%q was taken", expression)
		}
	}
	for _, zone := range []string{"Mars/Olympus", "Local", "CEST", "+02:00", "../etc/passwd"} {
		if _, err := ParseSchedule("rate(1 day)", zone); err == nil {
			t.Errorf("the time zone %s, which nobody has, was taken", zone)
		}
	}
}

func TestWindowsMayNotOpenTooOften(t *testing.T) {
	for expression, ok := range map[string]bool{
		"cron(0/5 * * * ? *)": true, "cron(0/4 * * * ? *)": false, "cron(* 2 * * ? *)": false, "cron(0,4 2 * * ? *)": false, "cron(0,5 2 * * ? *)": true,
		"cron(0,57 * * * ? *)": false, "cron(0,57 2 * * ? *)": true, "cron(0,30 0 2 * * ? *)": false, "cron(30 0 2 * * ? *)": true,
		"cron(1,58 0,23 * * ? *)":   false, // 23:58 and 00:01
		"cron(1,58 0,23 ? * SUN *)": true, "cron(1,58 0,23 ? * FRI,SAT *)": false, "cron(1,58 0,23 L * ? *)": true,
		"rate(5 minutes)": true, "rate(4 minutes)": false, "rate(1 minute)": false, "at(2026-03-01T12:00:00)": true,
	} {
		if err := CheckWindowSchedule(expression, ""); (err == nil) != ok {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

func TestDaylightSavingTime(t *testing.T) {
	for _, tt := range []struct{ expression, zone, from, want string }{
		// 02:30 is left out on 29 March, and comes twice on 25 October.
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z 2026-03-30T00:30:00Z"},
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"cron(0 3 29 3 ? *)", "Europe/Berlin", "2026-03-01T00:00:00Z", "2026-03-29T01:00:00Z 2027-03-29T01:00:00Z"},
		{"cron(30 2 29 3 ? 2026)", "Europe/Berlin", "2026-03-01T00:00:00Z", "never"},
		{"cron(0/30 * * * ? *)", "Europe/Berlin", "2026-03-29T00:29:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z"},
		{"cron(0/30 * * * ? *)", "Europe/Berlin", "2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z 2026-10-25T02:00:00Z"},
		{"cron(0/30 * * * ? *)", "Europe/Berlin", "2026-10-25T01:15:00Z", "2026-10-25T02:00:00Z 2026-10-25T02:30:00Z"}, // the second 02:15
		{"rate(12 hours)", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z 2026-03-30T00:00:00Z"},
		{"cron(15 2 ? * SUN#2 *)", "America/New_York", "2026-03-01T00:00:00Z", "2026-04-12T06:15:00Z 2026-05-10T06:15:00Z"},
		{"cron(45 1 4 4,5 ? *)", "Australia/Lord_Howe", "2026-04-01T00:00:00Z", "2026-04-03T14:45:00Z 2026-05-03T15:15:00Z"}, // half an hour
		{"cron(0 12 30 12 ? *)", "Pacific/Apia", "2010-12-31T00:00:00Z", "2012-12-29T22:00:00Z 2013-12-29T22:00:00Z"},        // they had no 30 December 2011
	} {
		from, err := time.Parse(time.RFC3339, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseSchedule(tt.expression, tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := "never"
		if first, ok := s.Next(from, from); ok {
			second, _ := s.Next(first, from)
			got = first.UTC().Format(time.RFC3339) + " " + second.UTC().Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%s in %s: got %s, want %s", tt.expression, tt.zone, got, tt.want)
		}
	}
}

// TestSchedulesAgainstAClock holds random expressions against a calendar that is
// walked minute by minute: what the clocks of the zone show is looked at, nothing
// is computed.
func TestSchedulesAgainstAClock(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for range 40 {
		minute := pick("0", "30", "0/20", "5-50/15", "7,41")
		hour := pick("*", "2", "1-3", "0/6", "23")
		month := pick("*", "MAR,OCT,NOV", "3-11", "1/2")
		dom, dow := pick("*", "L", "15W", "1W", "31W", "1/7", "29", "28-31"), "?"
		if random.IntN(2) == 0 {
			dom, dow = "?", pick("SUN", "2-6", "SUN#2", "1#5", "SATL", "L", "TUE,THU")
		}
		zone := pick("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata")
		expression := fmt.Sprintf("cron(%s %s %s %s %s *)", minute, hour, dom, month, dow)
		s, err := ParseSchedule(expression, zone)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, time.Month(1+random.IntN(12)), 1+random.IntN(28), 0, 0, 0, 0, time.UTC)
		until := from.AddDate(0, 0, 35)
		var want, got []string
		seen := map[string]bool{} // on the wall: an hour that comes twice counts once
		for at := from.Add(-3 * time.Hour); at.Before(until); at = at.Add(time.Minute) {
			wall := at.In(s.zone)
			if !in(minute, wall.Minute(), 0, 59, "") || !in(hour, wall.Hour(), 0, 23, "") || !showsDay(wall, dom, month, dow) {
				continue
			}
			text := wall.Format("2006-01-02T15:04")
			if !seen[text] && at.After(from) {
				want = append(want, text)
			}
			seen[text] = true
		}
		for at := from; ; {
			next, ok := s.Next(at, from)
			if !ok || !next.Before(until) {
				break
			}
			got, at = append(got, next.Format("2006-01-02T15:04")), next
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s in %s from %s:\ngot  %s\nwant %s", expression, zone, from, got, want)
		}
	}
}

// fields remembers what in has found.
var fields = map[struct {
	field string
	n     int
}]bool{}

// in reads a field in its own way.
func in(field string, n, low, high int, names string) bool {
	key := struct {
		field string
		n     int
	}{field + names, n}
	found, ok := fields[key]
	if !ok {
		found = slices.ContainsFunc(strings.Split(field, ","), func(part string) bool { return inPart(part, n, low, high, names) })
		fields[key] = found
	}
	return found
}

func inPart(part string, n, low, high int, names string) bool {
	for i := range len(names) / 3 {
		part = strings.ReplaceAll(part, names[3*i:3*i+3], strconv.Itoa(low+i))
	}
	span, step, stepped := strings.Cut(part, "/")
	every := 1
	if stepped {
		every, _ = strconv.Atoi(step)
	}
	first, last, ranged := strings.Cut(span, "-")
	from, err := strconv.Atoi(first)
	if err != nil {
		from = low
	}
	to := high
	switch {
	case ranged:
		to, _ = strconv.Atoi(last)
	case !stepped && span != "*":
		to = from
	}
	return n >= from && n <= to && (n-from)%every == 0
}

// showsDay reads the few forms of days of the test above.
func showsDay(t time.Time, dom, month, dow string) bool {
	weekend := func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
	noon := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC)
	last := noon.AddDate(0, 0, 1).Month() != noon.Month()
	day := false
	switch {
	case dom == "L":
		day = last
	case strings.HasSuffix(dom, "W"):
		n, _ := strconv.Atoi(dom[:len(dom)-1])
		best, distance := time.Time{}, 99
		for d := time.Date(t.Year(), t.Month(), 1, 12, 0, 0, 0, time.UTC); d.Month() == t.Month(); d = d.AddDate(0, 0, 1) {
			off := d.Day() - n
			if off < 0 {
				off = -off
			}
			if !weekend(d) && off < distance {
				best, distance = d, off
			}
		}
		day = best.Day() == t.Day()
	case dom != "?":
		day = in(dom, t.Day(), 1, 31, "")
	case dow == "L":
		day = t.Weekday() == time.Saturday
	case strings.HasSuffix(dow, "L"):
		day = t.Weekday() == time.Saturday && noon.AddDate(0, 0, 7).Month() != noon.Month()
	case strings.Contains(dow, "#"):
		nth := 1
		for d := noon.AddDate(0, 0, -7); d.Month() == noon.Month(); d = d.AddDate(0, 0, -7) {
			nth++
		}
		day = t.Weekday() == time.Sunday && fmt.Sprint(nth) == dow[len(dow)-1:]
	default:
		day = in(dow, int(t.Weekday())+1, 1, 7, "SUNMONTUEWEDTHUFRISAT")
	}
	return day && in(month, int(t.Month()), 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC")
}

func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"cron(0/30 * ? * MON-FRI *)", "cron(0 0 ? * MON#2 *)", "cron(0 0 30 2 ? *)", "rate(5 hours)", "at(2026-03-01T12:00:00)", "cron(0 0 L * ? 2030-2040)"} {
		f.Add(seed, "Europe/Berlin")
	}
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression, zone string) {
		s, err := ParseSchedule(expression, zone)
		if err != nil {
			return
		}
		at := from
		for range 5 {
			next, ok := s.Next(at, from)
			if !ok {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q: %v is not after %v", expression, next, at)
			}
			at = next
		}
		_ = CheckWindowSchedule(expression, zone)
	})
}

func BenchmarkScheduleThatNeverComes(b *testing.B) {
	s, err := ParseSchedule("cron(0 0 30 FEB ? *)", "Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Next(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Time{})
	}
}
