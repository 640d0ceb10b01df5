package awsapi

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
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
