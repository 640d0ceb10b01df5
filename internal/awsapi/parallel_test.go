package awsapi

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/wait"
)

func TestParallelCallsEachOnce(t *testing.T) {
	var seen [100]atomic.Int32
	if err := Parallel(t.Context(), len(seen), func(_ context.Context, i int) error { seen[i].Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("%d was called %d times", i, n)
		}
	}
}

// A panic in a call is one of the caller, who can recover it, and is not waited for behind
// all that was left to do.
func TestParallelPanicsWhereItWasCalled(t *testing.T) {
	defer func() {
		p, ok := recover().(*wait.Panicked)
		if !ok || p.Value != "boom" || !strings.Contains(string(p.Stack), "parallel_test.go") {
			t.Errorf("recovered %+v", p)
		}
	}()
	err := Parallel(t.Context(), 10_000, func(context.Context, int) error { panic("boom") })
	t.Errorf("it returned %v", err)
}

func TestParallelStopsAtTheFirstError(t *testing.T) {
	var calls atomic.Int32
	boom := errors.New("boom")
	err := Parallel(t.Context(), 10_000, func(context.Context, int) error {
		calls.Add(1)
		return boom
	})
	if !errors.Is(err, boom) || calls.Load() > 100 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Parallel(ctx, 5, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := Parallel(t.Context(), 0, nil); err != nil {
		t.Errorf("nothing to do is no error, got %v", err)
	}
}
