package world

import (
	"context"
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

// seen is what somebody sees who looks at a world every few seconds.
type seen struct {
	lost, back, states map[string]bool
	opened             int
	waited             bool
	first              []string // away from the start
}

func (s *seen) look(w *World) {
	now := w.awayNodes()
	for _, id := range now {
		if !slices.Contains(s.first, id) {
			s.lost[id] = true
		}
	}
	for id := range s.lost {
		if !slices.Contains(now, id) {
			s.back[id] = true
		}
	}
	for _, c := range w.Commands() {
		s.states[c.Status] = true
	}
	s.opened = max(s.opened, len(w.Sessions(false)))
	s.waited = s.waited || slices.ContainsFunc(w.Automations(), func(a *Automation) bool { return a.Status == statusWaiting })
}

func (w *World) awayNodes() (ids []string) {
	for _, n := range w.Nodes() {
		if n.Ping != PingOnline {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

func (w *World) outdated() (n int) {
	for _, node := range w.Nodes() {
		if !node.Latest {
			n++
		}
	}
	return n
}

// deployed counts the versions of the parameters that colleagues change.
func (w *World) deployed() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range []string{"/deploy/shop/version", "/deploy/search/version", "/deploy/pay/version"} {
		if p, ok := w.params.get(name); ok {
			n += len(p.Versions)
		}
	}
	return n
}

func TestALivingAccountDoesEverythingInMinutes(t *testing.T) {
	w := lively(t, 1)
	s := &seen{lost: map[string]bool{}, back: map[string]bool{}, states: map[string]bool{}, first: w.awayNodes()}
	behind := w.outdated()
	for range 24 {
		w.after(t, 5*time.Second)
		s.look(w)
	}
	opened := 0
	for _, r := range w.windowRecords() {
		opened += len(w.WindowExecutions(textIn(r, "WindowId")))
	}
	for what, happened := range map[string]bool{
		"an agent is lost":                 len(s.lost) > 0,
		"it comes back":                    len(s.back) > 0,
		"agents are updated":               w.outdated() < behind,
		"commands run":                     s.states[statusInProgress],
		"commands end well":                s.states[statusSuccess],
		"commands fail":                    s.states[statusFailed],
		"sessions are open":                s.opened > 0,
		"sessions end":                     len(w.Sessions(true)) > 30,
		"an automation waits for approval": s.waited,
		"parameters change":                w.deployed() > 4,
		"a maintenance window opens":       opened > 0,
		"nodes are scanned": slices.ContainsFunc(w.Commands(), func(c Command) bool {
			return c.DocumentName == "AWS-RunPatchBaseline" && c.Parameters["Operation"][0] == "Scan"
		}),
		"patches are installed": slices.ContainsFunc(w.Commands(), func(c Command) bool {
			return c.DocumentName == "AWS-RunPatchBaseline" && c.Parameters["Operation"][0] == "Install"
		}),
	} {
		if !happened {
			t.Errorf("in two minutes it did not happen that %s", what)
		}
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
