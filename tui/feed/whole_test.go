package feed

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Rows that come while a load goes on are not all: who counts them must be able to
// say so, also when it then breaks off.
func TestRowsThatCameSoFarAreNotAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		next := make(chan error)
		src := NewSource("things", func(_ context.Context, _ grid.Cell, emit func([]int)) ([]int, error) {
			emit([]int{1, 2})
			return []int{1, 2, 3}, <-next
		})
		check := func(when string, want State) {
			t.Helper()
			got := src.State()
			got.Oldest = time.Time{}
			if failed := len(got.Failures) > 0; failed != (len(want.Failures) > 0) || got.Partial() != want.Partial() || got.Loaded != want.Loaded || got.Whole != want.Whole || got.Kept.IsZero() != want.Kept.IsZero() {
				t.Errorf("%s: %+v", when, got)
			}
		}
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		check("while it goes on", State{Places: 1, Loaded: 1})
		if src.State().Reach() == "" {
			t.Error("nothing says that there may be more")
		}
		next <- errors.New("broke off")
		time.Sleep(time.Second)
		l.settle()
		failure := []grid.Failure{{}}
		check("broken off", State{Places: 1, Loaded: 1, Failures: failure, Kept: time.Now()})
		l.run(l.desk.Force())
		l.settle()
		next <- &Partly{errors.New("no tags")}
		time.Sleep(time.Second)
		l.settle()
		check("in part", State{Places: 1, Loaded: 1, Whole: 1, Failures: failure})
		if src.State().Reach() != "" {
			t.Error("all has been read")
		}
		l.desk.Close()
	})
}

// A place that could not be read has no rows, which is not the same as none: nobody is
// told of 0 nodes.
func TestAPlaceThatWasNeverReadIsNotEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here}, grid.Cell{Place: there})
		src := NewSource("things", func(_ context.Context, in grid.Cell, emit func([]int)) ([]int, error) {
			if in.Place == there {
				emit([]int{1, 2})
			}
			return nil, errors.New("denied")
		})
		l.run(l.desk.Want([]Want{{src, time.Minute}}))
		l.settle()
		time.Sleep(time.Second)
		l.settle()
		if s := src.State(); s.Loaded != 1 || s.Whole != 0 || len(s.Failures) != 2 || len(src.Rows()) != 2 {
			t.Errorf("%+v, rows %v", s, src.Rows())
		}
		l.desk.Close()
	})
}

// What was asked for anew is not answered by a load that began before.
func TestWhatIsForcedIsNewerThanTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		world, proceed := 1, make(chan bool)
		src := NewSource("things", func(context.Context, grid.Cell, func([]int)) ([]int, error) {
			seen := world
			<-proceed
			return []int{seen}, nil
		})
		other := NewSource("other", func(context.Context, grid.Cell, func([]int)) ([]int, error) { return nil, nil })
		want := []Want{{src, time.Hour}}
		l.run(l.desk.Want(want))
		l.settle()
		world = 2
		l.run(l.desk.Force("things"))
		l.settle()
		proceed <- true
		l.settle()
		proceed <- true
		l.settle()
		if got := src.Rows(); len(got) != 1 || got[0].Value != 2 {
			t.Errorf("after the action the rows are %v", got)
		}
		l.run(l.desk.Want([]Want{{other, time.Hour}})) // another page
		world = 3
		l.run(l.desk.Force("things"))
		l.run(l.desk.Want(want))
		l.settle()
		proceed <- true
		l.settle()
		if got := src.Rows(); got[0].Value != 3 {
			t.Errorf("the page was left and is shown again, and has the rows of before: %v", got)
		}
		l.desk.Close()
	})
}
