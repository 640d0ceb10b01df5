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
