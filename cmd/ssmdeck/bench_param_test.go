package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// paramConditions are the accounts that parameters are read from and written to.
var paramConditions = []struct{ name, yaml string }{
	{"quick", ""},
	{"20ms", "delay: 20ms\n"},
	{"limits", "limits: real\ndelay: 20ms\n"},
}

// BenchmarkParam measures the export of 10,000 parameters and the import of 1,000 from
// start to exit, and beside it what other clients do to export: a walk of
// GetParametersByPath, ten a page, each page after the one before. Run it with
//
//	go test -run '^$' -bench 'BenchmarkParam$' -benchtime 1x ./cmd/ssmdeck
func BenchmarkParam(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "ssmdeck")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for _, c := range paramConditions {
		b.Run("export/"+c.name, func(b *testing.B) {
			srv := paramAccount(b, c.yaml+"parameter_store: {generate: [{count: 10000, prefix: /load, per_path: 100, secure: 2000}]}\n")
			for b.Loop() {
				out := measured(b, srv, binary, "param", "export", "/load", "--decrypt", "--format", "csv")
				if n := strings.Count(out, "\n"); n < 10_000 {
					b.Fatalf("%d lines for 10,000 parameters", n)
				}
			}
		})
		b.Run("walk/"+c.name, func(b *testing.B) {
			srv := paramAccount(b, c.yaml+"parameter_store: {generate: [{count: 10000, prefix: /load, per_path: 100, secure: 2000}]}\n")
			for b.Loop() {
				if n := walk(b, srv, "/load"); n != 10_000 {
					b.Fatalf("%d parameters of 10,000", n)
				}
			}
		})
		if c.name == "limits" {
			continue // an import takes as long as three writes a second take
		}
		b.Run("import/"+c.name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "new.env")
			var text strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&text, "KEY_%04d=value %d\n", i, i)
			}
			if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				b.StopTimer()
				srv := paramAccount(b, c.yaml)
				b.StartTimer()
				measured(b, srv, binary, "param", "import", file, "/new", "--yes")
				if n := walk(b, srv, "/new"); n != 1000 {
					b.Fatalf("%d parameters of 1,000", n)
				}
			}
		})
	}
}

func paramAccount(b *testing.B, text string) *simulator.Server {
	b.Helper()
	sc, err := world.ParseScenario("bench", []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = srv.Close() })
	return srv
}

// measured runs the program, and reports the calls that it made and its memory.
func measured(b *testing.B, srv *simulator.Server, binary string, args ...string) string {
	b.Helper()
	home := b.TempDir()
	cmd := exec.CommandContext(b.Context(), binary, args...)
	cmd.Env = append(os.Environ(), append(srv.Env(), "HOME="+home, "SSMDECK_CACHE_DIR="+home, "SSMDECK_STATE_DIR="+home)...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	before := total(srv.Stats().Calls)
	if err := cmd.Run(); err != nil {
		b.Fatalf("ssmdeck %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	b.ReportMetric(float64(total(srv.Stats().Calls)-before), "calls")
	b.ReportMetric(peakOf(cmd.ProcessState), "MB-peak")
	return out.String()
}

// walk is the export of other clients.
func walk(b *testing.B, srv *simulator.Server, path string) (n int) {
	b.Helper()
	k := srv.Credentials()
	client := ssm.New(ssm.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), RetryMaxAttempts: 20,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
	})
	start := time.Now()
	pages := ssm.NewGetParametersByPathPaginator(client, &ssm.GetParametersByPathInput{
		Path: &path, Recursive: aws.Bool(true), WithDecryption: aws.Bool(true), MaxResults: aws.Int32(10),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(b.Context())
		if err != nil {
			b.Fatalf("after %s: %v", time.Since(start), err)
		}
		n += len(page.Parameters)
	}
	return n
}
