package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// The length of one measurement, and what is let go by before it, so that a
// window has found its size.
const (
	benchTime = 3 * time.Second
	benchWarm = 1500 * time.Millisecond
)

// benchRow is one line of the table: a way to forward, on one path.
type benchRow struct {
	lanes   int // as many connections carry the bulk
	payload int // bytes; 0: what ssmdeck finds out
	rtt     time.Duration
}

func (r benchRow) String() string {
	payload := "probed"
	if r.payload > 0 {
		payload = fmt.Sprintf("%dK", r.payload>>10)
	}
	return fmt.Sprintf("lanes=%d/payload=%s/rtt=%s", r.lanes, payload, r.rtt)
}

// benchRows is everything that is measured. Paced agents are the rule, and slow
// down what comes from the node; so there is nothing to learn from the payload
// size, which is about what goes there, for downloads.
func benchRows() (rows []benchRow) {
	for _, rtt := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
		for _, payload := range []int{1 << 10, 8 << 10, 32 << 10, 0} {
			rows = append(rows, benchRow{1, payload, rtt})
		}
		rows = append(rows, benchRow{8, 0, rtt})
	}
	return rows
}

// BenchmarkSessions measures what a user gets: the simulator and ssmdeck are
// processes of their own, agents are as slow as real ones, the path has a round
// trip. Run it with
//
//	go test -run '^$' -bench Sessions -benchtime 1x ./cmd/ssmdeck
//
// or a part of it with -bench 'Sessions/lanes=1/payload=8K'. SSMDECK_BENCH_TABLE
// names a file for the table.
func BenchmarkSessions(b *testing.B) {
	h := newBenchHouse(b)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "path and way\tup MB/s\tCPU ms/MB\tsimulator's\techo beside p50/p99 ms\tdown MB/s\tCPU ms/MB\techo beside p50/p99 ms\tidle echo p50/p99 ms\tRSS MB\t")
	for _, row := range benchRows() {
		b.Run(row.String(), func(b *testing.B) {
			for range b.N {
				h.measure(b, row, w)
			}
		})
	}
	_ = w.Flush()
	if strings.Count(table.String(), "\n") > 1 {
		b.Logf("\n%s", table.String())
		if path := os.Getenv("SSMDECK_BENCH_TABLE"); path != "" {
			if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
				b.Error(err)
			}
		}
	}
}

// measure fills one row.
func (h *benchHouse) measure(b *testing.B, row benchRow, table *tabwriter.Writer) {
	sim := h.simulator(b, row.rtt/2)
	f := h.forward(b, sim, row)
	idle := h.echo(b, f)
	up := h.bulk(b, sim, f, row.lanes, upload)
	down := h.bulk(b, sim, f, row.lanes, download)
	peak := f.peak(b)

	b.ReportMetric(0, "ns/op")
	b.ReportMetric(up.rate, "up-MB/s")
	b.ReportMetric(up.cpu, "up-cpu-ms/MB")
	b.ReportMetric(down.rate, "down-MB/s")
	b.ReportMetric(down.cpu, "down-cpu-ms/MB")
	b.ReportMetric(idle.p50, "echo-p50-ms")
	fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f\t%s\t%.2f\t%.1f\t%s\t%s\t%.0f\t\n",
		row, up.rate, up.cpu, up.simulator, up.echo, down.rate, down.cpu, down.echo, idle, peak)
}

// bulk is what was measured of a transfer.
type bulk struct {
	rate           float64 // MB/s, all connections together
	cpu, simulator float64 // milliseconds of CPU for a MB: of ssmdeck, of the other process
	echo           latency // beside it
}

// bulk moves data over as many connections as there are lanes, for a while. Then
// it looks at the echo beside one of them.
func (h *benchHouse) bulk(b *testing.B, sim, f *process, conns int, way byte) (r bulk) {
	one, stopOne := context.WithCancel(b.Context())
	others, stopOthers := context.WithCancel(one)
	var movers sync.WaitGroup
	defer movers.Wait()
	defer stopOne()
	movers.Go(func() { h.move(one, b, f.address, way) })
	for range conns - 1 {
		movers.Go(func() { h.move(others, b, f.address, way) })
	}
	time.Sleep(benchWarm)
	start, from := time.Now(), h.moved.Load()
	cpu, simCPU := f.cpu(b), sim.cpu(b)
	time.Sleep(benchTime)
	mb := float64(h.moved.Load()-from) / 1e6
	r.rate = mb / time.Since(start).Seconds()
	if mb > 0 {
		r.cpu, r.simulator = millis(f.cpu(b)-cpu)/mb, millis(sim.cpu(b)-simCPU)/mb
	}
	stopOthers()
	r.echo = h.echo(b, f)
	return r
}

// move carries data one way until ctx ends.
func (h *benchHouse) move(ctx context.Context, b *testing.B, address string, way byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	block := make([]byte, 256<<10)
	if _, err := conn.Write([]byte{way}); err != nil {
		b.Error(err)
		return
	}
	for {
		var n int
		if way == upload {
			_, err = conn.Write(block)
		} else if n, err = conn.Read(block); n > 0 {
			h.moved.Add(int64(n))
		}
		if err != nil {
			if ctx.Err() == nil {
				b.Errorf("transfer ended early: %v", err)
			}
			return
		}
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
