package reliable

import (
	"testing"
	"time"
)

// round sends, receives, acknowledges and takes one message in flight behind
// depth others.
type round struct {
	snd   *Sender
	rcv   *Receiver[[]byte]
	frame []byte
	seq   int64
	now   time.Time
}

func newRound(depth int) *round {
	r := &round{snd: NewSender(Window{Bytes: 8 << 20, Messages: 8000}), rcv: NewReceiver[[]byte](Limits{}), frame: make([]byte, 1144), now: start}
	for range depth {
		r.snd.Push(r.frame)
		r.snd.Next(r.now)
	}
	return r
}

func (r *round) play() bool {
	r.now = r.now.Add(time.Microsecond)
	if !r.snd.CanPush() {
		return false
	}
	r.snd.Push(r.frame)
	frame, _ := r.snd.Next(r.now)
	ack := r.rcv.Receive(r.seq, len(frame), frame)
	_, taken := r.rcv.Take()
	acked := r.snd.Acked(r.now, r.seq)
	r.seq++
	r.snd.Deadline()
	return ack && taken && acked
}

func BenchmarkRound(b *testing.B) {
	for name, depth := range map[string]int{"alone": 0, "behind 900": 900} {
		b.Run(name, func(b *testing.B) {
			r := newRound(depth)
			b.ReportAllocs()
			for b.Loop() {
				if !r.play() {
					b.Fatal("a message was not accepted")
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkLossyRound loses every hundredth message once.
func BenchmarkLossyRound(b *testing.B) {
	snd, rcv := NewSender(Window{Bytes: 8 << 20}), NewReceiver[int64](Limits{})
	frame, now := make([]byte, 1144), start
	var seq int64
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond)
		snd.Push(frame)
		snd.Next(now)
		if seq%100 != 50 {
			rcv.Receive(seq, len(frame), seq)
			snd.Acked(now, seq)
		}
		if _, again := snd.Next(now); again {
			lost := snd.base
			rcv.Receive(lost, len(frame), lost)
			snd.Acked(now, lost)
		}
		for {
			if _, ok := rcv.Take(); !ok {
				break
			}
		}
		seq++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

func TestRoundsDoNotAllocate(t *testing.T) {
	r := newRound(900)
	for range 5000 {
		r.play()
	}
	if n := testing.AllocsPerRun(5000, func() {
		if !r.play() {
			t.Fatal("a message was not accepted")
		}
	}); n != 0 {
		t.Errorf("%v allocations per message", n)
	}
}
