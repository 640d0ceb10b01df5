package reliable

import (
	"testing"
	"time"
)

// FuzzStream plays two ends over a link whose every decision is a byte of the
// input; when the input is used up, the link is ideal. Nothing may be lost,
// repeated, reordered or kept beyond the limits, and resending stays in
// proportion to what went wrong.
func FuzzStream(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{40, 40, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{200, 3, 1, 255, 100, 0, 100, 30, 100, 255, 100, 100, 0, 255, 30, 30})
	f.Add([]byte("the quick brown fox jumps over the lazy dog, again and again and again and again"))
	f.Add([]byte{90, 90, 3, 3, 254, 100, 254, 100, 254, 100, 254, 254, 254, 0, 0, 0, 254, 100, 255, 254})
	f.Fuzz(func(t *testing.T, in []byte) {
		in = in[:min(len(in), 2000)]
		next := func() int {
			if len(in) == 0 {
				return -1
			}
			b := in[0]
			in = in[1:]
			return int(b)
		}
		setting := func(most int) int { return 1 + max(next(), 0)%most }
		a := newEnd(setting(200), Window{Messages: setting(50), Bytes: 100 * setting(100)}, Limits{})
		b := newEnd(setting(200), Window{Messages: setting(50)}, Limits{
			ReadyCount: setting(30), ReadyBytes: 1 + 50*setting(40), EarlyCount: setting(30), EarlyBytes: 50 * setting(40),
		})
		a.size = func(i int) int { return i * 37 % 300 }
		b.size = func(i int) int { return i % 9 }
		lazy := 0
		b.lazy = func() bool { lazy--; return lazy > 0 }
		cuts := 0
		w := newWorld(t, a, b, nil)
		w.fate = func(packet) []time.Duration {
			switch n := next(); {
			case n < 0:
				return []time.Duration{ms}
			case n < 30:
				return nil
			case n < 50:
				return []time.Duration{ms, time.Duration(n) * ms}
			case n < 250:
				return []time.Duration{time.Duration(n*n/200) * ms}
			case n < 253:
				lazy = 20
			case n == 253:
				return []time.Duration{10 * time.Second}
			case cuts < 20:
				cuts++
				w.cut()
			}
			return []time.Duration{2 * ms}
		}
		w.run()
		// What went wrong once may cost a burst; refusals repeat with the timeout.
		if wrong := w.lost + w.late + w.refused; w.resends() > (burst+1)*(wrong+1) {
			t.Errorf("%d resends; %d packets lost, %d late, %d refused", w.resends(), w.lost, w.late, w.refused)
		}
	})
}

// FuzzSender calls a Sender in any order with any numbers, as a hostile peer
// could make its owner do, and compares it with a simple model.
func FuzzSender(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 4, 2, 0, 1, 2, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 5, 2, 4, 2, 3, 1, 3, 1, 4, 1, 1})
	f.Add([]byte{0, 1, 4, 2, 0, 1, 0, 1, 2, 1, 3, 3, 3, 1, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		in = in[:min(len(in), 2000)]
		s, now := NewSender(Window{Messages: 8, Bytes: 16, Most: 1 << 20}), start
		model := map[int64]*struct{ sent bool }{}
		var pushed int64
		for i := 0; i < len(in); i++ {
			arg := int64(0)
			if i+1 < len(in) {
				arg = int64(in[i+1])
			}
			switch in[i] % 9 {
			case 0:
				s.Push([]byte{byte(pushed), byte(pushed >> 8)})
				model[pushed] = &struct{ sent bool }{}
				pushed++
			case 1:
				if frame, ok := s.Next(now); ok {
					seq := int64(frame[0]) | int64(frame[1])<<8
					if model[seq] == nil {
						t.Fatalf("sent %d, which is acknowledged", seq)
					}
					model[seq].sent = true
				} else if n := unsent(model); n > 0 {
					t.Fatalf("nothing to send, but %d frames never were", n)
				}
			case 2:
				i++
				want := model[arg] != nil && model[arg].sent
				if got := s.Acked(now, arg); got != want {
					t.Fatalf("Acked(%d) = %v, want %v", arg, got, want)
				}
				if want {
					delete(model, arg)
				}
			case 3:
				if d := s.Deadline(); !d.IsZero() {
					now = d
					s.Expire(now)
					if !s.Pending() {
						t.Fatal("a deadline passed and nothing is due")
					}
				}
			case 4:
				s.Reconnected(now)
				if s.Pending() != (len(model) > 0) {
					t.Fatalf("%d frames unacknowledged, Pending after a reconnection: %v", len(model), s.Pending())
				}
			case 5:
				for _, seq := range []int64{-1, -1 << 63, 1<<63 - 1, pushed, pushed + 64} {
					if s.Acked(now, seq) {
						t.Fatalf("Acked(%d) of a number never given", seq)
					}
				}
			case 6:
				now = now.Add(time.Duration(arg*arg) * ms / 100)
				i++
			case 7:
				now = now.Add(-time.Second) // a clock set back
			case 8:
				i++
				if got, want := s.Replace(arg, []byte{byte(arg), byte(arg >> 8), 9}), model[arg] != nil; got != want {
					t.Fatalf("Replace(%d) = %v, want %v", arg, got, want)
				}
			}
			if s.Limit() < 16 || s.Limit() > 1<<20 {
				t.Fatalf("a window of %d bytes", s.Limit())
			}
			if n, _ := s.InFlight(); n != len(model) {
				t.Fatalf("%d in flight, want %d", n, len(model))
			}
		}
	})
}

func unsent(model map[int64]*struct{ sent bool }) (n int) {
	for _, m := range model {
		if !m.sent {
			n++
		}
	}
	return n
}
