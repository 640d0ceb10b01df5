package wait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleepWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{-time.Second, 0, time.Minute} {
			start := time.Now()
			if err := Sleep(t.Context(), d); err != nil {
				t.Errorf("Sleep(%s): %v", d, err)
			}
			if got := time.Since(start); got != max(d, 0) {
				t.Errorf("Sleep(%s) took %s", d, got)
			}
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := Sleep(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("it took %s, want 1s", got)
		}
		if err := Sleep(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v without a wait, want that of the context", err)
		}
	})
}

func TestJitterStaysWithinAFifth(t *testing.T) {
	low, high := time.Duration(1<<62), time.Duration(0)
	for range 1000 {
		d := Jitter(10 * time.Second)
		low, high = min(low, d), max(high, d)
	}
	if low < 8*time.Second || high > 12*time.Second {
		t.Errorf("10s became %s to %s, want 8s to 12s at the most", low, high)
	}
	if low > 9*time.Second || high < 11*time.Second {
		t.Errorf("10s became only %s to %s", low, high)
	}
	if d := Jitter(0); d != 0 {
		t.Errorf("no time became %s", d)
	}
}
