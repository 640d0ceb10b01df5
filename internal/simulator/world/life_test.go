package world

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// lively is the living demo on a clock that stands until it is put forward, with
// machines that do as little as they can.
func lively(t *testing.T, seed uint64) *World {
	t.Helper()
	sc := LivingDemo()
	sc.Clock.Stopped = true
	sc.Windows = nil // their past is another test's
	now := func() time.Time { return clockTime("12:00:00") }
	var w *World
	w, err := New(sc, Config{Now: now, Machine: func(n Node, _ NodeSpec, _ DialFunc) (shell.Machine, error) {
		return fakeMachine{n.ID, func(ctx context.Context, id string, c shell.Command, io shell.IO) (int, error) {
			if err := w.clock.Sleep(ctx, 5*time.Second); err != nil {
				return shell.StatusKilled, err
			}
			if strings.HasSuffix(id, "7") && strings.Contains(c.Script, "registry") {
				return 1, nil
			}
			return succeed(ctx, id, c, io)
		}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Live(AliveSpec{Seed: seed}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) after(t *testing.T, d time.Duration) {
	t.Helper()
	if err := w.clock.Advance(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func TestALivingAccountDoesEverythingInMinutes(t *testing.T) {
	w := lively(t, 1)
	lost, back := map[string]bool{}, map[string]bool{}
	outdated := func() (n int) {
		for _, node := range w.Nodes() {
			if !node.Latest {
				n++
			}
		}
		return n
	}
	away := func() []string {
		var ids []string
		for _, n := range w.Nodes() {
			if n.Ping != PingOnline {
				ids = append(ids, n.ID)
			}
		}
		return ids
	}
	first, behind, states := away(), outdated(), map[string]bool{}
	opened, waited := 0, false
	for range 24 {
		w.after(t, 5*time.Second)
		now := away()
		for _, id := range now {
			if !slices.Contains(first, id) {
				lost[id] = true
			}
		}
		for id := range lost {
			if !slices.Contains(now, id) {
				back[id] = true
			}
		}
		for _, c := range w.Commands() {
			states[c.Status] = true
		}
		opened = max(opened, len(w.Sessions(false)))
		waited = waited || slices.ContainsFunc(w.Automations(), func(a *Automation) bool { return a.Status == statusWaiting })
	}
	if len(lost) == 0 || len(back) == 0 {
		t.Errorf("lost %d nodes, of which %d came back", len(lost), len(back))
	}
	if now := outdated(); now >= behind {
		t.Errorf("%d agents are behind, %d at the start", now, behind)
	}
	if !states[statusInProgress] || !states[statusSuccess] || !states[statusFailed] {
		t.Errorf("commands were seen %v", slices.Sorted(maps.Keys(states)))
	}
	if opened == 0 || len(w.Sessions(true)) < 20 {
		t.Errorf("%d sessions were open at once, %d are over", opened, len(w.Sessions(true)))
	}
	if !waited {
		t.Error("no automation waited for approval")
	}
	versions := 0
	for _, name := range []string{"/deploy/shop/version", "/deploy/search/version", "/deploy/pay/version"} {
		w.mu.Lock()
		p, _ := w.params.get(name)
		versions += len(p.Versions)
		w.mu.Unlock()
	}
	if versions < 5 {
		t.Errorf("the parameters have %d versions in all", versions)
	}
	fired := 0
	for _, r := range w.windowRecords() {
		fired += len(w.WindowExecutions(textIn(r, "WindowId")))
	}
	if fired == 0 {
		t.Error("no maintenance window opened")
	}
	scanned := slices.ContainsFunc(w.Commands(), func(c Command) bool { return c.DocumentName == "AWS-RunPatchBaseline" })
	if !scanned {
		t.Error("no node was scanned for patches")
	}
}

// told is what has happened, without the ids that are random.
func (w *World) told() []string {
	var all []string
	for _, c := range w.Commands() {
		all = append(all, c.Requested.Format(time.TimeOnly)+" "+c.DocumentName+" "+c.Comment+" "+strings.Join(c.InstanceIDs, ","))
	}
	for _, over := range []bool{true, false} {
		for _, s := range w.Sessions(over) {
			all = append(all, s.Started.Format(time.RFC3339)+" "+s.Target+" "+s.Owner+" "+s.Status)
		}
	}
	for _, a := range w.Automations() {
		all = append(all, a.Started.Format(time.TimeOnly)+" "+a.DocumentName+" "+a.ExecutedBy)
	}
	slices.Sort(all)
	return all
}

func TestTheSeedSaysWhatHappens(t *testing.T) {
	told := func(seed uint64) []string {
		w := lively(t, seed)
		w.after(t, 90*time.Second)
		return w.told()
	}
	one, again, other := told(1), told(1), told(2)
	if !slices.Equal(one, again) {
		t.Errorf("the same seed, and other events:\n%s\n%s", strings.Join(one, "\n"), strings.Join(again, "\n"))
	}
	if slices.Equal(one, other) {
		t.Error("another seed, and the same events")
	}
}

func TestAColleagueApprovesInTheEnd(t *testing.T) {
	w := lively(t, 1)
	w.after(t, patience)
	waiting := func() int {
		n := 0
		for _, a := range w.Automations() {
			if a.Status == statusWaiting {
				n++
			}
		}
		return n
	}
	if waiting() != 1 {
		t.Fatalf("%d automations wait after %s", waiting(), patience)
	}
	first := w.Automations()[len(w.Automations())-1]
	w.after(t, 2*time.Minute)
	if a, err := w.Automation(first.ID); err != nil || a.Status != statusSuccess {
		t.Errorf("the first automation is %+v, %v", a, err)
	}
}

func TestAnEmptyAccountLivesToo(t *testing.T) {
	w := newWorld(t, "clock: {stopped: true}\nalive: {seed: 3}\n", succeed)
	if err := w.Live(*w.Scenario().Alive); err != nil {
		t.Fatal(err)
	}
	w.after(t, 5*time.Minute)
	if len(w.Automations()) == 0 {
		t.Error("nothing happens in it")
	}
	if n := len(w.Sessions(true)) + len(w.Sessions(false)); n != 0 {
		t.Errorf("%d sessions to no node", n)
	}
}
