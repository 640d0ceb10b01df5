package patching

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

const snapshot = "0b7e1f52-9c3d-4c1e-8a51-2d6f1c0a9b77"

func lacking(id string) *fakeNode {
	return &fakeNode{
		Node:   fleet.Node{ID: id, Name: "name-" + id, Platform: "linux"},
		before: &fleet.PatchState{Missing: 3, Installed: 10, Ended: time.Now().Add(-time.Hour)}, after: &fleet.PatchState{Installed: 13},
	}
}

// installer is one for a world, all of whose nodes are in one wave.
func installer(t *testing.T, w *fakeWorld, o Options) *Installer {
	t.Helper()
	if o.Reboot == "" {
		o.Reboot = IfNeeded
	}
	o.Snapshot = snapshot
	sizes, err := waves.ParseSizes("100%")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Planner{Fleet: w, Patches: w}.Plan(t.Context(), w.all(), o, sizes)
	if err != nil {
		t.Fatal(err)
	}
	return &Installer{
		Run: w, Fleet: w, Patches: w, State: NewState(plan, "", time.Now()), MaxFailures: 100, Settle: 10 * time.Minute, Concurrency: "10",
		Keep: func() error { return nil },
	}
}

func TestWaveTellsWhatTheNodesReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, late, slow := lacking("good"), lacking("late"), lacking("slow")
		late.lag, slow.away = 20*time.Second, 4*time.Minute
		good.stdout = "A reboot is needed: restarting the system.\n"
		gone, mute := lacking("gone"), lacking("mute")
		gone.away, mute.after = time.Hour, nil
		partly := lacking("partly")
		partly.fails, partly.after, partly.failedPatches = true, &fleet.PatchState{Failed: 2, Installed: 11}, []string{"kernel.x86_64", "curl.x86_64"}
		partly.stdout = "FailedCount : 2\nerror: scriptlet of kernel failed\n"
		short := lacking("short")
		short.after = &fleet.PatchState{Missing: 1, Installed: 12}
		pending := lacking("pending")
		pending.after = &fleet.PatchState{PendingReboot: 2, Installed: 11}
		sick := lacking("sick")
		sick.sick = true
		w := newFakeWorld(good, late, slow, gone, mute, partly, short, pending, sick)
		p := installer(t, w, Options{})
		p.State.Health = "true"
		got, err := p.Wave(t.Context(), 1, w.order)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"gone": "did not come back within 10m", "mute": "reported no patch state", "partly": "2 not installed: kernel.x86_64, curl.x86_64",
			"short": "1 still missing", "pending": "2 still wait for a reboot", "sick": "checking health: exit status 1",
		}
		for id, text := range want {
			if !strings.Contains(got.Failed[id], text) {
				t.Errorf("%s: %q, want %q", id, got.Failed[id], text)
			}
		}
		if len(got.Failed) != len(want) || len(got.Left) != 0 {
			t.Errorf("failed %v, left %v", got.Failed, got.Left)
		}
		if words := p.State.Nodes["partly"].Result.Words; !slices.Equal(words, []string{"error: scriptlet of kernel failed"}) {
			t.Errorf("words %q", words)
		}
		r := p.State.Nodes["good"].Result
		if r.Rebooted == nil || !*r.Rebooted || r.After.Installed != 13 || r.After.Missing != 0 || r.CommandID == "" {
			t.Errorf("good: %+v", r)
		}
	})
}

func TestWhatWasAskedForDecidesWhatIsEnough(t *testing.T) {
	for name, tt := range map[string]struct {
		options Options
		after   *fleet.PatchState
		fails   string
	}{
		"waiting for a reboot that was not wanted":                {Options{Reboot: Never}, &fleet.PatchState{PendingReboot: 3}, ""},
		"missing what a list did not name":                        {Options{OverrideList: "s3://b/k"}, &fleet.PatchState{Missing: 3}, ""},
		"nothing is reported under a baseline override":           {Options{BaselineOverride: "s3://b/k"}, nil, ""},
		"failed patches count even where the command succeeded":   {Options{}, &fleet.PatchState{Failed: 1}, "1 not installed"},
		"failed patches count under a list":                       {Options{OverrideList: "s3://b/k"}, &fleet.PatchState{Failed: 1}, "1 not installed"},
		"missing patches count without a list, also with no boot": {Options{Reboot: Never}, &fleet.PatchState{Missing: 2}, "2 still missing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := lacking("n")
				n.after = tt.after
				w := newFakeWorld(n)
				got, err := installer(t, w, tt.options).Wave(t.Context(), 1, w.order)
				if err != nil {
					t.Fatal(err)
				}
				if why := got.Failed["n"]; (why == "") != (tt.fails == "") || !strings.Contains(why, tt.fails) {
					t.Errorf("failed with %q, want %q", why, tt.fails)
				}
			})
		})
	}
}

func TestAReportOfSomebodyElseIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := lacking("n")
		n.lag = 30 * time.Second
		// A scan that ended just now, under another snapshot: it found what we are installing.
		n.before = &fleet.PatchState{Missing: 3, Ended: time.Now(), Snapshot: "another"}
		w := newFakeWorld(n)
		p := installer(t, w, Options{})
		got, err := p.Wave(t.Context(), 1, w.order)
		if err != nil || len(got.Failed) != 0 {
			t.Errorf("%v, %v", got, err)
		}
		if a := p.State.Nodes["n"].Result.After; a == nil || a.Missing != 0 {
			t.Errorf("reported %+v", a)
		}
	})
}

func TestPatchesThatMayNotBeReadAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := lacking("n")
		n.after = &fleet.PatchState{Failed: 2}
		w := newFakeWorld(n)
		w.denied = fault.New(fault.Auth, "read", "not allowed")
		sizes, _ := waves.ParseSizes("100%")
		plan, err := Planner{Fleet: w, Patches: w, Names: true}.Plan(t.Context(), w.all(), Options{Reboot: IfNeeded}, sizes)
		if err != nil || plan.Patches != 3 || plan.Nodes[0].Named {
			t.Errorf("%+v, %v", plan, err)
		}
		got, err := installer(t, w, Options{}).Wave(t.Context(), 1, w.order)
		if err != nil || !strings.Contains(got.Failed["n"], "2 not installed") {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// A node that reports nothing after its installation was not installed on, whatever a
// scan said shortly before.
func TestWhatAScanFoundBeforeIsNoResult(t *testing.T) {
	for name, before := range map[string]*fleet.PatchState{
		"another snapshot": {Snapshot: "another", Operation: "Scan"},
		"no snapshot":      {Operation: "Scan"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := lacking("n")
				n.before, n.after = before, nil
				n.before.Ended = time.Now().Add(-2 * time.Minute)
				w := newFakeWorld(n)
				got, err := installer(t, w, Options{}).Wave(t.Context(), 1, w.order)
				if err != nil || !strings.Contains(got.Failed["n"], "reported no patch state") {
					t.Errorf("%v, %v", got, err)
				}
			})
		})
	}
}

// Whenever the program ends, and whatever was sent by then, every node gets one
// installation.
func TestAWaveTakenUpSendsNothingTwice(t *testing.T) {
	for _, hidden := range [][2]time.Duration{{}, {5 * time.Second, 0}, {0, 10 * time.Second}} {
		for dies := 1; dies <= 3; dies++ {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeWorld(lacking("a"), lacking("b"), lacking("c"), lacking("d"), lacking("e"))
				w.dies, w.hidden, w.lastHidden = dies, hidden[0], hidden[1]
				p := installer(t, w, Options{})
				var kept []byte
				p.Keep = func() (err error) {
					kept, err = json.Marshal(p.State)
					return err
				}
				for tries := 0; ; tries++ {
					got, err := p.Wave(t.Context(), 1, w.order)
					if err == nil {
						if len(got.Failed)+len(got.Left) != 0 {
							t.Errorf("got %+v", got)
						}
						break
					}
					if !errors.Is(err, errKilled) || tries > 5 {
						t.Fatalf("after %d tries: %v", tries, err)
					}
					// Another program reads what was written down.
					var st State
					if err := json.Unmarshal(kept, &st); err != nil || st.Check() != nil {
						t.Fatal(err, st.Check())
					}
					p.State = &st
				}
				for id, n := range w.nodes {
					if n.installs != 1 {
						t.Errorf("dying after %d: %s got %d installations", dies, id, n.installs)
					}
				}
			})
		}
	}
}

func TestWhatWasWrittenDownAndNeverSentIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld(lacking("a"))
		p := installer(t, w, Options{})
		p.State.Sent = []Sending{{Wave: 1, RunID: run.NewRunID(), At: time.Now()}}
		began := time.Now()
		got, err := p.Wave(t.Context(), 1, w.order)
		if err != nil || len(got.Failed) != 0 || w.nodes["a"].installs != 1 {
			t.Errorf("%v, %v", got, err)
		}
		if waited := time.Since(began); waited < visible {
			t.Errorf("it was looked for %s only", waited)
		}
	})
}

func TestNothingIsSentThatIsNotWrittenDown(t *testing.T) {
	w := newFakeWorld(lacking("a"))
	p := installer(t, w, Options{})
	full := errors.New("no space")
	p.Keep = func() error { return full }
	if _, err := p.Wave(t.Context(), 1, w.order); !errors.Is(err, full) || len(w.commands) != 0 {
		t.Errorf("%v, %d commands", err, len(w.commands))
	}
}

func TestNodesWithoutATurnAreLeftAndComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := lacking("a"), lacking("b")
		a.fails, b.fails = true, true
		w := newFakeWorld(a, b, lacking("c"), lacking("d"))
		p := installer(t, w, Options{})
		p.MaxFailures = 1
		got, err := p.Wave(t.Context(), 1, w.order)
		if err != nil || len(got.Failed) != 2 || !slices.Equal(got.Left, []string{"c", "d"}) {
			t.Fatalf("%+v, %v", got, err)
		}
		// Taken up with the same limit, nothing more is begun.
		p.State.Waves.Nodes["a"] = waves.Result{Status: waves.Failed, Wave: 1}
		p.State.Waves.Nodes["b"] = waves.Result{Status: waves.Failed, Wave: 1}
		p.MaxFailures = 2
		got, err = p.Wave(t.Context(), 1, []string{"c", "d"})
		if err != nil || len(got.Failed)+len(got.Left) != 0 || w.nodes["c"].installs != 1 || w.nodes["d"].installs != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestALimitReachedBeforeStopsAWaveTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := lacking("a")
		a.fails = true
		w := newFakeWorld(a, lacking("b"), lacking("c"))
		w.dies = 1
		p := installer(t, w, Options{})
		p.MaxFailures = 0
		if _, err := p.Wave(t.Context(), 1, w.order); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		w.dies = 0
		got, err := p.Wave(t.Context(), 1, w.order)
		if err != nil || !slices.Equal(got.Left, []string{"b", "c"}) || got.Failed["a"] == "" || w.nodes["c"].installs != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestOfflineAndUnknownNodesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld(lacking("a"), lacking("b"))
		p := installer(t, w, Options{})
		w.nodes["b"].Ping = fleet.Lost // since the plan was made
		got, err := p.Wave(t.Context(), 1, []string{"a", "b", "c"})
		if err != nil || !strings.Contains(got.Failed["b"], "not connected") || !strings.Contains(got.Failed["c"], "does not know it") || got.Failed["a"] != "" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestWaveEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := lacking("n")
		n.away = time.Hour
		w := newFakeWorld(n)
		p := installer(t, w, Options{})
		p.Settle = 24 * time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := p.Wave(ctx, 1, w.order); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStateIsChecked(t *testing.T) {
	good := func() *State {
		return &State{Kind: StateKind, Options: Options{Reboot: Never}, Waves: waves.New([][]string{{"a"}}, time.Now()), Sent: []Sending{{1, run.NewRunID(), time.Now()}}}
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*State){
		"another kind":     func(s *State) { s.Kind = "x" },
		"no waves":         func(s *State) { s.Waves = nil },
		"no reboot option": func(s *State) { s.Options.Reboot = "" },
		"a wave too many":  func(s *State) { s.Sent[0].Wave = 2 },
		"no run":           func(s *State) { s.Sent[0].RunID = "x" },
		"a bad override":   func(s *State) { s.Options.OverrideList = "x" },
	} {
		s := good()
		spoil(s)
		if err := s.Check(); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}
