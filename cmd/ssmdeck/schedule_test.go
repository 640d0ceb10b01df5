package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/schedule"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// TestSchedulesMeanTheSameToBothSides holds the client's reading of schedules
// against the simulator's, which was written from the same documents by itself:
// thousands of expressions, right and wrong, in zones that change their clocks.
func TestSchedulesMeanTheSameToBothSides(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(20, 26))
	zones := []string{"", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Africa/Casablanca", "Asia/Tokyo"}
	accepted, refused := 0, 0
	for range 6000 {
		text, zone := anySchedule(r), zones[r.IntN(len(zones))]
		ours, ourErr := schedule.Parse(text, schedule.Options{Zone: zone, Since: begin})
		theirErr := world.CheckWindowSchedule(text, zone)
		if (ourErr == nil) != (theirErr == nil) {
			if ourErr == nil || !neverRuns(t, ourErr, text, zone) {
				t.Errorf("%s in %q: client says %v, simulator says %v", text, zone, ourErr, theirErr)
			}
			continue
		}
		if ourErr != nil {
			refused++
			continue
		}
		accepted++
		theirs, err := world.ParseSchedule(text, zone)
		if err != nil {
			t.Errorf("%s in %q: %v", text, zone, err)
			continue
		}
		now := begin.Add(time.Duration(r.IntN(400*24*60)) * time.Minute)
		for range 12 {
			a, okA := ours.Next(now)
			b, okB := theirs.Next(now, begin)
			if okA != okB || okA && !a.Equal(b) {
				t.Errorf("%s in %q: after %s comes %v (%v) for the client, %v (%v) for the simulator", text, zone, now, a.UTC(), okA, b.UTC(), okB)
				break
			}
			if !okA {
				break
			}
			now = a
		}
	}
	if accepted < 1500 || refused < 500 {
		t.Errorf("%d accepted and %d refused: the test looks at too little", accepted, refused)
	}
}

// begin is when the schedules of the test are made.
var begin = time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)

// neverRuns reports whether the client refuses an expression because it never runs,
// which the service may well take, and the simulator finds no run either.
func neverRuns(t *testing.T, refusal error, text, zone string) bool {
	t.Helper()
	if !strings.Contains(refusal.Error(), "never run") {
		return false
	}
	theirs, err := world.ParseSchedule(text, zone)
	if err != nil {
		return false
	}
	_, runs := theirs.Next(begin, begin)
	return !runs
}

// anySchedule makes an expression that is probably right.
func anySchedule(r *rand.Rand) string {
	switch r.IntN(12) {
	case 0:
		unit := []string{"minute", "minutes", "hour", "hours", "day", "days", "week", "Days"}[r.IntN(8)]
		return fmt.Sprintf("rate(%d %s)", r.IntN(32), unit)
	case 1:
		return time.Unix(1_760_000_000+int64(r.IntN(60_000_000)), 0).UTC().Format("at(2006-01-02T15:04:05)")
	}
	fields := []string{
		numbers(r, 0, 59, nil), numbers(r, 0, 23, nil), "?", "*", "*", "*",
	}
	if r.IntN(4) == 0 {
		fields[3] = numbers(r, 1, 12, strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"))
	}
	if r.IntN(8) == 0 {
		fields[5] = numbers(r, 2025, 2030, nil)
	}
	days := strings.Fields("SUN MON TUE WED THU FRI SAT")
	switch r.IntN(10) {
	case 0, 1:
		fields[2], fields[4] = numbers(r, 1, 31, nil), "?"
	case 2:
		fields[2], fields[4] = []string{"L", "LW", fmt.Sprintf("L-%d", r.IntN(32)), fmt.Sprintf("%dW", r.IntN(33)), "*", "l"}[r.IntN(6)], "?"
	case 3:
		fields[4] = fmt.Sprintf("%s#%d", days[r.IntN(7)], r.IntN(7))
	case 4:
		fields[4] = fmt.Sprintf("%d#%d", r.IntN(9), 1+r.IntN(5))
	case 5:
		fields[4] = []string{"L", days[r.IntN(7)] + "L", fmt.Sprintf("%dL", r.IntN(9))}[r.IntN(3)]
	case 6:
		fields[2] = []string{"*", "?", "1"}[r.IntN(3)] // both or none
		fields[4] = []string{"*", "?", "MON"}[r.IntN(3)]
	default:
		fields[4] = numbers(r, 1, 7, days)
	}
	if r.IntN(8) == 0 {
		fields = append([]string{numbers(r, 0, 59, nil)}, fields...)
	}
	if r.IntN(40) == 0 {
		fields = fields[1:]
	}
	text := "cron(" + strings.Join(fields, " ") + ")"
	if r.IntN(10) == 0 {
		text = strings.ToLower(text)
	}
	if r.IntN(30) == 0 { // a slip
		i := 5 + r.IntN(len(text)-5)
		text = text[:i] + string("x?*,-/#LW 9"[r.IntN(11)]) + text[i+1:]
	}
	return text
}

// numbers is a list, range, step or value of a field, now and then out of range.
func numbers(r *rand.Rand, low, high int, names []string) string {
	show := func(v int) string {
		if i := v - low; names != nil && i >= 0 && i < len(names) && r.IntN(2) == 0 {
			return names[i]
		}
		return fmt.Sprint(v)
	}
	one := func() int {
		v := low + r.IntN(high-low+1)
		if r.IntN(60) == 0 {
			v = high + 1
		}
		return v
	}
	switch r.IntN(8) {
	case 0:
		return "*"
	case 1:
		return fmt.Sprintf("*/%d", 1+r.IntN(high-low+2))
	case 2:
		return fmt.Sprintf("%s/%d", show(one()), r.IntN(high-low+2))
	case 3:
		return show(one()) + "-" + show(one())
	case 4:
		return show(one()) + "," + show(one())
	case 5:
		a := one()
		return fmt.Sprintf("%s-%s/%d", show(a), show(min(high, a+5)), 1+r.IntN(4))
	default:
		return show(one())
	}
}
