//go:build !windows

package main

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func TestAParameterIsPicked(t *testing.T) {
	sc, err := world.ParseScenario("parameters", []byte(`
parameters:
  - {name: /app/prod/db-url, value: "postgres://db-1", description: where the orders are}
  - {name: /app/prod/log-level, value: "info\nand \x1b[31mred"}
  - {name: /app/prod/key, type: SecureString, value: pick-canary}
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
	for name, tt := range map[string]struct {
		args       []string
		keys, want string
		status     int
	}{
		"by its name":        {nil, "url\r", "postgres://db-1\r\n", 0},
		"by what it is for":  {nil, "orders\r", "postgres://db-1\r\n", 0},
		"lines, and no more": {nil, "level\r", `info` + "\r\n" + `and \x1b[31mred` + "\r\n", 0},
		"a hidden secret":    {[]string{"--decrypt"}, "key\r", "********\r\n", 0},
		"a shown secret":     {[]string{"--show"}, "key\r", "pick-canary\r\n", 0},
		"a secret unasked":   {nil, "key\r", "is a SecureString", 2},
		"left":               {nil, "\x1b", "", 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startOnTerminal(t, srv.Env(), 100, 30, append([]string{"param", "get"}, tt.args...)...)
			s.See("3/3")
			s.Type(tt.keys)
			if tt.want != "" {
				s.See(tt.want)
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
