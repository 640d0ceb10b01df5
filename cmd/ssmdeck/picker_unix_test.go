//go:build !windows

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func startTwins(t *testing.T) *simulator.Server {
	t.Helper()
	sc, err := world.ParseScenario("twins", []byte(`
nodes:
  - {id: i-00000000000000001, name: web-1}
  - {id: i-00000000000000002, name: twin}
  - {id: i-00000000000000003, name: twin, ping: lost}
parameters:
  - {name: /app/url, value: x}
`))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func TestANodeIsPicked(t *testing.T) {
	srv := startTwins(t)
	for name, tt := range map[string]struct {
		args, keys, want string
		status           int
	}{
		"a shell":               {"shell", "web\r", "sh-5.2$", 0},
		"a command":             {"exec -- hostname", "10.0.0.10\r", "ip-10-0-0-10", 0},
		"details":               {"node get", "\x1b[B\r", "Computer name", 0},
		"several fit":           {"node get twin", "lost\r", "i-00000000000000003", 0},
		"several nodes":         {"run -- hostname", "web\t\x15on\x15twin online\t\r", "2 nodes", -1},
		"left with Esc":         {"node get", "\x1b", "", 130},
		"left with Ctrl-C":      {"shell", "\x03", "", 130},
		"left from several":     {"exec twin -- true", "\x1b", "twin fits 2 nodes", 130},
		"only those that fit":   {"node get twin", "web\r\x15\r", "twin (i-00000000000000002)", 0},
		"a spec alone: no node": {"forward 0:22", "\x1b", "", 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startOnTerminal(t, srv.Env(), 100, 30, strings.Fields(tt.args)...)
			s.See("type to filter")
			if !strings.Contains(tt.args, "twin") {
				s.See("3/3")
			}
			s.Type(tt.keys)
			if tt.want != "" {
				s.See(tt.want)
			}
			switch tt.want {
			case "sh-5.2$":
				s.Type("exit\n")
			case "2 nodes":
				return // the question is asked; that is enough
			}
			if got := s.exit(); got != tt.status {
				t.Errorf("exit status %d, want %d", got, tt.status)
			}
			if s.settings() != s.before {
				t.Error("the terminal is not as it was")
			}
		})
	}
}

// TestNobodyIsAskedWhoCannotAnswer: these are usage errors on a terminal too.
func TestNobodyIsAskedWhoCannotAnswer(t *testing.T) {
	srv := startTwins(t)
	for _, args := range []string{"shell --no-input", "node get -o json", "node get --json", "exec -o name -- true", "node get --regions us-east-1,eu-west-1"} {
		s := startOnTerminal(t, srv.Env(), 100, 30, strings.Fields(args)...)
		s.See("missing the node")
		if got := s.exit(); got != 2 {
			t.Errorf("%s: exit status %d, want 2", args, got)
		}
	}
	s := startOnTerminal(t, append(srv.Env(), "SSMDECK_NO_PROMPT=true"), 100, 30, "node", "get", "twin")
	s.See("2 nodes fit")
	if got := s.exit(); got != 3 {
		t.Errorf("exit status %d, want 3", got)
	}
}

// TestAStaleIndexIsShownAndReadAnew: completion answers with what there is, and a
// process of its own brings the index up to date.
func TestAStaleIndexIsShownAndReadAnew(t *testing.T) {
	srv := startTwins(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	binary := filepath.Join(home, "ssmdeck")
	// No symbolic link: the process behind the scenes is started by the name of the file.
	if err := os.Link(self, binary); err != nil {
		t.Skipf("no hard link from %s to %s: %v", self, binary, err)
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = append(srv.Env(), "HOME="+home, "SSMDECK_CACHE_DIR="+home, "PATH="+os.Getenv("PATH"))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return string(out)
	}
	hour := time.Now().Add(-time.Hour).UnixMilli()
	for _, tt := range []struct{ list, files, old, complete, shown, anew string }{
		{"ls", "nodes-*.tsv", fmt.Sprintf("ssmdeck-nodes-1\t%d\t1\ni-0000000000000000f\tgone\t\tonline\tlinux\t\t\n", hour), "shell g", "gone\t", "web-1"},
		{"param list", "parameters-*.tsv", fmt.Sprintf("ssmdeck-parameters-1\t%d\t1\n/gone\n", hour), "param get /g", "/gone\n", "/app/url"},
	} {
		run(strings.Fields(tt.list)...)
		files, err := filepath.Glob(filepath.Join(home, tt.files))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		if err := os.WriteFile(files[0], []byte(tt.old), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(append([]string{"__complete"}, strings.Fields(tt.complete)...)...); !strings.HasPrefix(got, tt.shown) {
			t.Errorf("the old index is not shown: %q", got)
		}
		isReadAnew(t, files[0], tt.anew)
	}
}

// isReadAnew waits until another process has written text into the index, and has ended.
func isReadAnew(t *testing.T, index, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		now, err := os.ReadFile(index)
		if err == nil && strings.Contains(string(now), text) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the index stays as it was: %s", now)
		}
		time.Sleep(20 * time.Millisecond) // another process writes it
	}
	for deadline := time.Now().Add(patience); ; { // and ends, before its folder goes
		if _, err := os.Stat(index + ".lock"); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the claim was not given back")
		}
		time.Sleep(20 * time.Millisecond)
	}
}
