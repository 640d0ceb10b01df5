package dash_test

import (
	"slices"
	"strings"
	"testing"

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
