package cli_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
)

func TestAnotherProfileHasItsOwnAccount(t *testing.T) {
	const file = `
contexts:
  work: {profile: work, region: eu-west-1, role_arn: 'arn:aws:iam::1:role/x', endpoint_url: 'http://127.0.0.1:1'}
  list: {profile: work, regions: [eu-west-1]}
  all: {profile: work, regions: all}
  org: {profile: work, region: eu-west-1, accounts: org, role: audit}
`
	tests := []struct {
		name, context, profile, region string
		want                           string
	}{
		{"as the settings say", "work", "", "", "work eu-west-1 role endpoint"},
		{"the same profile", "work", "work", "", "work eu-west-1 role endpoint"},
		{"another Region", "work", "", "us-west-2", "work us-west-2 role endpoint"},
		{"another profile has another Region, role and endpoint", "work", "play", "", "play"},
		{"another profile and a Region", "work", "play", "us-west-2", "play us-west-2"},
		{"one Region in a list", "list", "", "", "work list eu-west-1"},
		{"a Region that is named counts for more than a list", "list", "", "us-west-2", "work us-west-2"},
		{"another profile has no list", "list", "play", "", "play"},
		{"a Region counts for more than all", "all", "", "us-west-2", "work us-west-2"},
		{"one Region is not all", "all", "work", "", "work list all several"},
		{"a profile means its own account", "org", "play", "us-west-2", "play us-west-2"},
		{"a Region does not choose among accounts", "org", "", "us-west-2", "work us-west-2 several"},
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte("current_context: "+tt.context+file), 0o600); err != nil {
				t.Fatal(err)
			}
			env := clitest.Env(t, io.Discard)
			home := env.Lookup
			env.Lookup = func(name string) (string, bool) {
				if name == "SSMDECK_CONFIG" {
					return path, true
				}
				return home(name)
			}
			got, err := env.For(tt.profile, tt.region)
			if err != nil {
				t.Fatal(err)
			}
			s, err := got.Settings()
			if err != nil {
				t.Fatal(err)
			}
			spec, err := got.GridSpec()
			if err != nil {
				t.Fatal(err)
			}
			words := []string{s.Profile, s.Region}
			if s.RoleARN != "" {
				words = append(words, "role")
			}
			if s.EndpointURL != "" {
				words = append(words, "endpoint")
			}
			if len(spec.Regions) > 0 {
				words = append(words, "list", strings.Join(spec.Regions, ","))
			}
			if spec.Several() {
				words = append(words, "several")
			}
			if text := strings.Join(strings.Fields(strings.Join(words, " ")), " "); text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
			if own, _ := env.Settings(); own.Profile != "work" {
				t.Error("the environment itself has changed")
			}
		})
	}
}
