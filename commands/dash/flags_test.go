package dash_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// A line that is copied goes to the place of its rows from a shell, whatever else the
// dashboard was started for, and also while the other places cannot be reached.
func TestFlagsLeadToThePlace(t *testing.T) {
	at := grid.Place{Account: "210987654321", Region: "eu-west-1"}
	for _, tt := range []struct {
		name        string
		flags       []string
		env         map[string]string
		here, local string
	}{
		{"the place of the environment", nil, nil, "", ""},
		{"a Region that was typed", []string{"--region", "eu-west-1"}, nil, "--region eu-west-1", "--region eu-west-1"},
		{"several Regions", []string{"-r", "eu-west-1,us-east-1"}, nil, "--region eu-west-1", "--region eu-west-1,us-east-1"},
		{"several Regions of the environment", nil, map[string]string{"SSMDECK_REGIONS": "eu-west-1,us-east-1"}, "--region eu-west-1", ""},
		{
			"several accounts",
			[]string{"--accounts", "123456789012,210987654321", "--role", "ops", "--external-id", "x"},
			nil,
			"--accounts 210987654321 --role ops --external-id x", "--accounts 123456789012,210987654321 --role ops --external-id x",
		},
		{"all Regions", []string{"--all-regions"}, nil, "--region eu-west-1", "--region all"},
		{"an endpoint", []string{"--endpoint-url", "http://localhost:9"}, nil, "--endpoint-url http://localhost:9", "--endpoint-url http://localhost:9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := startFlow(t, flowOptions{dash: dashAll, flags: tt.flags, env: tt.env})
			got := strings.Join(f.opts.Deck.Flags(at), " ")
			if got != tt.here {
				t.Errorf("there %q, want %q", got, tt.here)
			}
			if local := strings.Join(f.opts.Deck.Flags(grid.Place{}), " "); local != tt.local {
				t.Errorf("of no place %q, want %q", local, tt.local)
			}
			spec, err := f.env(flowOptions{flags: strings.Fields(got), env: tt.env}).GridSpec()
			if err != nil || len(spec.Accounts) > 1 || len(spec.Regions) > 1 || len(spec.Accounts) == 1 && !slices.Equal(spec.Accounts, []string{at.Account}) {
				t.Errorf("they lead to %+v: %v", spec, err)
			}
		})
	}
}

// A row of a profile is found with that profile, all rows with all.
func TestFlagsOfSeveralProfiles(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dashAll, flags: []string{"--profile", "a", "--profile", "b"}})
	for at, want := range map[grid.Place]string{
		{}: "--profile a --profile b",
		{Profile: "b", Account: "210987654321", Region: "eu-west-1"}: "--profile b",
	} {
		if got := strings.Join(f.opts.Deck.Flags(at), " "); got != want {
			t.Errorf("of %v: %q, want %q", at, got, want)
		}
	}
}

// After a change of context lines lead to that one, and not to where the dashboard was
// started.
func TestFlagsAfterAChangeOfContext(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dashAll})
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("contexts:\n  stage: {region: eu-west-1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := f.env(flowOptions{flags: []string{"--config", file, "--region", "us-east-1"}})
	opts, closeDesk, err := dash.Wire(t.Context(), env.InContext("stage"), commands.Run, dashAll)
	if err != nil {
		t.Fatal(err)
	}
	defer closeDesk()
	if got, want := opts.Deck.OneLiner([]string{"ls"}, grid.Place{}), "ssmdeck ls --config "+file+" --context stage"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
