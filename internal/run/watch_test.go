package run

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestWatchSeesTheNodesOfALargeRun: Follow reads the states of a large run when it
// has ended, Watch while it goes on, and both stay under the rates.
func TestWatchSeesTheNodesOfALargeRun(t *testing.T) {
	seen := map[bool]int{}
	for _, watch := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, req := bySize(2000)
			c.work, req.NoWait = 20*time.Second, true // 40 turns of 50 nodes
			s := New(c, nil)
			var sent recorder
			if err := s.Start(t.Context(), req, sent.emit); err != nil {
				t.Fatal(err)
			}
			r, err := s.Find(t.Context(), sent.board.RunID())
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			var board Board
			early := 0
			emit := func(e Event) {
				board.Apply(e)
				if time.Since(begun) < 10*time.Minute {
					early = board.Count(Success)
				}
			}
			if watch {
				err = s.Watch(t.Context(), r, false, emit)
			} else {
				err = s.Follow(t.Context(), r, false, emit)
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := board.Count(Success); n != 2000 {
				t.Errorf("watch %v: %d of 2,000 nodes are done at the end", watch, n)
			}
			if n := c.busiest(); n >= 200 {
				t.Errorf("watch %v: %d calls in a minute", watch, n)
			}
			seen[watch] = early
		})
	}
	if seen[true] < 1000 || seen[false] > seen[true]/2 {
		t.Errorf("after 10 of 13 minutes %d nodes are known to be done when it is watched, %d when it is followed", seen[true], seen[false])
	}
}
