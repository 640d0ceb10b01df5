package main

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// BenchmarkPatchScan measures a scan of 10,000 nodes from start to the final table,
// as BenchmarkRun does a run. The result must hold what each node reported.
func BenchmarkPatchScan(b *testing.B) {
	h := newBenchHouse(b)
	const nodes = 10_000
	whole := func(out string) bool {
		var rows []struct {
			ID, Status string
			Missing    *int
		}
		if json.Unmarshal([]byte(out), &rows) != nil || len(rows) != nodes {
			return false
		}
		for _, r := range rows {
			if r.Status != "ok" || r.Missing == nil {
				return false
			}
		}
		return true
	}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"tag", []string{"patch", "scan", "--tag", "role=node", "--yes", "--concurrency", "100%", "--quiet", "-o", "json"}},
		{"ids", []string{"patch", "scan", "node-*", "--yes", "--concurrency", "100%", "--quiet", "-o", "json"}},
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
				took, busiest, total, peak := h.watched(b, srv, whole, c.args...)
				if err := srv.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(took.Seconds(), "s/scan")
				b.ReportMetric(float64(busiest), "calls/busiest-min")
				b.ReportMetric(float64(total), "calls")
				b.ReportMetric(peak, "MB-peak")
			}
		})
	}
}
