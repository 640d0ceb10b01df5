package dash_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// ssoConfig is a profile whose login has expired.
const ssoConfig = `[profile work]
region = us-east-1
sso_session = corp
sso_account_id = 123456789012
sso_role_name = ops
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
`

// Whoever opens the dashboard for the first time is told what to do, drawn and in plain
// text, and not only what is wrong.
func TestFirstScreens(t *testing.T) {
	nobody := map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(ssoConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	expired := map[string]string{"AWS_CONFIG_FILE": config, "AWS_PROFILE": "work"}
	for k, v := range nobody {
		expired[k] = v
	}
	empty := func() *world.Scenario {
		sc, err := world.ParseScenario("empty", []byte("region: us-east-1\nnodes: []\n"))
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	tests := []struct {
		name     string
		env      map[string]string
		scenario *world.Scenario
		says     []string
		code     int
	}{
		{"no credentials", nobody, nil, []string{"no AWS credentials were found", "aws sso login", "ssmdeck doctor", "ssmdeck demo"}, 4},
		{"an expired login", expired, nil, []string{"the SSO session has expired", "aws sso login --profile work", "ssmdeck doctor", "ssmdeck demo"}, 4},
		{"no Region", map[string]string{"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, nil, []string{"no Region is configured", "--region", "ssmdeck dash -p PROFILE -r REGION", "ssmdeck demo"}, 2},
		{"an empty fleet", nil, empty(), []string{"ssmdeck doctor --unmanaged", "ssmdeck dash --all-regions", "ssmdeck activation create", "ssmdeck demo"}, 0},
		{"nothing may be read", nil, refusing(t), []string{"not allowed: ssm:DescribeInstanceInformation", "ssmdeck doctor shows what you may do"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: tt.scenario})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = srv.Close() })
			env := (&flow{t: t, srv: srv}).env(flowOptions{env: tt.env})
			opts, end, err := dash.Wire(t.Context(), env, commands.Run, dash.Options{View: "overview"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(end)
			opts.Desk.Eager = true
			s := tuitest.New(t, func(*deck.Deck, *feed.Desk) []deck.Page { return nil }, func(o *tui.Options) { *o = opts })
			s.Size(140, 40)
			s.Has(tt.says...)

			var out, errs bytes.Buffer
			plain := env.Again([]string{"dash", "overview", "--plain"}, nil)
			plain.In, plain.Out, plain.Err = strings.NewReader("a\n\nv fleet\nr\nq\n"), &out, &errs
			if code := commands.Run(t.Context(), plain); code != tt.code {
				t.Errorf("exit %d, want %d: %s", code, tt.code, &errs)
			}
			for _, text := range tt.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("plain text does not say %q:\n%s", text, &out)
				}
			}
			if tt.code != 0 && strings.Count(out.String(), "r: tries again") < 2 {
				t.Errorf("r does not try again:\n%s", &out)
			}
		})
	}
}
