package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// fleetScenario is an account of 10,000 nodes, as large ones are: some hybrid,
// some off, some that nobody manages.
const fleetScenario = `fleet: {count: 10000, names: [web, api, worker], hybrid: 500, stopped: 40, unmanaged: 20, lost: 100, windows: 900, outdated: 300}`

// BenchmarkFleet measures lists and targets with 10,000 nodes, from start to
// exit, against a simulator in this process: time, and the calls it took.
func BenchmarkFleet(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "ssmdeck")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	sc, err := world.ParseScenario("bench", []byte(fleetScenario))
	if err != nil {
		b.Fatal(err)
	}
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = srv.Close() })
	home := b.TempDir()
	for _, c := range []struct {
		name string
		args []string
	}{
		{"list", []string{"ls", "-o", "name"}},
		{"wide", []string{"ls", "-o", "wide"}},
		{"json", []string{"ls", "-o", "json"}},
		{"filter", []string{"ls", "--filter", "platform=windows agent<3.4", "-o", "name"}},
		{"filter-vpc", []string{"ls", "--filter", "vpc=vpc-0f1ee700000000002", "-o", "name"}},
		{"filter-tag", []string{"ls", "--filter", "tag:env=prod", "-o", "name"}},
		{"tag", []string{"ls", "--tag", "role=api", "-o", "name"}},
		{"range", []string{"run", "-t", "web-[00001-00600]!web-0000?", "--dry-run", "-o", "name", "--", "true"}},
		{"summary", []string{"node", "summary", "--by", "vpc,tag:env"}},
		{"agents", []string{"node", "agents"}},
		{"unmanaged", []string{"ls", "--unmanaged"}},
		{"patch", []string{"ls", "--filter", "missing>5", "-o", "name"}},
		{"patch-status", []string{"patch", "status", "-o", "json"}},
		{"patch-group", []string{"patch", "status", "--by", "group", "-o", "json"}},
		{"patch-by-patch", []string{"patch", "status", "--by", "patch", "-o", "json"}},
		{"patch-cve", []string{"patch", "missing", "--cve", "CVE-2026-3602", "-o", "json"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			before := total(srv.Stats().Calls)
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), binary, c.args...)
				cmd.Env = append(os.Environ(), append(srv.Env(), "HOME="+home, "SSMDECK_CACHE_DIR="+home)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("ssmdeck %s: %v\n%s", strings.Join(c.args, " "), err, out)
				}
			}
			b.ReportMetric(float64(total(srv.Stats().Calls)-before)/float64(b.N), "calls/op")
		})
	}
}

func total(calls map[string]int) int {
	n := 0
	for _, c := range calls {
		n += c
	}
	return n
}
