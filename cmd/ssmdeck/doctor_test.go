package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/doctor"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// patient is a scenario of testdata/doctor. Its first lines say, as comments,
// what it is about, with which status doctor names the cause that the file bears
// as its name, and the flags with which --fix takes it away.
type patient struct {
	name, want string
	fix        []string // nil: --fix can do nothing
	scenario   *world.Scenario
}

func patients(t *testing.T) []patient {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "doctor", "*.yaml"))
	if err != nil || len(files) < 40 {
		t.Fatal(len(files), err)
	}
	var all []patient
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := patient{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		for line := range strings.Lines(string(data)) {
			if want, ok := strings.CutPrefix(line, "# want: "); ok {
				p.want = strings.TrimSpace(want)
			}
			if fix, ok := strings.CutPrefix(line, "# fix:"); ok {
				p.fix = append([]string{"--fix", "--yes"}, strings.Fields(fix)...)
			}
		}
		if p.scenario, err = world.ParseScenario(file, data); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// ssmdeckAt runs a command line against a simulator and returns its exit code.
func ssmdeckAt(t *testing.T, srv *simulator.Server, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	creds := srv.Credentials()
	env := &cli.Env{
		In: strings.NewReader(""), Out: &out, Err: &errs, Args: args,
		Lookup: func(name string) (string, bool) {
			if name == "HOME" || name == "XDG_CACHE_HOME" || name == "XDG_CONFIG_HOME" {
				return t.TempDir(), true
			}
			return "", false
		},
		Local: &awsapi.Static{
			Endpoint: srv.URL(), Region: srv.World().Region(), AccessKeyID: creds.AccessKeyID, SecretAccessKey: creds.SecretAccessKey,
		},
	}
	code = commands.Run(t.Context(), env)
	return code, out.String(), errs.String()
}

func startPatient(t *testing.T, sc *world.Scenario) *simulator.Server {
	t.Helper()
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// causesIn returns the causes of checks with a status.
func causesIn(t *testing.T, stdout, status string) []string {
	t.Helper()
	var checks []doctor.Check
	if err := json.Unmarshal([]byte(stdout), &checks); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	var causes []string
	for _, c := range checks {
		if string(c.Status) == status && c.Cause != "" && !slices.Contains(causes, c.Cause) {
			causes = append(causes, c.Cause)
		}
	}
	return causes
}

// TestDoctorNamesEachCause examines the node of each scenario through the command
// line: of what fails, doctor names the one cause, and no other.
func TestDoctorNamesEachCause(t *testing.T) {
	for _, p := range patients(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			srv := startPatient(t, p.scenario)
			code, stdout, stderr := ssmdeckAt(t, srv, "doctor", "app-1", "-o", "json")
			failed, warned := causesIn(t, stdout, "FAIL"), causesIn(t, stdout, "WARN")
			switch p.want {
			case "PASS":
				if code != 0 || failed != nil {
					t.Errorf("exit %d, failed %v\n%s%s", code, failed, stdout, stderr)
				}
			case "FAIL":
				if code != 6 || !slices.Equal(failed, []string{p.name}) {
					t.Errorf("exit %d, failed %v\n%s%s", code, failed, stdout, stderr)
				}
			case "WARN":
				if !slices.Contains(warned, p.name) || len(failed) > 0 && !slices.Equal(failed, []string{"agent-silent"}) {
					t.Errorf("exit %d, warned %v, failed %v\n%s%s", code, warned, failed, stdout, stderr)
				}
			default:
				t.Errorf("want: %q", p.want)
			}
		})
	}
}

// TestDoctorFixes takes causes away: the plan first, which changes nothing, then
// the changes, after which the agent calls.
func TestDoctorFixes(t *testing.T) {
	n := 0
	for _, p := range patients(t) {
		if p.fix == nil {
			continue
		}
		n++
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			srv := startPatient(t, p.scenario)
			args := append([]string{"doctor", "app-1", "-o", "json"}, p.fix...)
			if code, _, stderr := ssmdeckAt(t, srv, append(slices.Clone(args), "--dry-run")...); code != 6 || !strings.Contains(stderr, "change") {
				t.Errorf("dry run: exit %d, %s", code, stderr)
			}
			for op, count := range srv.Stats().Calls {
				if awsapi.Writes(op) && count > 0 {
					t.Errorf("the dry run called %s", op)
				}
			}
			if code, _, _ := ssmdeckAt(t, srv, append(slices.Clone(args), "--read-only")...); code != 7 {
				t.Errorf("read-only: exit %d", code)
			}
			code, stdout, stderr := ssmdeckAt(t, srv, args...)
			if failed := causesIn(t, stdout, "FAIL"); code != 0 || failed != nil {
				t.Errorf("exit %d, failed %v\n%s%s", code, failed, stdout, stderr)
			}
		})
	}
	if n < 12 {
		t.Errorf("only %d scenarios are repaired", n)
	}
}

// withoutScenario are causes that the simulator can not bring about, because they
// lie on this side of it. They have tests of their own.
var withoutScenario = []string{
	"no-credentials", "no-region", "clock-wrong", "endpoint-unreachable", "proxy-refuses", "certificate-unknown", "websocket-blocked",
	"caller-lacks-actions", "no-terminal",
}

func TestEachCauseHasAScenario(t *testing.T) {
	told := slices.Clone(withoutScenario)
	for _, p := range patients(t) {
		told = append(told, p.name)
		c, known := doctor.CauseOf(p.name)
		if !known && p.want != "PASS" {
			t.Errorf("%s is no cause", p.name)
		}
		if c.Fixes != (p.fix != nil) && known && p.want == "FAIL" {
			t.Errorf("%s: the table says fixes %v, the scenario %q", p.name, c.Fixes, p.fix)
		}
	}
	n := 0
	for _, c := range doctor.Causes() {
		if !slices.Contains(told, c.ID) {
			t.Errorf("%s has no scenario", c.ID)
		}
		n++
	}
	t.Logf("%d causes, %d of them with a scenario", n, n-len(withoutScenario))
}
