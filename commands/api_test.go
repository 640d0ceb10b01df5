package commands

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/commands/api"
	"github.com/ssmdeck/ssmdeck/commands/cli/clitest"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// TestEveryOperationHasACommand: what an operation is said to be called by is a
// command that there is, and every operation has at least that of `api`, with all
// its flags, in both spellings.
func TestEveryOperationHasACommand(t *testing.T) {
	root := newRootCmd(clitest.Quiet())
	everyday, flags := 0, 0
	for _, op := range rawapi.Operations() {
		for _, path := range op.Commands {
			c, rest, err := root.Find(strings.Fields(path))
			if err != nil || len(rest) > 0 || c.CommandPath() != "ssmdeck "+path || strings.HasSuffix(c.Use, "<command>") {
				t.Errorf("facts.txt: %s is called by `ssmdeck %s`, which is no command", op.Name, path)
			}
		}
		if len(op.Commands) > 0 {
			everyday++
		}
		for _, name := range []string{op.Kebab, op.Name} {
			c, rest, err := root.Find([]string{"api", name})
			if err != nil || len(rest) > 0 || c.Name() != op.Kebab {
				t.Errorf("ssmdeck api %s: %v", name, err)
				continue
			}
			for _, f := range op.Fields {
				if kind := fmt.Sprintf("%T", c.Flags().Lookup(f.Flag).Value); !strings.HasSuffix(kind, ".fieldFlag") { // and not a global flag
					t.Errorf("api %s --%s does not fill its field", op.Kebab, f.Flag)
				}
				flags++
			}
		}
	}
	t.Logf("%d operations, %d with everyday commands, %d flags", len(rawapi.Operations()), everyday, flags/2)
}

// TestFieldsDoNotHideGlobalFlags: a field whose flag is one of every command's
// could not be told from it.
func TestFieldsDoNotHideGlobalFlags(t *testing.T) {
	global := newRootCmd(clitest.Quiet()).PersistentFlags()
	for _, op := range rawapi.Operations() {
		for _, f := range op.Fields {
			if global.Lookup(f.Flag) != nil || op.Field("no-"+f.Flag) != nil {
				t.Errorf("api %s --%s means something else as well", op.Kebab, f.Flag)
			}
		}
	}
}

func TestArgumentsOfTheAWSCLI(t *testing.T) {
	for in, want := range map[string]string{
		"api send-command --instance-ids i-1 i-2 --document-name D": "api send-command --instance-ids i-1 --instance-ids i-2 --document-name D",
		"api SendCommand --targets Key=a,Values=b Key=c,Values=d":   "api SendCommand --targets Key=a,Values=b --targets Key=c,Values=d",
		"-q api send-command --instance-ids=i-1 i-2":                "-q api send-command --instance-ids=i-1 i-2",
		"api send-command --generate-cli-skeleton output":           "api send-command --generate-cli-skeleton=output",
		"api send-command --generate-cli-skeleton --yes":            "api send-command --generate-cli-skeleton --yes",
		"api get-parameter --with-decryption --name a":              "api get-parameter --with-decryption --name a",
		"api get-parameters --names a b -o json c":                  "api get-parameters --names a --names b -o json c",
		"api get-parameters --query Names a --names b c":            "api get-parameters --query Names a --names b --names c",
		"api get-parameters --names a -- b":                         "api get-parameters --names a -- b",
		"api get-parameters --names":                                "api get-parameters --names",
		"api send-command":                                          "api send-command",
		"api list --family command":                                 "api list --family command",
		"run web-1 -- uptime":                                       "run web-1 -- uptime",
		"api nonsense --names a b":                                  "api nonsense --names a b",
	} {
		words := strings.Fields(in)
		before := slices.Clone(words)
		if got := strings.Join(api.Args(newRootCmd(clitest.Quiet()), words), " "); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if !slices.Equal(words, before) {
			t.Errorf("%s: the arguments were changed", in)
		}
	}
}
