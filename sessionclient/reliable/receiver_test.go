package reliable

import (
	"math"
	"testing"
)

func TestReceive(t *testing.T) {
	const x = true // acknowledged
	small := Limits{ReadyCount: 4, ReadyBytes: 100, EarlyCount: 3, EarlyBytes: 100}
	tests := []struct {
		name   string
		arrive []int64
		size   int
		acks   []bool
		want   []int64 // taken afterwards
		next   int64
	}{
		{"in order", []int64{0, 1, 2}, 1, []bool{x, x, x}, []int64{0, 1, 2}, 3},
		{"reversed", []int64{2, 1, 0}, 1, []bool{x, x, x}, []int64{0, 1, 2}, 3},
		{"a repeat is acknowledged again and delivered once", []int64{0, 0, 1, 0}, 1, []bool{x, x, x, x}, []int64{0, 1}, 2},
		{"a repeat ahead of a gap too", []int64{2, 2, 0}, 1, []bool{x, x, x}, []int64{0}, 1},
		{"a gap holds later ones back", []int64{0, 2}, 1, []bool{x, x}, []int64{0}, 1},
		{"too many ahead of a gap are not acknowledged", []int64{1, 2, 3, 4}, 1, []bool{x, x, x, false}, nil, 0},
		{"too many bytes ahead of a gap neither", []int64{1, 2}, 60, []bool{x, false}, nil, 0},
		{"one too far ahead neither", []int64{31, 30}, 1, []bool{false, x}, nil, 0},
		{"a full receiver refuses the next", []int64{0, 1, 2}, 60, []bool{x, x, false}, []int64{0, 1}, 2},
		{"empty messages fill it by their number", []int64{0, 1, 2, 3, 4}, 0, []bool{x, x, x, x, false}, []int64{0, 1, 2, 3}, 4},
		{"what was acknowledged early is delivered even when full", []int64{1, 2, 3, 0, 2}, 60, []bool{x, false, false, x, false}, []int64{0, 1}, 2},
		{"hostile numbers", []int64{-1, math.MinInt64, math.MaxInt64, math.MaxInt64 - 1, 0}, 1, []bool{false, false, false, false, x}, []int64{0}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReceiver[int64](small)
			for i, seq := range tt.arrive {
				if got := r.Receive(seq, tt.size, seq); got != tt.acks[i] {
					t.Errorf("message %d (arrival %d): acknowledged %v, want %v", seq, i, got, tt.acks[i])
				}
			}
			if r.Expected() != tt.next {
				t.Errorf("expects %d, want %d", r.Expected(), tt.next)
			}
			for _, want := range tt.want {
				if got, ok := r.Take(); !ok || got != want {
					t.Errorf("took %d %v, want %d", got, ok, want)
				}
			}
			if got, ok := r.Take(); ok {
				t.Errorf("took %d beyond the end", got)
			}
			if _, ok := r.Peek(); ok {
				t.Error("peeked beyond the end")
			}
		})
	}
}

func TestReceiverCountsWhatItHolds(t *testing.T) {
	r := NewReceiver[string](Limits{ReadyBytes: 10})
	r.Receive(0, 6, "a")
	r.Receive(2, 5, "c")
	if n, b := r.Held(); n != 2 || b != 11 {
		t.Errorf("holds %d messages, %d bytes, want 2, 11", n, b)
	}
	if r.Full() {
		t.Error("full with 6 of 10 bytes ready")
	}
	r.Receive(1, 1, "b")
	if !r.Full() {
		t.Error("not full with 12 of 10 bytes ready")
	}
	for range 3 {
		r.Take()
	}
	if n, b := r.Held(); n != 0 || b != 0 || r.Full() {
		t.Errorf("holds %d messages, %d bytes after all were taken", n, b)
	}
}

func TestReceiverForgetsWhatWasTaken(t *testing.T) {
	r := NewReceiver[*[1024]byte](Limits{})
	for i := range int64(100) {
		r.Receive(i, 1024, new([1024]byte))
		r.Take()
	}
	for i, e := range r.ready.ring {
		if e.item != nil {
			t.Fatalf("slot %d still refers to a message", i)
		}
	}
	if len(r.ready.ring) > 16 {
		t.Errorf("one message at a time grew the queue to %d", len(r.ready.ring))
	}
}

func TestFifoKeepsOrderAcrossGrowth(t *testing.T) {
	var q fifo[int]
	in, out := 0, 0
	for round := range 200 {
		for range round%7 + 1 {
			q.push(in)
			in++
		}
		for range min(round%5, q.len()) {
			if got := q.pop(); got != out {
				t.Fatalf("popped %d, want %d", got, out)
			}
			out++
		}
	}
	for q.len() > 0 {
		if got := q.pop(); got != out {
			t.Fatalf("popped %d, want %d", got, out)
		}
		out++
	}
	if in != out {
		t.Errorf("pushed %d, popped %d", in, out)
	}
}
