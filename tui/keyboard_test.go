package tui

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/terminal"
)

// Whatever becomes of the mark behind a key, the dashboard is not deaf for good.
func TestAKeyThatNobodyDealsWithHoldsUpTheNextForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyboard(nil, nil)
		k.aside = false
		k.ahead = []terminal.Piece{{Data: []byte("a")}, {Data: []byte("b")}}
		start, buf := time.Now(), make([]byte, 64)
		for _, want := range []string{"a", markSent, "b"} {
			n, _, _ := k.ready(buf)
			if got := string(buf[:n]); got != want {
				t.Fatalf("%q was handed on, want %q", got, want)
			}
		}
		if took := time.Since(start); took != dealtWait {
			t.Errorf("the next key came after %s, want %s", took, dealtWait)
		}
		k.next(true)
	})
}

// What the dashboard says late of the key that opened a shell holds no keys up once the
// shell has ended.
func TestALateWordAboutAKeyHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeyboard(nil, nil)
		k.aside = false // it has been resumed
		k.ahead = []terminal.Piece{{Data: []byte("a")}, {Data: []byte("b")}}
		k.next(false)
		start, buf := time.Now(), make([]byte, 64)
		time.AfterFunc(time.Second, k.back)
		if n, _, _ := k.ready(buf); string(buf[:n]) != "a" || time.Since(start) != time.Second {
			t.Errorf("%q after %s", buf[:n], time.Since(start))
		}
		k.back() // of a key that is not dealt with the next must not come
		k.ready(buf)
		time.AfterFunc(time.Second, func() { k.next(true) })
		if n, _, _ := k.ready(buf); string(buf[:n]) != "b" || time.Since(start) != 2*time.Second {
			t.Errorf("%q after %s", buf[:n], time.Since(start))
		}
		k.next(true)
	})
}
