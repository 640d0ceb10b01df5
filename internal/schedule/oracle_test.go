package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAgainstEveryMinute compares with the simplest thing that can be right: look at
// each minute of some weeks, and ask the clock in the zone what it shows.
func TestAgainstEveryMinute(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2026))
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "Africa/Casablanca", "Pacific/Apia"}
	begins := []string{"2026-03-20 00:00", "2026-10-18 00:00", "2028-02-20 00:00", "2026-03-01 00:00", "2026-12-20 00:00"}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for range 25 {
		zone, err := time.LoadLocation(pick(zones))
		if err != nil {
			t.Fatal(err)
		}
		minute := pick([]string{"0", "30", "0/15", "7", "10-20/5", "*/20", "0,30"})
		hour := pick([]string{"0", "1", "2", "2-3", "*", "0/3", "22-23", "1,2,3"})
		month := pick([]string{"*", "*", "3,10", "FEB-APR", "DEC"})
		day, weekday := "?", "?"
		var matches func(time.Time) bool
		last := func(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }
		switch r.IntN(7) {
		case 0:
			day, matches = "*", func(time.Time) bool { return true }
		case 1:
			day, matches = "L", func(t time.Time) bool { return t.Day() == last(t) }
		case 2:
			d := 1 + r.IntN(31)
			day, matches = fmt.Sprint(d), func(t time.Time) bool { return t.Day() == d }
		case 3:
			d := r.IntN(7)
			weekday, matches = dayNames[d], func(t time.Time) bool { return int(t.Weekday()) == d }
		case 4:
			d, n := r.IntN(7), 1+r.IntN(5)
			weekday, matches = fmt.Sprintf("%d#%d", d+1, n), func(t time.Time) bool { return int(t.Weekday()) == d && (t.Day()+6)/7 == n }
		case 5:
			d := r.IntN(7)
			weekday, matches = dayNames[d]+"L", func(t time.Time) bool { return int(t.Weekday()) == d && t.Day()+7 > last(t) }
		case 6:
			weekday, matches = "MON-FRI", func(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }
		}
		text := fmt.Sprintf("cron(%s %s %s %s %s *)", minute, hour, day, month, weekday)
		from := at(pick(begins))
		to := from.AddDate(0, 0, 20)
		s, err := Parse(text, Options{Zone: zone.String(), Stored: true})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var want []time.Time
		seen := map[string]bool{}
		for m := from.AddDate(0, 0, -1); m.Before(to); m = m.Add(time.Minute) {
			local := m.In(zone)
			shown := local.Format("2006-01-02 15:04")
			first := !seen[shown]
			seen[shown] = true
			if m.Before(from) || !first || !matches(local) || !holds(minute, local.Minute(), 0, 59) || !holds(hour, local.Hour(), 0, 23) ||
				!holds(strings.NewReplacer("FEB", "2", "APR", "4", "DEC", "12").Replace(month), int(local.Month()), 1, 12) {
				continue
			}
			want = append(want, m)
		}
		got := slices.Collect(s.Between(from, to))
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%s in %s from %s runs\n%v\nwant\n%v", text, zone, from, got, want)
		}
	}
}

// holds reads a field the slow way.
func holds(field string, v, low, high int) bool {
	for item := range strings.SplitSeq(field, ",") {
		span, by, stepped := strings.Cut(item, "/")
		a, b, step := low, high, 1
		if stepped {
			fmt.Sscan(by, &step)
		}
		if span != "*" {
			first, second, ranged := strings.Cut(span, "-")
			fmt.Sscan(first, &a)
			switch {
			case ranged:
				fmt.Sscan(second, &b)
			case !stepped:
				b = a
			}
		}
		if v >= a && v <= b && (v-a)%step == 0 {
			return true
		}
	}
	return false
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"cron(0 2 ? * SUN *)", "cron(24 30 9 ? * MON-FRI/2 2027-2030)", "cron(0 2 30 2 ? *)", "cron(0/5 0-4 L-3 JAN ? *)", "cron(0 0 2 ? 1/1 THU#3 *)",
		"rate(1 hour)", "rate(99999999 days)", "at(2026-07-05T02:00:00)", "0 2 * * 0", "cron(((", "every 3 weeks", "cron(* * * * * ? *)",
	} {
		f.Add(seed, "Europe/Berlin", int64(1774742400), 0)
		f.Add(seed, "", int64(-1), 3)
	}
	f.Fuzz(func(t *testing.T, text, zone string, unix int64, offset int) {
		for _, o := range []Options{{Zone: zone, Offset: offset}, {Zone: zone, Offset: offset, Stored: true}, {For: Association}} {
			s, err := Parse(text, o)
			if err != nil {
				e := err.(*Error)
				if len(e.Faults) == 0 || e.Error() == "" {
					t.Fatalf("%q: an error that says nothing: %#v", text, e)
				}
				for _, fault := range e.Faults {
					if fault.Pos < 0 || fault.Len < 0 || fault.Input == Expression && fault.Pos+fault.Len > len(text) {
						t.Fatalf("%q: the fault %+v is outside", text, fault)
					}
				}
				_ = e.Caret()
				continue
			}
			if s.Explain() == "" {
				t.Fatalf("%q: no words for it", text)
			}
			now := time.Unix(unix%(1<<33), 0)
			for range 5 {
				run, ok := s.Next(now)
				if !ok {
					break
				}
				if !run.After(now) {
					t.Fatalf("%q: after %v comes %v", text, now, run)
				}
				if again, ok := s.Next(run.Add(-1)); !ok || !again.Equal(run) {
					t.Fatalf("%q: just before %v the next is %v", text, run, again)
				}
				now = run
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("cron(0 2 ? * THU#3 *)", Options{Zone: "Europe/Berlin"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, text := range []string{"cron(0 2 ? * THU#3 *)", "cron(0/5 * * * ? *)", "cron(0 2 29 2 ? *)", "cron(0 2 30 2 ? *)", "rate(7 days)"} {
		s, err := Parse(text, Options{Zone: "Europe/Berlin", Stored: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			now := at("2026-03-29 00:00")
			for b.Loop() {
				s.Next(now)
			}
		})
	}
}
