package reliable

import (
	"testing"
	"time"
)

func TestReplace(t *testing.T) {
	r := newRig(t, Window{}, 3)
	r.sends("at first", 0, 1, 2)
	r.ack(0)
	substitute := []byte{1, 0, 99, 99, 99}
	if r.Replace(0, substitute) || r.Replace(3, substitute) || r.Replace(-1, substitute) {
		t.Error("replaced what is not kept")
	}
	if !r.Replace(1, substitute) {
		t.Error("did not replace what is kept")
	}
	if n, bytes := r.InFlight(); n != 2 || bytes != 2+len(substitute) {
		t.Errorf("%d frames, %d bytes in flight", n, bytes)
	}
	r.sends("without a reason")
	r.wait(time.Second)
	r.Expire(r.now)
	if frame, ok := r.Next(r.now); !ok || &frame[0] != &substitute[0] {
		t.Errorf("resent %v, want the substitute", frame)
	}
	r.Reconnected(r.now)
	if frame, ok := r.Next(r.now); !ok || &frame[0] != &substitute[0] {
		t.Errorf("sent %v on the new connection, want the substitute", frame)
	}
	r.sends("after it", 2)
	r.ack(2) // out of order: kept until 1 is acknowledged too, but gone
	if r.Replace(2, substitute) {
		t.Error("replaced what was acknowledged")
	}
	r.ack(1)
	if n, bytes := r.InFlight(); n != 0 || bytes != 0 || r.CanPush() != true {
		t.Errorf("%d frames, %d bytes in flight at the end", n, bytes)
	}
}
