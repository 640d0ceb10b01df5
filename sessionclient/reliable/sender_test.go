package reliable

import (
	"math"
	"slices"
	"testing"
	"time"
)

// rig is a Sender and its clock; frames are named by their number.
type rig struct {
	*Sender
	t   *testing.T
	now time.Time
}

func newRig(t *testing.T, w Window, pushed int) *rig {
	r := &rig{NewSender(w), t, start}
	for range pushed {
		r.push()
	}
	return r
}

func (r *rig) push() { r.Push([]byte{byte(r.NextSeq()), byte(r.NextSeq() >> 8)}) }

// drain sends all there is to send and returns the numbers.
func (r *rig) drain() (seqs []int) {
	for {
		frame, ok := r.Next(r.now)
		if !ok {
			return seqs
		}
		seqs = append(seqs, int(frame[0])|int(frame[1])<<8)
	}
}

func (r *rig) wait(d time.Duration) { r.now = r.now.Add(d) }

func (r *rig) ack(seqs ...int64) {
	for _, seq := range seqs {
		r.Acked(r.now, seq)
	}
}

func (r *rig) sends(what string, want ...int) {
	r.t.Helper()
	if got := r.drain(); !slices.Equal(got, want) {
		r.t.Errorf("%s: sent %v, want %v", what, got, want)
	}
}

func count(from, to int) (seqs []int) {
	for ; from < to; from++ {
		seqs = append(seqs, from)
	}
	return seqs
}

func TestWindowStopsTheSource(t *testing.T) {
	tests := []struct {
		name   string
		window Window
		size   int
		want   int // frames until it closes
	}{
		{"by messages", Window{Messages: 3}, 10, 3},
		{"by bytes", Window{Bytes: 30}, 10, 3},
		{"by bytes, the last one exceeding", Window{Bytes: 25}, 10, 3},
		{"empty frames by messages", Window{Messages: 5, Bytes: 1}, 0, 5},
		{"default messages", Window{}, 1, 1000},
		{"default bytes", Window{}, 4096, 256},
		{"nonsense means the defaults", Window{Bytes: -1, Messages: -5}, 4096, 256},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSender(tt.window)
			n := 0
			for ; s.CanPush(); n++ {
				s.Push(make([]byte, tt.size))
			}
			if n != tt.want {
				t.Fatalf("closed after %d frames, want %d", n, tt.want)
			}
			s.Next(start)
			if s.CanPush() {
				t.Error("sending opened the window")
			}
			s.Acked(start, 0)
			if !s.CanPush() && tt.size*(n-1) < tt.window.Bytes {
				t.Error("an acknowledgement did not open it")
			}
		})
	}
}

func TestAFrameNeverAcknowledgedStopsTheSourceToo(t *testing.T) {
	// All but the first are acknowledged at once. Its successors need no window,
	// but the peer has to keep them, and their numbers have to be kept here.
	r := newRig(t, Window{Messages: 10}, 0)
	n := 0
	for ; r.CanPush() && n < 100_000; n++ {
		r.push()
		r.drain()
		r.ack(int64(n))
		if n == 0 {
			r.Sender = NewSender(Window{Messages: 10})
			r.push()
			r.drain()
		}
	}
	if n != spanFactor*10 {
		t.Errorf("the source ran %d frames ahead, want %d", n, spanFactor*10)
	}
	r.ack(0)
	if m, b := r.InFlight(); m != 0 || b != 0 || !r.CanPush() {
		t.Errorf("%d frames, %d bytes left after the last acknowledgement", m, b)
	}
}

func TestSetWindowTakesEffectAsFramesAreAcknowledged(t *testing.T) {
	r := newRig(t, Window{Messages: 4}, 4)
	r.drain()
	r.SetWindow(Window{Messages: 2})
	r.ack(0, 1)
	if r.CanPush() {
		t.Error("open with two of two frames unacknowledged")
	}
	r.ack(2)
	if !r.CanPush() {
		t.Error("closed with one of two frames unacknowledged")
	}
}

func TestPushBeyondTheWindowIsKept(t *testing.T) {
	r := newRig(t, Window{Messages: 1}, 300)
	r.sends("all are sent in order", count(0, 300)...)
	for seq := range int64(300) {
		if !r.Acked(r.now, 299-seq) {
			t.Fatalf("acknowledgement of %d not expected", 299-seq)
		}
	}
	if n, b := r.InFlight(); n != 0 || b != 0 {
		t.Errorf("%d frames, %d bytes left", n, b)
	}
}

func TestRingGrowsWithAnyBase(t *testing.T) {
	for _, base := range []int{0, 1, 63, 64, 65, 100, 1000} {
		r := newRig(t, Window{}, 0)
		for i := range base {
			r.push()
			r.drain()
			r.ack(int64(i))
		}
		for range 500 {
			r.push()
		}
		r.sends("in order", count(base, base+500)...)
		r.ack(int64(base + 1))
		for range 600 {
			r.push()
		}
		r.sends("in order after growing with a gap", count(base+500, base+1100)...)
		r.Reconnected(r.now)
		r.sends("all but the acknowledged one", append([]int{base}, count(base+2, base+1100)...)...)
	}
}

func TestAckedIgnoresWhatItMust(t *testing.T) {
	r := newRig(t, Window{}, 3)
	r.Next(r.now)
	r.Next(r.now)
	tests := []struct {
		name string
		seq  int64
		want bool
	}{
		{"negative", -1, false},
		{"smallest", math.MinInt64, false},
		{"largest", math.MaxInt64, false},
		{"the next to be pushed", 3, false},
		{"a ring length ahead", 64, false},
		{"pushed but never sent", 2, false},
		{"sent", 1, true},
		{"sent, again", 1, false},
		{"sent, the oldest", 0, true},
		{"below the oldest", 0, false},
	}
	for _, tt := range tests {
		if got := r.Acked(r.now, tt.seq); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	r.sends("the last", 2)
}

func TestGapsAreResentAfterThreeLaterAcknowledgements(t *testing.T) {
	r := newRig(t, Window{}, 8)
	r.drain()
	r.wait(10 * ms)
	r.ack(1, 2)
	r.sends("two later ones may be reordering")
	r.ack(3)
	r.sends("three are not", 0)
	r.ack(4, 5, 6)
	r.sends("it is resent once for that")
	for range 3 {
		r.push()
	}
	r.sends("new ones", 8, 9, 10)
	r.wait(100 * ms)
	r.ack(8, 9, 10)
	r.sends("three sent after the resend: lost again, and 7 with it", 7, 0)
}

func TestGapsAreFoundByCountNotByDistance(t *testing.T) {
	r := newRig(t, Window{}, 100)
	r.drain()
	r.wait(10 * ms)
	r.ack(99)
	r.sends("one acknowledgement far ahead says little")
	r.ack(97, 98)
	r.sends("two more say much: all before, a burst at a time", count(0, burst)...)
	r.ack(96)
	r.sends("and the rest", count(burst, 96)...)
}

func TestKarn(t *testing.T) {
	r := newRig(t, Window{}, 1)
	r.drain()
	r.wait(200 * ms)
	r.Expire(r.now)
	r.sends("timed out", 0)
	r.wait(90 * ms)
	r.ack(0)
	if got := r.RoundTrip(); got != initialRTT {
		t.Errorf("an ambiguous acknowledgement changed the round trip to %v", got)
	}
	r.push()
	r.drain()
	r.wait(180 * ms)
	r.ack(1)
	if got, want := r.RoundTrip(), 110*ms; got != want {
		t.Errorf("round trip %v, want %v", got, want)
	}
}

func TestAnAcknowledgementTooSoonForTheResendMeasuresTheFirstCopy(t *testing.T) {
	r := newRig(t, Window{}, 1)
	r.drain()
	r.wait(200 * ms)
	r.Expire(r.now)
	r.drain()
	r.wait(20 * ms) // less than half of 100 ms
	r.ack(0)
	if got, want := r.RoundTrip(), 115*ms; got != want {
		t.Errorf("round trip %v, want %v (a sample of 220 ms)", got, want)
	}
}

func TestReconnectionGivesNoSample(t *testing.T) {
	r := newRig(t, Window{}, 2)
	r.drain()
	r.wait(time.Minute)
	r.Reconnected(r.now)
	r.ack(0) // of the old connection, kept by the service
	r.sends("the other", 1)
	r.wait(80 * ms)
	r.ack(1)
	if got := r.RoundTrip(); got != initialRTT {
		t.Errorf("round trip %v from ambiguous acknowledgements", got)
	}
}

func TestBackOffDoublesToFiveSeconds(t *testing.T) {
	r := newRig(t, Window{}, 1)
	r.drain()
	for _, want := range []time.Duration{200, 400, 800, 1600, 3200, 5000, 5000} {
		if got := r.Deadline().Sub(r.now); got != want*ms {
			t.Errorf("deadline after %v, want %v", got, want*ms)
		}
		r.wait(want*ms - 1)
		r.Expire(r.now)
		r.sends("a moment too early")
		r.wait(1)
		r.Expire(r.now)
		r.Expire(r.now) // already due
		if !r.Deadline().IsZero() {
			t.Error("a deadline while the frame waits to be sent")
		}
		r.sends("on time", 0)
	}
	r.ack(0)
	if !r.Deadline().IsZero() {
		t.Error("a deadline with nothing on the wire")
	}
	r.push()
	r.drain()
	if got := r.Deadline().Sub(r.now); got != 5*time.Second {
		t.Errorf("without a sample the back-off stays: %v", got)
	}
	r.wait(50 * ms)
	r.ack(1)
	r.push()
	r.drain()
	if got := r.Deadline().Sub(r.now); got > 400*ms {
		t.Errorf("a sample ends the back-off: %v", got)
	}
}

func TestOnlyTheOldestTimesOut(t *testing.T) {
	r := newRig(t, Window{}, 10)
	r.drain()
	r.wait(10 * time.Second)
	r.Expire(r.now)
	r.sends("one", 0)
	r.wait(100 * ms)
	r.ack(0)
	r.sends("its arrival condemns the overdue rest", count(1, 10)...)
}

func TestAMovingPathDoesNotTimeOut(t *testing.T) {
	r := newRig(t, Window{}, 100)
	r.drain()
	for seq := range int64(100) { // the last waits ten seconds
		r.wait(100 * ms)
		r.Expire(r.now)
		r.sends("nothing is lost")
		r.ack(seq)
	}
}

func TestReconnectedResendsEverythingInOrder(t *testing.T) {
	r := newRig(t, Window{}, 6)
	r.Next(r.now)
	r.Next(r.now)
	r.Next(r.now)
	r.Next(r.now)
	r.ack(1)
	r.wait(time.Second)
	r.Expire(r.now) // 0 waits in the due list
	r.Reconnected(r.now)
	if !r.Pending() {
		t.Error("nothing pending after a reconnection")
	}
	r.sends("all but 1, each once", 0, 2, 3, 4, 5)
	r.Reconnected(r.now)
	r.Next(r.now)
	r.Reconnected(r.now)
	r.sends("again after two more cuts", 0, 2, 3, 4, 5)
	if got := r.Deadline().Sub(r.now); got != 200*ms {
		t.Errorf("the first deadline of a connection is %v, want 200 ms", got)
	}
	r.ack(0, 2, 3, 4, 5)
	r.Reconnected(r.now)
	if r.Pending() {
		t.Error("pending with nothing unacknowledged")
	}
}

func TestAcknowledgedBeforeItIsSentAgain(t *testing.T) {
	// The service may deliver, on the new connection, acknowledgements of what was
	// sent on the old one.
	r := newRig(t, Window{}, 5)
	r.drain()
	r.Reconnected(r.now)
	r.ack(0, 1, 3)
	r.sends("only what is left", 2, 4)
	r.ack(2, 4)
	if r.Pending() {
		t.Error("pending with nothing unacknowledged")
	}
	r.push()
	r.sends("and then the next", 5)
}

func TestPendingIsExact(t *testing.T) {
	r := newRig(t, Window{}, 5)
	r.drain()
	r.ack(1, 2, 3) // makes 0 due
	if !r.Pending() {
		t.Fatal("a lost frame is not pending")
	}
	r.ack(0)
	if r.Pending() {
		t.Error("pending although the lost frame arrived after all")
	}
}

func TestGapsAreFoundOnTheNewConnection(t *testing.T) {
	r := newRig(t, Window{}, 10)
	r.drain()
	r.ack(5, 6)
	r.Reconnected(r.now)
	r.ack(7) // old: says nothing of this connection
	r.sends("all that is left", 0, 1, 2, 3, 4, 8, 9)
	r.wait(10 * ms)
	r.ack(1, 2)
	r.sends("nothing yet")
	r.ack(3)
	r.sends("0 was lost again", 0)
}

func TestSilence(t *testing.T) {
	r := newRig(t, Window{}, 2)
	expect := func(what string, want time.Duration) {
		t.Helper()
		if got := r.Silence(r.now); got != want {
			t.Errorf("%s: silent for %v, want %v", what, got, want)
		}
	}
	r.wait(time.Minute)
	expect("nothing on the wire", 0)
	r.Next(r.now)
	r.wait(3 * time.Second)
	expect("counts from the first frame", 3*time.Second)
	r.Expire(r.now)
	r.sends("a resend and the second", 0, 1)
	r.wait(time.Second)
	expect("a resend does not end it", 4*time.Second)
	r.ack(1)
	expect("an acknowledgement does", 0)
	r.wait(time.Second)
	expect("and it begins anew", time.Second)
	r.ack(77, 1)
	expect("unknown and repeated ones do not end it", time.Second)
	r.ack(0)
	r.wait(time.Hour)
	expect("all acknowledged", 0)
	r.push()
	expect("pushed but not sent", 0)
	r.drain()
	r.wait(time.Second)
	expect("the quiet hour does not count", time.Second)
	r.Reconnected(r.now)
	r.wait(time.Second)
	expect("not sent on the new connection yet", 0)
	r.drain()
	r.wait(2 * time.Second)
	expect("counts within the new connection", 2*time.Second)
}

func TestAPauseBetweenAcknowledgedAndUnsentIsNoSilence(t *testing.T) {
	r := newRig(t, Window{}, 2)
	r.Next(r.now)
	r.ack(0)
	r.wait(time.Minute) // the socket is blocked, 1 waits
	r.drain()
	if got := r.Silence(r.now); got != 0 {
		t.Errorf("silent for %v the moment the frame went out", got)
	}
}

func TestSenderForgetsAcknowledgedFrames(t *testing.T) {
	s := NewSender(Window{})
	for i := range int64(5000) {
		s.Push(make([]byte, 100))
		s.Next(start)
		if i >= 10 {
			s.Acked(start, i-10)
		}
	}
	kept := 0
	for i := range s.ring {
		if s.ring[i].frame != nil {
			kept++
		}
	}
	if kept != 10 || len(s.ring) != 64 {
		t.Errorf("%d frames kept in a ring of %d, want 10 in 64", kept, len(s.ring))
	}
	if len(s.flight.ring) > 64 {
		t.Errorf("the record of transmissions grew to %d", len(s.flight.ring))
	}
}

func TestAYearOfSilenceCostsNoMemory(t *testing.T) {
	r := newRig(t, Window{}, 100)
	r.drain()
	for range 100_000 {
		r.now = r.Deadline()
		r.Expire(r.now)
		r.drain()
	}
	if n := len(r.flight.ring); n > 1024 {
		t.Errorf("the record of transmissions grew to %d", n)
	}
}
