package commands

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// TestOnlyMarkedCommandsTakeSeveralScopes walks the whole tree: every command
// either spans accounts and Regions or refuses the flags for them before it runs.
func TestOnlyMarkedCommandsTakeSeveralScopes(t *testing.T) {
	flags := [][]string{
		{"--regions", "us-east-1,eu-west-1"},
		{"--all-regions"},
		{"--accounts", "222222222222"},
		{"--role", "Reader"},
		{"--external-id", "x"},
		{"--region", "us-east-1", "--region", "eu-west-1"},
		{"--region", "all"},
		{"--profile", "a", "--profile", "b"},
	}
	var spanning []string
	all := false
	for _, c := range everyCommand(newRootCmd(clitest.Quiet())) {
		path := strings.Fields(c.CommandPath())[1:]
		if c.Annotations[cli.SpansGrid] != "" {
			spanning = append(spanning, strings.Join(path, " "))
			continue
		}
		if c.GroupID == api.Operations && c.Name() != "send-command" { // all are one command
			continue
		}
		if !c.Runnable() || strings.HasSuffix(c.Use, "<command>") || c.DisableFlagParsing {
			continue
		}
		tried := flags
		if all { // one command with all of them, the others with some: the check is the same
			tried = [][]string{flags[0], flags[2], flags[5]}
		}
		all = true
		for _, typed := range tried {
			env := clitest.Quiet()
			root := newRootCmd(env)
			cmd, _, err := root.Find(path)
			if err != nil {
				t.Fatal(err)
			}
			for p := cmd; p != root; p = p.Parent() {
				if p.PersistentPreRun != nil || p.PersistentPreRunE != nil {
					t.Fatalf("%s has a hook in front of the check", p.CommandPath())
				}
			}
			if cmd.LocalNonPersistentFlags().Lookup(strings.TrimPrefix(typed[0], "--")) != nil && typed[0] != "--region" {
				continue // a flag of its own
			}
			ran := false
			cmd.Args = nil
			cmd.RunE = func(*cobra.Command, []string) error { ran = true; return nil }
			root.SetArgs(append(slices.Clone(path), typed...))
			err = root.Execute()
			if ran || fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "works") || fault.HintOf(err) == "" {
				t.Errorf("%v %v: ran %v, %v", path, typed, ran, err)
			}
		}
	}
	for _, want := range []string{"ls", "node list", "node get", "command list", "session list", "access list", "document list", "automation list", "activation list", "node summary"} {
		if !slices.Contains(spanning, want) {
			t.Errorf("%s does not take several Regions", want)
		}
	}
}

func TestGridOfFlagsAndSettings(t *testing.T) {
	for _, tt := range []struct {
		name    string
		env     map[string]string
		args    string
		regions string
		several bool
	}{
		{"nothing", nil, "", "", false},
		{"one Region", nil, "-r eu-west-1", "", false},
		{"one Region, twice", nil, "-r eu-west-1 -r eu-west-1", "", false},
		{"one of --regions", nil, "--regions eu-west-1", "", false},
		{"two ways add up", nil, "-r eu-west-1 --regions us-east-1,eu-west-1", "eu-west-1,us-east-1", true},
		{"commas", nil, "-r eu-west-1,us-east-1", "eu-west-1,us-east-1", true},
		{"all", nil, "-r all", "all", true},
		{"all, the long way", nil, "--all-regions", "all", true},
		{"a variable", map[string]string{"SSMDECK_REGIONS": "eu-west-1, us-east-1"}, "", "eu-west-1,us-east-1", true},
		{"a flag beats a variable", map[string]string{"SSMDECK_REGIONS": "eu-west-1,us-east-1"}, "-r eu-west-2", "", false},
		{"of two variables the wider", map[string]string{"SSMDECK_REGIONS": "eu-west-1,us-east-1", "SSMDECK_REGION": "eu-west-2"}, "", "eu-west-1,us-east-1", true},
		{"one Region in a variable", map[string]string{"SSMDECK_REGIONS": "eu-west-1"}, "", "eu-west-1", false},
		{"a role waits for accounts", map[string]string{"SSMDECK_ROLE": "Reader"}, "", "", false},
		{"accounts", map[string]string{"SSMDECK_ROLE": "Reader"}, "--accounts 222222222222", "", true},
		{"a profile beats accounts", map[string]string{"SSMDECK_ROLE": "Reader", "SSMDECK_ACCOUNTS": "222222222222"}, "-p a", "", false},
		{"profiles beat accounts", map[string]string{"SSMDECK_ROLE": "Reader", "SSMDECK_ACCOUNTS": "222222222222"}, "-p a -p b", "", true},
		{"profiles", nil, "-p a -p b", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := &cli.Env{In: &bytes.Buffer{}, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Lookup: func(name string) (string, bool) {
				v, ok := tt.env[name]
				return v, ok
			}}
			root := newRootCmd(env)
			cmd, _, err := root.Find([]string{"ls"})
			if err != nil {
				t.Fatal(err)
			}
			cmd.RunE = func(*cobra.Command, []string) error { return nil }
			root.SetArgs(append([]string{"ls"}, strings.Fields(tt.args)...))
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
			spec, err := env.GridSpec()
			if err != nil || strings.Join(spec.Regions, ",") != tt.regions || spec.Several() != tt.several {
				t.Errorf("got %+v, several %v, %v", spec, spec.Several(), err)
			}
		})
	}
}
