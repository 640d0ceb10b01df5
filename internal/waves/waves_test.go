package waves

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("n%03d", i)
	}
	return out
}

func TestPlan(t *testing.T) {
	for _, tt := range []struct {
		nodes int
		spec  string
		want  []int
	}{
		{100, "1,10%,50%,100%", []int{1, 9, 40, 50}},
		{3, "1,10%,50%,100%", []int{1, 1, 1}},
		{1, "1,10%,100%", []int{1}},
		{7, "100%", []int{7}},
		{10, "5,10%,100%", []int{5, 5}}, // 10% adds nothing to 5
		{1000, "1%,20,100%", []int{10, 10, 980}},
		{0, "1,100%", nil},
	} {
		sizes, err := ParseSizes(tt.spec)
		if err != nil {
			t.Errorf("%s: %v", tt.spec, err)
			continue
		}
		var got []int
		var all []string
		for _, w := range Plan(names(tt.nodes), sizes) {
			got = append(got, len(w))
			all = append(all, w...)
		}
		if !slices.Equal(got, tt.want) || !slices.Equal(all, names(tt.nodes)) {
			t.Errorf("%s of %d: %v, want %v", tt.spec, tt.nodes, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		"":             "not the size",
		"0,100%":       "not the size",
		"x":            "not the size",
		"101%":         "more than all",
		"10%,5%,100%":  "does not go further",
		"10%,10%,100%": "does not go further",
		"1,50%":        "leave nodes out",
		"1,2":          "leave nodes out",
		"100%,1":       "leave nodes out",
	} {
		if _, err := ParseSizes(spec); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", spec, err, want)
		}
	}
	for _, spec := range []string{"", "-1", "x", "101%"} {
		if _, err := ParseLimit(spec); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %v", spec, err)
		}
	}
	if l, err := ParseLimit("5%"); err != nil || l.Of(40) != 2 || l.Of(10) != 0 {
		t.Errorf("got %v, %v", l, err)
	}
}

func FuzzParseSizes(f *testing.F) {
	for _, s := range []string{"1,10%,50%,100%", "100%", "1,1", "%", "2,1%,100%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sizes, err := ParseSizes(s)
		if err != nil {
			return
		}
		for _, n := range []int{0, 1, 2, 99, 1000} {
			got := 0
			for _, w := range Plan(names(n), sizes) {
				if len(w) == 0 {
					t.Fatalf("%q makes an empty wave of %d", s, n)
				}
				got += len(w)
			}
			if got != n {
				t.Fatalf("%q reaches %d of %d", s, got, n)
			}
		}
	})
}

// record drives waves in which the nodes of bad fail, and returns what was done.
func record(ctx context.Context, s *State, max int, bad map[string]string) (done []string, err error) {
	err = Run(ctx, s, Options{MaxFailures: max, Do: func(_ context.Context, _ int, ids []string) (Outcome, error) {
		done = append(done, strings.Join(ids, " "))
		return Outcome{Failed: bad}, nil
	}})
	return done, err
}

func TestRunStopsWhenTooManyFail(t *testing.T) {
	waves := [][]string{{"a"}, {"b", "c"}, {"d"}}
	s := New(waves, time.Time{})
	done, err := record(t.Context(), s, 1, map[string]string{"b": "no"})
	if err == nil || fault.KindOf(err) != fault.RemoteFailed || len(done) != 3 || s.Count(OK) != 3 {
		t.Errorf("one of one that may fail: %v, %v", done, err)
	}
	s = New(waves, time.Time{})
	done, err = record(t.Context(), s, 0, map[string]string{"b": "no"})
	if fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "stopped before wave 3") || !slices.Equal(done, []string{"a", "b c"}) {
		t.Errorf("none may fail: %v, %v", done, err)
	}
	if rest := s.LeftWaves(); len(rest) != 1 || !slices.Equal(rest[0], []string{"d"}) {
		t.Errorf("waves left: %v", rest)
	}
	if !slices.Equal(s.Left(), []string{"d"}) || s.Nodes["b"] != (Result{Failed, 2, "no"}) {
		t.Errorf("state %+v", s)
	}
}

func TestStateIsTakenUp(t *testing.T) {
	s := New([][]string{{"a"}, {"b", "c"}, {"d"}}, time.Unix(1, 0).UTC())
	boom := errors.New("boom")
	err := Run(t.Context(), s, Options{Do: func(_ context.Context, wave int, _ []string) (Outcome, error) {
		if wave == 2 {
			return Outcome{}, boom
		}
		return Outcome{}, nil
	}})
	if !errors.Is(err, boom) || s.Count(Begun) != 2 {
		t.Fatalf("%v, %+v", err, s)
	}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again State
	if err := json.Unmarshal(raw, &again); err != nil || again.Check() != nil || !reflect.DeepEqual(&again, s) {
		t.Fatalf("%v: %s", err, raw)
	}
	done, err := record(t.Context(), &again, 0, nil)
	if err != nil || !slices.Equal(done, []string{"b c", "d"}) || again.Count(OK) != 4 {
		t.Errorf("%v, %v", done, err)
	}
	for _, bad := range []State{
		{},
		{Waves: [][]string{{"a", "a"}}},
		{Waves: [][]string{{"a"}}, Nodes: map[string]Result{"b": {Status: OK}}},
		{Waves: [][]string{{"a"}}, Nodes: map[string]Result{"a": {Status: "odd"}}},
	} {
		if err := bad.Check(); fault.KindOf(err) != fault.Usage {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestNodesWithoutATurnAreLeft(t *testing.T) {
	s := New([][]string{{"a", "b", "c"}, {"d"}}, time.Time{})
	err := Run(t.Context(), s, Options{MaxFailures: 5, Do: func(context.Context, int, []string) (Outcome, error) {
		return Outcome{Failed: map[string]string{"a": "no"}, Left: []string{"c"}}, nil
	}})
	if fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "1 of the wave had no turn") {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(s.Left(), []string{"c", "d"}) || s.Nodes["b"].Status != OK || s.Check() != nil {
		t.Errorf("state %+v", s)
	}
}

func TestAWaveThatMayNotBeginIsNotBegun(t *testing.T) {
	s := New([][]string{{"a"}, {"b"}}, time.Time{})
	shut := errors.New("shut")
	err := Run(t.Context(), s, Options{
		Do: func(context.Context, int, []string) (Outcome, error) { return Outcome{}, nil },
		Before: func(_ context.Context, wave int) error {
			if wave == 2 {
				return shut
			}
			return nil
		},
	})
	if !errors.Is(err, shut) || s.Count(Begun) != 0 || !slices.Equal(s.Left(), []string{"b"}) {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestPauseIsBetweenWavesAndCanBeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := New([][]string{{"a"}, {"b"}, {"c"}}, start)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var at []time.Duration
		var phases []Phase
		err := Run(ctx, s, Options{
			Pause: time.Minute,
			Do: func(context.Context, int, []string) (Outcome, error) {
				at = append(at, time.Since(start))
				return Outcome{}, nil
			},
			Changed: func(_ *State, wave int, p Phase) error {
				phases = append(phases, p)
				if wave == 3 && p == Pausing {
					cancel()
				}
				return nil
			},
		})
		if !errors.Is(err, context.Canceled) || !slices.Equal(at, []time.Duration{0, time.Minute}) || len(s.Left()) != 1 {
			t.Errorf("%v, waves at %v, %+v", err, at, s)
		}
		if !slices.Equal(phases, []Phase{Beginning, Ended, Pausing, Beginning, Ended, Pausing}) {
			t.Errorf("phases %v", phases)
		}
	})
}
