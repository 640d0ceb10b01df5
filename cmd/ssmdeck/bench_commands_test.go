package main

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkExec measures the output of a command, which agents do not slow down,
// from start to exit.
func BenchmarkExec(b *testing.B) {
	h := newBenchHouse(b)
	const size = 200_000_000
	for _, rtt := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
		b.Run("rtt="+rtt.String(), func(b *testing.B) {
			sim := h.simulator(b, rtt/2)
			var took, cpu time.Duration
			for range b.N {
				t, c, n := h.once(b, sim, "", "exec", "bench-1", "--", fmt.Sprintf("yes 0123456789abcdef | head -c %d", size))
				if n != size {
					b.Fatalf("%d bytes arrived", n)
				}
				took, cpu = took+t, cpu+c
			}
			mb := float64(b.N) * size / 1e6
			b.ReportMetric(mb/took.Seconds(), "MB/s")
			b.ReportMetric(millis(cpu)/mb, "cpu-ms/MB")
		})
	}
}

// BenchmarkShortSession measures a whole session with nothing in it, from start
// to exit.
func BenchmarkShortSession(b *testing.B) {
	h := newBenchHouse(b)
	for _, rtt := range []time.Duration{0, 100 * time.Millisecond} {
		sim := h.simulator(b, rtt/2)
		for _, c := range []struct {
			name, stdin string
			args        []string
		}{
			{"exec", "", []string{"exec", "bench-1", "--", "true"}},
			{"shell", "exit\n", []string{"shell", "bench-1"}},
		} {
			b.Run(fmt.Sprintf("%s/rtt=%s", c.name, rtt), func(b *testing.B) {
				for b.Loop() {
					h.once(b, sim, c.stdin, c.args...)
				}
			})
		}
	}
}
