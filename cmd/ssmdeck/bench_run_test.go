package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// BenchmarkRun measures a run on 10,000 nodes from start to the final table: how
// long it takes, the calls it makes in its busiest minute, and the memory of
// ssmdeck. The simulator is in this process; its nodes really run the command.
func BenchmarkRun(b *testing.B) {
	h := newBenchHouse(b)
	const nodes = 10_000
	for _, c := range []struct {
		name string
		args []string
	}{
		{"tag", []string{"run", "--tag", "role=node", "--yes", "--concurrency", "100%", "-o", "table", "--", "hostname | cut -c1-3; uptime -p"}},
		{"different", []string{"run", "--tag", "role=node", "--yes", "--concurrency", "100%", "-o", "json", "--", "hostname"}},
		{"ids", []string{"run", "-t", "node-*", "--yes", "--concurrency", "100%", "-o", "table", "--", "hostname | cut -c1-3"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				sc, err := world.ParseScenario("bench", []byte("fleet: {count: 10000}\n"))
				if err != nil {
					b.Fatal(err)
				}
				srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
				if err != nil {
					b.Fatal(err)
				}
				took, busiest, total, peak := h.watched(b, srv, ranOnAll(nodes), c.args...)
				if err := srv.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(took.Seconds(), "s/run")
				b.ReportMetric(float64(busiest), "calls/busiest-min")
				b.ReportMetric(float64(total), "calls")
				b.ReportMetric(peak, "MB-peak")
			}
		})
	}
}

// ranOnAll checks that the result of a run tells of all nodes.
func ranOnAll(nodes int) func(out string) bool {
	return func(out string) bool {
		var answer struct{ Succeeded int }
		return json.Unmarshal([]byte(out), &answer) == nil && answer.Succeeded == nodes || strings.Contains(out, "ok  10000 nodes: node-[00001-10000]")
	}
}

// watched runs the binary to its end and counts the calls of each second. whole
// says whether what it printed tells of all nodes.
func (h *benchHouse) watched(b *testing.B, srv *simulator.Server, whole func(out string) bool, args ...string) (took time.Duration, busiest, total int, peak float64) {
	b.Helper()
	cmd := exec.Command(h.binary, args...)
	cmd.Env = append(os.Environ(), srv.Env()...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	before := calls(srv)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	p := &process{cmd: cmd}
	marks := []int{before}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				b.Fatalf("%v\n%s", err, errs.String())
			}
			running = false
		case <-tick.C:
			if m := p.peak(b); m > peak {
				peak = m
			}
		}
		marks = append(marks, calls(srv))
		busiest = max(busiest, marks[len(marks)-1]-marks[max(0, len(marks)-1-60)])
	}
	took = time.Since(start)
	total = marks[len(marks)-1] - before
	if !whole(out.String()) {
		b.Fatalf("not all nodes are in the result:\n%.500s\n%.500s", out.String(), errs.String())
	}
	return took, busiest, total, peak
}

// calls is how many calls of the API were served.
func calls(srv *simulator.Server) int {
	n := 0
	for _, c := range srv.Stats().Calls {
		n += c
	}
	return n
}
