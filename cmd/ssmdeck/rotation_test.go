package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
)

// TestForwardSurvivesExpiredCredentials has the keys expire in the middle of a
// transfer, and its connection break. The session is resumed once there are new
// ones on disk; nothing is lost.
func TestForwardSurvivesExpiredCredentials(t *testing.T) {
	srv, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "credentials")
	keys := func(id, secret string) {
		text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	creds := srv.Credentials()
	keys(creds.AccessKeyID, creds.SecretAccessKey)

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "ssmdeck")
	if err := os.Symlink(self, binary); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	cmd := exec.Command(binary, "forward", echoNode, fmt.Sprintf("0:%d", echoPort), "-o", "jsonl")
	cmd.Env = environ(t.TempDir(), "AWS_SHARED_CREDENTIALS_FILE="+file, "AWS_CONFIG_FILE="+file+".none")
	for _, kv := range srv.Env() {
		if !strings.HasPrefix(kv, "AWS_ACCESS_KEY_ID=") && !strings.HasPrefix(kv, "AWS_SECRET_ACCESS_KEY=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	events := make(chan map[string]any, 1024)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e map[string]any
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				events <- e
			}
		}
	}()
	await := func(what string, is func(e map[string]any) bool) map[string]any {
		for e := range events {
			if is(e) {
				return e
			}
		}
		t.Fatalf("no event: %s", what)
		return nil
	}
	ready := await("ready", func(e map[string]any) bool { return e["type"] == "ready" })
	address := ready["local"].(string)

	const size = 64 << 20
	done := make(chan error, 1)
	go func() {
		_, err := echo(address, size, 5)
		done <- err
	}()
	await("connected", func(e map[string]any) bool { return e["type"] == "connected" })
	fresh := srv.Rotate()
	keys("AKIAWRONGWRONGWRONG1", "wrong")
	for _, id := range srv.Gateway().IDs() {
		srv.Gateway().Cut(id)
	}
	await("a refused attempt", func(e map[string]any) bool {
		text, _ := e["error"].(string)
		return e["type"] == "reconnecting" && strings.Contains(text, "credentials")
	})
	keys(fresh.AccessKeyID, fresh.SecretAccessKey)
	await("reconnected", func(e map[string]any) bool { return e["type"] == "reconnected" })
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	for range events { // until it has ended
	}
	_ = cmd.Wait()
	if n := srv.Settle(patience); n != 0 {
		t.Errorf("%d sessions are still open", n)
	}
}
