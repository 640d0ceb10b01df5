package reliable

import (
	"encoding/binary"
	"testing"
	"time"
)

// TestALostTailComesBackSoon has a busy path lose everything at the end of a
// transfer, when no later frame can show the gap. Its round trips were long
// while it was busy and are short once it is idle.
func TestALostTailComesBackSoon(t *testing.T) {
	for _, tt := range []struct {
		name       string
		busy, idle time.Duration
		lost       int
	}{
		{"a fast link behind a queue", 80 * time.Millisecond, 200 * time.Microsecond, 155},
		{"a slow link", 300 * time.Millisecond, 100 * time.Millisecond, 500},
		{"steady round trips", 20 * time.Millisecond, 20 * time.Millisecond, 300},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Unix(1000, 0)
			s := NewSender(Window{Bytes: 1 << 30, Messages: 4096})
			const sent = 4000
			for range sent {
				s.Push(binary.BigEndian.AppendUint64(nil, uint64(s.NextSeq())))
			}
			for {
				if _, ok := s.Next(now); !ok {
					break
				}
			}
			now = now.Add(tt.busy)
			for seq := range int64(sent - tt.lost) {
				s.Acked(now, seq)
			}
			start := now
			resends := 0
			for {
				if n, _ := s.InFlight(); n == 0 {
					break
				}
				var seqs []int64
				for s.Pending() {
					frame, _ := s.Next(now)
					seqs = append(seqs, int64(binary.BigEndian.Uint64(frame)))
					resends++
				}
				if len(seqs) > 0 {
					now = now.Add(tt.idle)
					for _, seq := range seqs {
						s.Acked(now, seq)
					}
					continue
				}
				d := s.Deadline()
				if d.IsZero() {
					t.Fatal("nothing is due, and frames are missing")
				}
				now = d
				s.Expire(now)
				if now.Sub(start) > time.Hour {
					t.Fatalf("still %d frames missing after an hour", s.unacked)
				}
			}
			if took := now.Sub(start); took > 10*time.Second {
				t.Errorf("%d lost frames took %s to come back, with %d resends", tt.lost, took, resends)
			}
		})
	}
}
