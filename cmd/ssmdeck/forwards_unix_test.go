//go:build linux || darwin

package main

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestForwardsGiveTheTerminalBack looks at the view of saved forwards on a
// terminal, and leaves it in every way.
func TestForwardsGiveTheTerminalBack(t *testing.T) {
	tests := []struct {
		name string
		end  func(s *screen)
	}{
		{"with q", func(s *screen) { s.Type("q") }},
		{"with Ctrl-C", func(s *screen) { s.Type("\x03") }},
		{"after SIGTERM", func(s *screen) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }},
		{"after SIGHUP", func(s *screen) { _ = s.cmd.Process.Signal(syscall.SIGHUP) }},
		{"when the last is stopped", func(s *screen) { s.Type("2x1x") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := simulate(t)
			file := filepath.Join(t.TempDir(), "forwards.yaml")
			const text = "forwards:\n  echo: {node: worker-1, spec: '0:9000'}\n  other: {node: web-1, spec: '0:80'}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := startOnTerminal(t, append(srv.Env(), "SSMDECK_FORWARDS="+file), 120, 30, "forward", "up")
			s.See("q quit")
			conn, err := net.Dial("tcp", s.Find(`echo +\S* *idle +(127\.0\.0\.1:\d+) `)[0])
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("ping")); err != nil {
				t.Fatal(err)
			}
			s.See("1 of 1")
			s.See("open")
			s.Type("1r") // a new session at the next connection
			s.See("0 of 1")
			tt.end(s)
			if code := s.exit(); code != 0 {
				t.Errorf("exit status %d", code)
			}
			if after := s.settings(); after != s.before {
				t.Errorf("the terminal's settings changed:\n%+v\n%+v", s.before, after)
			}
		})
	}
}
