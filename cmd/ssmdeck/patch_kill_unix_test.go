//go:build !windows

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// patchFleet has 120 nodes, to which commands take half a second, and a list of
// commands that lags.
const patchFleet = `
fleet: {count: 120}
run_command: {delivery_delay: 500ms, visible_after: 300ms}
`

// TestAKilledInstallationPatchesEveryNodeOnce kills ssmdeck in the middle of waves,
// again and again, and resumes it. Whenever that was, every node must have got one
// installation, and the result must tell of all.
func TestAKilledInstallationPatchesEveryNodeOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	binary, err := exec.LookPath("ssmdeck")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := world.ParseScenario("patch", []byte(patchFleet))
	if err != nil {
		t.Fatal(err)
	}
	_, dir, env := patchHouse(t, sc)
	state := filepath.Join(dir, "state.json")
	start := func(args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
		cmd := exec.Command(binary, append([]string{"patch", "install", "--yes", "-o", "json"}, args...)...)
		var out, errs bytes.Buffer
		cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &out, &errs
	}
	random := rand.New(rand.NewPCG(1, 2))
	args := []string{"all", "--reboot", "never", "--waves", "1,60%,100%", "--state", state, "--health", "true"}
	killed := 0
	for tries := 0; ; tries++ {
		if tries > 60 {
			t.Fatal("it does not come to an end")
		}
		cmd, out, errs := start(args...)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		var limit <-chan time.Time // after eight kills it may end
		if killed < 8 {
			limit = time.After(300*time.Millisecond + time.Duration(random.IntN(1700))*time.Millisecond)
		}
		select {
		case <-limit:
			_ = cmd.Process.Signal(syscall.SIGKILL)
			<-done
			killed++
			if _, err := os.Stat(state); err == nil {
				args = []string{"--resume", state}
			}
			continue
		case err := <-done:
			if err != nil {
				t.Fatalf("%v\n%s", err, errs)
			}
		}
		checkAllOK(t, out.Bytes(), 120)
		break
	}
	if killed < 4 {
		t.Errorf("it was killed %d times only", killed)
	}
	installs := map[string]int{}
	for _, c := range installCommands(t, binary, env) {
		for _, id := range c.InstanceIds {
			installs[id]++
		}
	}
	if len(installs) != 120 {
		t.Errorf("%d of 120 nodes were patched", len(installs))
	}
	for id, n := range installs {
		if n != 1 {
			t.Errorf("%s got %d installations", id, n)
		}
	}
	if _, err := os.Stat(state + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock is left: %v", err)
	}
}

// patchHouse starts a simulator, and returns a folder and an environment for ssmdeck, too.
func patchHouse(t *testing.T, sc *world.Scenario) (srv *simulator.Server, dir string, env []string) {
	t.Helper()
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	dir = t.TempDir()
	return srv, dir, environ(dir, srv.Env()...)
}

// TestAnInterruptedInstallationSaysHowToGoOn presses Ctrl-C in the middle of a wave:
// the installation goes on, how to take it up is printed, and it is found again.
func TestAnInterruptedInstallationSaysHowToGoOn(t *testing.T) {
	binary, err := exec.LookPath("ssmdeck")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := world.ParseScenario("patch", []byte("fleet: {count: 12}\npatching: {pace: 50ms, reboot: 3s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv, dir, env := patchHouse(t, sc)
	cmd := exec.Command(binary, "patch", "install", "all", "--yes", "--reboot", "if-needed", "--waves", "100%", "-o", "json")
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sent := func() bool {
		return slices.ContainsFunc(srv.World().Commands(), func(c world.Command) bool { return c.DocumentName == "AWS-RunPatchBaseline" })
	}
	for deadline := time.Now().Add(patience); !sent(); {
		if time.Now().After(deadline) {
			t.Fatal("nothing was sent")
		}
		time.Sleep(5 * time.Millisecond) // another process sends it
	}
	_ = cmd.Process.Signal(os.Interrupt)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v\n%s", err, errs.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, "ssmdeck", "patch", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("states %v, %v", files, err)
	}
	if !strings.Contains(errs.String(), "12 nodes are not patched; `ssmdeck patch install --resume "+files[0]+"` goes on") {
		t.Errorf("it says:\n%s", errs.String())
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the state is %v, %v", info.Mode(), err)
	}
	again := exec.Command(binary, "patch", "install", "--yes", "--resume", files[0], "-o", "json")
	again.Env = env
	answer, err := again.Output()
	if err != nil {
		t.Fatalf("%v: %.300s", err, answer)
	}
	checkAllOK(t, answer, 12)
	if _, err := os.Stat(files[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing is left to do, and the state is kept: %v", err)
	}
	if commands := installCommands(t, binary, env); len(commands) != 1 || len(commands[0].InstanceIds) != 12 {
		t.Errorf("there were %d commands: %+v", len(commands), commands)
	}
}

// checkAllOK asserts that the answer tells of so many nodes, all of them well.
func checkAllOK(t *testing.T, answer []byte, nodes int) {
	t.Helper()
	var rows []struct{ ID, Status, Reason string }
	if err := json.Unmarshal(answer, &rows); err != nil {
		t.Fatalf("%v: %.300s", err, answer)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		seen[r.ID] = true
		if r.Status != "ok" {
			t.Errorf("%s is %s: %s", r.ID, r.Status, r.Reason)
		}
	}
	if len(seen) != nodes || len(rows) != nodes {
		t.Errorf("the result has %d rows of %d nodes, want %d", len(rows), len(seen), nodes)
	}
}

type installCommand struct {
	CommandId   string
	InstanceIds []string
	Parameters  map[string][]string
}

// installCommands asks the service itself which installations there were.
func installCommands(t *testing.T, binary string, env []string) []installCommand {
	t.Helper()
	cmd := exec.Command(binary, "api", "list-commands", "--filters", "key=DocumentName,value=AWS-RunPatchBaseline", "-o", "json")
	cmd.Env = env
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	var answer struct{ Commands []installCommand }
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatalf("%v: %.300s", err, raw)
	}
	return answer.Commands
}
