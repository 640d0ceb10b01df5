package feed

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// service answers calls, each after a while, and counts them as meters do.
type service struct {
	takes time.Duration

	mu    sync.Mutex
	calls []time.Time
}

// call is one call of a load.
func (s *service) call(ctx context.Context) error {
	sent, err := awsapi.PassGate(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.calls = append(s.calls, time.Now())
	s.mu.Unlock()
	sent()
	if s.takes > 0 {
		time.Sleep(s.takes)
	}
	return ctx.Err()
}

func (s *service) sent() int { return s.since(time.Time{}) }

// since are the calls from a time on.
func (s *service) since(t time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(s.calls) && !s.calls[len(s.calls)-1-n].Before(t) {
		n++
	}
	return n
}

func (s *service) minute() int { return s.since(time.Now().Add(-time.Minute)) }

// most is the most calls of any minute from a time on.
func (s *service) most(from time.Time) (most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := 0
	for i, began := range s.calls {
		for end < len(s.calls) && s.calls[end].Sub(began) < time.Minute {
			end++
		}
		if !began.Before(from) {
			most = max(most, end-i)
		}
	}
	return most
}

// source is a feed whose load is a number of calls; began counts its loads.
func (s *service) source(name string, calls int) (src *Source[int], began *int) {
	began = new(int)
	return NewSource(name, func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
		s.mu.Lock()
		*began++
		s.mu.Unlock()
		for range calls {
			if err := s.call(ctx); err != nil {
				return nil, err
			}
		}
		return []int{1}, nil
	}), began
}

// budgeted is a loop with a budget, and the service behind it.
func budgeted(budget int, takes time.Duration, cells ...grid.Cell) (*loop, *service) {
	if cells == nil {
		cells = []grid.Cell{{Place: here}}
	}
	l, s := newLoop(cells...), &service{takes: takes}
	l.desk.Budget, l.desk.Minute = budget, s.minute
	return l, s
}

// pass lets seconds pass, tick by tick.
func (l *loop) pass(seconds int) {
	for range seconds {
		time.Sleep(time.Second)
		l.settle()
		l.run(l.desk.Tick(1))
		l.settle()
	}
}

const answer = 100 * time.Millisecond // what a call takes under the pace of an operation

func TestTheBudgetHoldsAndForceDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(30, 0)
		src, _ := s.source("things", 10)
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		l.pass(600) // ten minutes
		if n := s.sent(); n < 270 || n > 320 {
			t.Errorf("%d requests in ten minutes under a budget of 30 a minute", n)
		}
		if n := s.most(time.Time{}); n > 30 {
			t.Errorf("%d requests in a minute under a budget of 30", n)
		}
		before := s.sent()
		l.run(l.desk.Force("things"))
		l.settle()
		if s.sent() != before+10 {
			t.Error("what a person asks for was held back")
		}
		l.desk.Close()
	})
}

func TestALoadDearerThanAMinutesBudgetIsMadeInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(30, answer)
		src, loads := s.source("things", 200)
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		l.pass(20)
		first := time.Now()
		l.pass(1180)                  // twenty minutes
		if *loads < 3 || *loads > 5 { // 200 requests under 30 a minute: every seven minutes
			t.Errorf("%d loads of 200 requests in twenty minutes", *loads)
		}
		if st := src.State(); len(st.Failures) > 0 {
			t.Errorf("a load that waits for the budget was given up: %v", st.Failures[0].Err)
		}
		if n := s.most(first); n > 30 {
			t.Errorf("%d requests in a minute under a budget of 30", n)
		}
		l.desk.Close()
	})
}

// What the first load of a feed has cost counts: nothing else is sent until it is paid for.
func TestTheFirstLoadIsPaidFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(30, 0)
		src, _ := s.source("things", 40)
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		began := time.Now()
		if n := s.sent(); n != 40 {
			t.Fatalf("%d requests of the first load, which is asked for", n)
		}
		l.pass(59)
		if n := s.sent(); n != 40 {
			t.Errorf("%d requests within %s, under a budget that the first load has used up", n, time.Since(began))
		}
		l.pass(31)
		if n := s.sent(); n <= 40 || n > 70 {
			t.Errorf("%d requests within %s, want 40 and then up to 30", n, time.Since(began))
		}
		l.desk.Close()
	})
}

// With 10,000 nodes what patching found costs 200 requests, and the nodes 23 of them
// each 10 s: both come, and neither for long without the other.
func TestADearLoadComesInBetweenCheapOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(120, answer)
		nodes, nodeLoads := s.source("nodes", 23)
		patches, patchLoads := s.source("patches", 200)
		l.run(l.desk.Want([]Want{{nodes, 10 * time.Second}, {patches, 5 * time.Minute}}))
		l.settle()
		l.pass(20) // the first loads
		first, longest := time.Now(), time.Duration(0)
		for range 3600 {
			l.pass(1)
			longest = max(longest, time.Since(nodes.State().Oldest))
		}
		if n := *patchLoads; n < 5 || n > 12 {
			t.Errorf("the dear feed was loaded %d times in an hour", n)
		}
		if *nodeLoads < 180 || longest > 90*time.Second {
			t.Errorf("the cheap feed was loaded %d times in an hour, and was once %s old", *nodeLoads, longest)
		}
		if n := s.sent(); n > 60*120+223 {
			t.Errorf("%d requests in an hour under a budget of 120 a minute", n)
		}
		if n := s.most(first); n > 120 {
			t.Errorf("%d requests in a minute under a budget of 120", n)
		}
		l.desk.Close()
	})
}

// Twenty Regions share a small budget: none of them is forgotten, and what first loads
// cost counts, too.
func TestEachPlaceGetsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cells []grid.Cell
		for i := range 20 {
			cells = append(cells, grid.Cell{Place: grid.Place{Account: "1", Region: fmt.Sprintf("region-%02d", i)}})
		}
		l, s := budgeted(60, 0, cells...)
		src, _ := s.source("things", 5)
		l.run(l.desk.Want([]Want{{src, 10 * time.Second}}))
		l.settle()
		first := s.sent()
		for second := range 300 { // five minutes
			l.pass(1)
			if age := time.Since(src.State().Oldest); age > 4*time.Minute {
				t.Fatalf("after %d s a place is %s old, and others were read again and again", second, age)
			}
		}
		if n := s.sent() - first; n > 5*60 {
			t.Errorf("%d requests in five minutes under a budget of 60 a minute, beside the first %d", n, first)
		}
		l.desk.Close()
	})
}

// What keys ask for goes at once, and what is read unasked waits until that is paid for.
func TestWhatIsAskedForIsPaidForByWhatIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(60, 0)
		src, _ := s.source("things", 20)
		l.run(l.desk.Want([]Want{{src, 10 * time.Second}}))
		l.settle()
		for range 60 {
			time.Sleep(time.Second)
			if err := s.call(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := s.minute()
			l.run(l.desk.Tick(1))
			l.settle()
			if n := s.minute(); n > 60 && n > before {
				t.Fatalf("%d requests in a minute, and some of them that nobody asked for", n)
			}
		}
		l.desk.Close()
	})
}

// What has been let through counts at once, though it may wait for the pace of its operation.
func TestWhatIsOnTheWayCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(30, 0)
		src := NewSource("things", func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
			return []int{1}, awsapi.Parallel(ctx, 40, func(ctx context.Context, _ int) error {
				sent, err := awsapi.PassGate(ctx)
				if err != nil {
					return err
				}
				defer sent()
				time.Sleep(answer)
				return s.call(context.Background()) //nolint:contextcheck // it has passed the gate
			})
		})
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		l.pass(1)
		first := time.Now()
		l.pass(300)
		if n := s.most(first); n > 30 || s.sent() < 120 {
			t.Errorf("%d requests in a minute under a budget of 30, %d in all", n, s.sent())
		}
		l.desk.Close()
	})
}

// A load that waits for the budget keeps the rows that are there. Those that it brings are as
// old as its first call.
func TestALoadThatWaitsIsAsOldAsItsFirstCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(10, answer)
		src, loads := s.source("things", 25)
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		l.pass(3)
		gen := src.Gen()
		for src.Gen() == gen {
			if len(src.Rows()) != 1 || len(src.State().Failures) > 0 {
				t.Fatalf("while it waits: %+v", src.State())
			}
			l.pass(1)
		}
		if *loads < 2 {
			t.Fatal("nothing was read again")
		}
		if age := time.Since(src.State().Oldest); age < 2*time.Minute {
			t.Errorf("rows that were read over more than two minutes are said to be %s old", age)
		}
		l.desk.Close()
	})
}

// One call of a load may have met a dead network, whatever the budget says.
func TestALoadThatWaitedIsGivenUpAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(10, 0)
		dead := false
		src := NewSource("things", func(ctx context.Context, _ grid.Cell, _ func([]int)) ([]int, error) {
			for range 5 {
				if err := s.call(ctx); err != nil {
					return nil, err
				}
			}
			if dead {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []int{1}, nil
		})
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		dead = true
		l.pass(5)
		if st := src.State(); len(st.Failures) > 0 {
			t.Fatalf("given up at once: %v", st.Failures[0].Err)
		}
		l.pass(int((loadLimit + 2*time.Second) / time.Second))
		if st := src.State(); len(st.Failures) != 1 || len(src.Rows()) != 1 {
			t.Errorf("after %s without an answer: %+v", loadLimit, st)
		}
		l.desk.Close()
	})
}

// While nobody looks no call is sent, not even one of a load that has begun. It goes on
// afterwards, or begins anew where that was long ago.
func TestNothingIsSentWhileNobodyLooks(t *testing.T) {
	for _, rest := range []time.Duration{30 * time.Second, time.Hour} {
		t.Run(rest.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s := budgeted(60, answer)
				src, loads := s.source("things", 100)
				l.run(l.desk.Want([]Want{{src, time.Second}}))
				l.settle()
				l.pass(85) // the first load has been paid for, the second one is half read
				if n := s.sent(); n <= 100 || n >= 200 || *loads != 2 {
					t.Fatalf("%d requests of %d loads so far", n, *loads)
				}
				l.desk.Rest(true)
				time.Sleep(answer) // the call that is on the way
				l.settle()
				before := s.sent()
				time.Sleep(rest)
				l.settle()
				if n := s.sent() - before; n > 0 {
					t.Errorf("%d requests while nobody looks", n)
				}
				l.desk.Rest(false)
				l.settle()
				l.pass(1)
				if anew := *loads == 3; anew != (rest > restLimit) {
					t.Errorf("%d loads when it goes on", *loads)
				}
				l.pass(20)
				if s.sent() == before || len(src.State().Failures) > 0 {
					t.Errorf("%d requests, %d before the rest; %+v", s.sent(), before, src.State())
				}
				l.desk.Close()
			})
		})
	}
}

// Who goes to and fro between two views does not have a dear feed read for nothing again
// and again; once what was left half read is paid for it is begun anew.
func TestWhatWasLeftHalfReadIsPaidForFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(120, answer)
		src, loads := s.source("things", 200)
		want := []Want{{src, time.Second}}
		l.run(l.desk.Want(want))
		l.settle()
		l.pass(100) // the second load has begun, at 80 s
		began := s.sent() - 200
		if *loads != 2 || began < 20 {
			t.Fatalf("%d requests of %d loads so far", s.sent(), *loads)
		}
		l.run(l.desk.Want(nil))
		l.settle()
		time.Sleep(answer)
		l.settle()
		if src.State().Loading != 0 {
			t.Fatal("it was not cancelled")
		}
		l.run(l.desk.Want(want))
		l.settle()
		l.pass(1)
		if *loads != 2 {
			t.Error("what was left half read was begun anew at once")
		}
		l.pass(60)
		if *loads != 3 {
			t.Errorf("%d loads when what was left half read is paid for", *loads)
		}
		l.run(l.desk.Want(nil))
		l.settle()
		l.pass(1)
		l.run(l.desk.Want(want))
		l.run(l.desk.Force())
		l.settle()
		if *loads != 4 {
			t.Error("what a person asks for had to wait")
		}
		l.desk.Close()
	})
}

// What is asked for anew does not wait for a load that waits for the budget.
func TestForceDoesNotWaitForALoadThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(60, 0)
		src, loads := s.source("things", 100)
		l.run(l.desk.Want([]Want{{src, time.Second}}))
		l.settle()
		l.pass(65)
		if *loads != 2 || src.State().Loading != 1 {
			t.Fatalf("%d loads, %+v", *loads, src.State())
		}
		before := s.sent()
		l.run(l.desk.Force())
		l.settle()
		if n := s.sent() - before; n != 100 || time.Since(src.State().Oldest) > 0 {
			t.Errorf("%d requests at once, and rows of %s ago", n, time.Since(src.State().Oldest))
		}
		l.desk.Close()
	})
}

// A row that the cursor comes to is read at once, and again while it rests there as the
// budget allows.
func TestADetailIsReadAgainAsTheBudgetAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(10, 0)
		d := NewDetail[string](l.desk, 5)
		want := func(key string) {
			l.run(d.Want(key, 10*time.Second, func(ctx context.Context) (string, error) {
				for range 3 {
					if err := s.call(ctx); err != nil {
						return "", err
					}
				}
				return "of " + key, nil
			}))
			time.Sleep(settled)
			l.settle()
			for _, m := range l.other {
				d.Take(m.(Got[string]))
			}
			l.other = nil
		}
		for range 20 {
			if err := s.call(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want("a")
		if n := s.sent(); n != 23 {
			t.Fatalf("%d requests, want 3 of the row beside 20", n)
		}
		for range 40 {
			time.Sleep(time.Second)
			want("a")
		}
		if n := s.sent(); n != 23 {
			t.Errorf("%d requests of a row that was read already, over the budget", n-20)
		}
		if v, _, err, loading := d.Get("a"); v != "of a" || err != nil || !loading {
			t.Errorf("while it waits: %q %v %v", v, err, loading)
		}
		want("b")
		if n := s.sent(); n != 26 {
			t.Errorf("another row had to wait: %d requests", n)
		}
		want("a") // back, and it has become old
		if n := s.sent(); n != 29 {
			t.Errorf("the row before had to wait: %d requests", n)
		}
		for range 60 {
			time.Sleep(time.Second)
			want("a")
		}
		if _, at, _, _ := d.Get("a"); s.sent() <= 29 || time.Since(at) > time.Minute {
			t.Errorf("it was not read again: %d requests, %s old", s.sent(), time.Since(at))
		}
		l.desk.Close()
	})
}

// Who goes through a list row by row has nothing read but where the cursor stays. A row that
// the cursor comes to after a while is read soon.
func TestACursorOnTheMoveReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := budgeted(10, 0)
		d := NewDetail[string](l.desk, 50)
		stay := func(row int, on time.Duration) {
			l.run(d.Want(fmt.Sprint(row), time.Minute, func(ctx context.Context) (string, error) { return "", s.call(ctx) }))
			time.Sleep(on)
			l.settle()
			for _, m := range l.other {
				d.Take(m.(Got[string]))
			}
			l.other = nil
		}
		stay(0, rest)
		stay(1, rest)
		if n := s.sent(); n != 2 {
			t.Fatalf("%d requests of two rows that the cursor rested on", n)
		}
		for row := range 20 {
			stay(row+2, 300*time.Millisecond)
		}
		if n := s.sent(); n != 2 {
			t.Errorf("%d requests while the cursor went over 20 rows", n-2)
		}
		stay(21, 100*time.Millisecond)
		if n := s.sent(); n != 3 {
			t.Errorf("%d requests where the cursor stayed, want 1", n-2)
		}
		time.Sleep(onTheMove)
		stay(22, rest)
		if n := s.sent(); n != 4 {
			t.Errorf("%d requests of a row that the cursor came to after a while, want 1", n-3)
		}
		l.desk.Close()
	})
}
