package world

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// at is a time on the day of the tests.
func clockTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, "2026-03-23T"+text+"Z")
	if err != nil {
		panic(err)
	}
	return t
}

func TestAClockRunsStandsAndHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(nil)
		if c.Now() != time.Now() {
			t.Errorf("it shows %v, want the machine's time", c.Now())
		}
		c.start(clockTime("12:00:00"))
		for _, step := range []struct {
			speed float64
			want  string
		}{{1, "12:00:10"}, {0, "12:00:10"}, {60, "12:10:10"}, {0.5, "12:10:15"}} {
			c.SetSpeed(step.speed)
			time.Sleep(10 * time.Second)
			if got := c.Now().Format(time.TimeOnly); got != step.want {
				t.Errorf("after ten seconds at %v: got %s, want %s", step.speed, got, step.want)
			}
		}
	})
}

func TestAlarmsRingWhicheverWayTheTimeComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(nil)
		hour := func() *alarm { return c.alarm(c.Now().Add(time.Hour)) }
		rings := func(what string, a *alarm, after time.Duration) {
			t.Helper()
			time.Sleep(after - time.Millisecond)
			synctest.Wait()
			if a.rung() {
				t.Errorf("%s: it rings too early", what)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if !a.rung() {
				t.Errorf("%s: it does not ring", what)
			}
		}
		rings("at its own pace", hour(), time.Hour)
		a := hour()
		c.SetSpeed(60)
		rings("hurried", a, time.Minute)
		a = hour()
		c.SetSpeed(0)
		time.Sleep(1000 * time.Hour)
		if a.rung() {
			t.Error("it rings on a clock that stands")
		}
		c.SetSpeed(1)
		rings("started again", a, time.Hour)
		if a = c.alarm(c.Now().Add(-time.Hour)); !a.rung() {
			t.Error("an alarm for an hour ago does not ring")
		}
		a = hour()
		a.stop()
		time.Sleep(2 * time.Hour)
		if a.rung() || len(c.alarms) != 0 {
			t.Errorf("a stopped alarm rings, or one of %d is left", len(c.alarms))
		}
		far := c.alarm(c.Now().AddDate(200, 0, 0))
		time.Sleep(5000 * time.Hour)
		if far.rung() {
			t.Error("an alarm in 200 years rings")
		}
		far.stop()
	})
}

func TestForwardGoesFromAlarmToAlarm(t *testing.T) {
	c := NewClock(nil)
	c.SetSpeed(0)
	c.start(clockTime("00:00:00"))
	var log []string
	ctx, cancel := context.WithCancel(t.Context())
	// One that sleeps again and again, and another that it wakes.
	woken := make(chan struct{})
	sleeper, other := c.work.begin(), c.work.begin()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer sleeper.end()
		for range 3 {
			if c.Sleep(sleeper.of(ctx), 7*time.Hour) != nil {
				return
			}
			log = append(log, "slept "+c.Now().Format(time.TimeOnly))
		}
		close(woken)
		_ = c.Sleep(sleeper.of(ctx), 24*time.Hour)
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer other.end()
		until(other.of(ctx), woken)
		log = append(log, "woken "+c.Now().Format(time.TimeOnly))
	}()
	if err := c.Forward(ctx, clockTime("22:00:00")); err != nil {
		t.Fatal(err)
	}
	<-ended
	if got := strings.Join(log, ", "); got != "slept 07:00:00, slept 14:00:00, slept 21:00:00, woken 21:00:00" {
		t.Errorf("got %s", got)
	}
	if got := c.Now(); !got.Equal(clockTime("22:00:00")) {
		t.Errorf("it shows %v", got)
	}
	if err := c.Forward(ctx, clockTime("21:00:00")); err == nil || !strings.Contains(err.Error(), "cannot go back") {
		t.Errorf("it went back: %v", err)
	}
	cancel()
	<-done
	busy := c.work.begin() // somebody who never rests
	brief, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := c.Forward(brief, clockTime("23:00:00")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of its context", err)
	}
	busy.end()
}

func TestWhatIsDueTogetherHasItsOrder(t *testing.T) {
	c := NewClock(nil)
	c.SetSpeed(0)
	c.start(clockTime("00:00:00"))
	var log []string
	w := &World{clock: c, now: c.Now, agenda: newAgenda()}
	w.ctx, w.cancel = context.WithCancel(t.Context())
	note := func(text string) func(time.Time) {
		return func(at time.Time) { log = append(log, at.Format("15:04 ")+text) }
	}
	one := clockTime("01:00:00")
	w.agenda.plan("b", one, rankStart, note("start"))
	w.agenda.plan("c", one, rankEnd, note("end"))
	w.agenda.plan("d", one, rankStart, note("second start"))
	w.agenda.plan("a", one, rankCutoff, note("cutoff"))
	w.agenda.plan("dropped", one, rankEnd, note("dropped"))
	w.agenda.plan("moved", one, rankEnd, note("moved"))
	w.agenda.plan("moved", one.Add(time.Minute), rankEnd, note("moved"))
	w.agenda.drop("dropped")
	act, sleeper := c.work.begin(), c.work.begin()
	w.group.Go(func() { w.keepAgenda(act) })
	w.group.Go(func() {
		defer sleeper.end()
		limited, cancel := c.within(sleeper.of(w.ctx), time.Hour)
		defer cancel()
		err := c.Sleep(limited, time.Hour) // as long as it may
		w.agenda.soon(func() { note("slept")(c.Now()) })
		if err != nil {
			t.Errorf("it was stopped when it had ended: %v", err)
		}
	})
	if err := c.Forward(t.Context(), clockTime("02:00:00")); err != nil {
		t.Fatal(err)
	}
	w.cancel()
	w.group.Wait()
	if want := []string{"01:00 slept", "01:00 end", "01:00 cutoff", "01:00 start", "01:00 second start", "01:01 moved"}; !slices.Equal(log, want) {
		t.Errorf("got  %q\nwant %q", log, want)
	}
}

func TestClocksOfScenarios(t *testing.T) {
	real := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ yaml, want string }{
		{"clock: {start: 2026-03-23T00:00:00Z, stopped: true}", "2026-03-23T00:00:00Z 0"},
		{"clock: {start: 2026-03-23T00:00:00+02:00, speed: 60}", "2026-03-22T22:00:00Z 60"},
		{"clock: {ago: 168h}", "2026-02-22T12:00:00Z 1"},
		{"{}", "2026-03-01T12:00:00Z 1"},
	} {
		sc, err := ParseScenario("test", []byte(tt.yaml))
		if err != nil {
			t.Fatal(err)
		}
		c := sc.MakeClock(func() time.Time { return real })
		if got := c.Now().UTC().Format(time.RFC3339) + " " + text(c.Speed()); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.yaml, got, tt.want)
		}
	}
	for _, bad := range []string{
		"clock: {start: 2026-03-23T00:00:00Z, ago: 1h}", "clock: {ago: -1h}", "clock: {speed: -1}", "clock: {speed: 1e9}", "clock: {stopped: true, speed: 2}", "clock: {start: soon}",
		"regions: {eu-west-1: {clock: {ago: 1h}}}",
	} {
		if _, err := ParseScenario("test", []byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestWindowsOfScenariosAreChecked(t *testing.T) {
	const base = "nodes: [{id: i-0aaaaaaaaaaaaaaaa}]\nmaintenance_windows:\n  - {name: win, schedule: rate(1 day), "
	for _, bad := range []string{
		"duration: 25}", "duration: 2, cutoff: 2}", "offset: 2}", "start: soon}", "start: 2026-05-01, end: 2026-04-01}", "ran: -1h}", "ran: 9000h}", "document: AWS-RunShellScript}",
		"tasks: [{run: AWS-RunShellScript}]}", "nodes: [i-0aaaaaaaaaaaaaaaa], tasks: [{}]}", "nodes: [i-0aaaaaaaaaaaaaaaa], tasks: [{run: x, type: MAGIC}]}",
		"nodes: [i-0aaaaaaaaaaaaaaaa], tasks: [{run: x, cutoff_behavior: STOP}]}", "nodes: [i-0aaaaaaaaaaaaaaaa], tasks: [{run: x, max_errors: some}]}",
		"duration: 2}\nfunctions: [{takes: 1m}]",
	} {
		if _, err := ParseScenario("test", []byte(base+bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestAdvancesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(nil)
		c.SetSpeed(0)
		began := c.Now()
		act := c.work.begin() // keeps the first one from going on
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- c.Advance(t.Context(), time.Hour) }()
		}
		synctest.Wait()
		act.end()
		if err := errors.Join(<-errs, <-errs); err != nil || c.Now().Sub(began) != 2*time.Hour {
			t.Errorf("%v after %v", err, c.Now().Sub(began))
		}
	})
}
