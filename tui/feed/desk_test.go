package feed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// loop runs commands as Bubble Tea does: each in a goroutine, messages one by one.
type loop struct {
	desk    *Desk
	msgs    chan tea.Msg
	changed []string
	other   []tea.Msg
}

func newLoop(cells ...grid.Cell) *loop {
	l := &loop{desk: NewDesk(cells, nil), msgs: make(chan tea.Msg, 100)}
	return l
}

func (l *loop) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch m := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range m {
				l.run(c)
			}
		default:
			l.msgs <- m
		}
	}()
}

// settle takes messages until nothing moves any more.
func (l *loop) settle() {
	for {
		synctest.Wait()
		select {
		case m := <-l.msgs:
			changed, cmd, ok := l.desk.Update(m)
			if !ok {
				l.other = append(l.other, m)
			}
			if changed != "" {
				l.changed = append(l.changed, changed)
			}
			l.run(cmd)
		default:
			return
		}
	}
}

var (
	here  = grid.Place{Account: "1", Region: "eu-west-1"}
	there = grid.Place{Account: "1", Region: "us-east-1"}
)

func TestAFeedIsLoadedInAllPlacesAndKeepsWhatItHadWhenOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here}, grid.Cell{Place: there})
		broken := false
		var n atomic.Int64 // both places are asked at once
		src := NewSource("things", func(_ context.Context, in grid.Cell, _ func([]int)) ([]int, error) {
			have := n.Add(1)
			if broken && in.Region == "us-east-1" {
				return nil, errors.New("denied")
			}
			return []int{int(have)}, nil
		})
		want := []Want{{src, 10 * time.Second}}
		l.run(l.desk.Want(want))
		if s := src.State(); s.Places != 2 || s.Loading != 2 || !s.Empty() {
			t.Errorf("state while loading: %+v", s)
		}
		l.settle()
		if got := fmt.Sprint(len(src.Rows()), src.State().Loaded, src.State().Partial()); got != "2 2 false" {
			t.Errorf("after the load: %s", got)
		}
		was, _ := src.At(there)
		broken = true
		time.Sleep(9 * time.Second)
		l.run(l.desk.Tick(1))
		l.settle()
		if n.Load() != 2 {
			t.Errorf("loaded again after 9 s")
		}
		time.Sleep(time.Second)
		l.run(l.desk.Tick(1))
		l.settle()
		now, at := src.At(there)
		if n.Load() != 4 || len(now) != 1 || now[0] != was[0] || time.Since(at) != 10*time.Second {
			t.Errorf("the place that failed has %v of %s ago, want %v of 10 s ago", now, time.Since(at), was)
		}
		s := src.State()
		if len(s.Failures) != 1 || s.Failures[0].Place != there || !s.Partial() || time.Since(s.Oldest) != 10*time.Second {
			t.Errorf("state with a failure: %+v", s)
		}
		l.desk.Close()
	})
}

func TestRowsAreShownWhileTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		more := make(chan bool)
		src := NewSource("things", func(_ context.Context, _ grid.Cell, emit func([]int)) ([]int, error) {
			emit([]int{1})
			<-more
			emit([]int{1, 2})
			<-more
			return []int{1, 2, 3}, nil
		})
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		for want := 1; want <= 3; want++ {
			if got := len(src.Rows()); got != want {
				t.Errorf("%d rows, want %d", got, want)
			}
			if loading := src.State().Loading; (loading == 1) != (want < 3) {
				t.Errorf("%d rows: loading %d", want, loading)
			}
			if want < 3 {
				more <- true
				time.Sleep(emitGap)
				l.settle()
			}
		}
		l.desk.Close()
	})
}

func TestLeavingCancelsAndComingBackLoadsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		started, ended := 0, 0
		src := NewSource("things", func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
			started++
			<-ctx.Done()
			ended++
			return nil, ctx.Err()
		})
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		l.run(l.desk.Want(nil))
		l.settle()
		if s := src.State(); started != 1 || ended != 1 || s.Loading != 0 || len(s.Failures) != 0 {
			t.Errorf("after leaving: %d started, %d ended, %+v", started, ended, s)
		}
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		if started != 2 {
			t.Errorf("coming back started %d loads, want a second", started)
		}
		l.desk.Close()
		if ended != 2 {
			t.Error("Close did not wait for the load")
		}
	})
}

// A view that is left and shown again before its cancelled load has come back must
// not be left without a load.
func TestComingBackAtOnceIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		loads := 0
		src := NewSource("things", func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
			loads++
			if loads == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []int{1}, nil
		})
		wants := []Want{{src, time.Minute}}
		l.run(l.desk.Want(wants))
		synctest.Wait()
		l.run(l.desk.Want(nil))
		l.run(l.desk.Want(wants)) // the cancelled load has not been taken yet
		l.settle()
		l.run(l.desk.Tick(1))
		l.settle()
		if len(src.Rows()) != 1 {
			t.Errorf("no rows after coming back; %d loads", loads)
		}
		l.desk.Close()
	})
}

func TestPlacesThatCannotBeOpenedAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop()
		src := NewSource("things", func(context.Context, grid.Cell, func([]int)) ([]int, error) { return []int{1}, nil })
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		if s := src.State(); s.Places != 0 || !s.Empty() {
			t.Errorf("before the places are known: %+v", s)
		}
		l.run(l.desk.Open([]grid.Cell{{Place: here}}, []grid.Failure{{Place: there, Err: errors.New("no role")}}))
		l.settle()
		s := src.State()
		if len(src.Rows()) != 1 || s.Places != 2 || len(s.Failures) != 1 || !s.Partial() {
			t.Errorf("%d rows, %+v", len(src.Rows()), s)
		}
		l.desk.Close()
	})
}

func TestAPanicBehindTheDashboardIsAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		src := NewSource("things", func(context.Context, grid.Cell, func([]int)) ([]int, error) { panic("our bug") })
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		if len(l.other) != 1 {
			t.Fatalf("%d messages", len(l.other))
		}
		if c, ok := l.other[0].(Crashed); !ok || c.Error() != "our bug" || len(c.Stack) == 0 {
			t.Errorf("%v", l.other[0])
		}
		l.desk.Close()
	})
}

func TestALoadThatNeverEndsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		src := NewSource("things", func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("list: %w", ctx.Err())
		})
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		time.Sleep(loadLimit)
		l.settle()
		if s := src.State(); len(s.Failures) != 1 {
			t.Errorf("after %s: %+v", loadLimit, s)
		}
		l.desk.Close()
	})
}

func TestEventsReplaceEachOtherAndNoneIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop()
		e := NewEvents(func(s string) string {
			if s[0] == '-' {
				return ""
			}
			return s[:1]
		})
		for _, s := range []string{"a1", "b1", "-log", "a2", "-log", "a3"} {
			e.Put(s)
		}
		l.run(e.Next(l.desk, 0))
		l.settle()
		b := l.other[0].(Batch[string])
		if got := fmt.Sprint(b.Events); got != "[a3 b1 -log -log]" {
			t.Errorf("%s", got)
		}
		e.Put("a4")
		e.Close(errors.New("over"))
		l.run(e.Next(l.desk, time.Second))
		l.settle()
		if len(l.other) != 1 {
			t.Error("the pause was not kept")
		}
		time.Sleep(time.Second)
		l.settle()
		b = l.other[1].(Batch[string])
		if fmt.Sprint(b.Events, b.Done, b.Err) != "[a4] true over" {
			t.Errorf("%v", b)
		}
		l.run(e.Next(l.desk, 0)) // nothing will ever come: Close must end it
		l.desk.Close()
	})
}

func TestADetailIsLoadedWhereTheCursorRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop()
		d := NewDetail[string](l.desk, 2)
		var loads []string
		load := func(key string) func(context.Context) (string, error) {
			return func(context.Context) (string, error) {
				loads = append(loads, key)
				if key == "bad" {
					return "", errors.New("denied")
				}
				return "of " + key, nil
			}
		}
		want := func(key string) {
			l.run(d.Want(key, time.Minute, load(key)))
		}
		take := func() {
			l.settle()
			for _, m := range l.other {
				if g, ok := m.(Got[string]); ok {
					d.Take(g)
				}
			}
			l.other = nil
		}
		for _, k := range []string{"a", "b", "c"} { // runs over a and b
			want(k)
			time.Sleep(rest / 2)
			take()
		}
		want("c")
		time.Sleep(settled)
		take()
		if fmt.Sprint(loads) != "[c]" {
			t.Errorf("loaded %v", loads)
		}
		v, at, err, loading := d.Get("c")
		if v != "of c" || at.IsZero() || err != nil || loading {
			t.Errorf("c: %q %v %v %v", v, at, err, loading)
		}
		want("bad")
		time.Sleep(settled)
		take()
		for range 10 { // a failure is not tried again with each frame
			want("bad")
			time.Sleep(rest)
			take()
		}
		if _, _, err, _ := d.Get("bad"); err == nil || fmt.Sprint(loads) != "[c bad]" {
			t.Errorf("bad: %v, loaded %v", err, loads)
		}
		want("c")
		time.Sleep(rest)
		take()
		if fmt.Sprint(loads) != "[c bad]" {
			t.Errorf("a young value was loaded again: %v", loads)
		}
		if len(d.seen) > 2 {
			t.Errorf("%d values are kept", len(d.seen))
		}
		want("left")
		l.desk.Leave()
		time.Sleep(rest)
		take()
		if _, at, err, loading := d.Get("left"); len(loads) != 2 || !at.IsZero() || err != nil || loading {
			t.Errorf("what was left was loaded: %v", loads)
		}
		l.desk.Close()
	})
}

// What is known must not be taken away while it is read again, nor by a load that
// breaks off.
func TestALaterLoadReplacesRowsAtItsEndOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		var end error
		hold := make(chan bool, 1)
		src := NewSource("things", func(_ context.Context, _ grid.Cell, emit func([]int)) ([]int, error) {
			emit([]int{1})
			<-hold
			return []int{1, 2, 3}, end
		})
		hold <- true
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		for _, c := range []struct {
			err  error
			rows int
			bad  int
		}{{nil, 3, 0}, {errors.New("broke off"), 3, 1}, {&Partly{errors.New("no tags")}, 3, 1}, {nil, 3, 0}} {
			end = c.err
			time.Sleep(time.Second)
			l.run(l.desk.Tick(1))
			l.settle()
			if n := len(src.Rows()); n != c.rows {
				t.Errorf("%v: %d rows while they are read again", c.err, n)
			}
			hold <- true
			time.Sleep(emitGap)
			l.settle()
			s := src.State()
			if len(src.Rows()) != c.rows || len(s.Failures) != c.bad {
				t.Errorf("%v: %d rows, %+v", c.err, len(src.Rows()), s)
			}
			if known := time.Since(s.Oldest) < time.Second; known == (c.bad == 1 && c.err.Error() == "broke off") {
				t.Errorf("%v: rows of %s ago", c.err, time.Since(s.Oldest))
			}
		}
		l.desk.Close()
	})
}

// Bubble Tea drops the commands that are on the way when it ends.
func TestCloseDoesNotWaitForWhatWasNeverRun(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		l := newLoop(grid.Cell{Place: here})
		ran := false
		cmd := l.desk.Go(func(context.Context) tea.Msg { ran = true; return nil })
		l.desk.Close()
		if cmd(); ran {
			t.Error("something began after Close")
		}
	})
}

// A load that failed, or was cancelled, has not found that there is nothing.
func TestAFirstLoadThatFailsKnowsNothing(t *testing.T) {
	for _, why := range []error{errors.New("refused"), context.Canceled} {
		t.Run(why.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoop(grid.Cell{Place: here})
				src := NewSource("things", func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
					if errors.Is(why, context.Canceled) {
						<-ctx.Done()
					}
					return nil, why
				})
				l.run(l.desk.Want([]Want{{src, time.Minute}}))
				l.settle()
				l.run(l.desk.Want(nil)) // the page is left
				l.settle()
				if s := src.State(); !s.Empty() || !s.Oldest.IsZero() || s.Loading != 0 {
					t.Errorf("the state is %+v: nothing has been read", s)
				}
				l.desk.Close()
			})
		})
	}
}

// What is on this machine is always new, and says nothing of rows that have not come.
func TestTheAgeIsOfWhatWasFetched(t *testing.T) {
	now := time.Date(2026, 7, 2, 14, 0, 0, 0, time.UTC)
	remote, local := NewSource[int]("things", nil), NewLocal[int]("forwards", nil)
	local.Set(grid.Place{}, nil, now)
	remote.Fail(here, errors.New("denied"))
	both := []Want{{remote, time.Minute}, {local, time.Second}}
	if got := Oldest(both); !got.IsZero() {
		t.Errorf("the age of rows that have not come: %v", got)
	}
	if got := Oldest(both[1:]); !got.Equal(now) {
		t.Errorf("the age of forwards alone: %v", got)
	}
	remote.Set(here, []int{1}, now.Add(-time.Minute))
	if got := Oldest(both); !got.Equal(now.Add(-time.Minute)) {
		t.Errorf("the age of both: %v", got)
	}
}
