package commands

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
)

// simulated starts the demo's account and leads the process to it.
func simulated(t *testing.T) {
	t.Helper()
	srv, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	for _, kv := range os.Environ() { // nothing of the machine that runs the tests gets in
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "SSMDECK_") {
			t.Setenv(name, "")
			_ = os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSMDECK_CACHE_DIR", home)
	t.Setenv("SSMDECK_CONFIG", filepath.Join(home, "config.yaml"))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "aws"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "aws"))
	for _, kv := range srv.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	if err := os.WriteFile(filepath.Join(home, "config.yaml"), []byte("defaults: {theme: plain}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runLine runs a line and returns the exit code and what it wrote.
func runLine(ctx context.Context, words ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = Run(ctx, &cli.Env{In: &bytes.Buffer{}, Out: &o, Err: &e, Lookup: os.LookupEnv, Args: words})
	return code, o.String(), e.String()
}

// Every list takes every output flag, and means the same by it.
func TestListsTakeTheOutputFlags(t *testing.T) {
	simulated(t)
	// Something to be listed; the demo has nodes, documents and settings.
	mine := filepath.Join(t.TempDir(), "mine.yaml")
	for _, line := range []string{
		"document new --type Command " + mine, "document apply -f " + mine, "document share add mine 111122223333 --yes",
		"run web-1 --yes -- true", "exec web-1 -- true", "sync create s --bucket b --bucket-region us-east-1 --yes",
		"activation create --role SSMServiceRole", "tag add node/mi-0c5d6e7f8a9b0c1d2 stage=a", "access request web-1 --reason x",
	} {
		if code, _, errs := runLine(t.Context(), strings.Fields(line)...); code != 0 {
			t.Fatalf("ssmdeck %s: %d: %s", line, code, errs)
		}
	}
	args := map[string][]string{
		"tag list":             {"node/mi-0c5d6e7f8a9b0c1d2"},
		"document share list":  {"mine"},
		"document review list": {"mine"},
		"document versions":    {"mine"},

		"window execution list": {"weekly-patching"},
		"window target list":    {"weekly-patching"},
		"window task list":      {"weekly-patching"},
		"compliance list":       {"web-1"},
	}
	also := []string{"ls", "document versions", "forward find", "patch status", "patch missing", "compliance summary", "compliance nodes"}
	other := map[string]bool{"forward list": true} // of this machine, without the service
	lists := 0
	for _, c := range ownCommands() {
		path := pathOf(c)
		if c.Name() != "list" && !slices.Contains(also, path) || other[path] {
			continue
		}
		lists++
		t.Run(path, func(t *testing.T) {
			line := append(strings.Fields(path), args[path]...)
			run := func(want int, words ...string) string {
				t.Helper()
				code, out, errs := runLine(t.Context(), append(line, words...)...)
				if code != want {
					t.Fatalf("%s is %d, want %d: %s", strings.Join(words, " "), code, want, errs)
				}
				return out
			}
			table, err := csv.NewReader(strings.NewReader(run(0, "-o", "csv"))).ReadAll()
			if err != nil || len(table) == 0 {
				t.Fatalf("csv is %q, %v", table, err)
			}
			first := table[0][0]
			for _, words := range [][]string{{"--columns", first}, {"--sort-by", "-" + first}, {"-o", "wide"}, {"-o", "yaml"}, {"--no-headers"}, {"--json"}} {
				run(0, words...)
			}
			run(2, "--columns", "no-such")
			run(2, "--sort-by", "no-such")
			run(2, "--query", "[")
			run(2, "-o", "json", "--columns", first)
			var rows []any
			if out := run(0, "-o", "json"); json.Unmarshal([]byte(out), &rows) != nil || len(rows) != len(table)-1 {
				t.Errorf("json has %d rows and csv %d", len(rows), len(table)-1)
			}
			if got := strings.Count(run(0, "-o", "jsonl"), "\n"); got != len(rows) {
				t.Errorf("jsonl has %d rows, json %d", got, len(rows))
			}
			var n int
			if out := run(0, "-o", "json", "--query", "length(@)"); json.Unmarshal([]byte(out), &n) != nil || n != len(rows) {
				t.Errorf("a query counts %d rows of %d", n, len(rows))
			}
			if got := strings.Count(run(0, "--limit", "1"), "\n"); got != min(1, len(rows)) {
				t.Errorf("--limit 1 printed %d of %d rows", got, len(rows))
			}
		})
	}
	if lists < 12 {
		t.Errorf("only %d lists", lists)
	}
}
