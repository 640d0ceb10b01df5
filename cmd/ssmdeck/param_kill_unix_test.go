//go:build !windows

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// TestAKilledApplyWritesEveryParameterOnce kills ssmdeck while it makes parameters, and
// then while it changes them, again and again. Whenever that was, applying again goes on
// without being told anything, and every parameter is written once.
func TestAKilledApplyWritesEveryParameterOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	binary, err := exec.LookPath("ssmdeck")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := world.ParseScenario("parameters", []byte("throttle: {PutParameter: 6}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, dir, env := patchHouse(t, sc)
	const count = 24
	write := func(round int) {
		text := "path: /killed\nparameters:\n"
		for i := range count {
			text += fmt.Sprintf("  p%02d: {secure: true, value: round %d of %d}\n", i, round, i)
		}
		if err := os.WriteFile(filepath.Join(dir, "killed.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(limit <-chan time.Time, args ...string) (killed bool, out, errs *bytes.Buffer, err error) {
		cmd := exec.Command(binary, args...)
		out, errs = new(bytes.Buffer), new(bytes.Buffer)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-limit:
			_ = cmd.Process.Signal(syscall.SIGKILL)
			<-done
			return true, out, errs, nil
		case err := <-done:
			return false, out, errs, err
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	kills := 0
	for round := 1; round <= 2; round++ {
		write(round)
		for tries := 0; ; tries++ {
			if tries > 40 {
				t.Fatal("it does not come to an end")
			}
			var limit <-chan time.Time
			if tries < 5 {
				limit = time.After(200*time.Millisecond + time.Duration(random.IntN(900))*time.Millisecond)
			}
			killed, _, errs, err := run(limit, "param", "apply", "killed.yaml", "--yes")
			if killed {
				kills++
				continue
			}
			if err != nil {
				t.Fatalf("round %d: %v\n%s", round, err, errs)
			}
			break
		}
		_, out, errs, err := run(nil, "param", "plan", "killed.yaml")
		if err != nil || strings.TrimSpace(out.String()) != "" {
			t.Errorf("round %d: %v: there is something left:\n%s%s", round, err, out, errs)
		}
		_, out, errs, err = run(nil, "api", "get-parameters-by-path", "--path", "/killed", "--with-decryption", "--all")
		if err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
		var got struct {
			Parameters []struct {
				Name, Value string
				Version     int
			}
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Parameters) != count {
			t.Errorf("round %d: %d parameters", round, len(got.Parameters))
		}
		for _, p := range got.Parameters {
			if p.Version != round || !strings.HasPrefix(p.Value, fmt.Sprintf("round %d of ", round)) {
				t.Errorf("round %d: %s is at version %d: %q", round, p.Name, p.Version, p.Value)
			}
		}
	}
	if kills < 4 {
		t.Errorf("it was killed %d times only", kills)
	}
	for _, left := range []string{".journal", ".lock"} {
		state := filepath.Join(dir, ".ssmdeck", "parameters-123456789012-us-east-1.json")
		if _, err := os.Stat(state + left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", left, err)
		}
	}
}
