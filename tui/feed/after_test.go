package feed

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDesk(nil, nil)
		defer d.Close()
		began := time.Now()
		if msg := d.After(30*time.Second, "over")(); msg != "over" || time.Since(began) != 30*time.Second {
			t.Errorf("got %v after %s", msg, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := NewDesk(nil, nil)
		got := make(chan any, 1)
		go func() { got <- d.After(time.Hour, "over")() }()
		synctest.Wait()
		d.Close() // waits for it
		if msg := <-got; msg != nil {
			t.Errorf("got %v from a desk that is closed", msg)
		}
	})
	eager := NewDesk(nil, nil)
	eager.Eager = true
	if eager.After(time.Second, "over") != nil {
		t.Error("tests would wait")
	}
	eager.Close()
}
