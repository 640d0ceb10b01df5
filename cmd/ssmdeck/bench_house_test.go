package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a connection to the destination of the benchmarks asks for with its first
// byte.
const (
	upload   byte = 'u' // take everything
	download byte = 'd' // give without end
	echoing  byte = 'e'
)

const (
	benchNode = "i-0aaaaaaaaaaaaaaaa"
	benchPort = 7000
)

// benchHouse is what the benchmarks of the binary share: the binary, and the
// destination behind the simulated node, which counts.
type benchHouse struct {
	dir    string
	binary string
	listen net.Listener
	moved  atomic.Int64 // bytes that arrived, of bulk
	conns  sync.WaitGroup
}

func newBenchHouse(b *testing.B) *benchHouse {
	b.Helper()
	h := &benchHouse{dir: b.TempDir()}
	h.binary = filepath.Join(h.dir, "ssmdeck")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", h.binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	var err error
	if h.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	h.conns.Go(h.serve)
	b.Cleanup(func() {
		_ = h.listen.Close()
		h.conns.Wait()
	})
	return h
}

// serve is the destination.
func (h *benchHouse) serve() {
	for {
		conn, err := h.listen.Accept()
		if err != nil {
			return
		}
		h.conns.Go(func() {
			defer conn.Close()
			h.answer(conn)
		})
	}
}

func (h *benchHouse) answer(conn net.Conn) {
	block := make([]byte, 256<<10)
	if _, err := io.ReadFull(conn, block[:1]); err != nil {
		return
	}
	switch block[0] {
	case upload:
		for {
			n, err := conn.Read(block)
			h.moved.Add(int64(n))
			if err != nil {
				return
			}
		}
	case download:
		for {
			if _, err := conn.Write(block); err != nil {
				return
			}
		}
	case echoing:
		_, _ = io.Copy(conn, conn)
	}
}

// process is a running ssmdeck.
type process struct {
	cmd     *exec.Cmd
	env     []string
	address string // of a forward
}

// start runs the binary until the end of the benchmark; each line of its output
// goes to line until that returns true.
func (h *benchHouse) start(b *testing.B, env []string, line func(text []byte) bool, args ...string) *process {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	cmd := exec.CommandContext(ctx, h.binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cancel()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			_ = cmd.Wait()
			b.Fatalf("ssmdeck %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		if line(text) {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the process
	return &process{cmd: cmd}
}

// simulator starts a simulator whose path takes latency each way.
func (h *benchHouse) simulator(b *testing.B, latency time.Duration) *process {
	b.Helper()
	scenario := filepath.Join(h.dir, "scenario.yaml")
	text := fmt.Sprintf("region: eu-west-1\nnodes:\n  - id: %s\n    name: bench-1\n    ports: {%d: %q}\n", benchNode, benchPort, h.listen.Addr())
	if err := os.WriteFile(scenario, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	var env map[string]string
	p := h.start(b, nil, func(text []byte) bool { return json.Unmarshal(text, &env) == nil },
		"simulator", "--scenario", scenario, "--fault", "pace=true", "--fault", "latency="+latency.String(), "-o", "jsonl")
	for k, v := range env {
		p.env = append(p.env, k+"="+v)
	}
	return p
}

// forward starts a forward to the destination and waits until it works.
func (h *benchHouse) forward(b *testing.B, sim *process, row benchRow) *process {
	b.Helper()
	args := []string{"forward", "bench-1", fmt.Sprintf("0:%d", benchPort), "-o", "jsonl", "--lanes", fmt.Sprint(row.lanes)}
	if row.payload > 0 {
		args = append(args, "--payload-size", fmt.Sprint(row.payload))
	}
	var e struct{ Type, Local string }
	p := h.start(b, sim.env, func(text []byte) bool {
		return json.Unmarshal(text, &e) == nil && e.Type == "ready"
	}, args...)
	p.address = e.Local
	return p
}

// latency is the median and the 99th percentile of round trips, in milliseconds.
type latency struct{ p50, p99 float64 }

func (l latency) String() string { return fmt.Sprintf("%.1f/%.1f", l.p50, l.p99) }

// echo measures round trips of 16 bytes on a connection of its own.
func (h *benchHouse) echo(b *testing.B, f *process) latency {
	b.Helper()
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte{echoing}); err != nil {
		b.Fatal(err)
	}
	var trips []float64
	message := make([]byte, 16)
	for end := time.Now().Add(benchTime); time.Now().Before(end) && len(trips) < 400; {
		start := time.Now()
		if _, err := conn.Write(message); err != nil {
			b.Fatal(err)
		}
		if err := conn.SetReadDeadline(start.Add(30 * time.Second)); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			b.Fatalf("echo: %v", err)
		}
		if trips = append(trips, millis(time.Since(start))); len(trips) > 1 {
			time.Sleep(2 * time.Millisecond)
		}
	}
	trips = trips[1:] // the first one opens the connection
	slices.Sort(trips)
	return latency{trips[len(trips)/2], trips[len(trips)*99/100]}
}

// once runs the binary to its end and returns how long that took, how much CPU it
// used and how much it wrote.
func (h *benchHouse) once(b *testing.B, sim *process, stdin string, args ...string) (took, cpu time.Duration, wrote int64) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), h.binary, args...)
	cmd.Env = append(os.Environ(), sim.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	wrote, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, out, make([]byte, 256<<10))
	if waitErr := cmd.Wait(); waitErr != nil || err != nil {
		b.Fatalf("ssmdeck %s: %v, %v\n%s", strings.Join(args, " "), err, waitErr, stderr.String())
	}
	return time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wrote
}
