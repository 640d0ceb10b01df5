package feed

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// afterSleep is a time some while later on a machine that has slept through it: the
// clock on the wall has moved, the one that Go compares times by has not.
func afterSleep(t time.Time, slept time.Duration) time.Time {
	t = t.Add(slept)
	inside := (*struct { // as package time has it
		wall uint64
		ext  int64 // of the clock that stands still
		loc  *time.Location
	})(unsafe.Pointer(&t))
	inside.ext -= int64(slept)
	return t
}

func TestDataReadBeforeTheMachineSleptAreAsOldAsTheyAre(t *testing.T) {
	const night = 8 * time.Hour
	began := time.Now() // that of a bubble knows one clock alone
	if afterSleep(began, night).Sub(began) != 0 {
		t.Fatal("the test does not know the inside of a time any more")
	}
	synctest.Test(t, func(t *testing.T) {
		l := newLoop(grid.Cell{Place: here})
		var awake, slept time.Duration
		l.desk.now = func() time.Time { return afterSleep(began.Add(awake), slept) }
		loads := 0
		src := NewSource("things", func(context.Context, grid.Cell, func([]int)) ([]int, error) {
			loads++
			return []int{1}, nil
		})
		l.run(l.desk.Want([]Want{{src, time.Hour}}))
		l.settle()
		read := func(context.Context) (string, error) { return "value", nil }
		detail := NewDetail[string](l.desk, 1)
		look := func() (anew bool) {
			cmd := detail.Want("key", time.Hour, read)
			if cmd == nil {
				return false
			}
			detail.Take(cmd().(Got[string]))
			return true
		}
		look()
		if loads != 1 || look() {
			t.Fatalf("%d loads at first, want 1, and one of the detail", loads)
		}

		slept = night
		_, at, _, _ := detail.Get("key")
		for what, age := range map[string]time.Duration{
			"rows": l.desk.now().Sub(src.State().Oldest), "a detail": l.desk.now().Sub(at),
		} {
			if age.Round(time.Minute) != night {
				t.Errorf("%s read before the night are said to be %s old", what, age)
			}
		}
		l.run(l.desk.Tick(1))
		l.settle()
		if loads != 2 || !look() {
			t.Errorf("%d loads when the machine wakes, want 2, and one of the detail", loads)
		}

		slept = -night // the clock is set back: it goes on by the other one
		l.run(l.desk.Tick(1))
		l.settle()
		awake += time.Hour
		l.run(l.desk.Tick(1))
		l.settle()
		if loads < 3 {
			t.Error("a clock that was set back holds the loads up")
		}
		l.desk.Close()
	})
}
