package wait

import (
	"context"
	"strings"
	"testing"
)

func breaks() { panic("boom") }

func recovered(f func()) (p *Panicked) {
	defer func() {
		if r := recover(); r != nil {
			p = NewPanicked(r)
		}
	}()
	f()
	return nil
}

func TestAPanicComesOutOfWait(t *testing.T) {
	p := recovered(func() {
		var outer Group
		outer.Go(func() {
			var inner Group
			inner.Go(breaks)
			inner.Go(func() {})
			inner.Wait()
		})
		outer.Wait()
	})
	if p == nil || p.Error() != "boom" || !strings.Contains(string(p.Stack), "wait.breaks") {
		t.Errorf("it was %+v, want the panic with the stack where it was", p)
	}
}

func TestAPanicEndsTheRest(t *testing.T) {
	p := recovered(func() {
		ctx, cancel := context.WithCancel(context.Background())
		g := Group{Broken: cancel}
		g.Go(func() { <-ctx.Done() })
		g.Go(breaks)
		g.Wait()
	})
	if p == nil {
		t.Error("nothing was recovered")
	}
}

func TestWithoutAPanicNothingComes(t *testing.T) {
	ran := make(chan int, 2)
	if p := recovered(func() {
		g := Group{Broken: func() { t.Error("it is said to be broken") }}
		g.Go(func() { ran <- 1 })
		g.Go(func() { ran <- 2 })
		g.Wait()
	}); p != nil || len(ran) != 2 {
		t.Errorf("%+v, and %d ran", p, len(ran))
	}
}
