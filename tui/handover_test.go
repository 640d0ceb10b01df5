package tui

import (
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
)

// The next key waits for what a key has asked for, also when the process has stood still for
// longer than that: what has come meanwhile is looked at first.
func TestTheNextKeyWaitsWhileTheProcessStandsStill(t *testing.T) {
	for name, pause := range map[string]time.Duration{"it goes on": 0, "it stands still": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKeyboard(nil, nil)
				k.busy = true
				m := &Model{stage: &stage{keys: k}}
				both, ok := m.handOver(func() tea.Msg { return nil })().(tea.BatchMsg)
				if !ok || len(both) != 2 {
					t.Fatalf("it is %v", both)
				}
				began := time.Now()
				wait := both[1]
				time.Sleep(pause)
				for looked := 1; wait != nil; looked++ {
					msg, ok := wait().(acted)
					if !ok {
						t.Fatal("the wait is another message")
					}
					if wait = m.acted(msg); (wait != nil) != k.busy || looked < actLooks && !k.busy {
						t.Fatalf("after %d looks the next key waits: %v", looked, k.busy)
					}
				}
				if took := time.Since(began) - pause; k.busy || took > actWait {
					t.Errorf("the next key waits: %v, after %s", k.busy, took)
				}
			})
		})
	}
}
