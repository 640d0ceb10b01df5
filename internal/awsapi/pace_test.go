package awsapi

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestBucket(t *testing.T) {
	start := time.Unix(1000, 0)
	t.Run("a burst is free, then calls are spaced", func(t *testing.T) {
		b := newBucket(2, 3, start)
		var got []time.Duration
		for _, after := range []time.Duration{0, 0, 0, 0, 250, 500, 500} {
			got = append(got, b.take(start.Add(after*time.Millisecond)))
		}
		want := []time.Duration{0, 0, 0, 500 * time.Millisecond, 250 * time.Millisecond, 0, 500 * time.Millisecond}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("waits %v, want %v", got, want)
			}
		}
	})
	t.Run("a pause saves no more than the burst", func(t *testing.T) {
		b := newBucket(2, 3, start)
		later := start.Add(time.Hour)
		for range 3 {
			b.take(later)
		}
		if d := b.take(later); d != 500*time.Millisecond {
			t.Errorf("fourth call waits %v, want 500ms", d)
		}
	})
	t.Run("throttles halve the rate, once a second, down to a floor", func(t *testing.T) {
		b := newBucket(8, 8, start)
		for range 16 {
			b.throttled(start)
		}
		if b.rate != 4 {
			t.Errorf("16 throttles at once: rate %v, want 4", b.rate)
		}
		if d := b.take(start); d != 250*time.Millisecond {
			t.Errorf("the next call waits %v, want 250ms: the savings are gone", d)
		}
		for i := range 100 {
			b.throttled(start.Add(time.Duration(i) * cutPause))
		}
		if b.rate != minRate {
			t.Errorf("rate %v, want %v", b.rate, minRate)
		}
	})
	t.Run("calls that go well bring the rate back, not beyond", func(t *testing.T) {
		b := newBucket(10, 10, start)
		b.throttled(start)
		b.went(start)
		if b.rate != 5.5 {
			t.Errorf("rate %v, want 5.5", b.rate)
		}
		for range 100 {
			b.went(start)
		}
		if b.rate != 10 {
			t.Errorf("rate %v, want 10", b.rate)
		}
	})
}

func TestPacerKeepsOperationsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ctx, start := newPacer(), context.Background(), time.Now()
		for range 40 {
			if err := p.wait(ctx, "SSM.ListCommands", false); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start).Round(time.Millisecond); took != 3*time.Second {
			t.Errorf("40 reads took %v, want 3s: ten at once, the rest at 10/s", took)
		}
		start = time.Now()
		for range 6 {
			if err := p.wait(ctx, "SSM.SendCommand", true); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start).Round(time.Millisecond); took != time.Second {
			t.Errorf("6 writes took %v, want 1s: three at once, the rest at 3/s", took)
		}
	})
}

func TestPacerGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		for range int(writeBurst) {
			if err := p.wait(context.Background(), "X", true); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := p.wait(ctx, "X", true); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want the deadline", err)
		}
		start := time.Now()
		if err := p.wait(context.Background(), "X", true); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second/3 {
			t.Errorf("waited %v: the token of the call that gave up was lost", took)
		}
	})
}

func TestResumingGoesAtThePaceOfReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		start := time.Now()
		for range 8 {
			if err := p.wait(t.Context(), "SSM.ResumeSession", true); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("eight resumptions waited %s", d)
		}
		for range 8 {
			if err := p.wait(t.Context(), "SSM.StartSession", true); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(start) == 0 {
			t.Error("eight starts did not wait: the pace is gone")
		}
	})
}

func TestEndingDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // as long as an exit takes
		defer cancel()
		for range 64 {
			if err := p.wait(ctx, "SSM.TerminateSession", true); err != nil {
				t.Fatal(err)
			}
		}
	})
}
